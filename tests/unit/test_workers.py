"""Several processes give what one gives, stop within a moment, and do not outlive who started them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.media import encode, tone
from voicefactory import files
from voicefactory.errors import Cancelled, VoiceFactoryError
from voicefactory.pipeline import ingest as ingest_module
from voicefactory.pipeline.ingest import ingest
from voicefactory.pipeline.workers import Tell, finished
from voicefactory.project import Project
from voicefactory.types import Progress, ShouldStop


def squared(task: int, tell: Tell, should_stop: ShouldStop) -> int:
    time.sleep(0.2 if task == 0 else 0)
    return task * task


def waiting(task: int, tell: Tell, should_stop: ShouldStop) -> int:
    while not should_stop():
        tell(0.5)
        time.sleep(0.02)
    raise Cancelled("heard of it")


def killed(task: int, tell: Tell, should_stop: ShouldStop) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return task


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_comes_back_once_with_its_number(workers: int) -> None:
    results = dict(finished(squared, iter(range(9)), workers=workers))
    assert results == {number: number * number for number in range(9)}


def test_a_stop_reaches_tasks_that_are_running_and_shares_reach_the_caller() -> None:
    shares: list[dict[int, float]] = []

    def enough() -> bool:
        return any(0.5 in one.values() for one in shares)

    with pytest.raises(Cancelled, match="Enough"):
        list(finished(waiting, range(5), workers=2, should_stop=enough, on_shares=shares.append, stopped="Enough."))


def test_a_process_that_the_system_ended_is_said_in_a_sentence() -> None:
    with pytest.raises(VoiceFactoryError, match="The system ended one of the helper processes"):
        list(finished(killed, range(3), workers=2))


@pytest.fixture
def takes(tmp_path: Path) -> Path:
    folder = tmp_path / "takes"
    folder.mkdir()
    for index in range(6):
        encode(folder / f"{index}.wav", tone(1.5 + index / 2, hertz=200 + 10 * index), 24_000, "wav")
    shutil.copy(folder / "1.wav", folder / "again.wav")
    (folder / "notes.txt").write_text("no sound")
    shutil.move(shutil.make_archive(str(tmp_path / "zipped"), "zip", folder), folder)
    return folder


def test_recordings_do_not_depend_on_the_number_of_processes(
    takes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Progress] = []
    alone, together = Project.create("Anna", tmp_path / "one"), Project.create("Anna", tmp_path / "two")
    one = ingest(alone, [takes])
    monkeypatch.setattr(ingest_module, "_FEW_FILES", 0)
    monkeypatch.setattr(ingest_module, "worker_count", lambda tasks: 2)
    two = ingest(together, [takes], on_progress=seen.append)
    assert one[1] == two[1]
    assert files.read_jsonl(alone.recordings_jsonl) == files.read_jsonl(together.recordings_jsonl)
    assert len(one[0]) == 6
    assert sum("same content" in row.reason for row in two[1]) == 8  # the copy, and all seven in the zip
    digests = [{path.name: files.sha256_of(path) for path in p.recordings.iterdir()} for p in (alone, together)]
    assert {name: value for name, value in digests[0].items() if name.endswith(".wav")}.items() <= digests[1].items()
    assert digests[0].keys() == digests[1].keys()  # nothing unpacked is left behind
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)
    assert seen[-1].done == seen[-1].total


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_workers_end_when_their_parent_is_killed() -> None:
    program = (
        "import sys; from tests.unit.test_workers import waiting\n"
        "from voicefactory.pipeline.workers import finished\n"
        "print('begun', flush=True); list(finished(waiting, range(4), workers=2))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert parent.stdout is not None
    parent.stdout.readline()
    children: list[psutil.Process] = []
    deadline = time.monotonic() + 60
    while len(children) < 2 and time.monotonic() < deadline:
        children = [one for one in psutil.Process(parent.pid).children() if "loky" in " ".join(one.cmdline())]
        time.sleep(0.1)
    assert len(children) >= 2
    time.sleep(1.0)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
