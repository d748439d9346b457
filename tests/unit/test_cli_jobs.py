"""`voicefactory jobs`, beside an app and without one: what it lists, stops, queues again and removes."""

from __future__ import annotations

import collections
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import GivenClip
from tests.unit.test_cli import environ
from voicefactory import cli, files
from voicefactory.jobs import log, processes, stopping, upkeep
from voicefactory.jobs.scheduler import Scheduler
from voicefactory.jobs.store import Job, Store
from voicefactory.project import Project

DAY_S = 86_400


@dataclasses.dataclass
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def jobs(capfd: pytest.CaptureFixture[str], home: Path) -> Any:
    """Run `voicefactory jobs`."""

    def run(*arguments: str) -> Said:
        code = cli.run(["jobs", *arguments])
        return Said(code, *capfd.readouterr())

    return run


def row(store: Store, state: str, *, days: float = 0, **values: Any) -> Job:
    """A job in that state, whose last change was so many days ago."""
    moment = time.time() - days * DAY_S
    job = store.add(values.pop("kind", "train"), values.pop("owner", "local"), values.pop("project", "anna"), {})
    if state != "queued":
        store.move(job.id, "running", started=moment, **(values if state == "running" else {}))
    if state not in ("queued", "running"):
        store.move(job.id, state, ended=moment, **values)  # type: ignore[arg-type]
    return store.get(job.id)


def test_list_shows_what_goes_on_and_the_day(store: Store, jobs: Any) -> None:
    running = row(store, "running", device="cuda:1", step="finetune", done=40, total=200, eta_low=60, eta_high=200)
    waiting = row(store, "queued", owner="ben", kind="synthesize")
    store.place(waiting.id, waits="cuda:1 is full.")
    failed = row(store, "failed", error="The disk is full.\nReally.", project="carl")
    old = row(store, "succeeded", days=3)
    said = jobs("list")
    assert said.code == 0, said.err
    head, *lines = said.out.splitlines()
    assert head.split() == ["ID", "STATE", "KIND", "OWNER", "PROJECT", "DEVICE", "SINCE"]
    assert [line.split()[0] for line in lines] == [running.id, waiting.id, failed.id]
    assert "cuda:1" in lines[0]
    assert "finetune 40 of 200, 1 to 4 min left" in lines[0]
    assert lines[1].endswith("cuda:1 is full.")
    assert lines[2].endswith("The disk is full. Really.")

    def listed(*arguments: str) -> list[str]:
        return [one["id"] for one in jobs("list", "--json", *arguments).json]

    assert listed() == [running.id, waiting.id, failed.id]
    assert listed("--all")[-1] == old.id
    assert listed("--state", "succeeded") == [old.id]
    assert listed("--state", "failed", "--state", "queued") == [waiting.id, failed.id]
    assert listed("--kind", "synthesize") == listed("--owner", "ben") == [waiting.id]
    assert listed("--project", "carl") == [failed.id]


def test_show_has_everything_and_the_end_of_the_log(store: Store, home: Path, jobs: Any) -> None:
    job = row(store, "failed", error="Too little memory.", error_kind="VoiceFactoryError", needed_bytes=6 << 30)
    files.write_text(home / "projects" / "anna" / "jobs" / f"{job.id}.log", "".join(f"line {n}\n" for n in range(100)))
    said = jobs("show", job.id[-6:])
    assert said.code == 0, said.err
    for part in (job.id, "6.0 GiB", "Too little memory. (VoiceFactoryError)", "line 99"):
        assert part in said.out
    assert "line 79\n" not in said.out
    told = jobs("show", job.id, "--json").json
    assert told["request"] == {}
    assert Path(told["log"]).is_file()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["show", "nothing"], "There is no job 'nothing'"),
        (["list", "--state", "done"], "There is no state 'done'. Choose one of: cancelled, failed"),
        (["list", "--kind", "dance"], "There is no kind 'dance'. Choose one of: clean"),
        (["cancel", "ended"], "has ended already: failed"),
        (["resume", "succeeded"], "There is nothing to resume"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_fault_of_the_caller_is_2(store: Store, jobs: Any, arguments: list[str], sentence: str) -> None:
    named = {"ended": row(store, "failed").id, "succeeded": row(store, "succeeded").id}
    said = jobs(*(named.get(one, one) for one in arguments), "--json")
    assert said.code == 2
    assert sentence in said.err
    assert sentence in said.json["error"]


def test_an_end_that_several_jobs_share_is_not_enough(store: Store, jobs: Any) -> None:
    ends = collections.Counter(row(store, "queued").id[-1] for _ in range(17))  # hexadecimal: two of 17 share one
    end, number = ends.most_common(1)[0]
    said = jobs("cancel", end)
    assert said.code == 2
    assert f"{number} jobs end in '{end}'. Give more of the id." in said.err
    assert all(job.state == "queued" for job in store.jobs())


def test_without_a_home_there_is_nothing_to_list(tmp_path: Path, jobs: Any) -> None:
    said = jobs("list", "--home", str(tmp_path / "nowhere"))
    assert said.code == 2
    assert "There are no jobs in" in said.err
    assert not (tmp_path / "nowhere").exists()


def deaf_worker() -> subprocess.Popen[bytes]:
    """A process that does not listen to SIGTERM, with a child."""
    child = "import time; time.sleep(60)"
    code = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"print(subprocess.Popen([sys.executable, '-c', {child!r}]).pid, flush=True); signal.pause()"
    )
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)


