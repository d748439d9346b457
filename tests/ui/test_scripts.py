"""Scripts make voices by themselves, each owner their own: nobody's script reaches another's project or job."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from tests.conftest import GivenClip
from tests.ui.conftest import ROOT, Server
from voicefactory import owners
from voicefactory.jobs.store import Job


def _ended(server: Server, job: str, seconds: float = 300) -> Job:
    end = time.monotonic() + seconds
    while (found := server.store.get(job)).active:
        assert time.monotonic() < end, server.story()
        time.sleep(0.1)
    return found


def _texts(folder: Path, clips: list[GivenClip]) -> Path:
    path = folder / "texts.csv"
    path.write_text("".join(f"{clip.path.name}|{clip.text}\n" for clip in clips), encoding="utf-8")
    return path


def _refused(client: Client, sentence: str, *values: Any, **more: Any) -> None:
    with pytest.raises(AppError, match=sentence):
        client.predict(*values, **more)


def _post(server: Server, name: str, key: str, data: list[Any]) -> bytes:
    """Call an endpoint without the client, which would upload what a path names."""
    headers = {"Content-Type": "application/json", owners.HEADER: key}
    request = urllib.request.Request(
        f"{server.url}/gradio_api/run/{name}", json.dumps({"data": data}).encode(), headers
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())


@pytest.fixture(scope="module")
def brought(server: Server, twelve_clips: list[GivenClip], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A project with recordings, made by the script of somebody who has no other right here than a key of their own."""
    key, clips = owners.new_key(), twelve_clips[:3]
    client = server.client(key)
    project = client.predict("Scripted", api_name="/create_project")
    files = [
        handle_file(path) for path in (*(clip.path for clip in clips), _texts(tmp_path_factory.mktemp("t"), clips))
    ]
    job = client.predict(project, files, "english", api_name="/add_recordings")
    return {"client": client, "project": project, "job": job, "key": key}


def test_recordings_are_brought_and_prepared(server: Server, brought: dict[str, Any]) -> None:
    client, project = brought["client"], brought["project"]
    assert _ended(server, brought["job"]).state == "succeeded", server.story()
    (mine,) = client.predict(api_name="/jobs")
    assert (mine["id"], mine["kind"], mine["project"], mine["state"]) == (
        brought["job"],
        "prepare",
        project,
        "succeeded",
    )
    told = client.predict(project, api_name="/status")
    assert told["steps"]["recordings"]["state"] == "done"
    assert [one["id"] for one in client.predict(api_name="/projects")] == [project]
    assert client.predict("Scripted", api_name="/create_project") == project


def test_what_a_script_asks_wrongly_is_a_sentence(brought: dict[str, Any]) -> None:
    client, project = brought["client"], brought["project"]
    _refused(client, "at least one letter", " ", api_name="/create_project")
    _refused(client, "language", project, [handle_file(__file__)], "klingon", api_name="/add_recordings")
    _refused(client, "Confirm that you may use this voice", project, False, api_name="/train")
    _refused(client, "Choose one of", project, True, "/etc/hostname", api_name="/train")
    _refused(client, "Valid keys: learning_rate", project, True, settings="leaning_rate=1", api_name="/train")
    _refused(client, "no such job", "20990101-000000-00000000", api_name="/cancel")
    _refused(client, "nothing to resume", brought["job"], api_name="/resume")


def test_nobodys_script_reaches_anothers(server: Server, brought: dict[str, Any], tmp_path: Path) -> None:
    key, project, job = owners.new_key(), brought["project"], brought["job"]
    other = server.client(key)
    assert other.predict(api_name="/jobs") == other.predict(api_name="/projects") == []
    for asked, name in (((project,), "status"), ((project, "Hi."), "synthesize"), ((project,), "download")):
        _refused(other, "no project", *asked, api_name=f"/{name}")
    _refused(other, "no project", project, True, api_name="/train")
    _refused(other, "no project", project, [handle_file(__file__)], api_name="/add_recordings")
    for name in ("cancel", "resume"):
        _refused(other, "no such job", job, api_name=f"/{name}")
    own = other.predict("Own", api_name="/create_project")
    recorded = next((server.home / "projects" / project / "recordings").glob("*.wav"))
    for path in (str(recorded), "/etc/hostname", "", None):
        sent = {"path": path, "meta": {"_type": "gradio.FileData"}} if path is not None else str(recorded)
        with pytest.raises(urllib.error.HTTPError):
            _post(server, "add_recordings", key, [own, [sent], "auto"])
    assert not list((server.home / "projects" / own).glob("uploads/*/*"))


def test_a_waiting_job_is_cancelled_and_resumed(server: Server, brought: dict[str, Any]) -> None:
    _ended(server, brought["job"])
    client = brought["client"]
    job = client.predict(brought["project"], True, model="toy", settings="max_steps=5000", api_name="/train")
    assert client.predict(job, api_name="/cancel") in ("cancelled", "running", "queued")
    assert _ended(server, job).state == "cancelled"
    again = client.predict(job, api_name="/resume")
    assert again != job
    client.predict(again, api_name="/cancel")
    assert _ended(server, again).state == "cancelled"


@pytest.mark.slow
def test_the_example_makes_a_voice(server: Server, twelve_clips: list[GivenClip], tmp_path: Path) -> None:
    example = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "scripts.md").read_text(), re.DOTALL)[1]
    (tmp_path / "recordings").mkdir()
    for clip in twelve_clips[:3]:
        shutil.copy(clip.path, tmp_path / "recordings")
    _texts(tmp_path / "recordings", twelve_clips[:3])
    script = tmp_path / "example.py"
    script.write_text(example.replace("http://127.0.0.1:7860", server.url).replace("YOUR KEY", owners.new_key()))
    ran = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=500, check=False
    )
    assert ran.returncode == 0, ran.stderr + server.story()
    *states, voice = ran.stdout.splitlines()[-3:]
    assert states == ["succeeded", "succeeded"]
    assert zipfile.ZipFile(voice).testzip() is None
