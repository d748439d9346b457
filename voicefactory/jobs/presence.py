"""Whether an app watches over a home: one at a time holds the lock beside the job table."""

from __future__ import annotations

from pathlib import Path

import filelock


def app_lock(home: Path) -> filelock.FileLock:
    """What an app holds while it runs. The system lets go of it when the process ends, however it ends."""
    return filelock.FileLock(home / "app.lock")


def app_runs(home: Path) -> bool:
    """True while an app runs on that home."""
    if not (home / "app.lock").exists():
        return False
    lock = app_lock(home)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return True
    lock.release()
    return False
