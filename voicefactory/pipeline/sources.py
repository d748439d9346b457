"""Files, folders and zips → a flat series of source files to decode.

Names are text and nothing else: they are shown, never used as a path. What comes out of a zip is
hostile: it is counted while it streams, gets a name of ours, and links, absolute names, `..`, encrypted
entries and zips inside zips are refused with their reason.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from voicefactory.errors import InputError
from voicefactory.settings import settings
from voicefactory.types import Refused

_JUNK = re.compile(r"(^|/)(__MACOSX/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
#: What opening a zip that is none, or is cut off, may raise.
DAMAGED_ZIP = (zipfile.BadZipFile, OSError, ValueError, NotImplementedError)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_MB = 1_000_000
_BLOCK = 1 << 18
_RATIO_MATTERS_FROM = 1 * _MB  # a short text may well pack 1000 : 1


@dataclass(frozen=True)
class Source:
    """One file to decode."""

    file: str  #: the name as the person knows it
    path: Path
    temporary: bool = False  #: unpacked for this; whoever takes it deletes it


@dataclass(frozen=True)
class Amount:
    """How much there is to do, for a progress bar."""

    files: int
    megabytes: float


def amount_of(paths: Sequence[Path]) -> Amount:
    """What these paths will give; entries of a zip are counted unopened, as its directory describes them."""
    count, size = 0, 0
    for _, path in walk(paths):
        if isinstance(path, Path) and is_zip(path):
            with contextlib.suppress(zipfile.BadZipFile, OSError, ValueError), zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
                count += len(entries)
                size += sum(entry.file_size for entry in entries)
        else:
            count += 1
            size += path.stat().st_size if isinstance(path, Path) else 0
    return Amount(count, size / _MB)


def sources(paths: Sequence[Path], scratch: Path) -> Iterator[Source | Refused]:
    """Everything that these paths give, in a stable order. `scratch` is where zip entries are unpacked, one by one
    as they are asked for.

    Raises InputError for a path that does not exist.
    """
    for name, path in walk(paths):
        if isinstance(path, str):
            yield Refused(name, path)
        elif is_zip(path):
            yield from _unzipped(name, path, scratch)
        else:
            yield Source(name, path)


def shown_name(name: str) -> str:
    """A file name as text that can be stored: what is not Unicode in it becomes a question mark."""
    return name.encode("utf-8", errors="surrogateescape").decode("utf-8", errors="replace")


def is_zip(path: Path) -> bool:
    """True if the content says so."""
    try:
        with open(path, "rb") as file:
            return stat.S_ISREG(os.fstat(file.fileno()).st_mode) and file.read(4) in _ZIP
    except OSError:
        return False


def is_junk(name: str) -> bool:
    """True for what an operating system leaves in folders and zips."""
    return _JUNK.search(name) is not None


def walk(paths: Sequence[Path]) -> Iterator[tuple[str, Path | str]]:
    """(name, file) or (name, reason why not); a folder's files carry the folder's name.

    Raises InputError for a path that does not exist.
    """
    for path in (Path(given).expanduser() for given in paths):
        if not path.exists():
            raise InputError(f"There is no file or folder {shown_name(str(path))!r}. Check the path.")
        if path.is_dir():
            yield from _walk_folder(path.resolve())
        elif not path.is_file():
            yield shown_name(path.name), "It is not a file."
        else:
            yield shown_name(path.name), path


def _walk_folder(folder: Path) -> Iterator[tuple[str, Path | str]]:
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(folders):
            if Path(root, name).is_symlink():
                shown = Path(root, name).relative_to(folder.parent).as_posix()
                yield shown_name(shown), "It is a link to a folder, which is not followed."
        for name in sorted(names):
            path = Path(root, name)
            shown = shown_name(path.relative_to(folder.parent).as_posix())
            if is_junk(shown):
                continue  # left by an operating system, not by a person
            if path.is_file():
                yield shown, path
            else:
                yield shown, "It is a link to nowhere, or not a file."


def _unzipped(name: str, path: Path, scratch: Path) -> Iterator[Source | Refused]:
    limits = settings()
    try:
        archive = zipfile.ZipFile(path)
    except DAMAGED_ZIP:
        yield Refused(name, "The zip is damaged or cut off. Pack it again.")
        return
    with archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir() and not is_junk(entry.filename)]
        if len(entries) > limits.max_zip_entries:
            yield Refused(name, f"It holds {len(entries)} files; at most {limits.max_zip_entries} are taken.")
            return
        budget = _Budget(limits.max_zip_mb * _MB, limits.max_zip_ratio * max(path.stat().st_size, 1))
        for entry in entries:
            shown = f"{name}/{shown_name(entry.filename)}"
            if reason := _why_not(entry):
                yield Refused(shown, reason)
                continue
            handle, aside = tempfile.mkstemp(prefix=".aside-", dir=scratch)
            os.close(handle)
            unpacked = Path(aside)
            reason = _unpack(archive, entry, unpacked, budget)
            if not reason and is_zip(unpacked):
                reason = "It is a zip inside a zip, which is not opened. Unpack it first."
            if reason:
                unpacked.unlink(missing_ok=True)
                yield Refused(shown, reason)
            else:
                yield Source(shown, unpacked, temporary=True)
            if budget.spent > budget.most:
                yield Refused(name, "It unpacks to more than is taken from one zip, so the rest was left out.")
                return


@dataclass
class _Budget:
    """Bytes that one zip has unpacked to, whatever its directory claims."""

    most_bytes: float
    most_by_ratio: float
    spent: int = 0

    @property
    def most(self) -> float:
        return min(self.most_bytes, max(self.most_by_ratio, _RATIO_MATTERS_FROM))


def _why_not(entry: zipfile.ZipInfo) -> str | None:
    kind = entry.external_attr >> 16
    parts = entry.filename.replace("\\", "/").split("/")
    if parts[0] == "" or re.match(r"[A-Za-z]:", entry.filename) or ".." in parts:
        return "Its name in the zip points outside of the zip. Pack the files anew."
    if stat.S_ISLNK(kind):
        return "It is a link, not a file. Pack the file itself."
    if stat.S_IFMT(kind) not in (0, stat.S_IFREG):
        return "It is not a file."
    if entry.flag_bits & 0x1:
        return "It is encrypted. Pack the files without a password."
    return None


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, out: Path, budget: _Budget) -> str | None:
    """Stream one entry to `out`; return the reason if it had to be stopped."""
    limits = settings()
    packed, unpacked = max(entry.compress_size, 1), 0
    try:
        with archive.open(entry) as packed_file, open(out, "wb") as unpacked_file:
            while block := packed_file.read(_BLOCK):
                unpacked += len(block)
                budget.spent += len(block)
                if unpacked > limits.max_recording_mb * _MB:
                    return f"It is larger than {limits.max_recording_mb:g} MB, the most that one recording may have."
                if unpacked > max(limits.max_zip_ratio * packed, _RATIO_MATTERS_FROM) or budget.spent > budget.most:
                    return "It unpacks to far more than its packed size, as a zip bomb does, and was stopped."
                unpacked_file.write(block)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError):
        return "It is damaged in the zip, or packed in a way that is not known. Pack it again."
    return None
