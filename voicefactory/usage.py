"""What an owner has: voices, bytes on the disk, seconds of recordings. Cheap enough to be asked at every click.

Everything here is written aside and renamed, so a folder's own time changes whenever one of its files does: a folder
that has the time it had is not listed again. What is appended to in place (logs, metrics) counts a little late.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from voicefactory import files
from voicefactory.project import Project, projects_root

_SETTLED_S = 2.0  #: a folder that was changed just now may change again within the same tick of its clock
_KEPT = 2_000  #: projects

K = TypeVar("K")
V = TypeVar("V")
Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Usage:
    """What one owner has."""

    projects: int
    bytes: int
    seconds: float  #: of recordings


@dataclass
class _Folder:
    """One folder as it was listed."""

    changed: int  #: its time, ns
    folders: list[str]
    bytes: int  #: of files that have one name
    linked: dict[int, int] = field(default_factory=dict)  #: inode → bytes, of files that have several


_folders: dict[Path, dict[str, _Folder]] = {}  #: project → its folders, by their paths
_owners: dict[Path, tuple[Stamp, str]] = {}
_seconds: dict[Path, tuple[Stamp, float]] = {}
_shown: dict[tuple[Path, str], tuple[float, Usage]] = {}
_lock = threading.Lock()


def projects_of(owner: str, home: Path | None = None) -> list[Project]:
    """Every project of `owner`, in no order. Reads only what has changed since it was asked last."""
    found = []
    for info in projects_root(home).glob("*/project.json"):
        if _owner_of(info) == owner:
            found.append(Project(info.parent))
    return found


def usage_of(owner: str, home: Path | None = None, *, max_age_s: float = 0.0) -> Usage:
    """What `owner` has now, or had at most so many seconds ago."""
    key, now = (projects_root(home), owner), time.monotonic()
    with _lock:
        known = _shown.get(key)
    if known and now - known[0] < max_age_s:
        return known[1]
    mine = projects_of(owner, home)
    found = Usage(len(mine), sum(map(bytes_of, mine)), sum(map(seconds_of, mine)))
    _keep(_shown, key, (now, found))
    return found


def bytes_of(project: Project) -> int:
    """Bytes of a project's files. A file that has several names in it (a frozen data set's) counts once."""
    with _lock:
        before = _folders.get(project.root, {})
    now, anew = _listed(project.root, before)
    if anew and before:  # a file that had one name when its folder was listed may have two by now
        now, _ = _listed(project.root, {})
    _keep(_folders, project.root, now)
    linked: dict[int, int] = {}
    for one in now.values():
        linked |= one.linked
    return sum(one.bytes for one in now.values()) + sum(linked.values())


def seconds_of(project: Project) -> float:
    """Seconds of the recordings that were taken in."""
    path = project.recordings_jsonl
    stamp = _stamp(path)
    with _lock:
        known = _seconds.get(path)
    if known is None or known[0] != stamp:
        known = (stamp, sum(float(row["seconds"]) for row in files.read_jsonl(path)))
        _keep(_seconds, path, known)
    return known[1]


def forget(root: Path) -> None:
    """Forget what is known of the project that lay there."""
    with _lock:
        _folders.pop(root, None)
        _owners.pop(root / "project.json", None)
        _seconds.pop(root / "recordings.jsonl", None)
        _shown.clear()


def _owner_of(info: Path) -> str:
    """Empty if the project is gone in this moment."""
    stamp = _stamp(info)
    with _lock:
        known = _owners.get(info)
    if known is None or known[0] != stamp:
        try:
            known = (stamp, str(files.read_json(info).get("owner", "")))
        except (OSError, ValueError):
            return ""
        _keep(_owners, info, known)
    return known[1]


def _listed(root: Path, before: dict[str, _Folder]) -> tuple[dict[str, _Folder], bool]:
    """Every folder below `root`; and whether one that had changed holds files with several names."""
    found: dict[str, _Folder] = {}
    anew = False
    waiting = [str(root)]
    while waiting:
        path = waiting.pop()
        try:
            changed = os.stat(path, follow_symlinks=False).st_mtime_ns
            known = before.get(path)
            if known is None or known.changed != changed:
                known = _list(path, changed)
                anew = anew or bool(known.linked)
        except OSError:  # gone in this moment
            continue
        found[path] = known
        waiting += known.folders
    return found, anew


def _list(path: str, changed: int) -> _Folder:
    settled = time.time() - changed / 1e9 > _SETTLED_S
    listed = _Folder(changed if settled else 0, [], 0)
    with os.scandir(path) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                listed.folders.append(entry.path)
            elif stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
                listed.linked[status.st_ino] = status.st_size
            elif stat.S_ISREG(status.st_mode):
                listed.bytes += status.st_size
    return listed


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0)
    return status.st_mtime_ns, status.st_size, status.st_ino


def _keep(known: dict[K, V], key: K, value: V) -> None:
    with _lock:
        known.pop(key, None)
        known[key] = value
        while len(known) > _KEPT:
            del known[next(iter(known))]
