"""Projects that nobody uses go after the days that were set, and never without notice."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from voicefactory import files
from voicefactory.jobs import processes, retention
from voicefactory.jobs.scratch import scratch
from voicefactory.jobs.store import Store
from voicefactory.project import Project, list_projects
from voicefactory.settings import settings

DAY_S = 86_400.0


@pytest.fixture(autouse=True)
def _thirty_days(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("VOICEFACTORY_RETENTION_DAYS", "30")
    settings.cache_clear()
    yield
    settings.cache_clear()


def unused(home: Path, days: float, name: str = "Anna", notice_days: float | None = None) -> Project:
    """A project whose files are that old; its last days were announced so long ago."""
    project = Project.create(name, home)
    files.write_text(project.root / "texts" / "a.txt", "hello")
    if notice_days is not None:
        (project.root / ".unused-since").touch()
    then = time.time() - days * DAY_S
    for path in (*project.root.rglob("*"), project.root):
        os.utime(path, (then, then))
    if notice_days is not None:
        since = time.time() - notice_days * DAY_S
        os.utime(project.root / ".unused-since", (since, since))
    return project


def test_unused_projects_go_and_used_ones_stay(home: Path, store: Store) -> None:
    old = unused(home, 40, "Old", notice_days=3.1)
    unused(home, 29, "Announced", notice_days=2)
    unused(home, 10, "Used")
    assert retention.sweep(home, store, time.time()) == [old.identifier]
    assert {project.name for project in list_projects(home)} == {"Announced", "Used"}


def test_nothing_goes_before_its_last_days_were_announced(home: Path, store: Store) -> None:
    """Also where the app was off for a year, or the clock jumps by one."""
    project = unused(home, 400)
    now = time.time()
    assert retention.sweep(home, store, now) == []
    assert retention.sweep(home, store, now + 3_600) == []
    assert retention.days_left(project, 0.0, now + DAY_S) == pytest.approx(2, abs=0.01)
    assert retention.sweep(home, store, now + 2.9 * DAY_S) == []
    assert retention.sweep(home, store, now + 3.1 * DAY_S) == [project.identifier]


def test_a_clock_that_jumps_and_comes_back_deletes_nothing(home: Path, store: Store) -> None:
    project = unused(home, 1)
    now = time.time()
    assert retention.sweep(home, store, now + 365 * DAY_S) == []
    assert retention.sweep(home, store, now) == []
    assert not (project.root / ".unused-since").exists()
    assert retention.sweep(home, store, now + 4 * DAY_S) == []


def test_opening_it_counts_at_most_hourly(home: Path, store: Store) -> None:
    project = unused(home, 40, notice_days=3.1)
    retention.touch(project)
    assert not (project.root / ".unused-since").exists()
    assert retention.sweep(home, store, time.time()) == []
    assert retention.days_left(project, 0.0, time.time()) == pytest.approx(30, abs=0.01)
    mark = project.root / ".used"
    for minutes, again in ((59, False), (61, True)):
        then = time.time() - minutes * 60
        os.utime(mark, (then, then))
        retention.touch(project)
        assert (mark.stat().st_mtime > then + 1) is again


def test_a_job_counts_and_one_that_waits_or_runs_protects(home: Path, store: Store) -> None:
    project = unused(home, 40, notice_days=3.1)
    job = store.add("train", "local", project.identifier, {})
    now = time.time()
    assert retention.sweep(home, store, now + 50 * DAY_S) == []
    unused(home, 40, notice_days=4)
    assert retention.sweep(home, store, now + 50 * DAY_S) == []  # it waits, however long
    store.move(job.id, "running")
    assert retention.sweep(home, store, now + 50 * DAY_S) == []
    store.move(job.id, "succeeded", result={})
    assert retention.sweep(home, store, now + 29 * DAY_S) == []
    assert retention.sweep(home, store, now + 50 * DAY_S) == [project.identifier]
    assert store.jobs() == []


def test_without_the_setting_everything_is_kept(home: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEFACTORY_RETENTION_DAYS", "0")
    settings.cache_clear()
    project = unused(home, 4_000, notice_days=3_000)
    assert retention.sweep(home, store, time.time()) == []
    assert retention.days_left(project, 0.0, time.time()) is None


def test_what_killed_workers_left_goes_after_an_hour(home: Path, store: Store) -> None:
    dead, alive = store.add("read", "local", "anna", {}), store.add("read", "local", "anna", {})
    store.move(dead.id, "running", pid=2**22 + 1, pid_identity="gone")
    store.move(alive.id, "running", pid=os.getpid(), pid_identity=processes.identity(os.getpid()))
    store.move(alive.id, "succeeded", result={})  # it stays for the next one
    fresh = home / "tmp" / "00000000"
    for folder in (scratch(home, dead.id), scratch(home, alive.id), fresh):
        files.write_text(folder / "take.txt", "hello")
        if folder != fresh:
            os.utime(folder, (time.time() - 3_700, time.time() - 3_700))
    retention.sweep(home, store, time.time())
    assert {folder.name for folder in (home / "tmp").iterdir()} == {scratch(home, alive.id).name, "00000000"}
