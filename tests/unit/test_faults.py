"""What happens to a machine: crashes, no memory, a restart of everything, clocks that jump, full disks, locked tables.

Real workers, real signals, a real small file system. After each fault the table is whole, nothing that was finished is
lost, and the same work can be done by one click.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import time_machine

from tests.at_work import end_workers, listen, prepare, running, take_in, uploaded, wait, wait_for
from tests.conftest import GivenClip
from voicefactory.errors import DiskFullError, VoiceFactoryError, as_sentence
from voicefactory.jobs import endings, processes
from voicefactory.jobs.scheduler import Scheduler
from voicefactory.jobs.store import Job, Store
from voicefactory.pipeline.transcripts import load_transcripts
from voicefactory.project import Project
from voicefactory.settings import settings

APP = """
import sys
from pathlib import Path
from voicefactory.jobs.scheduler import Scheduler
scheduler = Scheduler(Path(sys.argv[1]))
scheduler.start()
print("ready", flush=True)
sys.stdin.read()
"""
#: Much memory, so that dying takes a moment.
MANY_THREADS = """
import threading, time
held = bytearray(300_000_000)
for _ in range(60):
    threading.Thread(target=time.sleep, args=(60,)).start()
print("ready", flush=True)
"""


@pytest.fixture
def project(home: Path, twelve_clips: list[GivenClip]) -> Project:
    return uploaded(home, twelve_clips[:3])


@pytest.fixture
def small_home(tmp_path: Path, twelve_clips: list[GivenClip], monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home on a file system of its own with 24 MB."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("VOICEFACTORY_MIN_FREE_GB", "0")
    settings.cache_clear()
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("mounting a small file system needs root")
    yield disk / "home"
    settings.cache_clear()
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def app(home: Path) -> subprocess.Popen[bytes]:
    """A scheduler in a process of its own, ready."""
    process = subprocess.Popen([sys.executable, "-c", APP, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def fill(filler: Path) -> None:
    """Until there is no room left for a single block."""
    with open(filler, "wb", buffering=0) as out, contextlib.suppress(OSError):
        while out.write(b"x" * 4096):
            pass


def whole(store: Store) -> bool:
    with sqlite3.connect(store.path) as db:
        return bool(db.execute("PRAGMA integrity_check").fetchone()[0] == "ok")


def row_of_before(store: Store, project: Project, pid: int, identity: str) -> Job:
    """A job that was running when the machine stood still."""
    job = store.add("prepare", "local", project.identifier, {"language": "english"})
    store.move(job.id, "running", pid=pid, pid_identity=identity)
    return job


def test_a_worker_that_crashes_is_said_to_have_crashed(scheduler: Scheduler, project: Project) -> None:
    job = wait(scheduler, take_in(scheduler, project), running, 180)
    assert job.pid is not None
    os.kill(job.pid, signal.SIGSEGV)
    gone = wait_for(scheduler, job, "interrupted", 20)
    assert (gone.state, gone.error) == ("interrupted", endings.CRASHED)
    assert wait_for(scheduler, scheduler.resume(job.id), "succeeded").state == "succeeded"


def test_a_worker_of_many_threads_is_over_when_the_last_has_ended(store: Store, home: Path) -> None:
    """Its first thread looks like a zombie before: an exit code that is asked for then is not there yet."""
    scheduler = Scheduler(home)  # looks once, below
    for _ in range(3):
        worker = subprocess.Popen([sys.executable, "-c", MANY_THREADS], stdout=subprocess.PIPE)
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        job = store.add("train", "local", "anna", {})
        store.move(job.id, "running", pid=worker.pid, pid_identity=processes.identity(worker.pid))
        scheduler._workers._started[job.id] = worker
        job = store.get(job.id)
        worker.send_signal(signal.SIGSEGV)
        while processes.is_alive(job.pid, job.pid_identity):
            pass
        end = time.monotonic() + 60
        while store.get(job.id).state == "running":
            assert time.monotonic() < end
            scheduler._watch(job)
        assert store.get(job.id).error == endings.CRASHED


@pytest.mark.slow
def test_without_memory_a_sentence_says_so_and_the_work_can_be_done_later(
    scheduler: Scheduler, project: Project
) -> None:
    job = wait(scheduler, listen(scheduler, project), running, 180)
    assert job.pid is not None
    held = psutil.Process(job.pid).memory_info().vms
    limit = held + (200 << 20)  # Whisper wants more
    resource.prlimit(job.pid, resource.RLIMIT_AS, (limit, limit))
    ended = wait(scheduler, job, lambda found: not found.active, 120)
    # What fails first is chance: Python, a library in C, or even the writing of the end.
    assert ended.state in ("failed", "interrupted"), ended
    assert "memory" in ended.error or ended.error == endings.CRASHED or "on our side" in ended.error
    assert "What was finished is kept" in ended.error
    assert whole(scheduler.store)
    assert wait_for(scheduler, scheduler.resume(job.id), "succeeded").state == "succeeded"


@pytest.mark.slow
def test_an_app_that_is_killed_and_started_again_finds_its_workers(home: Path, project: Project) -> None:
    store = Store(home / "jobs.db")
    first = app(home)
    asked = Scheduler(home)  # only to ask with: it is not started
    job = wait(asked, prepare(asked, project), running, 180)
    assert job.pid is not None
    os.kill(job.pid, signal.SIGSTOP)  # so that it does not end between the two apps
    first.kill()
    first.wait()
    assert processes.is_alive(job.pid, job.pid_identity)

    second = app(home)
    time.sleep(1.0)
    assert store.get(job.id).state == "running"
    os.kill(job.pid, signal.SIGCONT)
    assert wait_for(asked, job, "succeeded").state == "succeeded"

    lost = wait(asked, listen(asked, project), running, 180)
    assert lost.pid is not None
    second.kill()
    second.wait()
    os.kill(lost.pid, signal.SIGKILL)
    third = app(home)
    try:
        gone = wait_for(asked, lost, "interrupted", 20)
        assert gone.state == "interrupted"
        assert wait_for(asked, asked.resume(lost.id), "succeeded", 180).state == "succeeded"
    finally:
        third.kill()
        third.wait()


def test_after_a_restart_of_the_machine_no_process_is_taken_for_a_worker(home: Path, project: Project) -> None:
    """Process ids are given anew: one of them is this test's, another is nobody's."""
    store, mine = Store(home / "jobs.db"), processes.identity(os.getpid())
    assert mine is not None
    ticks = mine.rpartition(":")[2]
    before = [
        row_of_before(store, project, os.getpid(), f"0f5b3c1e-another-boot:{ticks}"),
        row_of_before(store, project, os.getpid(), mine.replace(ticks, "1")),
        row_of_before(store, project, 4_190_000, mine),
    ]
    waiting = store.add("ingest", "local", project.identifier, {})
    scheduler = Scheduler(home)
    scheduler.start()
    try:
        assert {scheduler.store.get(job.id).state for job in before} == {"interrupted"}
        assert psutil.Process().is_running()  # it was not taken for a worker's orphan either
        assert wait(scheduler, waiting, lambda job: not job.active, 180).state in ("succeeded", "failed")
        assert scheduler.resume(before[0].id).state == "queued"
    finally:
        scheduler.stop()
        end_workers(scheduler)


@pytest.mark.parametrize("hours", [1, pytest.param(-24, marks=pytest.mark.slow)])
def test_a_clock_that_jumps_ends_nothing_and_shortens_no_grace(
    home: Path, project: Project, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = Scheduler(home)
    scheduler.start()
    job = wait(scheduler, take_in(scheduler, project), running, 180)
    assert job.pid is not None
    os.kill(job.pid, signal.SIGSTOP)
    with time_machine.travel(time.time() + 3600 * hours, tick=True):
        time.sleep(1.0)
        assert scheduler.store.get(job.id).state == "running"
        scheduler.stop()
        scheduler = Scheduler(home)  # also for one that begins after the jump
        scheduler.start()
        time.sleep(0.5)
        assert scheduler.store.get(job.id).state == "running"
        scheduler.cancel(job.id)
    # back again: the wish to cancel seems to come from another hour, and still it has its seconds to save
    time.sleep(1.0)
    assert processes.is_alive(job.pid, job.pid_identity)
    os.kill(job.pid, signal.SIGCONT)
    assert wait_for(scheduler, job, "cancelled", 20).state == "cancelled"
    assert wait_for(scheduler, take_in(scheduler, project), "succeeded").state == "succeeded"
    scheduler.stop()


@pytest.mark.slow
def test_a_full_disk_is_a_sentence_and_the_work_goes_on_when_there_is_room(
    small_home: Path, twelve_clips: list[GivenClip]
) -> None:
    project = uploaded(small_home, twelve_clips[:3])
    scheduler = Scheduler(small_home)
    scheduler.start()
    try:
        job = wait(scheduler, prepare(scheduler, project), running, 180)
        filler = small_home.parent / "filler"
        fill(filler)
        time.sleep(6.0)  # it works, fails, and cannot even write that down
        assert whole(scheduler.store)
        filler.unlink()
        ended = wait(scheduler, job, lambda found: not found.active, 120)
        assert ended.state == "failed", ended
        assert ended.error.startswith("The disk is full")
        done = wait_for(scheduler, scheduler.resume(job.id), "succeeded")
        assert done.state == "succeeded", done.error
        assert len(load_transcripts(project)) == 3
    finally:
        scheduler.stop()
        end_workers(scheduler)


@pytest.mark.slow
def test_a_table_that_another_program_locks_costs_nothing(scheduler: Scheduler, project: Project) -> None:
    job = wait(scheduler, prepare(scheduler, project), running, 180)
    locked, over = threading.Event(), threading.Event()

    def lock() -> None:
        db = sqlite3.connect(scheduler.store.path, isolation_level=None, timeout=60)
        db.execute("BEGIN EXCLUSIVE")
        locked.set()
        over.wait(60)
        db.execute("ROLLBACK")
        db.close()

    holder = threading.Thread(target=lock)
    holder.start()
    assert locked.wait(60)
    assert scheduler.store.get(job.id).state == "running"  # reading goes on
    time.sleep(8.0)  # it is done by now, and waits to say so
    over.set()
    holder.join()
    done = wait_for(scheduler, job, "succeeded")
    assert done.state == "succeeded", done.error
    assert len(load_transcripts(project)) == 3


def test_what_sqlite_says_of_its_file_becomes_a_sentence(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.db")
    holder = sqlite3.connect(store.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    impatient = sqlite3.connect(store.path, timeout=0, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError) as caught:
        impatient.execute("DELETE FROM jobs")
    holder.close()
    sentence = as_sentence(caught.value)
    assert type(sentence) is VoiceFactoryError
    assert "in use by another program" in str(sentence)
    impatient.execute("PRAGMA max_page_count = 1")
    with pytest.raises(sqlite3.OperationalError) as full:
        impatient.execute(
            "CREATE TABLE more AS WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i+1 FROM n) SELECT * FROM n"
        )
    assert isinstance(as_sentence(full.value), DiskFullError)
