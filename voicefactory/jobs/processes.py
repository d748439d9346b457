"""Worker processes as the operating system sees them: is it still the same one, and end it with its children."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import psutil

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_NICE, _SESSION_NICE = 10, 5  #: a session of 5 gets a third of what one of 0 gets, and all that nobody wants
_START_FIELD = 22  #: of /proc/PID/stat: clock ticks from boot to the process's start; see proc_pid_stat(5)


def identity(pid: int) -> str | None:
    """What tells this process from any other that had or will have its pid; None if it is gone or only a zombie.

    Where Linux tells: the boot and the tick that it was started in. A start time in seconds is derived from the
    clock, and moves when somebody sets the clock.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        ticks = _start_ticks(pid)
        return f"{process.create_time():.2f}" if ticks is None else f"{_boot()}:{ticks}"
    except psutil.Error:
        return None


def is_alive(pid: int | None, known: str | None) -> bool:
    """True if the process of that pid runs and is the one of that `identity`, not a later one."""
    return pid is not None and known is not None and identity(pid) == known


def ask_to_end(pid: int | None, known: str | None) -> None:
    """Ask a process to end, and leave its children to it. Nothing happens if it is gone."""
    if pid is not None and is_alive(pid, known):
        with contextlib.suppress(psutil.Error):
            psutil.Process(pid).terminate()


def signal_tree(pid: int | None, known: str | None, *, kill: bool) -> None:
    """Ask (or force) a process and everything it started to end. Nothing happens if it is gone."""
    if pid is None or not is_alive(pid, known):
        return
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                one.kill() if kill else one.terminate()


def come_after_others(process: psutil.Process) -> None:
    """Let other processes compute first. Changes nothing where that is not allowed.

    Many Linux systems share the cores out between sessions, and a worker has one of its own: there its priority counts
    among its children only, and that of the session has to be lowered, too; see sched(7), autogroup.
    """
    low = _NICE if os.name == "posix" else int(getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", 0))
    with contextlib.suppress(psutil.Error, OSError):
        process.nice(low)
    group = Path(f"/proc/{process.pid}/autogroup")
    with contextlib.suppress(psutil.Error, OSError):
        if group.exists() and os.getsid(process.pid) == process.pid:
            group.write_text(str(_SESSION_NICE), encoding="ascii")


def kill_orphans(pid: int, known: str) -> None:
    """Kill what an ended worker left running in its process group. The worker leads a group of its own."""
    if os.name != "posix" or identity(pid) is not None:
        return
    boot, _, started = known.rpartition(":")
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid == pid or os.getpgid(process.pid) != pid:
                continue
            ticks = _start_ticks(process.pid)
            if ticks is None or (boot == _boot() and ticks >= int(started)):  # a later group of that number is not ours
                os.kill(process.pid, signal.SIGKILL)


def _start_ticks(pid: int) -> int | None:
    """None where there is no /proc, or the process has just ended."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    after_name = line.rpartition(")")[2].split()  # the name may hold blanks and brackets; field 3 comes after it
    return int(after_name[_START_FIELD - 3])


def _boot() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
