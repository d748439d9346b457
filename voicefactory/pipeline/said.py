"""What was spoken and heard on the page, on disk: one folder each, with everything that is needed to say it again.

speech/<name>/ holds asked.json (the request, and when), takes.jsonl (a row for each file), the files themselves, while
it is spoken pieces/ with pieces.jsonl, and of several lines lines.csv and a zip of it all.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from voicefactory import files
from voicefactory.project import Project

_NAME = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
_NAME_LETTERS = 40


@dataclass(frozen=True)
class SpeechRequest:
    """Every text is said by everyone of `tellers`, all with the same seed."""

    name: str  #: of the folder; the same name goes on where it was stopped
    tellers: tuple[str, ...]  #: as in tellers.py
    labels: tuple[str, ...]  #: what the person calls them
    texts: tuple[str, ...]
    language: str = ""  #: empty = each one's own
    speaker: str = ""  #: empty = the newest
    seed: int = 0
    form: str = "wav"  #: of `speech_files.FORMS`
    engine: str = "qwen3-tts"  #: for base models
    reference: str = ""  #: for base models, as in `Request`
    several: bool = False  #: it is a list of lines, and becomes a zip


@dataclass(frozen=True)
class Take:
    """One text, said by one of them."""

    teller: int  #: its place in the request
    text: int
    file: str  #: in the folder
    seconds: float
    seed: int
    pieces: int  #: that were spoken
    of: int  #: that there are; more than `pieces` if it was stopped
    runaway: tuple[int, ...] = ()  #: pieces that did not come to an end, from 1
    notice: str = ""


@dataclass(frozen=True)
class Heard:
    """One entry of the history."""

    folder: Path
    request: SpeechRequest
    asked: float  #: Unix seconds
    takes: tuple[Take, ...] = field(default=())

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def zip(self) -> Path:
        """Of several lines."""
        return self.folder / "lines.zip"

    def file(self, take: Take) -> Path:
        return self.folder / take.file


def from_json(row: Mapping[str, Any]) -> SpeechRequest:
    """A request as a job or a file holds it."""
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return SpeechRequest(**values)


def new_name() -> str:
    """A name for a folder that nobody has; they sort by time."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"


def speech_folder(project: Project, name: str = "") -> Path:
    """Where everything that was spoken lies, or one entry of it. Raises KeyError for what is no name."""
    folder = project.root / "speech"
    if not name:
        return folder
    if not _NAME.fullmatch(name):
        raise KeyError(name)
    return folder / name


def begin(project: Project, request: SpeechRequest) -> Heard:
    """Make the entry, or find it with what was said already."""
    folder = speech_folder(project, request.name)
    if not (folder / "asked.json").exists():
        files.write_json(folder / "asked.json", {**asdict(request), "asked": time.time()})
    found = load_heard(folder)
    assert found is not None
    return found


def keep_takes(folder: Path, takes: Mapping[tuple[int, int], Take]) -> None:
    """Write them down, by teller and text."""
    files.write_jsonl(folder / "takes.jsonl", [asdict(takes[key]) for key in sorted(takes)])


def load_heard(folder: Path) -> Heard | None:
    """One entry; None if there is none, or it is being removed."""
    try:
        row = files.read_json(folder / "asked.json")
        takes = files.read_jsonl(folder / "takes.jsonl")
    except (OSError, ValueError):
        return None
    asked = float(row.pop("asked"))
    return Heard(folder, from_json(row), asked, tuple(_take(one) for one in takes))


def heard_names(project: Project) -> list[str]:
    """Names of all entries, the newest first."""
    folder = speech_folder(project)
    return sorted((path.name for path in folder.glob("*") if _NAME.fullmatch(path.name)), reverse=True)


def remove_heard(project: Project, name: str) -> None:
    """Remove an entry and its files; nothing if it is gone. Raises KeyError for what is no name."""
    folder = speech_folder(project, name)
    if folder.is_dir():
        (folder / "asked.json").unlink(missing_ok=True)  # first: what is half removed is not found any more
        shutil.rmtree(folder, ignore_errors=True)


def file_name(text: str, number: int = 0, beside: str = "") -> str:
    """A safe name that shows what is said: letters and digits of any language, and dashes."""
    plain = re.sub(r"[\W_]+", "-", text.casefold()).strip("-")
    short = plain[:_NAME_LETTERS]
    if len(plain) > _NAME_LETTERS and "-" in short:
        short = short.rpartition("-")[0]  # no half a word at the end
    parts = [f"{number:03d}" if number else "", short, re.sub(r"[\W_]+", "-", beside).strip("-")]
    return "-".join(part for part in parts if part) or "speech"


def _take(row: dict[str, Any]) -> Take:
    return Take(**{**row, "runaway": tuple(row["runaway"])})
