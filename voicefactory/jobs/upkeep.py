"""Remove what nobody needs any more: rows and logs of jobs that ended long ago, half-written files, the page's cache.

What belongs to a voice stays: recordings, texts, runs, voices. So do jobs that can go on: only a person ends those.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from voicefactory import files
from voicefactory.jobs.store import State, Store

_DAY_S = 86_400.0
_CACHE_DAYS = 1.0  #: the page's own files; a running app removes them after the same time
#: What is removed. An interrupted job waits for somebody to press Resume.
FINISHED: tuple[State, ...] = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True)
class Freed:
    """What was removed."""

    jobs: int  #: rows of the table
    logs: int  #: files
    leftovers: int  #: files and folders that a killed process left half-written
    cache: int  #: files of the page
    bytes: int  #: of all these files


def clean(home: Path, *, older_than_days: float) -> Freed:
    """Remove finished jobs that ended so many days ago, with their logs, and what is left over.

    Safe beside a running app. Raises OSError if a file cannot be removed.
    """
    store = Store(home / "jobs.db")
    before = time.time() - older_than_days * _DAY_S
    old = [job for job in store.jobs(states=FINISHED) if (job.ended or job.created) < before]
    logs = [home / "projects" / job.project / "jobs" / f"{job.id}.log" for job in old]
    jobs = store.remove([job.id for job in old])
    removed = [_remove(log) for log in logs if log.is_file()]
    left = files.remove_leftovers(home / "projects")
    cached = [_remove(path) for path in _old_files(home / "page", _CACHE_DAYS)]
    return Freed(jobs, len(removed), len(left), len(cached), sum([*removed, *left, *cached]))


def _old_files(folder: Path, days: float) -> list[Path]:
    """Files in the folders of `folder`; what lies in it itself is the page's own. What was handed out may be a link to
    an old file, so the moment of linking counts, too."""
    before = time.time() - days * _DAY_S
    found = [path for path in folder.glob("*/**/*") if path.is_file() and not path.is_symlink()]
    return [path for path in found if max(path.stat().st_mtime, path.stat().st_ctime) < before]


def _remove(path: Path) -> int:
    """The bytes that were freed; 0 if somebody else was quicker."""
    try:
        size = path.stat().st_size
        path.unlink()
    except FileNotFoundError:
        return 0
    return size
