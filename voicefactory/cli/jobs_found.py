"""Jobs found for `voicefactory jobs`, and in words for a person who reads a terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast, get_args

from voicefactory.cli.progress import duration, time_left
from voicefactory.errors import InputError
from voicefactory.jobs.store import ACTIVE, Job, Kind, State, Store
from voicefactory.settings import settings

_DAY_S = 86_400.0
_LOG_LINES = 20
_WIDE = 60  #: characters of the last column
_HEAD = ("ID", "STATE", "KIND", "OWNER", "PROJECT", "DEVICE", "SINCE", "")


def store_of(home: Path | None) -> Store:
    """The table of that home. Raises InputError if there is none."""
    path = (home or settings().home).expanduser().resolve() / "jobs.db"
    if not path.exists():
        raise InputError(f"There are no jobs in {path.parent}. Give the folder where projects are kept (--home).")
    return Store(path)


def select(
    store: Store, states: Sequence[str], kinds: Sequence[str], *, owner: str, project: str, everything: bool
) -> list[Job]:
    """The jobs that fit, the oldest first; unless states are given or `everything`, none that ended a day ago."""
    wanted = cast("list[State]", _known("state", states, get_args(State)))
    of_kind = cast("list[Kind]", _known("kind", kinds, get_args(Kind)))
    found = store.jobs(states=wanted, kinds=of_kind, owner=owner or None, project=project or None)
    since = time.time() - _DAY_S
    return [job for job in found if everything or states or job.active or (job.ended or job.created) >= since]


def one(store: Store, identifier: str) -> Job:
    """The job of that id, or whose id ends so. Raises InputError if there is none, or several."""
    found = [job for job in store.jobs() if job.id.endswith(identifier)] if identifier else []
    if len(found) != 1:
        many = f"{len(found)} jobs end in {identifier!r}. Give more of the id." if found else ""
        raise InputError(many or f"There is no job {identifier!r}. See: voicefactory jobs list --all.")
    return found[0]


def active(store: Store, identifier: str) -> Job:
    """The same, for a job that runs or waits. Raises InputError if it has ended."""
    job = one(store, identifier)
    if job.state not in ACTIVE:
        raise InputError(f"The job {job.id} has ended already: {job.state}.")
    return job


def log_of(store: Store, job: Job) -> Path:
    """Where its worker wrote; the file may not be there."""
    return store.path.parent / "projects" / job.project / "jobs" / f"{job.id}.log"


def table(jobs: Sequence[Job]) -> list[str]:
    """One line a job under a head; or the sentence that there is none."""
    if not jobs:
        return ["No jobs. Those that ended more than a day ago are listed with --all."]
    rows = [_HEAD, *(_row(job) for job in jobs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def details(job: Job, log: Path) -> list[str]:
    """Everything that a person may ask about one job; last, the end of its log."""
    gib = 1 << 30
    told = {
        "Job": job.id,
        "State": job.state,
        "Kind": job.kind,
        "Owner": job.owner,
        "Project": job.project,
        "Device": job.device,
        "Memory": f"{job.needed_bytes / gib:.1f} GiB" if job.needed_bytes else "",
        "Process": str(job.pid or ""),
        "Asked for": _moment(job.created),
        "Started": _moment(job.started),
        "Ended": _moment(job.ended),
        "How far": _how_far(job),
        "Error": " ".join(filter(None, [job.error, f"({job.error_kind})" if job.error_kind else ""])),
        "Log": str(log) if log.is_file() else "",
    }
    lines = [f"{name:<10} {value}" for name, value in told.items() if value]
    if log.is_file():
        lines += ["", *log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]]
    return lines


def _row(job: Job) -> tuple[str, ...]:
    since = duration(time.time() - (job.ended or job.started or job.created))
    about = (job.error or _how_far(job)).replace("\n", " ")
    short = about if len(about) <= _WIDE else f"{about[: _WIDE - 3]}..."
    return (job.id, job.state, job.kind, job.owner, job.project, job.device, since, short)


def _how_far(job: Job) -> str:
    if job.state == "queued":
        return job.waits
    if job.state != "running":
        return ""
    steps = f"{job.step} {job.done:g} of {job.total:g}" if job.total else job.step
    left = time_left((job.eta_low, job.eta_high) if job.eta_low is not None and job.eta_high is not None else None)
    return ", ".join(filter(None, [steps, left, "asked to stop" if job.cancel_requested else ""]))


def _moment(seconds: float | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds)) if seconds else ""


def _known(what: str, given: Sequence[str], known: tuple[str, ...]) -> list[str]:
    for value in given:
        if value not in known:
            raise InputError(f"There is no {what} {value!r}. Choose one of: {', '.join(sorted(known))}.")
    return list(given)
