"""What is deleted is gone from the disk and from every byte of the job table, whatever happens in between."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock
import psutil
import pytest

from voicefactory import files
from voicefactory.errors import VoiceFactoryError
from voicefactory.jobs import deletion, processes
from voicefactory.jobs.scratch import scratch
from voicefactory.jobs.store import Store
from voicefactory.project import Project, list_projects

SECRET = "Quorbleflax"  #: in everything that is to go
KEPT = "Zimblewort"  #: in everything that is to stay


@pytest.fixture
def end() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes to end after the test."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        for one in psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []:
            one.kill()
        process.kill()
        process.wait()


def full_project(home: Path, store: Store, owner: str, word: str, name: str = "") -> Project:
    """A project with `word` in its name, files, and a row that was written over many times."""
    project = Project.create(name or f"{word} one", home, owner=owner)
    files.write_text(project.root / "texts" / f"{word}.txt", f"{word} says hello")
    files.write_jsonl(project.transcripts_jsonl, [{"clip": "1", "text": f"{word} again " * 2_000}])
    job = store.add("prepare", owner, project.identifier, {"path": f"/home/{word}", "more": f"{word} " * 3_000})
    store.move(job.id, "running")
    for number in range(50):
        store.report(job.id, message=f"{number} of 50, {word} {'x' * number * 30}")
    files.write_text(scratch(home, job.id) / "take.txt", word)  # a worker that was killed left it
    store.move(job.id, "failed", error=f"{word} is not there.", result={"at": f"{word} " * 2_000})
    return project


def remains(home: Path, word: str) -> list[str]:
    """Every file below `home` that has `word` in its name or content, in whatever case."""
    found = []
    for path in home.rglob("*"):
        in_name = word.lower() in path.relative_to(home).as_posix().lower()
        if in_name or (path.is_file() and word.lower().encode() in path.read_bytes().lower()):
            found.append(path.relative_to(home).as_posix())
    return found


def a_worker(store: Store, project: Project, ending: list[subprocess.Popen[bytes]], state: str) -> list[psutil.Process]:
    """A process with a child, which is the worker of a job of `project` that is running, or has succeeded."""
    script = "import subprocess, time; print(subprocess.Popen(['sleep', '300']).pid, flush=True); time.sleep(300)"
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, start_new_session=True)
    ending.append(process)
    assert process.stdout
    child = psutil.Process(int(process.stdout.readline()))
    job = store.add("synthesize", "anna", project.identifier, {})
    store.move(job.id, "running", pid=process.pid, pid_identity=processes.identity(process.pid))
    if state == "succeeded":
        store.move(job.id, "succeeded", result={})
    return [psutil.Process(process.pid), child]


def lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_nothing_of_a_deleted_project_is_left_and_others_are_whole(home: Path, store: Store) -> None:
    doomed = full_project(home, store, "anna", SECRET)
    kept = full_project(home, store, "anna", KEPT)
    others = full_project(home, store, "bert", KEPT, name="Bert")
    assert len(remains(home, SECRET)) >= 4
    assert SECRET in repr(store.jobs())  # so it remembers them
    before = {path: path.read_bytes() for one in (kept, others) for path in one.root.rglob("*") if path.is_file()}
    deletion.delete_project(home, store, doomed)
    assert remains(home, SECRET) == []
    assert {path: path.read_bytes() for path in before} == before
    assert SECRET not in repr(vars(store))
    assert {job.project for job in store.jobs()} == {kept.identifier, others.identifier}
    assert {project.root for project in list_projects(home)} == {kept.root, others.root}


def test_everything_of_an_owner_goes_also_rows_without_a_project(home: Path, store: Store) -> None:
    full_project(home, store, "anna", SECRET)
    full_project(home, store, "anna", SECRET, name=f"{SECRET} two")
    store.add("train", "anna", "long-gone", {"text": SECRET})
    full_project(home, store, "bert", KEPT)
    told: list[deletion.Gone] = []
    listener = lambda gone, where: told.append(gone)  # noqa: E731
    deletion.listeners.append(listener)
    try:
        gone = deletion.delete_everything(home, store, "anna")
    finally:
        deletion.listeners.remove(listener)
    assert told == [gone]
    assert len(gone.projects) == 2
    assert remains(home, SECRET) == []
    assert [job.owner for job in store.jobs()] == ["bert"]
    assert remains(home, KEPT)
    assert deletion.delete_everything(home, store, "anna").projects == ()


@pytest.mark.parametrize("state", ["running", "succeeded"])  # one that works, and one that stays with its model
def test_workers_are_killed_with_their_children(
    home: Path, store: Store, end: list[subprocess.Popen[bytes]], state: str
) -> None:
    doomed = full_project(home, store, "anna", SECRET)
    waiting = store.add("train", "anna", doomed.identifier, {})
    mine = a_worker(store, doomed, end, state)
    others = a_worker(store, full_project(home, store, "bert", KEPT), end, state)
    deletion.delete_project(home, store, doomed)
    assert not any(map(lives, mine))
    assert all(map(lives, others))
    assert store.find(waiting.id) is None
    assert not doomed.root.exists()


def test_a_worker_that_went_on_to_somebody_elses_job_is_left_to_it(
    home: Path, store: Store, end: list[subprocess.Popen[bytes]]
) -> None:
    doomed = full_project(home, store, "anna", SECRET)
    worker, _ = a_worker(store, doomed, end, "succeeded")
    other = full_project(home, store, "bert", KEPT)
    job = store.add("synthesize", "bert", other.identifier, {})
    store.move(job.id, "running", pid=worker.pid, pid_identity=processes.identity(worker.pid))
    deletion.delete_project(home, store, doomed)
    assert lives(worker)
    assert store.get(job.id).state == "running"


def test_a_project_that_a_command_works_on_is_not_deleted(
    home: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "_PATIENCE_S", 0.2)
    project = full_project(home, store, "anna", SECRET)
    with filelock.FileLock(project.root / "create.lock"), pytest.raises(VoiceFactoryError, match="working on"):
        deletion.delete_project(home, store, project)
    assert (project.root / "texts" / f"{SECRET}.txt").is_file()
    assert store.jobs(project=project.identifier)


CRASHES = {
    "before the first folder is moved": "deletion._is_meant = lambda *asked: die()",
    "between two folders": "deletion._is_meant = lambda *asked, seen=[]: die() if seen else seen.append(0) or True",
    "before the rows go": "deletion.erase = lambda *more, **values: die()",
    "before the files go": "deletion._remove = lambda folder: die()",
    "in the middle of the files": "deletion._remove = lambda folder: (next(folder.rglob('*.txt')).unlink(), die())",
    "before others are told": "deletion.listeners.append(lambda *told: die())",
}


def killed_while_deleting(home: Path, moment: str) -> int:
    """A process deletes everything of anna's and kills itself at that moment; its exit code."""
    code = f"""
import os, signal, sys
from pathlib import Path
from voicefactory.jobs import deletion
from voicefactory.jobs.store import Store
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
{moment}
home = Path(sys.argv[1])
deletion.delete_everything(home, Store(home / "jobs.db"), "anna")
"""
    return subprocess.run([sys.executable, "-c", code, str(home)], timeout=120, check=False).returncode


