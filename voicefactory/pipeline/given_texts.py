"""Texts that a person brings: LJSpeech metadata, the same with a header, .txt files, JSONL, SRT and WebVTT.

The format is told by the content. Nothing is dropped here: a row that cannot be used carries its problem.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicefactory.errors import InputError
from voicefactory.pipeline.sources import shown_name
from voicefactory.pipeline.subtitles import are_subtitles, parse_subtitles

METADATA_NAMES = ("metadata.csv", "metadata.jsonl", "data.jsonl")  #: looked for when a folder is given
_AUDIO_KEYS = ("file", "audio", "audio_filepath", "file_name", "path", "id")
_TEXT_KEYS = ("text", "transcript", "sentence", "transcription")
_MORE_KEYS = ("language", "speaker", "instruct")
_ALSO_CALLED = {"locale": "language"}  # by Common Voice
_MOST_BYTES = 200_000_000
_BESIDE = (".txt", ".srt", ".vtt")  # text files named like the audio
_KNOWN = (
    "Known are: LJSpeech's `id|text` or `id|text|normalized`, a table whose first line names `file` and `text`, "
    ".txt, .srt and .vtt files named like the audio, and JSONL with `audio` and `text`. "
    "Tables and JSONL may also tell `language`, `speaker` and `instruct`."
)


@dataclass(frozen=True)
class GivenText:
    """One row of a transcript file."""

    file: str  #: as the file names it, with or without folder and extension
    text: str
    language: str = ""
    speaker: str = ""  #: as the file names them
    instruct: str = ""
    problem: str = ""  #: a sentence; empty if the row can be used
    start_s: float | None = None  #: of a subtitle: when it is said in the recording; None = all of it
    end_s: float | None = None

    @property
    def timed(self) -> bool:
        """Whether this is a subtitle: the text of a part of a recording."""
        return self.start_s is not None and self.end_s is not None


def read_transcripts(path: Path) -> list[GivenText]:
    """Read texts from a file, or from a folder of .txt, .srt and .vtt files (or with a metadata.csv in it).

    Raises InputError if there is no such file or it is in none of the known formats.
    """
    path = path.expanduser()
    if path.is_dir():
        return _read_folder(path)
    if not path.is_file():
        raise InputError(f"There is no transcript file {shown_name(str(path))!r}. Check the path.")
    content = _read_text(path)
    if not content.strip():
        raise InputError(f"The transcript file {path.name} is empty.")
    if are_subtitles(content):
        return cues_of(content, shown_name(path.stem))
    rows = _parse(content, path)
    if rows is not None:
        return rows
    if path.suffix.lower() == ".txt":
        return [GivenText(shown_name(path.stem), _plain(content))]
    raise InputError(f"{path.name} is in no format of transcripts that is known. {_KNOWN}")


def are_timed(path: Path) -> bool:
    """Whether these are subtitles, which fit a recording that is cut. Raises InputError as `read_transcripts` does."""
    return any(text.timed for text in read_transcripts(path))


def _read_folder(folder: Path) -> list[GivenText]:
    for name in METADATA_NAMES:
        if (folder / name).is_file():
            return read_transcripts(folder / name)
    texts = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _BESIDE and path.is_file())
    if not texts:
        raise InputError(f"There are no .txt files and no metadata.csv in {folder}. {_KNOWN}")
    rows = []
    for path in texts:
        name = shown_name(path.relative_to(folder).with_suffix("").as_posix())
        try:
            content = _read_text(path)
            rows += cues_of(content, name) if are_subtitles(content) else [GivenText(name, _plain(content))]
        except InputError as problem:
            rows.append(GivenText(name, "", problem=str(problem)))
    return rows


def cues_of(content: str, name: str) -> list[GivenText]:
    """The subtitles in an SRT or WebVTT file's `content`, as texts of parts of the recording `name`."""
    return [
        GivenText(
            name,
            _plain(cue.text),
            speaker=_plain(cue.speaker),
            problem=cue.problem,
            start_s=cue.start_s,
            end_s=cue.end_s,
        )
        for cue in parse_subtitles(content)
    ]


