"""Whose project it is, what goes into it, and what is handed out of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from voicefactory.errors import InputError
from voicefactory.jobs.store import Store
from voicefactory.pipeline.transcripts import load_transcripts, set_transcripts
from voicefactory.project import Project
from voicefactory.settings import settings
from voicefactory.types import Transcript
from voicefactory.ui import access, intake
from voicefactory.ui.state import read


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of everything that asks the settings."""
    monkeypatch.setattr(settings(), "home", tmp_path / "home")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "page"))
    return tmp_path / "home"


def test_a_project_of_somebody_else_is_not_there(home: Path) -> None:
    mine = access.create_project("Anna", "anna")
    assert access.open_project(mine.identifier, "anna") == mine
    with pytest.raises(InputError, match="no project"):
        access.open_project(mine.identifier, "eve")
    with pytest.raises(InputError) as stranger:
        access.open_project(mine.identifier, "eve")
    with pytest.raises(InputError) as missing:
        access.open_project("x" + mine.identifier, "eve")
    assert str(stranger.value) == str(missing.value).replace("'x", "'")  # nothing tells which is which


def test_names_of_others_do_not_matter(home: Path) -> None:
    first = [access.create_project("Anna", owner) for owner in ("local", "v-1", "hf:eve")]
    assert len({project.root for project in first}) == 3
    assert [access.create_project("anna", owner) for owner in ("local", "v-1", "hf:eve")] == first
    assert [project.info["name"] for project in first] == ["Anna"] * 3
    assert first[0].identifier == "anna"
    for project in first:
        digest = project.identifier.removeprefix("anna").removeprefix("--")
        assert access.create_project(f"anna--{digest}", "local").root not in [one.root for one in first]


def test_names_cannot_leave_the_folder(home: Path) -> None:
    access.create_project("Anna", "anna")
    with pytest.raises(InputError, match="no project"):
        access.open_project("../anna", "anna")
    with pytest.raises(InputError, match="name"):
        access.open_project("", "anna")


def test_uploads_are_copied_with_a_name_that_every_disk_takes(home: Path, tmp_path: Path) -> None:
    project = access.create_project("Anna", "local")
    long = tmp_path / f"{'é' * 120}.wav"
    long.write_bytes(b"one")
    table = tmp_path / "metadata.csv"
    table.write_text("a|b")
    intake.take_in(project, [str(long), str(table)])
    long.unlink()
    (taken,) = project.uploads.glob("*/*")
    assert taken.read_bytes() == b"one"
    assert len(taken.name.encode()) <= 200
    assert taken.suffix == ".wav"
    assert Path(intake.own_texts(project)).name == "metadata.csv"
    intake.remove(project, taken)
    assert not list(project.uploads.glob("*/*"))


def test_single_texts_are_given_as_a_folder(home: Path, tmp_path: Path) -> None:
    project = access.create_project("Anna", "local")
    assert intake.own_texts(project) == ""
    (tmp_path / "one.txt").write_text("Hello.")
    intake.take_in(project, [str(tmp_path / "one.txt")])
    assert (Path(intake.own_texts(project)) / "one.txt").read_text() == "Hello."


def test_state_follows_the_files_and_rows_stay_in_place(
    home: Path, prepared_project: Callable[[Path], Project]
) -> None:
    project = prepared_project(home)
    store = Store(home / "jobs.db")
    before = read(project, store)
    assert len(before.clips) == len(before.transcripts) == 12
    assert len(before.references) == 3
    last = before.transcripts[-1]
    set_transcripts(project, [Transcript(last.clip, "Something else.", "english", 1.0, "edited")])
    after = read(project, store)
    assert after.transcripts[-1].text == "Something else."
    assert [row.clip for row in after.transcripts] == [row.clip for row in before.transcripts]
    assert load_transcripts(project) != []
    assert read(None, store).clips == ()


def test_the_page_does_not_load_what_the_workers_need() -> None:
    code = (
        "import sys; import voicefactory.ui.app; "
        "print([name for name in ('torch', 'transformers', 'qwen_tts', 'faster_whisper', 'ctranslate2') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=True)
    assert done.stdout.strip() == "[]"
