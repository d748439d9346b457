"""What a spoken sentence is worth, beside what the speaker's own recordings measure.

Likeness is the cosine between an utterance's embedding and the mean of the speaker's recordings; a recording is
compared with the mean of the others, so that the speaker's own range is what another recording of them would reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from voicefactory.audio.pace import pace
from voicefactory.errors import InputError
from voicefactory.pipeline.judge_listen import Sound
from voicefactory.pipeline.wording import compare, units_of
from voicefactory.types import Transcript

Worse = Literal["low", "high", "both"]


@dataclass(frozen=True)
class Measure:
    """One line of the table."""

    name: str
    title: str
    unit: str  #: what the number counts
    worse: Worse  #: on which side of the speaker's range something is wrong
    grain: float = 0.0  #: a smaller step over the edge of a range means nothing
    event: bool = False  #: it happens or not; its mean is a share


MEASURES = {
    one.name: one
    for one in (
        Measure("likeness", "Likeness", "cosine, independent encoder", "low", 0.01),
        Measure("likeness_own", "Likeness, engine's encoder", "cosine, the engine's own encoder", "low", 0.01),
        Measure("word_error", "Word errors", "share of the words", "high", 0.02),
        Measure("char_error", "Character errors", "share of the characters", "high", 0.02),
        Measure("pace", "Pace", "characters per second of speech; 1 is the speaker's", "both", 0.02),
        Measure("dnsmos", "Sound quality", "DNSMOS, 1 to 5", "low", 0.05),
        Measure("silence_share", "Without speech", "share of the time", "both", 0.02),
        Measure("first_likeness", "First second: likeness", "cosine, independent encoder", "low", 0.02),
        Measure("first_level_db", "First second: level", "dB against the rest", "both", 0.5),
        Measure("runaway", "Did not stop", "share of the sentences", "high", event=True),
        Measure("truncated", "End missing", "share of the sentences", "high", event=True),
        Measure("silent", "No speech at all", "share of the sentences", "high", event=True),
        Measure("first_voiceless", "First second: no voice", "share of the sentences", "high", event=True),
    )
}
_VECTORS = {"likeness": "voice", "likeness_own": "own_voice", "first_likeness": "first_voice"}
_SILENT_S = 0.3  #: less speech holds no word
_LOST_END = 2  #: words in a row, and
_LOST_END_CHARACTERS = 4  #: characters where words are not parted
_BY_CHARACTER = ("chinese", "japanese", "korean")
_UNDERSTOOD = 0.5  #: of what comes before the end; otherwise the whole is lost, not its end
FEWEST_RECORDINGS = 3  #: with fewer there is nothing to compare with

Vectors = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Range:
    """What the middle 80 % of the speaker's own recordings measure."""

    low: float  #: 10th percentile
    median: float
    high: float  #: 90th percentile
    n: int  #: recordings

    def place(self, value: float, grain: float = 0.0) -> Literal["below", "inside", "above"]:
        """Where `value` lies; less than `grain` outside is still inside."""
        return "below" if value < self.low - grain else "above" if value > self.high + grain else "inside"


class OwnVoice:
    """The speaker's recordings as they measure: what everything else is compared with."""

    def __init__(self, sounds: Sequence[Sound], texts: Sequence[str], language: str) -> None:
        """`sounds` and `texts` go together. Raises InputError for too few recordings in which somebody speaks."""
        self.sounds, self.texts, self.language = tuple(sounds), tuple(texts), language
        self._vectors = {name: _stack([getattr(one, field) for one in sounds]) for name, field in _VECTORS.items()}
        paces = [_pace(sound, text, language) for sound, text in zip(sounds, texts, strict=True)]
        known = [one for one in paces if one is not None]
        if len(known) < FEWEST_RECORDINGS:
            raise InputError(
                f"There are {len(known)} recordings with speech and a text to compare with; it takes "
                f"{FEWEST_RECORDINGS}. Add recordings, or their texts."
            )
        self.chars_per_s = float(np.median(known))
        self.scores = tuple(self._scores_of_recording(at) for at in range(len(sounds)))
        self.ranges = _ranges(self.scores)

    def compare(self, name: str, vector: npt.NDArray[np.float32] | None, without: int | None = None) -> float | None:
        """Cosine of `vector` and the mean of the recordings', all but number `without`; None without a voice."""
        others = [row for at, row in enumerate(self._vectors[name]) if row is not None and at != without]
        if vector is None or not others:
            return None
        centre = np.mean(others, axis=0)
        return float(_unit(vector) @ _unit(centre))

    def _scores_of_recording(self, at: int) -> dict[str, float]:
        return scores(self.sounds[at], self.texts[at], self, without=at)


