"""reference: the clip that tells the model whose voice it is, 3 to 10 s, with the reasons for the choice.

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
from voicefactory.audio.vad import speech_probabilities, speech_stretches
from voicefactory.audio.wav import read_wav, write_wav
from voicefactory.errors import InputError
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

_GOOD_SNR_DB, _POOR_SNR_DB = 40.0, 15.0
_IDEAL_S = (5.0, 8.0)  # enough to know a voice by, short enough to leave room for the text
_WEIGHTS = {"signal": 0.45, "words": 0.35, "length": 0.2}
_VERDICT_COST = 0.15  # a complaint about the clip


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
    candidates = rank_references(clips, transcripts)
    if wanted:
        chosen = _wanted(project, wanted, clips, candidates)
    elif candidates:
        chosen = _fitted(project, candidates[0])
    else:
        raise no_usable_clip(project, transcripts)
    listed = [_row(project, candidate) for candidate in candidates]
    files.write_json(project.reference_json, {"chosen": _row(project, chosen), "candidates": listed})
    on_progress(Progress("reference", 1, 1, "; ".join(chosen.reasons)))
    return chosen


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
    for speaker in dict.fromkeys(speakers[clip.id] for clip in clips if clip.id in speakers):
        own = [clip for clip in clips if speakers.get(clip.id) == speaker]
        chosen[speaker] = _fitted(project, rank_references(own, transcripts)[0])
    candidates = [_row(project, candidate) for candidate in rank_references(clips, transcripts)]
    rows = {speaker: _row(project, found) for speaker, found in chosen.items()}
    files.write_json(
        project.reference_json, {"chosen": next(iter(rows.values())), "candidates": candidates, "speakers": rows}
    )
    told = "; ".join(f"{speaker}: {found.seconds:.1f} s" for speaker, found in chosen.items())
    on_progress(Progress("reference", 1, 1, told))
    return chosen


def load_reference(project: Project) -> Reference | None:
    """The reference as it was chosen last, or None."""
    if not project.reference_json.exists():
        return None
    row = files.read_json(project.reference_json)["chosen"]
    return Reference(**{**row, "audio": project.root / row["audio"], "reasons": tuple(row["reasons"])})


def rank_references(clips: Sequence[Clip], transcripts: Sequence[Transcript]) -> list[Reference]:
    """Every accepted clip as a reference, best first: those of 3 to 10 s, or the nearest if there are none."""
    texts = {row.clip: row for row in transcripts if row.text and not row.dropped}
    accepted = [clip for clip in clips if clip.id in texts]
    fitting = [clip for clip in accepted if _misfit_s(clip) == 0]
    if fitting:
        return sorted((_judged(clip, texts[clip.id]) for clip in fitting), key=lambda found: -found.score)
    nearest = sorted(accepted, key=lambda clip: (_misfit_s(clip), -clip.quality.snr_db))
    return [_judged(clip, texts[clip.id]) for clip in nearest]


def no_usable_clip(project: Project, transcripts: Sequence[Transcript]) -> InputError:
    """The sentence for a project in which nothing is left to train on."""
    if transcripts and all(row.dropped for row in transcripts):
        return InputError(f"No usable clip is left: all {len(transcripts)} were dropped. Take some back.")
    refused = load_refused(project)
    named = " ".join(f"{row.file}: {row.reason}" for row in refused[:3]) or "No recording was given."
    more = f" And {len(refused) - 3} more." if len(refused) > 3 else ""
    return InputError(f"No usable clip is left: {named}{more}")


def _misfit_s(clip: Clip) -> float:
    return max(MIN_REFERENCE_S - clip.seconds, clip.seconds - MAX_REFERENCE_S, 0.0)


def _judged(clip: Clip, transcript: Transcript) -> Reference:
    """Score between 0 and 1 and the reasons in words."""
    quality = clip.quality
    signal = _between(quality.snr_db, _POOR_SNR_DB, _GOOD_SNR_DB)
    shortest, longest = _IDEAL_S
    off_s = max(shortest - clip.seconds, clip.seconds - longest, 0.0)
    length = max(0.0, 1 - off_s / 3)
    score = _WEIGHTS["signal"] * signal + _WEIGHTS["words"] * transcript.confidence + _WEIGHTS["length"] * length
    reasons = [f"{clip.seconds:.1f} s long", f"speech is {quality.snr_db:.0f} dB above the pauses"]
    if transcript.source == "whisper":
        reasons.append(f"Whisper is {transcript.confidence:.0%} sure of the words")
    else:
        reasons.append("a person wrote its text")
    if clip.seconds < MIN_REFERENCE_S:
        reasons.append(f"no clip has the {MIN_REFERENCE_S:g} to {MAX_REFERENCE_S:g} s that a reference should have")
    score = max(0.0, score - _VERDICT_COST * len(quality.verdicts))
    return Reference(
        audio=clip.audio,
        text=transcript.text,
        seconds=clip.seconds,
        score=round(score, 4),
        reasons=(*reasons, *quality.verdicts),
        clip=clip.id,
    )


def _between(value: float, poor: float, good: float) -> float:
    return min(1.0, max(0.0, (value - poor) / (good - poor)))


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
    if strict and found.seconds < MIN_REFERENCE_S:
        raise InputError(
            f"The reference is {found.seconds:.1f} s long; it needs {MIN_REFERENCE_S:g} to {MAX_REFERENCE_S:g} s."
        )
    if found.seconds <= MAX_REFERENCE_S:
        return found
    end_s = _last_pause(found.audio)
    audio = project.root / "reference" / f"{found.audio.stem}-first-{end_s:.2f}.wav"
    seconds = write_wav(audio, [read_wav(found.audio, 0, end_s)])
    said = f"the first {seconds:.1f} of {found.seconds:.1f} s, up to a pause"
    # Nobody knows which of its words are in the part that is left.
    return replace(found, audio=audio, seconds=seconds, text="", reasons=(*found.reasons, said))


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
