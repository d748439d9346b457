"""How a job ended that could not say so itself, because its process was gone: a sentence for the person."""

from __future__ import annotations

import signal
from typing import Any

from voicefactory.jobs.store import Job

GONE = (
    "This was stopped from outside, perhaps because the memory ran out or the computer was restarted. "
    "What was finished is kept: press Resume, or start it again, to go on."
)
CRASHED = (
    "The program that did this crashed. What was finished is kept: press Resume, or start it again, to go on. "
    "If it crashes again, the log has the details."
)
STOPPED = "The computer asked this to stop. What was finished is kept: press Resume, or start it again, to go on."

_CRASHES = frozenset(
    getattr(signal, name) for name in ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL") if hasattr(signal, name)
)


def gone(exit_code: int | None) -> dict[str, Any]:
    """Columns for a job whose worker has gone; `exit_code` as in subprocess, None where nobody knows it."""
    if exit_code is not None and -exit_code in _CRASHES:
        return {"error": CRASHED, "error_kind": "Crash"}
    return {"error": STOPPED if exit_code == -signal.SIGTERM else GONE, "error_kind": "Gone"}


def not_started(job: Job) -> dict[str, Any]:
    """Columns for a job whose worker ended before it took it."""
    sentence = f"The worker could not start. The details are in the log: jobs/{job.id}.log."
    return {"error": sentence, "error_kind": "defect"}