def scores(
    sound: Sound, text: str, own: OwnVoice, *, runaway: bool = False, without: int | None = None
) -> dict[str, float]:
    """Name of `MEASURES` → value, of those that could be measured; events are 0 or 1.

    `runaway`: the voice was cut off at its length limit. `without` is the number of the recording that this is.
    A word error of more than 1 counts as 1: the sentence is lost, however much was said instead.
    """
    likeness = {name: own.compare(name, getattr(sound, field), without) for name, field in _VECTORS.items()}
    speed = _pace(sound, text, own.language)
    found: dict[str, float | None] = {
        **likeness,
        **_errors(text, sound.heard, own.language),
        "pace": None if speed is None else speed / own.chars_per_s,
        "dnsmos": sound.dnsmos,
        "silence_share": sound.silence_share,
        "first_level_db": sound.first_level_db,
        "runaway": float(runaway),
        "truncated": float(_end_missing(text, sound.heard, own.language)),
        "silent": float(sound.speech_s < _SILENT_S),
        "first_voiceless": float(sound.first_voice is None),
    }
    return {name: value for name in MEASURES if (value := found[name]) is not None}


def _errors(text: str, heard: str, language: str) -> dict[str, float | None]:
    """Word and character errors (Levenshtein over the wanted length), by what is spoken and not how it is written."""
    import jiwer

    want, got = ([unit.key for unit in units_of(one, language)] for one in (text, heard))
    if not want:
        return {"word_error": None, "char_error": None}
    if not got:
        return {"word_error": 1.0, "char_error": 1.0}
    return {
        "word_error": min(1.0, float(jiwer.wer(" ".join(want), " ".join(got)))),
        "char_error": min(1.0, float(jiwer.cer("".join(want), "".join(got)))),
    }


def _end_missing(text: str, heard: str, language: str) -> bool:
    said = [word.said for word in compare(text, heard, language).words]
    lost = next((at for at, was in enumerate(reversed(said)) if was), len(said))
    before = said[: len(said) - lost]
    least = _LOST_END_CHARACTERS if language in _BY_CHARACTER else _LOST_END
    return lost >= least and bool(before) and sum(before) / len(before) >= _UNDERSTOOD


def _pace(sound: Sound, text: str, language: str) -> float | None:
    measured = {"duration_s": sound.seconds, "silence_share": sound.silence_share}
    return pace(Transcript("", text, language, 1.0, "given"), measured)[0].get("chars_per_s")


def _ranges(rows: Sequence[dict[str, float]]) -> dict[str, Range]:
    ranges = {}
    for name, measure in MEASURES.items():
        values = [row[name] for row in rows if name in row]
        if values and not measure.event:
            low, median, high = np.percentile(values, [10, 50, 90])
            ranges[name] = Range(float(low), float(median), float(high), len(values))
    return ranges


def _stack(vectors: Sequence[npt.NDArray[np.float32] | None]) -> list[Vectors | None]:
    return [None if vector is None else _unit(vector) for vector in vectors]


def _unit(vector: npt.NDArray[np.float32] | Vectors) -> Vectors:
    wide: Vectors = np.asarray(vector, dtype=np.float64)
    return np.asarray(wide / np.linalg.norm(wide))