@pytest.mark.parametrize("moment", CRASHES)
def test_a_deletion_that_was_killed_is_finished_at_the_next_start(home: Path, store: Store, moment: str) -> None:
    for name in ("one", "two"):
        full_project(home, store, "anna", SECRET, name=f"{SECRET} {name}")
    kept = full_project(home, store, "bert", KEPT)
    assert killed_while_deleting(home, CRASHES[moment]) == -signal.SIGKILL
    if moment != "before the first folder is moved":
        assert len(list_projects(home, "anna")) < 2
    assert remains(home, SECRET) or moment == "before others are told"
    assert deletion.finish(home, store) == 1
    assert remains(home, SECRET) == []
    assert not list((home / "projects").glob(".deleted-*"))
    assert [job.project for job in store.jobs()] == [kept.identifier]
    assert deletion.finish(home, store) == 0


def test_what_cannot_be_removed_now_stops_nothing_and_is_removed_later(home: Path, store: Store) -> None:
    project = full_project(home, store, "anna", SECRET)
    assert killed_while_deleting(home, CRASHES["before the rows go"]) == -signal.SIGKILL
    other = home / "projects" / ".deleted-zz"
    other.mkdir()
    with contextlib.closing(sqlite3.connect(home / "jobs.db", isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("voicefactory.jobs.erasure._PATIENCE_S", 0.1)
            patch.setattr(deletion, "end_jobs", lambda *more: None)  # would wait for the table half a minute
            assert deletion.finish(home, store) == 1  # the other one, which is empty
        db.execute("ROLLBACK")
    assert not project.root.exists()
    assert "deletion_failed" in (home / "log" / "app.jsonl").read_text(encoding="utf-8")
    assert deletion.finish(home, store) == 1
    assert remains(home, SECRET) == []


def test_what_was_made_after_the_deletion_is_not_deleted_by_finishing_it(home: Path, store: Store) -> None:
    project = full_project(home, store, "anna", SECRET)
    place = home / "projects" / ".deleted-00"
    told = {"owner": "anna", "projects": [project.identifier], "everything": True, "asked_at": time.time()}
    files.write_json(place / "what.json", told)
    os.replace(project.root, place / project.identifier)  # and here it was killed
    again = full_project(home, store, "anna", SECRET)
    assert again.root == project.root
    deletion.finish(home, store)
    assert (again.root / "texts" / f"{SECRET}.txt").is_file()
    assert len(store.jobs(project=again.identifier)) == 1


def test_a_deletion_that_was_not_written_down_whole_has_deleted_nothing(home: Path, store: Store) -> None:
    project = full_project(home, store, "anna", KEPT)
    (home / "projects" / ".deleted-00").mkdir()
    (home / "projects" / ".deleted-00" / "what.json").write_text('{"owner": "an', encoding="utf-8")
    assert deletion.finish(home, store) == 1
    assert (project.root / "texts" / f"{KEPT}.txt").is_file()


def test_what_somebody_writes_in_that_moment_goes_too(home: Path, store: Store) -> None:
    project = full_project(home, store, "anna", SECRET)

    def late(gone: deletion.Gone) -> None:
        files.write_text(project.root / "uploads" / "late" / f"{SECRET}.txt", SECRET)

    erase: Callable[..., int] = deletion.erase
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deletion, "erase", lambda *more, **values: (late(None), erase(*more, **values)))  # type: ignore[arg-type]
        deletion.delete_project(home, store, project)
    assert remains(home, SECRET) == []


def test_free_pages_of_a_table_that_another_sqlite_wrote_hold_nothing(home: Path, store: Store) -> None:
    """Some builds overwrite what is deleted by themselves, others do not."""
    project = full_project(home, store, "anna", SECRET)
    with contextlib.closing(sqlite3.connect(home / "jobs.db", isolation_level=None)) as db:
        db.execute("PRAGMA secure_delete = OFF")
        for _ in range(5):
            db.execute("UPDATE jobs SET request = ?", [f'{{"a": "{SECRET * 3_000}"}}'])
            db.execute("UPDATE jobs SET request = '{}', error = '', message = '', result = NULL")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert "jobs.db" in remains(home, SECRET)
    deletion.delete_project(home, store, project)
    assert remains(home, SECRET) == []


def test_a_reader_of_the_table_does_not_keep_what_is_erased(home: Path, store: Store) -> None:
    """Who looks at an older state of the table holds its log; erasing waits for that."""
    project = full_project(home, store, "anna", SECRET)
    reader = sqlite3.connect(home / "jobs.db", check_same_thread=False, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT COUNT(*) FROM jobs").fetchone()
    threading.Timer(1.0, lambda: reader.execute("COMMIT")).start()
    deletion.delete_project(home, store, project)
    assert remains(home, SECRET) == []
    reader.close()
