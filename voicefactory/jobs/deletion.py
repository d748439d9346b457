"""Delete a project, or everything of an owner: files, rows, running work, and what others remember of it.

First it is written down what goes, in a folder `.deleted-…` beside the projects. Then its jobs are ended, its folders
are moved into that one, where no list looks, and only then is anything removed. Whatever is interrupted in between is
finished at the next start from what was written down, so a person sees a project whole or not at all.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import filelock

from voicefactory import files, usage
from voicefactory.errors import VoiceFactoryError
from voicefactory.jobs import log
from voicefactory.jobs.ending_jobs import end_jobs
from voicefactory.jobs.erasure import erase
from voicefactory.jobs.store import Store
from voicefactory.project import Project, projects_root
from voicefactory.usage import projects_of

_PREFIX = ".deleted-"
_WRITTEN_DOWN = "what.json"
_PATIENCE_S = 5.0  #: for a command that holds the project
_TRIES = 5  #: at removing what is written to in the same moment


@dataclass(frozen=True)
class Gone:
    """What is deleted."""

    owner: str
    projects: tuple[str, ...]  #: Project.identifier
    everything: bool  #: of the owner
    asked_at: float  #: Unix seconds; what was made later stays

    def roots(self, home: Path) -> list[Path]:
        """Where the projects lay."""
        return [projects_root(home) / identifier for identifier in self.projects]


#: Called when something is gone, by whoever keeps something of it in memory or elsewhere on the disk. With the home.
listeners: list[Callable[[Gone, Path], None]] = []


def delete_project(home: Path, store: Store, project: Project, *, reason: str = "asked") -> None:
    """Delete one project; its jobs are ended first. Raises VoiceFactoryError while a command works on it."""
    _delete(home, store, Gone(str(project.info.get("owner", "")), (project.identifier,), False, time.time()), reason)


def delete_everything(home: Path, store: Store, owner: str) -> Gone:
    """Delete all projects of `owner`, and every row and file that is theirs; what it was.

    Raises VoiceFactoryError while a command works on one of them.
    """
    gone = Gone(owner, tuple(sorted(one.identifier for one in projects_of(owner, home))), True, time.time())
    _delete(home, store, gone, "asked")
    return gone


def finish(home: Path, store: Store) -> int:
    """Go on with deletions that were interrupted; how many were finished. Leaves alone what is being deleted just now.

    What cannot be removed now (a file that is not ours, a locked table) is left to the next call, and logged.
    """
    finished = 0
    for place in sorted(projects_root(home).glob(f"{_PREFIX}*")):
        try:
            with _lock(home).acquire(timeout=0):
                gone = _read(place)
                if gone is not None:
                    _carry_out(home, store, gone, place)
                shutil.rmtree(place, ignore_errors=True)
                finished += 1
        except filelock.Timeout:
            continue
        except (OSError, VoiceFactoryError, sqlite3.Error) as error:
            log.event("deletion_failed", home=home, error_kind=type(error).__name__)
    return finished


def _delete(home: Path, store: Store, gone: Gone, reason: str) -> None:
    with _lock(home):
        end_jobs(store, gone.projects)
        for root in gone.roots(home):
            _nobody_works_on(Project(root))
        place = projects_root(home) / f"{_PREFIX}{secrets.token_hex(8)}"
        files.write_json(place / _WRITTEN_DOWN, asdict(gone))
        _carry_out(home, store, gone, place)
    log.event("deletion", home=home, count=len(gone.projects), reason=reason)


def _carry_out(home: Path, store: Store, gone: Gone, place: Path) -> None:
    """Everything from the moment on that it was written down in `place`. Can be done again from any point."""
    for root in gone.roots(home):
        if _is_meant(root, gone):
            os.replace(root, place / root.name)
    end_jobs(store, gone.projects)  # also what was begun in this moment, or has survived an app that crashed
    erase(store.path, projects=gone.projects, owner=gone.owner if gone.everything else "", before=gone.asked_at)
    store.forget(gone.projects, gone.owner if gone.everything else "")
    for root in gone.roots(home):
        _remove(place / root.name)
        if _is_meant(root, gone):  # written by somebody who had opened a file of it before
            _remove(root)
        usage.forget(root)
    for listener in listeners:
        listener(gone, home)
    shutil.rmtree(place, ignore_errors=True)


def _is_meant(root: Path, gone: Gone) -> bool:
    """Whether what lies there is what was to be deleted, or rests of it, and not a new project of the same name."""
    if not root.is_dir():
        return False
    try:
        info = Project(root).info
    except (OSError, ValueError):
        return True
    return info.get("owner") == gone.owner and float(info.get("created", 0)) <= gone.asked_at


def _nobody_works_on(project: Project) -> None:
    """Raises VoiceFactoryError if a command holds the project for longer than a moment."""
    end = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with project.alone():
                return
        except VoiceFactoryError:
            if time.monotonic() > end:
                raise
        time.sleep(0.1)


def _remove(folder: Path) -> None:
    for _ in range(_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)
    shutil.rmtree(folder)  # says why it cannot


def _read(place: Path) -> Gone | None:
    """What was written down; None if that was not finished, and so nothing else was begun."""
    try:
        told = files.read_json(place / _WRITTEN_DOWN)
        return Gone(str(told["owner"]), tuple(told["projects"]), bool(told["everything"]), float(told["asked_at"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _lock(home: Path) -> filelock.BaseFileLock:
    """One deletion at a time, in whatever process."""
    projects_root(home).mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(projects_root(home) / ".deleting.lock")
