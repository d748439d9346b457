"""`voicefactory dataset` and `voicefactory prompts` in words: what there is, whether it is enough, what to read."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from voicefactory.pipeline.frozen import FrozenDataset, changes_since, list_frozen
from voicefactory.pipeline.prompts import prompt_set
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.speakers import parse_speakers
from voicefactory.pipeline.statistics import LENGTHS_S, Statistics, statistics
from voicefactory.pipeline.transcripts import load_transcripts
from voicefactory.project import Project, slug
from voicefactory.types import OnProgress, silent

_BAR = 30  #: characters of the longest bar


def dataset_of(
    name: str,
    *,
    home: Path | None,
    freeze: bool,
    reference: str = "",
    speakers: str = "one",
    on_progress: OnProgress = silent,
) -> dict[str, Any]:
    """The data set of the project called `name`: statistics, frozen sets, and with `freeze` the one just frozen.

    Raises InputError for no such project, or nothing to freeze.
    """
    project = Project.open(slug(name), home)
    made = None
    if freeze:
        from voicefactory.pipeline.request import Request
        from voicefactory.pipeline.train import freeze_dataset

        with project.alone():
            chosen = reference or str(project.info.get("reference", ""))
            request = Request(reference=chosen, speakers=parse_speakers(speakers))
            made = freeze_dataset(project, request, on_progress=on_progress).fingerprint
    clips, transcripts = load_clips(project), load_transcripts(project)
    frozen = [_row(one, changes_since(one, clips, transcripts)) for one in list_frozen(project)]
    return {"project": project.name, "statistics": statistics(project).to_json(), "frozen": frozen, "made": made}


def lines(name: str, found: dict[str, Any], *, home: Path | None) -> list[str]:
    """The data set for a person who reads a terminal."""
    told = [*_figures(statistics(Project.open(slug(name), home))), ""]
    if found["made"]:
        told.append(f"Frozen: {found['made'][:12]}")
    return told + (frozen_lines(found["frozen"]) or ["Nothing is frozen yet; training freezes what there is."])


def frozen_lines(frozen: list[dict[str, Any]]) -> list[str]:
    """The frozen data sets, the newest first."""
    return [
        f"{one['name']}  {time.strftime('%Y-%m-%d %H:%M', time.localtime(one['frozen_at']))}  "
        f"{one['clips']} clips, {one['seconds'] / 60:.1f} min; {one['changes'] or 'as the project is now'}"
        for one in frozen
    ]


def prompts_of(language: str) -> list[dict[str, Any]]:
    """The sentences to read in `language`, the most useful first. Raises InputError for an unknown language."""
    return [{"id": one.id, "text": one.text, "seconds": round(one.seconds, 1)} for one in prompt_set(language)]


def prompt_lines(rows: list[dict[str, Any]]) -> list[str]:
    """The sentences, and how long they take."""
    minutes = sum(row["seconds"] for row in rows) / 60
    return [*(row["text"] for row in rows), "", f"{len(rows)} sentences, about {minutes:.0f} minutes read aloud (CC0)."]


def _figures(found: Statistics) -> list[str]:
    if not found.clips:
        return [found.enough, found.best_help]
    told = [f"{found.clips} clips, {found.minutes:.1f} minutes; {found.left_out} left out"]
    most = max(found.lengths)
    for low, high, count in zip(LENGTHS_S, [*LENGTHS_S[1:], None], found.lengths, strict=True):
        if count:
            name = f"{low:.0f} to {high:.0f} s" if high else f"from {low:.0f} s"
            told.append(f"{name:>10}  {count:6}  {'#' * max(1, round(_BAR * count / most))}")
    if found.coverage:
        told += [found.coverage.words(), found.coverage.proxy]
        told += [f"  read: {prompt.text}" for prompt in found.coverage.prompts]
    told += [f"Warning: {warning}" for warning in found.warnings]
    return [*told, found.enough, found.best_help]


def _row(frozen: FrozenDataset, changes: str) -> dict[str, Any]:
    return {
        "fingerprint": frozen.fingerprint,
        "name": frozen.name,
        "folder": str(frozen.folder),
        "frozen_at": frozen.frozen_at,
        "clips": frozen.clips,
        "seconds": frozen.seconds,
        "languages": list(frozen.languages),
        "speakers": list(frozen.speakers),
        "changes": changes,
    }
