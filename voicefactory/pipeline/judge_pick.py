"""Which trained voice is the best: one rule, and why, in a sentence.

1. **Floor on intelligibility.** Mean word errors (character errors where words are not parted) may not be above what
   the speaker's own recordings reach nine times of ten, or a fixed share if that is higher: small Whisper models
   mishear even good speech, and texts that Whisper itself wrote measure too well.
2. **Floor on pace.** The mean pace may not leave the speaker's own range, or 15 % around it if that is wider.
3. **Then likeness**, by the independent encoder: the highest mean wins.

Likeness comes last because it is blind to the faults that training makes: a voice that hurries or mumbles may still
sound like its owner. The independent encoder, because training can please the engine's own one without the ear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voicefactory.pipeline.intervals import Interval, difference
from voicefactory.pipeline.judge_scores import Range

MOST_ERRORS = {"english": 0.10}  #: share of words, of other languages OTHER_ERRORS; assumed from how Whisper mishears
OTHER_ERRORS = 0.20
PACE_MARGIN = 0.15  #: so much faster or slower than the speaker is always allowed
_BY_CHARACTER = ("chinese", "japanese", "korean")


@dataclass(frozen=True)
class Result:
    """One subject's figures, as far as rules look at them."""

    id: str
    label: str
    means: Mapping[str, Interval]  #: measure → mean with interval
    by_sentence: Mapping[str, Mapping[str, float]]  #: measure → sentence → mean of its takes


@dataclass(frozen=True)
class Floors:
    """What a voice has to reach before its likeness counts."""

    errors: str  #: the measure that is looked at
    most_errors: float
    slowest: float
    fastest: float

    def failures(self, result: Result) -> list[str]:
        """What `result` does not reach, in words; empty = it passes."""
        told = []
        wrong, pace = result.means.get(self.errors), result.means.get("pace")
        if wrong is None or wrong.mean > self.most_errors:
            heard = "nothing could be checked" if wrong is None else f"{wrong.mean:.0%} of it is misheard"
            told.append(f"{heard} ({self.most_errors:.0%} is allowed)")
        if pace is None:
            told.append("its pace could not be measured")
        elif not self.slowest <= pace.mean <= self.fastest:
            way = "slower" if pace.mean < 1 else "faster"
            told.append(f"it speaks {abs(pace.mean - 1):.0%} {way} than the recordings")
        return told


@dataclass(frozen=True)
class Pick:
    """The choice among trained voices."""

    chosen: str  #: id; empty if none passes
    sentence: str
    failures: Mapping[str, Sequence[str]]  #: id → what it does not reach; empty = it passes


def floors(ranges: Mapping[str, Range], language: str) -> Floors:
    """The floors of a speaker with these own ranges."""
    errors = "char_error" if language in _BY_CHARACTER else "word_error"
    fixed = MOST_ERRORS.get(language, OTHER_ERRORS)
    pace = ranges["pace"]
    return Floors(
        errors,
        max(fixed, ranges[errors].high if errors in ranges else 0.0),
        min(pace.low, 1 - PACE_MARGIN),
        max(pace.high, 1 + PACE_MARGIN),
    )


def pick(results: Sequence[Result], own: Floors) -> Pick:
    """Choose among trained voices by the rule of this module."""
    failures = {one.id: own.failures(one) for one in results}
    passing = [one for one in results if not failures[one.id] and "likeness" in one.means]
    if not results:
        return Pick("", "There is no trained voice to choose.", failures)
    if not passing:
        nearest = min(results, key=lambda one: (len(failures[one.id]), -_likeness(one)))
        why = " and ".join(failures[nearest.id]) or "no voice could be heard in it"
        return Pick("", f"No voice passes. The nearest is {nearest.label}, but {why}.", failures)
    ranked = sorted(passing, key=lambda one: -_likeness(one))
    best = ranked[0]
    told = f"{best.label} sounds most like the recordings ({_likeness(best):.3f}) of {_those(passing, results)}."
    alike = [one.label for one in ranked[1:] if not _differs(best, one)]
    if alike:
        told += f" The difference to {', '.join(alike)} is within chance."
    return Pick(best.id, told, failures)


def _those(passing: Sequence[Result], results: Sequence[Result]) -> str:
    if len(results) == 1:
        return "all, for it is the only one, and it is understood and keeps the speaker's pace"
    return f"the {len(passing)} of {len(results)} that are understood and keep the speaker's pace"


def _likeness(result: Result) -> float:
    return result.means["likeness"].mean if "likeness" in result.means else -1.0


def _differs(best: Result, other: Result) -> bool:
    gap = difference(best.by_sentence["likeness"], other.by_sentence["likeness"])
    return gap is not None and gap.low > 0
