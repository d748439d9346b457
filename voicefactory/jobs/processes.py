"""Worker processes as the operating system sees them: is it still the same one, and end it with its children."""

from __future__ import annotations

import contextlib
import os
import signal

import psutil

_SAME_S = 2.0  #: start times are derived from the clock, and the clock may be corrected


def created_at(pid: int) -> float | None:
    """When the process of that pid started (Unix seconds); None if there is none or it is only a zombie."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return process.create_time()
    except psutil.Error:
        return None


def is_alive(pid: int | None, created: float | None) -> bool:
    """True if the process of that pid runs and is the one that started then, not a later one."""
    if pid is None or created is None:
        return False
    found = created_at(pid)
    return found is not None and abs(found - created) < _SAME_S


def signal_tree(pid: int, created: float, *, kill: bool) -> None:
    """Ask (or force) a process and everything it started to end. Nothing happens if it is gone."""
    if not is_alive(pid, created):
        return
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                one.kill() if kill else one.terminate()


def kill_orphans(pid: int, created: float) -> None:
    """Kill what an ended worker left running in its process group. The worker leads a group of its own."""
    if os.name != "posix" or created_at(pid) is not None:
        return
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
            if process.pid != pid and os.getpgid(process.pid) == pid and process.create_time() >= created - _SAME_S:
                os.kill(process.pid, signal.SIGKILL)
