"""`voicefactory clean`: what is done, and what became of it, in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from voicefactory.cli.progress import progress_on
from voicefactory.errors import InputError
from voicefactory.pipeline.clean import clean, restore, steps_of
from voicefactory.pipeline.clip_rows import load_clips, originals
from voicefactory.project import Project, slug
from voicefactory.types import ShouldStop


def clean_clips(
    name: str, *, steps: dict[str, bool], clips: str, undo: bool, home: Path | None, should_stop: ShouldStop
) -> dict[str, Any]:
    """Clean the clips (ids with commas between, empty = all) of the project called `name`, or take it back.

    Raises InputError for a project or a clip that is none, or if nothing was asked for.
    """
    project = Project.open(slug(name), home)
    known = {clip.id: clip for clip in load_clips(project)}
    if not known:
        raise InputError(f"{project.name} has no clips yet. Run create, or prepare it on the page, first.")
    ids = [word.strip() for word in clips.split(",") if word.strip()] or list(known)
    if unknown := [one for one in ids if one not in known]:
        raise InputError(f"There is no clip {unknown[0]!r} in {project.name}.")
    if undo and any(steps.values()):
        raise InputError("Give --undo alone, or what to do without it.")
    if not undo and not any(steps.values()):
        raise InputError("Say what to do: --denoise, --level, --highpass, or --undo.")
    with project.alone(), progress_on() as tell:
        if undo:
            now = restore(project, ids)
        else:
            now = clean(project, [known[one] for one in ids], on_progress=tell, should_stop=should_stop, **steps)
    before = originals(project, now)
    wanted = set(ids)
    return {
        "project": str(project.root),
        "clips": [
            {
                "clip": clip.id,
                "steps": list(steps_of(clip)),
                "original": str(before[clip.id].audio),
                "audio": str(clip.audio),
                "snr_db": [before[clip.id].quality.snr_db, clip.quality.snr_db],
            }
            for clip in now
            if clip.id in wanted
        ],
    }


def summary(result: dict[str, Any]) -> str:
    """For a person who reads a terminal."""
    rows = result["clips"]
    if not rows or not rows[0]["steps"]:
        return f"{len(rows)} clips are as they were cut."
    snr = [sorted(row["snr_db"][side] for row in rows)[len(rows) // 2] for side in (0, 1)]
    return (
        f"{len(rows)} clips: {', '.join(rows[0]['steps'])}. Speech above the pauses, half of the clips have more: "
        f"{snr[0]:.0f} dB before, {snr[1]:.0f} dB after. The originals are kept; --undo brings them back."
    )
