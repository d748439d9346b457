"""Where a worker puts what it needs for a moment: in the home, so that nothing of a killed one stays elsewhere."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection
from pathlib import Path

from voicefactory.jobs import processes
from voicefactory.jobs.store import Store

_LEFT_AFTER_S = 3600.0


def scratch(home: Path, job: str) -> Path:
    """The folder of the worker whose first job this is. Short, because paths of sockets may have 107 bytes."""
    return home / "tmp" / job.rpartition("-")[2]


def remove(home: Path, jobs: Collection[str]) -> None:
    """Delete the folders of workers that have ended."""
    for job in jobs:
        shutil.rmtree(scratch(home, job), ignore_errors=True)


def remove_left(home: Path, store: Store) -> None:
    """Delete what workers that were killed an hour ago have left."""
    for folder in (home / "tmp").glob("*"):
        if time.time() - folder.stat().st_mtime < _LEFT_AFTER_S:
            continue
        first = [job for job in store.jobs() if scratch(home, job.id) == folder]
        if not any(job.state == "queued" or processes.is_alive(job.pid, job.pid_identity) for job in first):
            shutil.rmtree(folder, ignore_errors=True)
