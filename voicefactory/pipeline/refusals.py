"""What was refused, and why: refused/<step>.jsonl, one row a file."""

from __future__ import annotations

from collections.abc import Iterable

from voicefactory import files
from voicefactory.project import Project
from voicefactory.types import Refused

_STEPS = ("hub", "found", "ingest", "segment", "transcribe", "speakers", "texts", "extract")


def write_refused(project: Project, step: str, refused: Iterable[Refused]) -> None:
    """Replace what `step` refused, even by nothing."""
    files.write_jsonl(project.refused_jsonl(step), ({"file": row.file, "reason": row.reason} for row in refused))


def load_refused(project: Project) -> list[Refused]:
    """Everything refused so far, in the order of the steps."""
    rows: list[Refused] = []
    for step in _STEPS:
        rows += [Refused(row["file"], row["reason"]) for row in files.read_jsonl(project.refused_jsonl(step))]
    return rows
