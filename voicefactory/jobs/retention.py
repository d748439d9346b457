"""Delete what nobody has used for long, where whoever runs the page has said so (VOICEFACTORY_RETENTION_DAYS).

A project is used when a job of it is asked for, begins or ends, when anything at the top of its folder is written,
and when it is opened on the page. The last days are announced: a mark in the project says since when, and nothing is
deleted before the mark is that old. So neither a clock that jumps nor an app that was off for months deletes at once.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path

from voicefactory.errors import VoiceFactoryError
from voicefactory.jobs import deletion, log, scratch
from voicefactory.jobs.store import Store
from voicefactory.project import Project, list_projects
from voicefactory.settings import settings

NOTICE_DAYS = 3.0  #: before the end, in which the list warns
_DAY_S, _HOUR_S = 86_400.0, 3_600.0
_USED = ".used"  #: its time is when the project was opened last
_NOTICE = ".unused-since"  #: its time is when the last days began


def touch(project: Project) -> None:
    """Somebody has opened the project. Writes at most once an hour."""
    mark = project.root / _USED
    with contextlib.suppress(OSError):  # a project that is being deleted, a full disk: not worth an error
        if not mark.exists() or time.time() - mark.stat().st_mtime > _HOUR_S:
            mark.touch()
            (project.root / _NOTICE).unlink(missing_ok=True)


def last_used(project: Project, last_job: float = 0.0) -> float:
    """Unix seconds. `last_job` is when something last happened to a job of it, see `Store.touched`."""
    moments = [last_job]
    with contextlib.suppress(OSError), os.scandir(project.root) as entries:
        for entry in entries:
            if entry.name != _NOTICE:
                moments.append(entry.stat(follow_symlinks=False).st_mtime)
    return max(moments)


def days_left(project: Project, last_job: float, now: float) -> float | None:
    """Until the project is deleted if nobody uses it; None if never. Never less than was announced."""
    if not settings().retention_days:
        return None
    left = _days_by_use(project, last_job, now)
    if left >= NOTICE_DAYS:
        return left
    announced = _announced(project)
    return max(left, NOTICE_DAYS if announced is None else NOTICE_DAYS - (now - announced) / _DAY_S)


def sweep(home: Path, store: Store, now: float) -> list[str]:
    """Finish interrupted deletions, delete what killed workers left, announce and delete what is unused; the
    identifiers of what was deleted.

    Call it about hourly, with the time as Unix seconds. A project with a job that waits or runs stays.
    """
    deletion.finish(home, store)
    scratch.remove_left(home, store)
    if not settings().retention_days:
        return []
    last_jobs: dict[str, dict[str, float]] = {}
    deleted = []
    for project in list_projects(home):
        owner = str(project.info.get("owner", ""))
        if owner not in last_jobs:
            last_jobs[owner] = store.touched(owner)
        if _is_over(project, last_jobs[owner].get(project.identifier, 0.0), now) and not _is_busy(store, project):
            try:
                deletion.delete_project(home, store, project, reason="unused")
                deleted.append(project.identifier)
            except (OSError, VoiceFactoryError, sqlite3.Error) as error:  # such as a command that works on it
                log.event("deletion_failed", home=home, error_kind=type(error).__name__)
    return deleted


def _is_over(project: Project, last_job: float, now: float) -> bool:
    """Whether its last days have passed. Begins them, or takes the announcement back."""
    mark = project.root / _NOTICE
    if _days_by_use(project, last_job, now) >= NOTICE_DAYS:
        mark.unlink(missing_ok=True)
        return False
    if _announced(project) is None:
        mark.touch()
        return False
    left = days_left(project, last_job, now)
    return left is not None and left <= 0


def _is_busy(store: Store, project: Project) -> bool:
    return any(job.project == project.identifier for job in store.active())


def _days_by_use(project: Project, last_job: float, now: float) -> float:
    return settings().retention_days - (now - last_used(project, last_job)) / _DAY_S


def _announced(project: Project) -> float | None:
    try:
        return (project.root / _NOTICE).stat().st_mtime
    except OSError:
        return None
