"""`voicefactory zero-shot`: a voice without training, from the reference alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from voicefactory.pipeline.zero_shot import ZeroShotRequest, zero_shot
from voicefactory.project import Project, slug
from voicefactory.types import OnProgress, silent


def zero_shot_of(
    name: str, request: dict[str, str], *, home: Path | None, on_progress: OnProgress = silent
) -> dict[str, Any]:
    """Package it; what it is, as JSON. Raises InputError for a project that does not exist, and as `zero_shot`."""
    project = Project.open(slug(name), home)
    with project.alone():
        voice = zero_shot(project, ZeroShotRequest(**request), on_progress=on_progress)
    return {
        "project": str(project.root),
        "voice": str(voice.path),
        "zip": str(voice.zip),
        "speaker": voice.speaker,
        "language": voice.language,
        "samples": [str(sample) for sample in voice.samples],
    }


def lines(found: dict[str, Any]) -> list[str]:
    """For a person who reads a terminal."""
    told = ["It was not trained: the base model imitates the reference, which is part of the voice."]
    told += [f"Sample     {sample}" for sample in found["samples"]]
    return [*told, f"Download   {found['zip']}", f"Voice      {found['voice']}"]
