"""How much one owner may have and ask for. The numbers are settings; a refusal says how much is used, and what to do.

Asked when a voice is made, before a file is copied in, while recordings are taken in, and when a job is submitted, by
whoever does it: page, endpoints, commands, workers. What runs already may go over a limit; what comes next is refused.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from voicefactory.errors import DiskFullError, InputError
from voicefactory.project import Project
from voicefactory.settings import settings
from voicefactory.usage import Usage, projects_of, seconds_of, usage_of

_GB = 1_000_000_000
_MINUTE_S = 60.0
#: Jobs that may begin although the disk space of an owner is used up: taking a recording away is one.
_ALWAYS = ("prepare", "publish")


class QuotaError(InputError):
    """A limit of this page is reached. Nothing is wrong with what was brought."""


class JobTable(Protocol):
    """What is asked of the job table, which lies above this module."""

    def jobs(self, *, owner: str | None = None, states: Collection[Any] = ()) -> Sequence[Any]:
        """The jobs that fit."""


@dataclass(frozen=True)
class Room:
    """What is left for the recordings of one project."""

    seconds: float = math.inf  #: of all its recordings
    bytes: float = math.inf  #: on top of what is there, until the owner has all that one may have
    disk: float = math.inf  #: bytes until the floor of free disk

    def why_not(self, seconds: float, more_bytes: float) -> str:
        """Why recordings of so many seconds in all, and so many bytes more, are not taken; empty if they are."""
        if seconds > self.seconds:
            return (
                f"With it there would be more than {settings().max_owner_minutes:g} minutes of recordings, the most "
                "that one person may have here. Remove other recordings, or a voice that is no longer needed."
            )
        if more_bytes > self.bytes:
            return (
                f"There is no room left for it: one person may have {settings().max_owner_gb:g} GB here. "
                "Remove other recordings, or a voice that is no longer needed."
            )
        if more_bytes > self.disk:
            return (
                f"There is no room left for it on the disk, of which {settings().min_free_gb:g} GB have to stay free. "
                "Free some space there, or delete a voice that is no longer needed."
            )
        return ""


def check_project(owner: str, home: Path | None = None) -> None:
    """Raises QuotaError if `owner` may not make another project, DiskFullError if nobody may."""
    check_disk(home)
    most = settings().max_owner_projects
    if most and len(projects_of(owner, home)) >= most:
        raise QuotaError(f"You have as many voices as one person may have here: {most}. Delete one to make another.")


def check_upload(project: Project, paths: Sequence[Path]) -> None:
    """Raises QuotaError if these files are too much for the project's owner, DiskFullError if they are for the disk.

    Recordings inside of zips and data sets are counted when they are taken in.
    """
    size = sum(path.stat().st_size for path in paths)
    check_disk(project.home, size)
    limits = settings()
    if not limits.max_owner_gb and not limits.max_owner_minutes:
        return
    used = usage_of(_owner(project), project.home)
    _check_bytes(used, size)
    if limits.max_owner_minutes:
        more, most = sum(map(_seconds, paths)), limits.max_owner_minutes * _MINUTE_S
        if more and used.seconds + more > most:
            raise QuotaError(
                f"You have {used.seconds / _MINUTE_S:.1f} of {limits.max_owner_minutes:g} minutes of recordings, and "
                f"this is {more / _MINUTE_S:.1f} more. Remove recordings, or a voice that you no longer need."
            )


def check_job(table: JobTable, home: Path, owner: str, kind: str = "") -> None:
    """Raises QuotaError if `owner` may not submit another job of that kind, DiskFullError if nobody may.

    Call it after a waiting job was replaced: that one does not count.
    """
    check_disk(home)
    limits = settings()
    if limits.max_queued_jobs and len(table.jobs(owner=owner, states=["queued"])) >= limits.max_queued_jobs:
        raise QuotaError(
            f"You have as many jobs waiting as one person may have here: {limits.max_queued_jobs}. "
            "Wait until one has begun, or cancel one."
        )
    if limits.max_owner_gb and kind not in _ALWAYS:
        _check_bytes(usage_of(owner, home), 0)


def check_bytes(owner: str, more: int, home: Path | None = None) -> None:
    """Raises QuotaError if so many bytes more are too many for `owner`: what is being sent, before it is anywhere."""
    if settings().max_owner_gb:
        _check_bytes(usage_of(owner, home), more)


def check_disk(home: Path | None = None, more_bytes: int = 0) -> None:
    """Raises DiskFullError if less than the floor would be free with so many bytes more."""
    where = (home or settings().home).expanduser()
    while not where.exists():
        where = where.parent
    free, floor = shutil.disk_usage(where).free, settings().min_free_gb * _GB
    if floor and free - more_bytes < floor:
        raise DiskFullError(
            f"{free / _GB:.1f} GB are free on the disk, and {settings().min_free_gb:g} GB have to stay free. "
            "Free some space there, or delete a voice that is no longer needed."
        )


def room_for(project: Project) -> Room:
    """What is left for the recordings of this project, beside what its owner has in others."""
    limits = settings()
    seconds = left = disk = math.inf
    if limits.min_free_gb:
        disk = shutil.disk_usage(project.home).free - limits.min_free_gb * _GB
    if not limits.max_owner_gb and not limits.max_owner_minutes:
        return Room(seconds, left, disk)
    owner = _owner(project)
    if limits.max_owner_minutes:
        others = [one for one in projects_of(owner, project.home) if one.root != project.root]
        seconds = limits.max_owner_minutes * _MINUTE_S - sum(map(seconds_of, others))
    if limits.max_owner_gb:
        left = limits.max_owner_gb * _GB - usage_of(owner, project.home).bytes
    return Room(seconds, left, disk)


def _check_bytes(used: Usage, more: int) -> None:
    most = settings().max_owner_gb
    if not most or used.bytes + more <= most * _GB:
        return
    if more:
        raise QuotaError(
            f"Your voices take {used.bytes / _GB:.2f} of {most:g} GB, and this is {more / _GB:.2f} GB more. "
            "Remove recordings, or a voice that you no longer need."
        )
    raise QuotaError(
        f"Your voices take {used.bytes / _GB:.2f} of {most:g} GB. "
        "Remove recordings, or a voice that you no longer need."
    )


def _owner(project: Project) -> str:
    return str(project.info.get("owner", ""))


def _seconds(path: Path) -> float:
    """As the file's header says; 0 for what does not say, or is no recording, which is found out when it is read."""
    from voicefactory.audio.decode import open_sound  # late: it brings in two decoders

    try:
        with open_sound(path) as sound:
            return sound.seconds or 0.0
    except (InputError, OSError):
        return 0.0
