"""Many spoken lines as one zip: the files, and a list of what is in which."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from voicefactory import files

LIST = "lines.csv"
_FORMULA = ("=", "+", "-", "@", "\t")


@dataclass(frozen=True)
class LineFile:
    """A row of the list."""

    file: str  #: in the folder
    text: str
    voice: str
    seed: int
    language: str  #: empty = the voice's own


def zip_lines(folder: Path, lines: Sequence[LineFile], out: Path) -> None:
    """Write folder/lines.csv, and `out` with it and the files. Stored, not compressed: sound hardly gets smaller."""
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow([field.name for field in fields(LineFile)])
    for line in lines:
        table.writerow([_harmless(cell) for cell in astuple(line)])
    files.write_text(folder / LIST, written.getvalue())
    with files.writing(out) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as archive:
        for name in (LIST, *(line.file for line in lines)):
            archive.write(folder / name, name)


def _harmless(cell: object) -> object:
    """A spreadsheet takes what begins like a formula for one."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
