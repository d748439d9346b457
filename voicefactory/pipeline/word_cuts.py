"""Where to cut a stretch of speech without a pause: between two words, by Whisper's word times.

The times of words are good to about a tenth of a second, which alone would cut into words. So each end of a
word only says where to look: the cut lies at the softest 20 ms between the middles of the two words and near
their ends, and is only taken where the voice really drops there.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from voicefactory.audio.wav import Samples, read_wav
from voicefactory.errors import Cancelled, InputError, ModelUnavailableError
from voicefactory.languages import AUTO, WHISPER_CODES
from voicefactory.types import OnProgress, Progress, Recording, ShouldStop

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

WHISPER_RATE = 16_000  # Hz
_WINDOW_S, _HOP_S = 0.02, 0.005
_AROUND_S = 0.08  # how far from a word's ends the drop may be
_MIN_DROP_DB = 15.0  # below the median level of the stretch; softer sounds than this are consonants and breath
_GOOD_DROP_DB = 35.0
_CERTAIN = 0.5  # Whisper's probability of both words: times of words that it is not sure of are worth nothing
_PHRASE_END = tuple(".,;:!?…。、，？！；：")
_IDEAL_S, _TOLERANCE_S = 7.5, 4.5  # as in cutting
_SHORTEST_S = 2.0
_HEARD_S, _OVERLAP_S = 29.0, 6.0


@dataclass(frozen=True)
class WordEnd:
    """A place between two words. `cost` is 0 where the voice drops as deep as in a pause, at the end of a phrase."""

    at_s: float
    cost: float


@dataclass(frozen=True)
class SpokenWords:
    """A loaded Whisper model that says where words end."""

    model: WhisperModel
    code: str | None  #: Whisper's of the language; None = it finds out
    should_stop: ShouldStop

    def cuts(self, recording: Recording, start_s: float, end_s: float, most_s: float) -> list[float] | None:
        """Times in the recording that cut this stretch into parts of at most `most_s`; None if there are none.

        It is heard in overlapping parts, so that memory is bounded and a stop is heard within a moment.
        """
        places: list[WordEnd] = []
        at_s = start_s
        while at_s < end_s:
            if self.should_stop():
                raise Cancelled("Stopped while cutting; the finished clips are kept.")
            samples = read_wav(recording.audio, at_s, min(end_s, at_s + _HEARD_S), rate=WHISPER_RATE)
            known_s = places[-1].at_s if places else 0.0
            trusted_s = _HEARD_S - _OVERLAP_S / 2 if at_s + _HEARD_S < end_s else math.inf
            for place in word_ends(self.model, self.code, samples):
                in_stretch_s = at_s - start_s + place.at_s
                if in_stretch_s > known_s + _HOP_S and place.at_s < trusted_s:
                    places.append(WordEnd(in_stretch_s, place.cost))
            at_s += _HEARD_S - _OVERLAP_S
        found = split(end_s - start_s, places, most_s)
        return None if found is None else [start_s + at for at in found]


def open_words(
    asr: str, language: str, device: str, should_stop: ShouldStop, on_progress: OnProgress
) -> SpokenWords | None:
    """Load the Whisper model `asr`; None, with a notice, if it is not to be had or does not hear `language`."""
    from voicefactory.pipeline.asr import open_asr

    try:
        found, model = open_asr(asr, device)
    except (InputError, ModelUnavailableError) as reason:
        told = f"Stretches of speech without a pause are not cut, for want of word times: {reason}"
        on_progress(Progress("segment", message=told, notice=True))
        return None
    multilingual = bool(model.model.is_multilingual)
    if not multilingual and language not in (AUTO, "english"):
        told = f"The Whisper model {found.name} hears English only, so speech without a pause is not cut."
        on_progress(Progress("segment", message=told, notice=True))
        return None
    return SpokenWords(model, WHISPER_CODES.get(language) if multilingual else "en", should_stop)


def word_ends(model: WhisperModel, code: str | None, samples: Samples) -> list[WordEnd]:
    """Places to cut 16 kHz `samples` between words. `code` is Whisper's of the language, None = it finds out.

    Always the same for the same samples and model: there is no sampling.
    """
    segments, _ = model.transcribe(
        samples,
        language=code,
        word_timestamps=True,
        temperature=0.0,
        condition_on_previous_text=False,
    )
    words = [word for segment in segments for word in segment.words or ()]
    levels = _levels(samples)
    if not len(levels):
        return []
    median = float(np.median(levels))
    found = (_between(before, after, levels, median) for before, after in itertools.pairwise(words))
    return [place for place in found if place is not None]


def split(seconds: float, places: Sequence[WordEnd], most_s: float) -> list[float] | None:
    """Times to cut a stretch of that length so that each part has `_SHORTEST_S` to `most_s`; None if it cannot be.

    The cheapest of all ways, by dynamic programming as in `cutting`.
    """
    points = [WordEnd(0.0, 0.0), *places, WordEnd(seconds, 0.0)]
    best = [0.0] + [math.inf] * (len(points) - 1)
    begin = [0] * len(points)
    for last in range(1, len(points)):
        for first in range(last - 1, -1, -1):
            length = points[last].at_s - points[first].at_s
            if length > most_s:
                break
            if length < _SHORTEST_S:
                continue
            cost = best[first] + points[last].cost + ((length - _IDEAL_S) / _TOLERANCE_S) ** 2
            if cost < best[last]:
                best[last], begin[last] = cost, first
    if not math.isfinite(best[-1]):
        return None
    cuts, at = [], begin[-1]
    while at > 0:
        cuts.append(points[at].at_s)
        at = begin[at]
    return cuts[::-1]


def _between(before: Any, after: Any, levels: Samples, median: float) -> WordEnd | None:
    if min(before.probability, after.probability) < _CERTAIN:
        return None
    low = max((before.start + before.end) / 2, before.end - _AROUND_S)
    high = min((after.start + after.end) / 2, after.start + _AROUND_S)
    first, last = round(low / _HOP_S), round(high / _HOP_S) - round(_WINDOW_S / _HOP_S) + 1
    if last <= first or last > len(levels):
        return None
    softest = first + int(levels[first:last].argmin())
    drop = median - float(levels[softest])
    if drop < _MIN_DROP_DB:
        return None
    shallow = max(0.0, _GOOD_DROP_DB - drop) / 10
    phrase = 0.0 if before.word.rstrip().endswith(_PHRASE_END) else 0.7
    return WordEnd(softest * _HOP_S + _WINDOW_S / 2, shallow + phrase)


def _levels(samples: Samples) -> Samples:
    """Decibels of 20 ms, every 5 ms."""
    window, hop = round(_WINDOW_S * WHISPER_RATE), round(_HOP_S * WHISPER_RATE)
    if len(samples) < window:
        return np.zeros(0, dtype=np.float32)
    sums = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    starts = np.arange(0, len(samples) - window + 1, hop)
    power = (sums[starts + window] - sums[starts]) / window
    return np.asarray(10 * np.log10(np.maximum(power, 1e-10)), dtype=np.float32)
