"""`voicefactory analyse`: the clips of a project, the riskiest first, with what is wrong with each."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from voicefactory.errors import InputError
from voicefactory.pipeline.analyse import analyse, load_voices
from voicefactory.pipeline.risk import risks
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.transcripts import load_transcripts
from voicefactory.project import Project, slug
from voicefactory.types import OnProgress, ShouldStop, never, silent


def analysis_of(
    name: str,
    *,
    home: Path | None,
    dnsmos: bool,
    worst: int | None,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> dict[str, Any]:
    """Measure the clips of the project called `name`; what `--json` prints, its rows the riskiest first.

    Raises InputError for a project that is none or has no clips, VoiceFactoryError if somebody works on it.
    """
    project = Project.open(slug(name), home)
    with project.alone():
        clips, transcripts = load_clips(project), load_transcripts(project)
        if not clips:
            raise InputError(f"{project.name} has no clips yet. Run create, or prepare it on the page, first.")
        found = analyse(project, clips, transcripts, dnsmos=dnsmos, on_progress=on_progress, should_stop=should_stop)
        rows = {row.clip: row for row in found}
        files = {clip.id: clip for clip in clips}
        ranked = list(risks(clips, transcripts, rows).values())
        return {
            "project": str(project.root),
            "clips": len(clips),
            "flagged": sum(bool(row.verdicts) for row in found),
            "voices": [dataclasses.asdict(one) for one in load_voices(project)],
            "rows": [
                {
                    "clip": risk.clip,
                    "file": files[risk.clip].file,
                    "start_s": files[risk.clip].start_s,
                    "risk": risk.score,
                    "reasons": risk.reasons,
                    "verdicts": rows[risk.clip].verdicts,
                    "measures": rows[risk.clip].measures,
                    "missing": rows[risk.clip].missing,
                }
                for risk in ranked[:worst]
            ],
        }


def lines(result: dict[str, Any]) -> list[str]:
    """The same for a person who reads a terminal."""
    told = [one["sentence"] for one in result["voices"] if one["sentence"]]
    told.append("Risk  Clip")
    for row in result["rows"]:
        place = row["file"] if not row["start_s"] else f"{row['file']}, {row['start_s']:.0f} s"
        told.append(f"{row['risk']:.2f}  {place}  ({row['clip']})")
        told += [f"        {reason}" for reason in row["reasons"]]
        told += [f"        not measured: {name}: {why}" for name, why in _failed(row["missing"]).items()]
    told.append(f"{result['clips']} clips, {result['flagged']} with something to look at")
    return told


def _failed(missing: dict[str, str]) -> dict[str, str]:
    """What is missing although it was asked for and makes sense for the clip."""
    from voicefactory.audio.sound_measures import SOUND

    return {name: why for name, why in missing.items() if name in SOUND}
