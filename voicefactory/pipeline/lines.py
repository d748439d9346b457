"""Many lines to be spoken, from a text field, a .txt or a .csv: each becomes a file."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from voicefactory.errors import InputError
from voicefactory.pipeline.text_pieces import text_pieces

MOST_LINES = 500
MOST_LETTERS = 100_000  #: of all lines together: two hours of speech
LONGEST_TEXT = 20_000  #: letters of one text: about 20 minutes
_COLUMNS = ("text", "sentence", "line")  #: what the column with the lines may be called


def check_text(text: str) -> None:
    """Raise InputError if `text` is too long to be spoken in one go, or has nothing to say in it."""
    if len(text) > LONGEST_TEXT:
        raise InputError(
            f"The text has {len(text):,} letters; {LONGEST_TEXT:,} at once are the most. Speak it in parts."
        )
    text_pieces(text)


def parse_lines(content: str) -> list[str]:
    """The lines that are not empty. Raises InputError if there is none, or there are too many."""
    return _checked(content.splitlines())


def read_lines(path: Path) -> list[str]:
    """The lines of a .txt, or of the column "text" of a .csv. Raises InputError for anything else."""
    if path.suffix.lower() not in (".txt", ".csv", ".tsv"):
        raise InputError(f"Lines come as .txt or .csv; {path.name} is neither.")
    if path.stat().st_size > 8 * MOST_LETTERS:
        raise InputError(f"{path.name} is too large: {MOST_LETTERS:,} letters at once are the most. Split it.")
    content = _decoded(path)
    return parse_lines(content) if path.suffix.lower() == ".txt" else _checked(_column(content, path.name))


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InputError(f"{path.name} is not UTF-8 text. Save it as UTF-8, then bring it again.")
    return text


def _column(content: str, name: str) -> list[str]:
    first = content.split("\n", 1)[0]
    delimiter = max("\t;,|", key=first.count)
    rows = [row for row in csv.reader(io.StringIO(content), delimiter=delimiter) if row]
    if not rows:
        return []
    heads = [cell.strip().lower() for cell in rows[0]]
    column = next((heads.index(head) for head in _COLUMNS if head in heads), None)
    if column is not None:
        return [row[column] for row in rows[1:] if len(row) > column]
    if all(len(row) == 1 for row in rows):
        return [row[0] for row in rows]
    raise InputError(f'{name} has several columns and none is called "text". Call the one with the lines so.')


def _checked(lines: list[str]) -> list[str]:
    found = [" ".join(line.split()) for line in lines if any(char.isalnum() for char in line)]
    if not found:
        raise InputError("There is no line to speak. Write one sentence a line, or bring a .txt or .csv file.")
    if len(found) > MOST_LINES or sum(map(len, found)) > MOST_LETTERS:
        raise InputError(
            f"That is {len(found):,} lines with {sum(map(len, found)):,} letters; {MOST_LINES} lines and "
            f"{MOST_LETTERS:,} letters at once are the most. Split the list."
        )
    return found
