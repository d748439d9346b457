"""The files among the recordings, in folders or in a zip, by the names under which they are shown."""

from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol

from voicefactory.pipeline.sources import DAMAGED_ZIP, is_junk, shown_name

_AUDIO = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".webm", ".aiff", ".aif", ".mp4", ".aac"}
_MOST_TABLE_BYTES = 200_000_000
#: What reading an entry of a damaged or encrypted zip, or a file that has gone, may raise.
UNREADABLE = (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError)


class FoundFiles(Protocol):
    """Somewhere that files lie."""

    names: list[str]

    def read(self, name: str, scratch: Path) -> Path:
        """The file of that name, unpacked into `scratch` if need be. Raises one of UNREADABLE."""


class InFolders:
    """Files of folders, by the names that they are shown under."""

    def __init__(self, paths: dict[str, Path | str]) -> None:
        self._paths = {name: path for name, path in paths.items() if isinstance(path, Path)}
        self.names = list(self._paths)

    def read(self, name: str, scratch: Path) -> Path:
        return self._paths[name]


class InZip:
    """Entries of a zip; one is unpacked when it is read."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._entries: dict[str, str] = {}
        try:
            with zipfile.ZipFile(path) as archive:
                for entry in archive.infolist():
                    if not entry.is_dir() and not is_junk(entry.filename) and entry.file_size <= _MOST_TABLE_BYTES:
                        self._entries[f"{name}/{shown_name(entry.filename)}"] = entry.filename
        except DAMAGED_ZIP:
            pass  # ingest says so
        self.names = list(self._entries)

    def read(self, name: str, scratch: Path) -> Path:
        out = scratch / PurePosixPath(name).name
        left = _MOST_TABLE_BYTES
        with zipfile.ZipFile(self._path) as archive, archive.open(self._entries[name]) as packed, open(out, "wb") as to:
            while left > 0 and (block := packed.read(min(left, 1 << 20))):
                left -= len(block)
                to.write(block)
        return out


class AudioNames:
    """Finds a file below a folder by the name that a table gives it, with or without folder and extension."""

    def __init__(self, names: Iterable[str], folder: str) -> None:
        self._whole: dict[str, list[str]] = defaultdict(list)
        self._last: dict[str, list[str]] = defaultdict(list)
        for name in names:
            if is_audio(name):
                for key in _keys(name.removeprefix(f"{folder}/")):
                    self._whole[key].append(name)
                for key in _keys(PurePosixPath(name).name):
                    self._last[key].append(name)

    def find(self, wanted: str) -> str | None:
        plain = wanted.strip().replace("\\", "/").removeprefix("./")
        for known, key in ((self._whole, plain), (self._last, PurePosixPath(plain).name)):
            if len(names := known.get(key, [])) == 1:
                return names[0]
        return None


def _keys(name: str) -> Iterator[str]:
    yield name
    if is_audio(name):
        yield name[: -len(PurePosixPath(name).suffix)]


def is_audio(name: str) -> bool:
    """Whether its extension is one of sound or film."""
    return PurePosixPath(name).suffix.lower() in _AUDIO
