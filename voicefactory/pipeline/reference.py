"""reference: the clip that tells the model whose voice it is, 3 to 10 s, with the reasons for the choice.

How clips are judged stands in ranking.py.

Leaves reference.json with the choice and every candidate, best first. What had to be cut or was brought
as a file lies in reference/.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from voicefactory import files
from voicefactory.audio.convert import convert
from voicefactory.audio.decode import open_sound
from voicefactory.audio.vad import speech_probabilities, speech_stretches
from voicefactory.audio.wav import read_wav, write_wav
from voicefactory.errors import InputError
from voicefactory.pipeline.analyse import load_analysis
from voicefactory.pipeline.ranking import rank_references, three_candidates
from voicefactory.pipeline.refusals import load_refused
from voicefactory.project import Project
from voicefactory.settings import settings
from voicefactory.types import (
    MAX_REFERENCE_S,
    MIN_REFERENCE_S,
    Clip,
    OnProgress,
    Progress,
    Reference,
    Transcript,
    silent,
)

__all__ = ["candidates", "load_reference", "look_up_reference", "rank_references", "reference", "references"]


def reference(
    project: Project,
    clips: Sequence[Clip],
    transcripts: Sequence[Transcript],
    *,
    wanted: str = "",
    on_progress: OnProgress = silent,
) -> Reference:
    """Choose the reference: the best clip, or the one that is `wanted` (a clip's id or an audio file).

    Raises InputError if there is no usable clip, no such file, or less than 3 s in it.
    """
    on_progress(Progress("reference", 0, 1))
    ranked = rank_references(clips, transcripts, load_analysis(project))
    if wanted:
        chosen = _wanted(project, wanted, clips, ranked)
    elif ranked:
        chosen = _fitted(project, ranked[0])
    else:
        raise no_usable_clip(project, transcripts)
    listed = [_row(project, candidate) for candidate in ranked]
    files.write_json(project.reference_json, {"chosen": _row(project, chosen), "candidates": listed})
    on_progress(Progress("reference", 1, 1, "; ".join(chosen.reasons)))
    return chosen


def look_up_reference(
    project: Project, clips: Sequence[Clip], transcripts: Sequence[Transcript], wanted: str = ""
) -> Reference:
    """The reference that is `wanted` (as for `reference`), otherwise the one chosen last, otherwise the best clip; the
    choice stays as it is. Raises as `reference`."""
    if not wanted and (chosen := load_reference(project)):
        return chosen
    ranked = rank_references(clips, transcripts, load_analysis(project))
    if wanted:
        return _wanted(project, wanted, clips, ranked)
    if not ranked:
        raise no_usable_clip(project, transcripts)
    return _fitted(project, ranked[0])


def references(
    project: Project,
    clips: Sequence[Clip],
    transcripts: Sequence[Transcript],
    speakers: Mapping[str, str],
    *,
    on_progress: OnProgress = silent,
) -> dict[str, Reference]:
    """The best clip of each speaker, in the order in which they speak. `speakers` is clip id → name, as of
    `who_says`: every speaker in it has a clip with a text."""
    on_progress(Progress("reference", 0, 1))
    chosen: dict[str, Reference] = {}
    analysis = load_analysis(project)
    for speaker in dict.fromkeys(speakers[clip.id] for clip in clips if clip.id in speakers):
        own = [clip for clip in clips if speakers.get(clip.id) == speaker]
        chosen[speaker] = _fitted(project, rank_references(own, transcripts, analysis)[0])
    listed = [_row(project, candidate) for candidate in rank_references(clips, transcripts, analysis)]
    rows = {speaker: _row(project, found) for speaker, found in chosen.items()}
    files.write_json(
        project.reference_json, {"chosen": next(iter(rows.values())), "candidates": listed, "speakers": rows}
    )
    told = "; ".join(f"{speaker}: {found.seconds:.1f} s" for speaker, found in chosen.items())
    on_progress(Progress("reference", 1, 1, told))
    return chosen


def load_reference(project: Project) -> Reference | None:
    """The reference as it was chosen last; None if there is none, or if its audio was cut or cleaned anew since."""
    if not project.reference_json.exists():
        return None
    row = files.read_json(project.reference_json)["chosen"]
    if not (project.root / row["audio"]).exists():
        return None
    return Reference(**{**row, "audio": project.root / row["audio"], "reasons": tuple(row["reasons"])})


def check_brought(path: Path) -> None:
    """Raise InputError at once for a file that cannot be a reference, as far as its header tells."""
    try:
        with open_sound(path) as sound:
            seconds = sound.seconds
    except InputError as reason:
        raise InputError(f"The reference {path.name} cannot be used. {reason}") from None
    if seconds is not None:
        _refuse_short(seconds)


def candidates(project: Project, clips: Sequence[Clip], transcripts: Sequence[Transcript]) -> list[Reference]:
    """The three clips to choose from, best first, that differ from each other; fewer if there are not so many.

    The page shows them, to hear and with their reasons; the first is what training takes if nobody chooses. Fast for
    thousands of clips: only a short list is opened.
    """
    analysis = load_analysis(project, clips, transcripts)
    return three_candidates(rank_references(clips, transcripts, analysis), clips)


def no_usable_clip(project: Project, transcripts: Sequence[Transcript]) -> InputError:
    """The sentence for a project in which nothing is left to train on."""
    if transcripts and all(row.dropped for row in transcripts):
        return InputError(f"No usable clip is left: all {len(transcripts)} were dropped. Take some back.")
    refused = load_refused(project)
    named = " ".join(f"{row.file}: {row.reason}" for row in refused[:3]) or "No recording was given."
    more = f" And {len(refused) - 3} more." if len(refused) > 3 else ""
    return InputError(f"No usable clip is left: {named}{more}")


def _wanted(project: Project, wanted: str, clips: Sequence[Clip], candidates: Sequence[Reference]) -> Reference:
    for candidate in candidates:
        if candidate.clip == wanted:
            return _fitted(project, replace(candidate, reasons=("chosen by you", *candidate.reasons)))
    for clip in clips:
        if clip.id == wanted:  # without a text, or too short or long to be a candidate
            brought = Reference(clip.audio, "", clip.seconds, 0.0, ("chosen by you",), clip.id)
            return _fitted(project, brought, strict=True)
    path = Path(wanted).expanduser()
    if not path.is_file():
        raise InputError(f"The reference {wanted!r} is neither an audio file nor the id of a clip.")
    audio = project.root / "reference" / f"{files.sha256_of(path)[:16]}.wav"
    try:
        converted = convert(path, audio, max_minutes=settings().max_recording_minutes)
    except InputError as reason:
        raise InputError(f"The reference {path.name} cannot be used. {reason}") from None
    brought = Reference(audio, "", converted.seconds, 1.0, ("brought by you", *converted.notes))
    return _fitted(project, brought, strict=True)


def _fitted(project: Project, found: Reference, strict: bool = False) -> Reference:
    """Cut what is longer than 10 s at the last pause before that; with `strict`, refuse what is under 3 s."""
    if strict:
        _refuse_short(found.seconds)
    if found.seconds <= MAX_REFERENCE_S:
        return found
    end_s = _last_pause(found.audio)
    audio = project.root / "reference" / f"{found.audio.stem}-first-{end_s:.2f}.wav"
    seconds = write_wav(audio, [read_wav(found.audio, 0, end_s)])
    said = f"the first {seconds:.1f} of {found.seconds:.1f} s, up to a pause"
    # Nobody knows which of its words are in the part that is left.
    return replace(found, audio=audio, seconds=seconds, text="", reasons=(*found.reasons, said))


def _refuse_short(seconds: float) -> None:
    if seconds < MIN_REFERENCE_S:
        raise InputError(
            f"The reference is {seconds:.1f} s long; it needs {MIN_REFERENCE_S:g} to {MAX_REFERENCE_S:g} s."
        )


def _last_pause(audio: Path) -> float:
    """The middle of the last pause between 3 and 10 s; 10 s if there is none."""
    stretches = speech_stretches(speech_probabilities(audio), min_pause_s=0.1)
    pauses = [(a.end_s + min(b.start_s, a.end_s + 0.6)) / 2 for a, b in itertools.pairwise(stretches)]
    if stretches:
        pauses.append(stretches[-1].end_s + 0.1)
    return max((at for at in pauses if MIN_REFERENCE_S <= at <= MAX_REFERENCE_S), default=MAX_REFERENCE_S)


def _row(project: Project, found: Reference) -> dict[str, Any]:
    return {
        "audio": project.relative(found.audio),
        "text": found.text,
        "seconds": found.seconds,
        "score": found.score,
        "reasons": list(found.reasons),
        "clip": found.clip,
    }
