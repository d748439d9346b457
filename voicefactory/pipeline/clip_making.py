"""One recording → its clips: where speech is, where to cut, and what each clip holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import numpy as np

from voicefactory import files
from voicefactory.audio.edges import MAX_PAD_S, missing_quiet, room_quiet, speech_edges, with_quiet
from voicefactory.audio.quality import measure
from voicefactory.audio.vad import WINDOW_S, Probabilities, Stretch, speech_probabilities
from voicefactory.audio.wav import Samples, read_wav, write_wav
from voicefactory.pipeline.cutting import KEPT_PAUSE_S, Piece, plan_pieces
from voicefactory.project import Project
from voicefactory.types import MAX_CLIP_S, MIN_CLIP_S, SAMPLE_RATE, Clip, Recording

TARGET_MAX_S = 12.0  #: a recording of up to this length is one clip, and longer pieces are cut between words
_CUT_WINDOW_S = 0.03
_TRIMMED_OVER_S = 0.5  # a pause at an edge of a whole recording that is longer is cut down to MAX_PAD_S


class Words(Protocol):
    """Finds places between words where nobody pauses."""

    def cuts(self, recording: Recording, start_s: float, end_s: float, most_s: float) -> list[float] | None:
        """Times in the recording that cut this stretch into parts of at most `most_s`; None if there are none."""


@dataclass
class Cut:
    """What became of a recording."""

    clips: list[Clip] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  #: reasons, as sentences
    refused_at: list[tuple[float, float]] = field(default_factory=list)  #: of each reason: from and to, seconds
    breathless: bool = False  #: somewhere someone speaks for over `TARGET_MAX_S` without a pause to cut at


def make_clips(
    project: Project,
    recording: Recording,
    *,
    keep_whole: bool,
    words: Words | None = None,
    on_seconds: Callable[[float], None] = lambda seconds: None,
) -> Cut:
    """Cut one recording and write its clips. `on_seconds` hears how far the search for speech is.

    `keep_whole` is for one that comes with its text; longer than 20 s it is refused.
    """
    if recording.seconds < MIN_CLIP_S:
        reason = f"It is too short: {recording.seconds:.2g} s. A clip needs at least {MIN_CLIP_S:g} s."
        return Cut(refused=[reason], refused_at=[(0.0, recording.seconds)])
    if recording.seconds > MAX_CLIP_S and keep_whole:
        reason = (
            f"It is {recording.seconds:.0f} s long, and a clip with its own text may have {MAX_CLIP_S:g} s. Cut it "
            "and its text, or leave out --transcripts so that Whisper can cut it."
        )
        return Cut(refused=[reason], refused_at=[(0.0, recording.seconds)])
    making = _Making(project, recording, speech_probabilities(recording.audio, on_seconds), words)
    if recording.seconds <= (MAX_CLIP_S if keep_whole else TARGET_MAX_S):
        making.whole()
    else:
        making.pieces()
    return making.cut


class _Making:
    """The clips of one recording, one after the other."""

    def __init__(
        self, project: Project, recording: Recording, probabilities: Probabilities, words: Words | None
    ) -> None:
        self.cut = Cut()
        self._project, self._recording, self._words = project, recording, words
        self._probabilities = probabilities
        self._room: Samples | None = None

    def whole(self) -> None:
        """The recording as it is, but for long pauses at its edges."""
        seconds = self._recording.seconds
        first_s, last_s = speech_edges(self._probabilities) or (0.0, seconds)
        start_s = first_s - MAX_PAD_S if first_s > _TRIMMED_OVER_S else 0.0
        end_s = last_s + MAX_PAD_S if seconds - last_s > _TRIMMED_OVER_S else seconds
        if end_s - start_s < MIN_CLIP_S:  # a word between long pauses
            start_s, end_s = 0.0, seconds
        reason = self._add(Piece(start_s, end_s, first_s, min(last_s, seconds)))
        if reason:
            self._refuse(0.0, seconds, f"{reason[0].upper()}{reason[1:]}.")

    def pieces(self) -> None:
        """Cut at pauses, and between words where there is none."""
        planned = plan_pieces(self._probabilities, self._recording.seconds, partial(_quietest, self._recording))
        if not planned:
            self._refuse(0.0, self._recording.seconds, "No speech was heard in it.")
        for piece in planned:
            for part in self._parts(piece):
                where = f"From {_clock(part.start_s)} to {_clock(part.end_s)}"
                if part.too_long:
                    reason = (
                        f"someone speaks for {part.seconds:.0f} s without a pause, so it could not be cut between words"
                    )
                elif part.seconds < MIN_CLIP_S:
                    reason = f"there is only {part.seconds:.1f} s of speech; a clip needs {MIN_CLIP_S:g} s"
                else:
                    reason = self._add(part)
                if reason:
                    self._refuse(part.start_s, part.end_s, f"{where} {reason}.")

    def _refuse(self, start_s: float, end_s: float, reason: str) -> None:
        self.cut.refused.append(reason)
        self.cut.refused_at.append((start_s, end_s))

    def _parts(self, piece: Piece) -> list[Piece]:
        if piece.seconds <= TARGET_MAX_S:
            return [piece]
        self.cut.breathless = True
        if self._words is None:
            return [piece]
        cuts = self._words.cuts(self._recording, piece.start_s, piece.end_s, MAX_CLIP_S - 2 * KEPT_PAUSE_S)
        if cuts is None:
            return [piece]
        at = [piece.start_s, *cuts, piece.end_s]
        spoken = [piece.speech_start_s, *cuts, piece.speech_end_s]
        return [Piece(*at[i : i + 2], *spoken[i : i + 2]) for i in range(len(at) - 1)]

    def _add(self, piece: Piece) -> str:
        """Write one clip; or the reason why not."""
        recording = self._recording
        samples = read_wav(recording.audio, piece.start_s, piece.end_s)
        start_s = round(piece.start_s * SAMPLE_RATE) / SAMPLE_RATE
        end_s = start_s + len(samples) / SAMPLE_RATE
        room_s = max(0.0, MAX_CLIP_S - (end_s - start_s)) / 2
        before_s = min(room_s, missing_quiet(piece.speech_start_s - start_s))
        after_s = min(room_s, missing_quiet(end_s - piece.speech_end_s))
        if self._room is None and (before_s or after_s):
            self._room = room_quiet(recording.audio, self._probabilities)
        room = np.zeros(0, dtype=np.float32) if self._room is None else self._room
        samples = with_quiet(samples, room, before_s, after_s)
        first, last = round(start_s / WINDOW_S), round(end_s / WINDOW_S)
        added = [np.zeros(round(quiet_s / WINDOW_S), dtype=np.float32) for quiet_s in (before_s, after_s)]
        heard = np.concatenate([added[0], self._probabilities[first:last], added[1]])
        quality, reason = measure(samples, heard, full_scale=10 ** (recording.gain_db / 20))
        if reason:
            return reason
        identifier = f"{recording.id}-{len(self.cut.clips):04d}"
        audio = self._project.clips / f"{identifier}.wav"
        seconds = write_wav(audio, [samples])
        self.cut.clips.append(
            Clip(
                id=identifier,
                recording=recording.id,
                file=recording.file,
                audio=audio,
                start_s=start_s,
                end_s=end_s,
                seconds=seconds,
                quality=quality,
                sha256=files.sha256_of(audio),
            )
        )
        return ""


def _quietest(recording: Recording, pause: Stretch) -> float:
    """The middle of the quietest 30 ms of a pause, away from its edges."""
    samples = read_wav(recording.audio, pause.start_s, pause.end_s)
    window = round(_CUT_WINDOW_S * SAMPLE_RATE)
    power = np.convolve(np.square(samples, dtype=np.float64), np.ones(window), mode="valid")
    edge = min(window, len(power) // 4)
    return pause.start_s + (edge + int(power[edge : len(power) - edge].argmin()) + window / 2) / SAMPLE_RATE


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{seconds % 60:04.1f}"
