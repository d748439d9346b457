"""What a person decides about clips: looks right, drop, use again, another text; and every step back.

Before anything changes, the rows as they were go to undo/<number>-<what>-<clips>.json in the project, so a step can
be taken back after a reload, too, and a kill between the two leaves a step back that changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from voicefactory import files
from voicefactory.errors import InputError
from voicefactory.pipeline.transcripts import Row, update_rows
from voicefactory.project import Project
from voicefactory.types import Transcript

What = Literal["accept", "drop", "use", "fix"]
STEPS = 100  #: that can be taken back
_BYTES = 50_000_000  # of all of them together: dropping 5,000 clips takes about two million
_NAME = re.compile(r"(\d+)-(accept|drop|use|fix)-(\d+)\.json")


@dataclass(frozen=True)
class Step:
    """One decision that can be taken back."""

    what: What
    clips: int  #: how many it changed
    path: Path


def accept(project: Project, clips: Collection[str]) -> int:
    """The texts of these clips (by id) are right as they are: they count as a person's from now on, and the clips
    are used. Returns how many changed."""
    return _decide(project, "accept", clips, lambda row: _as_a_persons(row, row.transcript.text))


def drop(project: Project, clips: Collection[str]) -> int:
    """Leave these clips out. Returns how many changed."""
    return _decide(project, "drop", clips, lambda row: _with(row, dropped=True))


def use(project: Project, clips: Collection[str]) -> int:
    """Use these clips, also those that were dropped. Returns how many changed."""
    return _decide(project, "use", clips, lambda row: _with(row, dropped=False))


def fix(project: Project, clip: str, text: str) -> int:
    """Give a clip another text; it is used. Returns how many changed. Raises InputError for an empty text."""
    text = " ".join(text.split())
    if not text:
        raise InputError("The text is empty. Write what is said, or drop the clip.")
    return _decide(project, "fix", [clip], lambda row: _as_a_persons(row, text))


def steps(project: Project) -> list[Step]:
    """What can be taken back, the newest first."""
    found = [(path, _NAME.fullmatch(path.name)) for path in _folder(project).glob("*.json")]
    numbered = [(int(named[1]), Step(named[2], int(named[3]), path)) for path, named in found if named]  # type: ignore[arg-type]
    return [step for _, step in sorted(numbered, key=lambda pair: -pair[0])]


def undo(project: Project) -> tuple[Step, list[str]]:
    """Take the newest step back: the step, and the ids of its clips. Rows of clips that were cut anew since stay.

    Raises InputError if there is nothing to take back.
    """
    known = steps(project)
    if not known:
        raise InputError("There is nothing to undo.")
    before = [_row(values) for values in files.read_json(known[0].path)]

    def change(rows: dict[str, Row]) -> None:
        for row in before:
            name = row.transcript.clip
            if name in rows and rows[name].sha256 == row.sha256:
                rows[name] = row

    update_rows(project, change)
    known[0].path.unlink(missing_ok=True)
    return known[0], [row.transcript.clip for row in before]


def _decide(project: Project, what: What, clips: Collection[str], decided: Callable[[Row], Row]) -> int:
    names = set(clips)
    changed: dict[str, Row] = {}

    def change(rows: dict[str, Row]) -> None:
        for name in names & rows.keys():
            new = decided(rows[name])
            if new != rows[name] and new.transcript.text:
                changed[name] = new
        if changed:
            _remember(project, what, [rows[name] for name in changed])
        rows.update(changed)

    update_rows(project, change)
    return len(changed)


def _as_a_persons(row: Row, text: str) -> Row:
    return _with(row, text=text, source="edited", confidence=1.0, dropped=False)


def _with(row: Row, **values: Any) -> Row:
    return replace(row, transcript=replace(row.transcript, **values))


def _folder(project: Project) -> Path:
    return project.root / "undo"


def _remember(project: Project, what: What, before: list[Row]) -> None:
    """Called under the lock of the transcripts, so no two steps get the same number."""
    known = steps(project)
    number = int(known[0].path.name.split("-")[0]) + 1 if known else 1
    files.write_json(_folder(project) / f"{number:06d}-{what}-{len(before)}.json", [asdict(row) for row in before])
    size = 0
    for place, step in enumerate(steps(project)):
        size += step.path.stat().st_size
        if place >= STEPS or (place and size > _BYTES):
            step.path.unlink(missing_ok=True)


def _row(values: Mapping[str, Any]) -> Row:
    asked, language = values["asked"]
    return Row(**{**values, "transcript": Transcript(**values["transcript"]), "asked": (asked, language)})
