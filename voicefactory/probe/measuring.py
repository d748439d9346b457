"""How a few spoken sentences measure beside the speaker's own clips: pace, runaways, silence, likeness.

Everything here runs on a CPU in some tenths of a second and takes no memory of the GPU but for the engine's own speaker
encoder, which is loaded anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from voicefactory.audio.pace import pace
from voicefactory.audio.vad import SPEECH_ABOVE, WINDOW_S, speech_probabilities
from voicefactory.errors import InputError
from voicefactory.types import Sample, Transcript

FEWEST_CLIPS = 3  #: with fewer nobody knows how fast the speaker speaks, and nothing is measured
LEAST_SPEECH_S = 0.3  #: less holds no word

Embed = Callable[[Path], npt.NDArray[np.float32]]  #: as `engines.base.EmbedSpeaker`


@dataclass(frozen=True)
class Band:
    """The middle 80 % of the speaker's own clips."""

    low: float  #: 10th percentile
    median: float
    high: float  #: 90th percentile


@dataclass(frozen=True)
class Own:
    """The speaker's clips as they measure."""

    clips: int
    chars_per_s: float  #: median, of the time in which somebody speaks
    pace: Band  #: 1 is the median
    likeness: Band | None  #: each clip against the mean of the others; None if no voice was heard in them
    centre: npt.NDArray[np.float64] | None  #: unit vector, the mean of all clips' directions

    def to_json(self) -> dict[str, Any]:
        """Without the vector."""
        likeness = asdict(self.likeness) if self.likeness else None
        return {"clips": self.clips, "chars_per_s": self.chars_per_s, "pace": asdict(self.pace), "likeness": likeness}


@dataclass(frozen=True)
class Spoken:
    """A sentence that was said with the weights as they were."""

    audio: Path
    text: str
    language: str
    runaway: bool  #: cut off at the length limit


@dataclass(frozen=True)
class Reading:
    """What the sentences of one measurement have in common."""

    step: int  #: of the optimiser; 0 = before training
    pace: float | None  #: 1 is the speaker's median; None if no sentence that came to its end has speech in it
    likeness: float | None  #: mean cosine to the speaker's clips; None if no voice was heard
    runaway: float  #: share of the sentences that did not come to an end
    silent: float  #: share of the sentences in which nobody speaks
    sentences: int
    seconds: float = 0.0  #: that speaking and measuring took


def measure_own(clips: Sequence[Sample], embed: Embed) -> Own | None:
    """Measure the speaker's `clips` (mono, 24 kHz, with texts); None if fewer than FEWEST_CLIPS have speech in them."""
    paces = [speed for one in clips if (speed := _chars_per_s(one.clip.audio, one.text, one.language))]
    if len(paces) < FEWEST_CLIPS:
        return None
    median = float(np.median(paces))
    vectors = [vector for one in clips if (vector := _direction(embed, one.clip.audio)) is not None]
    alike = [
        _cosine(vector, np.mean([other for place, other in enumerate(vectors) if place != at], axis=0))
        for at, vector in enumerate(vectors)
        if len(vectors) > 1
    ]
    centre = np.mean(vectors, axis=0) if vectors else None
    return Own(
        clips=len(paces),
        chars_per_s=median,
        pace=_band([one / median for one in paces]),
        likeness=_band(alike) if alike else None,
        centre=None if centre is None else centre / np.linalg.norm(centre),
    )


def measure(step: int, spoken: Sequence[Spoken], own: Own, embed: Embed) -> Reading:
    """Measure the sentences that were `spoken` at `step`.

    Pace is all letters over all seconds of speech, so that a short sentence counts less; what was cut off has more
    speech than text, and is left out of it.
    """
    heard = [(one, _speech_s(one.audio)) for one in spoken]
    ended = [(one, speech_s) for one, speech_s in heard if not one.runaway and speech_s >= LEAST_SPEECH_S]
    letters = sum(_letters(one.text, one.language) for one, _ in ended)
    said_s = sum(speech_s for _, speech_s in ended)
    vectors = [vector for one in spoken if (vector := _direction(embed, one.audio)) is not None]
    alike = [_cosine(vector, own.centre) for vector in vectors] if own.centre is not None else []
    return Reading(
        step=step,
        pace=round(letters / said_s / own.chars_per_s, 4) if letters else None,
        likeness=round(float(np.mean(alike)), 4) if alike else None,
        runaway=sum(one.runaway for one in spoken) / len(spoken),
        silent=sum(speech_s < LEAST_SPEECH_S for _, speech_s in heard) / len(spoken),
        sentences=len(spoken),
    )


def _speech_s(audio: Path) -> float:
    return float((speech_probabilities(audio) >= SPEECH_ABOVE).sum()) * WINDOW_S


def _letters(text: str, language: str) -> float:
    """Spoken characters, counted as the judge counts them."""
    return pace(Transcript("", text, language, 1.0, "given"), {"duration_s": 1.0, "silence_share": 0.0})[0].get(
        "chars_per_s", 0.0
    )


def _chars_per_s(audio: Path, text: str, language: str) -> float | None:
    speech_s = _speech_s(audio)
    return _letters(text, language) / speech_s if speech_s >= LEAST_SPEECH_S and text.strip() else None


def _direction(embed: Embed, audio: Path) -> npt.NDArray[np.float64] | None:
    """Unit vector of who speaks; None for silence."""
    try:
        vector = np.asarray(embed(audio), dtype=np.float64)
    except InputError:
        return None
    return np.asarray(vector / np.linalg.norm(vector))


def _cosine(vector: npt.NDArray[np.float64], centre: npt.NDArray[np.float64]) -> float:
    return float(vector @ centre / np.linalg.norm(centre))


def _band(values: Sequence[float]) -> Band:
    low, median, high = np.percentile(values, [10, 50, 90])
    return Band(round(float(low), 4), round(float(median), 4), round(float(high), 4))
