"""The worklist: every clip's risk, reasons and measures, kept on disk so that a page opens at once.

Worked out anew when the clips, the analysis or the second opinions change, and not when a text does: what a person
has edited needs no reasons any more, and 5,000 clips take a second. Leaves worklist.jsonl.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from voicefactory import files
from voicefactory.audio.thresholds import complaints
from voicefactory.pipeline.analyse import VOICE_DISTANCE, load_analysis
from voicefactory.pipeline.risk import risks
from voicefactory.pipeline.second_opinion import opinions_path
from voicefactory.project import Project
from voicefactory.types import Clip, Transcript

_VERSION = 1  # raise it when the same project gives another list


@dataclass(frozen=True)
class Work:
    """What speaks against a clip."""

    clip: str
    score: float  #: risk, 0 to 1
    reasons: tuple[str, ...]  #: the gravest first; empty = nothing to complain about
    foreign: bool  #: another voice than the other clips
    measures: dict[str, float]  #: as of `Analysis`


def worklist_sources(project: Project) -> list[Path]:
    """The files that it is made of: it is anew when one of them changes."""
    return [project.clips_jsonl, project.root / "analysis.jsonl", opinions_path(project)]


def worklist(project: Project, clips: Sequence[Clip], transcripts: Sequence[Transcript]) -> dict[str, Work]:
    """Clip id → work, of the clips that were analysed, the riskiest first."""
    path = project.root / "worklist.jsonl"
    inputs = [_VERSION, *(_stamp(source) for source in worklist_sources(project))]
    if files.is_current(path, inputs):
        return {row["clip"]: Work(**{**row, "reasons": tuple(row["reasons"])}) for row in files.read_jsonl(path)}
    analysis = load_analysis(project, clips, transcripts)
    found = {
        clip: Work(clip, risk.score, risk.reasons, _is_foreign(analysis[clip].measures), analysis[clip].measures)
        for clip, risk in risks(clips, transcripts, analysis).items()
    }
    files.write_jsonl(path, (asdict(work) for work in found.values()))
    files.mark_current(path, inputs)
    return found


def _is_foreign(measures: dict[str, float]) -> bool:
    known = {VOICE_DISTANCE: measures[VOICE_DISTANCE]} if VOICE_DISTANCE in measures else {}
    return bool(complaints(known, language=""))


def _stamp(path: Path) -> list[Any] | None:
    if not path.exists():
        return None
    state = path.stat()
    return [state.st_mtime_ns, state.st_size, state.st_ino]
