"""`voicefactory delete`: asks first, takes one project or all of an owner, and leaves nothing, also of the page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.unit.test_deletion import KEPT, SECRET, full_project, remains
from voicefactory.jobs.store import Store
from voicefactory.project import list_projects


def run(home: Path, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "voicefactory", "delete", *arguments, "--home", str(home)]
    env = {key: value for key, value in os.environ.items() if key != "GRADIO_TEMP_DIR"}
    return subprocess.run(command, input=answer, capture_output=True, text=True, timeout=300, env=env)


def test_a_voice_is_deleted_after_a_yes_with_what_the_page_handed_out(tmp_path: Path) -> None:
    home = tmp_path / "home"
    store = Store(home / "jobs.db")
    doomed = full_project(home, store, "local", SECRET, name=SECRET)
    full_project(home, store, "local", KEPT, name=KEPT)
    hand_out = (
        "import os, sys; from pathlib import Path; os.environ['GRADIO_TEMP_DIR'] = sys.argv[1] + '/page';"
        "from voicefactory.ui.handout import give; print(give(Path(sys.argv[2])))"
    )
    given = subprocess.run(
        [sys.executable, "-c", hand_out, str(home), str(doomed.root / "texts" / f"{SECRET}.txt")],
        env={**os.environ, "VOICEFACTORY_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert Path(given).is_file()
    no = run(home, SECRET, answer="n\n")
    assert (no.returncode, no.stdout) == (2, "")
    assert f"Delete {SECRET} (0.00 GB) for ever? [y/N] Nothing was deleted." in no.stderr
    assert doomed.root.is_dir()
    done = run(home, SECRET, answer="y\n")
    assert (done.returncode, done.stdout.strip()) == (0, doomed.identifier), done.stderr
    assert remains(home, SECRET) == []
    assert [project.name for project in list_projects(home)] == [KEPT]
    assert run(home, SECRET, "--yes").returncode == 2


def test_everything_of_one_owner(tmp_path: Path) -> None:
    home = tmp_path / "home"
    store = Store(home / "jobs.db")
    full_project(home, store, "v-1234", SECRET)
    full_project(home, store, "local", KEPT)
    for wrong in (["--all", "name"], [], ["name", "--owner", "x"], [KEPT + "x", "--yes"]):
        assert run(home, *wrong).returncode == 2
    done = run(home, "--all", "--owner", "v-1234", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["projects"]) == 1
    assert remains(home, SECRET) == []
    assert len(list_projects(home, "local")) == 1