def test_cancel_without_an_app_ends_the_worker_and_what_waits(
    store: Store, jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "_KILL_AFTER_S", 0.5)
    waiting = row(store, "queued", kind="judge")
    with deaf_worker() as worker:
        assert worker.stdout is not None
        child = int(worker.stdout.readline())
        try:
            job = row(store, "running", pid=worker.pid, pid_identity=processes.identity(worker.pid))
            said = jobs("cancel", job.id, waiting.id, "--json")
            assert said.json == [{"id": job.id, "state": "cancelled"}, {"id": waiting.id, "state": "cancelled"}]
            assert worker.wait(10) == -signal.SIGKILL
            assert processes.identity(child) is None
        finally:
            worker.kill()


def test_cancel_beside_an_app_leaves_the_ending_to_it(
    store: Store, home: Path, jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the app does then is tested where the app is; here nobody must be killed twice."""
    scheduler = Scheduler(home)
    scheduler.start()
    monkeypatch.setattr(stopping, "_PATIENCE_S", 0.5)
    monkeypatch.setattr(stopping, "_KILL_AFTER_S", 0.1)
    try:
        with deaf_worker() as worker:
            job = row(store, "running", pid=worker.pid, pid_identity=processes.identity(worker.pid))
            said = jobs("cancel", job.id)
            assert (said.code, said.out) == (1, f"{job.id}  asked to stop, and has not yet\n")
            assert worker.poll() is None
            assert store.get(job.id).cancel_requested is not None
            os.killpg(worker.pid, signal.SIGKILL)
    finally:
        scheduler.stop()


def test_resume_says_that_no_app_runs_and_a_running_one_starts_it(
    store: Store, home: Path, jobs: Any, twelve_clips: list[GivenClip]
) -> None:
    project = Project.create("Anna", home)
    recording = project.uploads / "1" / twelve_clips[0].path.name
    recording.parent.mkdir(parents=True)
    recording.write_bytes(twelve_clips[0].path.read_bytes())
    stopped = store.add("ingest", "local", project.identifier, {})
    store.move(stopped.id, "running")
    store.move(stopped.id, "interrupted")

    said = jobs("resume", stopped.id)
    assert said.code == 0, said.err
    assert "the job waits until one is started" in said.err
    (again,) = store.jobs(states=["queued"])
    assert said.out.split() == [again.id, "queued"]
    store.move(again.id, "cancelled")

    scheduler = Scheduler(home)
    scheduler.start()
    try:
        command = [sys.executable, "-m", "voicefactory", "jobs", "resume", again.id, "--json"]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=120, env=environ(VOICEFACTORY_HOME=str(home))
        )
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["app_runs"] is True
        end = time.monotonic() + 120
        while store.get(told["id"]).active:
            assert time.monotonic() < end, store.get(told["id"])
            time.sleep(0.1)
        assert store.get(told["id"]).state == "succeeded", store.get(told["id"]).error
    finally:
        scheduler.stop()


def test_clean_removes_what_nobody_needs_and_nothing_else(
    store: Store, home: Path, jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_CACHE_DAYS", -0.01)  # when a file was linked cannot be set: what is from now is old
    old, young = row(store, "failed", days=40), row(store, "failed", days=2)
    stopped, active = row(store, "interrupted", days=40), row(store, "running", days=40)
    kept = []
    for job in (old, young, stopped, active):
        files.write_text(home / "projects" / "anna" / "jobs" / f"{job.id}.log", "x" * 1000)
    half, cached, voice = (
        home / "projects" / "anna" / "clips" / ".aside-abc.wav",
        home / "page" / "1a2b" / "old.wav",
        home / "projects" / "anna" / "voices" / "anna.zip",
    )
    for path in (half, cached, voice):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 1000)
        os.utime(path, (time.time() - 3 * DAY_S,) * 2)
    kept = [home / "page" / "1a2b" / "new.wav", home / "page" / "secret.key", voice]
    for path in kept[:2]:
        path.write_bytes(b"x")
    os.utime(kept[0], (time.time() + DAY_S,) * 2)

    said = jobs("clean", "--json")
    assert said.json == {"jobs": 1, "logs": 1, "leftovers": 1, "cache": 1, "bytes": 3000}
    assert [job.id for job in store.jobs()] == [young.id, stopped.id, active.id]
    logs = {path.stem for path in (home / "projects" / "anna" / "jobs").iterdir()}
    assert logs == {young.id, stopped.id, active.id}
    assert not half.exists()
    assert not cached.exists()
    assert all(path.exists() for path in kept)
    assert "Removed 1 jobs and 1 logs" in jobs("clean", "--days", "1").out
    assert log.log_file(home).is_file(), "the log has its own rotation"