def _read_text(path: Path) -> str:
    if path.stat().st_size > _MOST_BYTES:
        raise InputError(f"{path.name} is larger than {_MOST_BYTES // 1_000_000} MB, so it is no file of transcripts.")
    content = path.read_bytes()
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InputError(f"{path.name} is not UTF-8 text. Save it as UTF-8, then bring it again.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _parse(content: str, path: Path) -> list[GivenText] | None:
    first = next(line for line in content.split("\n") if line.strip())
    if first.lstrip().startswith("{"):
        return list(_read_jsonl(content, path))
    if columns := _header(first.split("|")):
        cells = ((number, line.split("|")) for number, line in _numbered(content))
        return list(_read_table(cells, columns))
    for delimiter in ("\t", ",", ";"):
        if columns := _header(next(csv.reader([first], delimiter=delimiter))):
            if delimiter == "\t" and '"' in content and not _quotes_cells(content):  # in Common Voice quotes are text
                cells = ((number, line.split("\t")) for number, line in _numbered(content))
                return list(_read_table(cells, columns))
            return list(_read_table(enumerate(csv.reader(io.StringIO(content), delimiter=delimiter), 1), columns))
    if "|" in first:
        return list(_read_ljspeech(content))
    return None


def _numbered(content: str) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(content.split("\n"), 1) if line.strip())


def _quotes_cells(content: str) -> bool:
    """True if every quote in a table between tabs follows the rules for quoted cells."""
    lines = content.split("\n")
    columns = lines[0].count("\t")
    try:
        rows = list(csv.reader(io.StringIO(content), delimiter="\t", strict=True))
    except csv.Error:
        return False
    return len(rows) >= len(lines) - 1 and all(len(row) - 1 <= columns for row in rows)


def _header(cells: list[str]) -> tuple[int, int, dict[str, int]] | None:
    """Columns of the audio's name, of the text and of what else may be told, if these cells are a header."""
    plain = (cell.strip().strip('"').lower() for cell in cells)
    names = [_ALSO_CALLED.get(name, name) for name in plain]
    audio = next((names.index(key) for key in _AUDIO_KEYS if key in names), None)
    text = next((names.index(key) for key in _TEXT_KEYS if key in names), None)
    if audio is None or text is None:
        return None
    return audio, text, {key: names.index(key) for key in _MORE_KEYS if key in names}


def _read_table(rows: Iterator[tuple[int, list[str]]], columns: tuple[int, int, dict[str, int]]) -> Iterator[GivenText]:
    audio, text, more = columns
    next(rows)
    for number, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) <= max(audio, text):
            problem = f"Line {number} has fewer columns than the header."
            yield GivenText(_name(cells, audio, number), "", problem=problem)
        else:
            told: dict[str, Any] = {key: _plain(cells[column]) for key, column in more.items() if column < len(cells)}
            yield GivenText(_name(cells, audio, number), _plain(cells[text]), **told)


def _read_ljspeech(content: str) -> Iterator[GivenText]:
    """`id|text` or `id|text|normalized`; quotes are text."""
    for number, line in _numbered(content):
        cells = line.split("|")
        if len(cells) not in (2, 3):
            problem = f"Line {number} has {len(cells)} columns between `|`; it should be id|text or id|text|normalized."
            yield GivenText(_name(cells, 0, number), "", problem=problem)
        else:
            yield GivenText(_name(cells, 0, number), _plain(cells[2] if len(cells) == 3 else "") or _plain(cells[1]))


def _read_jsonl(content: str, path: Path) -> Iterator[GivenText]:
    for number, line in _numbered(content):
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError):
            raise InputError(f"Line {number} of {path.name} is not JSON. {_KNOWN}") from None
        key = next((key for key in _AUDIO_KEYS if isinstance(row, dict) and isinstance(row.get(key), str)), None)
        if key is None:
            raise InputError(f"Line {number} of {path.name} does not name its audio (key `audio`). {_KNOWN}")
        text = next((row[key] for key in _TEXT_KEYS if isinstance(row.get(key), str)), "")
        told: dict[str, Any] = {key: _plain(row[key]) for key in _MORE_KEYS if isinstance(row.get(key), str)}
        yield GivenText(_storable(row[key]), _plain(text), **told)


def _name(cells: list[str], column: int, number: int) -> str:
    name = cells[column].strip() if column < len(cells) else ""
    return _storable(name) or f"line {number}"


def _plain(text: str) -> str:
    """One line, single spaces."""
    return " ".join(_storable(text).split())


def _storable(text: str) -> str:
    """Text that can be stored: half of a character (a lone surrogate in JSON) becomes a question mark."""
    return text.encode("utf-8", errors="replace").decode("utf-8")
