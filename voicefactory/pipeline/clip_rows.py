"""Clips on disk: clips.jsonl, and cleaned.jsonl with those whose sound a person had cleaned.

clips/ holds the audio as it was cut and is never changed. A cleaned clip keeps its id, and in clips.jsonl its
audio lies in cleaned/; cutting again gives the same row, as long as the same audio comes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from voicefactory import files
from voicefactory.project import Project
from voicefactory.types import Clip, Quality


def load_clips(project: Project) -> list[Clip]:
    """The clips as the last `segment` left them, with what was cleaned since."""
    return [clip_of(project, row) for row in files.read_jsonl(project.clips_jsonl)]


def write_clips(project: Project, cut: Iterable[Clip]) -> list[Clip]:
    """Write clips.jsonl for these clips as they were cut; what was cleaned of them takes their place."""
    cleaned = {row["id"]: row for row in files.read_jsonl(cleaned_jsonl(project))}
    clips = [_as_cleaned(project, clip, cleaned.get(clip.id)) for clip in cut]
    files.write_jsonl(project.clips_jsonl, (row_of(project, clip) for clip in clips))
    return clips


def originals(project: Project, clips: Sequence[Clip]) -> dict[str, Clip]:
    """Clip id → the clip as it was cut."""
    found: dict[str, Clip] = {}
    for recording in dict.fromkeys(clip.recording for clip in clips):
        sidecar = project.clips / f"{recording}.json"
        if sidecar.exists():
            rows = files.read_json(sidecar)["clips"]
            found.update({row["id"]: clip_of(project, row) for row in rows})
    return found


def refused_stretches(project: Project, recording: str) -> list[tuple[float, float, str]]:
    """What of a recording (its id) gave no clip: from, to (seconds), and why; pauses are not in it."""
    sidecar = project.clips / f"{recording}.json"
    if not sidecar.exists():
        return []
    row = files.read_json(sidecar)
    places = row.get("refused_at", [])  # cut before the places were kept: nothing is told
    return [(start_s, end_s, why) for (start_s, end_s), why in zip(places, row["refused"], strict=False)]


def cleaned_jsonl(project: Project) -> Path:
    """Rows as in clips.jsonl, of the clips that are cleaned."""
    return project.root / "cleaned.jsonl"


def row_of(project: Project, clip: Clip) -> dict[str, Any]:
    """A clip as it is stored."""
    return {
        "id": clip.id,
        "recording": clip.recording,
        "file": clip.file,
        "audio": project.relative(clip.audio),
        "start_s": clip.start_s,
        "end_s": clip.end_s,
        "seconds": clip.seconds,
        "quality": asdict(clip.quality),
        "sha256": clip.sha256,
        **({"original_sha256": clip.original_sha256} if clip.original_sha256 else {}),
    }


def clip_of(project: Project, row: dict[str, Any]) -> Clip:
    """The clip that `row_of` stored."""
    quality = Quality(**{**row["quality"], "verdicts": tuple(row["quality"]["verdicts"])})
    return Clip(**{**row, "audio": project.root / row["audio"], "quality": quality})


def _as_cleaned(project: Project, clip: Clip, row: dict[str, Any] | None) -> Clip:
    if row is None or row["original_sha256"] != clip.sha256 or not (project.root / row["audio"]).exists():
        return clip
    return clip_of(project, {**row, "file": clip.file})
