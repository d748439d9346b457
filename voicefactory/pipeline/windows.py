"""Clips packed into windows of 30 s, which is what Whisper hears at a time whether they are full or not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voicefactory.audio.vad import Stretch, speech_in, speech_stretches
from voicefactory.audio.wav import read_wav
from voicefactory.types import Clip

WHISPER_RATE = 16_000  # Hz
WINDOW_S = 30.0
_FULL_S = 29.0  # some room, for Whisper's own timing is not exact
GAP_S = 0.8  #: silence between two clips, enough to tell their words apart


@dataclass(frozen=True)
class Window:
    """Clips that are heard together; `starts_s` is where each begins in the window."""

    clips: tuple[Clip, ...]
    starts_s: tuple[float, ...]

    @property
    def seconds(self) -> float:
        return self.starts_s[-1] + self.clips[-1].seconds

    def load(self) -> LoadedWindow:
        """Read the sound, and find out where in each clip someone speaks."""
        joined = np.zeros(round(self.seconds * WHISPER_RATE), dtype=np.float32)
        speech: list[Stretch | None] = []
        for clip, start_s in zip(self.clips, self.starts_s, strict=True):
            heard = read_wav(clip.audio, rate=WHISPER_RATE)
            first = round(start_s * WHISPER_RATE)
            joined[first : first + len(heard)] = heard[: len(joined) - first]
            stretches = speech_stretches(speech_in(heard, WHISPER_RATE))
            spoken = Stretch(start_s + stretches[0].start_s, start_s + stretches[-1].end_s) if stretches else None
            speech.append(spoken)
        return LoadedWindow(self, joined, tuple(speech))


@dataclass(frozen=True)
class LoadedWindow:
    """A window with its sound (16 kHz), and from the first to the last word of each clip (None: no speech)."""

    window: Window
    samples: npt.NDArray[np.float32]
    speech: tuple[Stretch | None, ...]

    def clip_of(self, start_s: float, end_s: float) -> Clip | None:
        """The clip that a word belongs to: most of its time, or the least distance, in the clip's speech.

        Whisper lets a word last into the pause after it, so neither its middle nor its end would do.
        """
        best, best_overlap_s = None, -math.inf
        for clip, speech in zip(self.window.clips, self.speech, strict=True):
            if speech is not None:
                overlap_s = min(end_s, speech.end_s) - max(start_s, speech.start_s)
                if overlap_s > best_overlap_s:
                    best, best_overlap_s = clip, overlap_s
        return best


def pack(clips: Sequence[Clip]) -> Iterator[Window]:
    """Fill windows with clips in their order."""
    taken: list[Clip] = []
    starts: list[float] = []
    end_s = 0.0
    for clip in clips:
        start_s = end_s + GAP_S if taken else 0.0
        if taken and start_s + clip.seconds > _FULL_S:
            yield Window(tuple(taken), tuple(starts))
            taken, starts, start_s = [], [], 0.0
        taken.append(clip)
        starts.append(start_s)
        end_s = start_s + clip.seconds
    if taken:
        yield Window(tuple(taken), tuple(starts))
