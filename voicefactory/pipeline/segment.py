"""segment: Recordings → Clips of 1 to 20 s, cut in pauses and never within a word.

A recording of up to 20 s stays whole. Leaves clips/<id>.wav with clips/<recording>.json beside them (so a
killed run goes on where it was), clips.jsonl and refused/segment.jsonl.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from voicefactory import files
from voicefactory.audio.quality import measure
from voicefactory.audio.vad import WINDOW_S, Probabilities, Stretch, speech_probabilities
from voicefactory.audio.wav import Samples, read_wav, write_wav
from voicefactory.errors import Cancelled
from voicefactory.pipeline.cutting import Piece, plan_pieces
from voicefactory.pipeline.refusals import write_refused
from voicefactory.project import Project
from voicefactory.types import (
    MAX_CLIP_S,
    MIN_CLIP_S,
    SAMPLE_RATE,
    Clip,
    OnProgress,
    Progress,
    Quality,
    Recording,
    Refused,
    ShouldStop,
    never,
    silent,
)

_VERSION = 1  # raise it when the same recording gives other clips
_FADE_S = 0.01
_CUT_WINDOW_S = 0.03


def segment(
    project: Project,
    recordings: Sequence[Recording],
    *,
    keep_whole: bool = False,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> tuple[list[Clip], list[Refused]]:
    """Cut recordings into clips; those that were cut before are taken as they are.

    `keep_whole` is for recordings that come with a text each: a longer one than 20 s is refused, since
    nobody knows which part of its text belongs to which part of the sound. Raises Cancelled.
    """
    clips: list[Clip] = []
    refused: list[Refused] = []
    for done, recording in enumerate(recordings):
        if should_stop():
            raise Cancelled("Stopped while cutting; the finished clips are kept.")
        on_progress(Progress("segment", done, len(recordings), recording.file))
        result = _segment_one(project, recording, keep_whole)
        clips += [_clip(project, {**row, "file": recording.file}) for row in result["clips"]]
        refused += [Refused(recording.file, reason) for reason in result["refused"]]
    files.write_jsonl(project.clips_jsonl, (_row(project, clip) for clip in clips))
    write_refused(project, "segment", refused)
    _remove_others(project, recordings, clips)
    on_progress(Progress("segment", len(recordings), len(recordings), f"{len(clips)} clips"))
    return clips, refused


def load_clips(project: Project) -> list[Clip]:
    """The clips as the last `segment` left them."""
    return [_clip(project, row) for row in files.read_jsonl(project.clips_jsonl)]


def _segment_one(project: Project, recording: Recording, keep_whole: bool) -> dict[str, Any]:
    """{"clips": rows, "refused": reasons} of one recording, from its sidecar if that is current."""
    sidecar = project.clips / f"{recording.id}.json"
    inputs = [_VERSION, recording.id, round(recording.seconds, 3), recording.gain_db, keep_whole]
    if sidecar.exists():
        result: dict[str, Any] = files.read_json(sidecar)
        if result["inputs"] == inputs and all((project.root / row["audio"]).exists() for row in result["clips"]):
            return result
    clips, reasons = _cut(project, recording, keep_whole)
    result = {"inputs": inputs, "clips": [_row(project, clip) for clip in clips], "refused": reasons}
    files.write_json(sidecar, result)
    return result


def _cut(project: Project, recording: Recording, keep_whole: bool) -> tuple[list[Clip], list[str]]:
    if recording.seconds < MIN_CLIP_S:
        return [], [f"It is too short: {recording.seconds:.2g} s. A clip needs at least {MIN_CLIP_S:g} s."]
    if recording.seconds > MAX_CLIP_S and keep_whole:
        return [], [
            f"It is {recording.seconds:.0f} s long, and a clip with its own text may have {MAX_CLIP_S:g} s. Cut it "
            "and its text, or leave out --transcripts so that Whisper can cut it."
        ]
    probabilities = speech_probabilities(recording.audio)
    if recording.seconds <= MAX_CLIP_S:
        samples = read_wav(recording.audio)
        clip, reason = _make_clip(project, recording, 0, 0.0, samples, probabilities)
        return ([clip], []) if clip else ([], [f"{reason[0].upper()}{reason[1:]}."])
    return _cut_at_pauses(project, recording, probabilities)


def _cut_at_pauses(
    project: Project, recording: Recording, probabilities: Probabilities
) -> tuple[list[Clip], list[str]]:
    clips: list[Clip] = []
    reasons: list[str] = []
    pieces = plan_pieces(probabilities, recording.seconds, partial(_quietest, recording))
    if not pieces:
        return [], ["No speech was heard in it."]
    for piece in pieces:
        where = f"From {_clock(piece.start_s)} to {_clock(piece.end_s)}"
        if piece.too_long:
            reasons.append(
                f"{where} someone speaks for {piece.seconds:.0f} s without a pause, so it could not be cut "
                "between words."
            )
        elif piece.seconds < MIN_CLIP_S:
            reasons.append(f"{where} there is only {piece.seconds:.1f} s of speech; a clip needs {MIN_CLIP_S:g} s.")
        else:
            start_s, samples = _read_piece(recording, piece)
            first = round(start_s / WINDOW_S)
            heard = probabilities[first : first + round(len(samples) / SAMPLE_RATE / WINDOW_S)]
            clip, reason = _make_clip(project, recording, len(clips), start_s, samples, heard)
            if clip:
                clips.append(clip)
            else:
                reasons.append(f"{where} {reason}.")
    return clips, reasons


def _quietest(recording: Recording, pause: Stretch) -> float:
    """The middle of the quietest 30 ms of a pause, away from its edges."""
    samples = read_wav(recording.audio, pause.start_s, pause.end_s)
    window = round(_CUT_WINDOW_S * SAMPLE_RATE)
    power = np.convolve(np.square(samples, dtype=np.float64), np.ones(window), mode="valid")
    edge = min(window, len(power) // 4)
    return pause.start_s + (edge + int(power[edge : len(power) - edge].argmin()) + window / 2) / SAMPLE_RATE


def _read_piece(recording: Recording, piece: Piece) -> tuple[float, Samples]:
    """The samples of a piece, with a short fade in the pauses at its edges; and where it starts."""
    samples = read_wav(recording.audio, piece.start_s, piece.end_s).copy()
    ramp = np.linspace(0, 1, round(_FADE_S * SAMPLE_RATE), dtype=np.float32)
    samples[: len(ramp)] *= ramp
    samples[-len(ramp) :] *= ramp[::-1]
    return round(piece.start_s * SAMPLE_RATE) / SAMPLE_RATE, samples


def _make_clip(
    project: Project,
    recording: Recording,
    index: int,
    start_s: float,
    samples: Samples,
    probabilities: Probabilities,
) -> tuple[Clip | None, str]:
    """Write one clip, or say why not."""
    quality, reason = measure(samples, probabilities, full_scale=10 ** (recording.gain_db / 20))
    if reason:
        return None, reason
    identifier = f"{recording.id}-{index:04d}"
    audio = project.clips / f"{identifier}.wav"
    seconds = write_wav(audio, [samples])
    clip = Clip(
        id=identifier,
        recording=recording.id,
        file=recording.file,
        audio=audio,
        start_s=start_s,
        end_s=start_s + seconds,
        seconds=seconds,
        quality=quality,
        sha256=files.sha256_of(audio),
    )
    return clip, ""


def _row(project: Project, clip: Clip) -> dict[str, Any]:
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
    }


def _clip(project: Project, row: dict[str, Any]) -> Clip:
    quality = Quality(**{**row["quality"], "verdicts": tuple(row["quality"]["verdicts"])})
    return Clip(**{**row, "audio": project.root / row["audio"], "quality": quality})


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{seconds % 60:04.1f}"


def _remove_others(project: Project, recordings: Sequence[Recording], clips: Sequence[Clip]) -> None:
    """Clips and sidecars of recordings that are gone, or were cut differently, are deleted."""
    keep = {clip.audio.name for clip in clips} | {f"{recording.id}.json" for recording in recordings}
    project.clips.mkdir(parents=True, exist_ok=True)
    for path in project.clips.iterdir():
        if path.suffix in (".wav", ".json") and path.name not in keep and not path.name.startswith(".aside-"):
            path.unlink(missing_ok=True)
