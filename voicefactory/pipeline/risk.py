"""One number a clip that says how soon to look at it, and why.

Every doubt has an amount between 0 and 1: a verdict its weight times its severity (audio/thresholds.py); a pace or
a loudness unlike the project's other clips; Whisper's doubt; what could not be measured. The score is
1 - (1 - a)(1 - b)…, as if each were an independent chance that the clip is bad: one grave doubt is enough, several
small ones add up, and it stays below 1. How the amounts were chosen is in docs/data.md. Nothing is kept on disk:
5,000 clips take a fraction of a second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from voicefactory.audio.pace import written_in
from voicefactory.audio.sound_measures import SOUND
from voicefactory.audio.thresholds import complaints
from voicefactory.pipeline.analyse import VOICE_DISTANCE, Analysis
from voicefactory.types import Clip, Transcript

_LEAST_CLIPS = 8  # a distribution of fewer says nothing
_USUAL_SPREAD = 3.0  # so many times the usual spread away is unlike the others …
_WORST_SPREAD = 6.0  # … and this counts in full
_PACE_SPREAD, _LOUDNESS_SPREAD = 0.12, 2.0  # at least: natural logarithm of the pace; LU
_PACE_WEIGHT, _LOUDNESS_WEIGHT = 0.5, 0.3
_DOUBT = 0.3  # of Whisper, where it is not doubtful enough for a verdict: orders what is otherwise alike
_NO_TEXT = 0.6
_NOT_MEASURED = 0.3


@dataclass(frozen=True)
class Risk:
    """How soon a person should look at a clip, and why."""

    clip: str
    score: float  #: 0 to 1, higher = look at it sooner
    reasons: tuple[str, ...]  #: the gravest first; empty = nothing to complain about


@dataclass(frozen=True)
class Spread:
    """How a measure is distributed over the project: median, and a robust spread (1.4826 × the median deviation)."""

    median: float
    spread: float

    def beyond(self, value: float) -> float:
        """0 for what is usual, rising to 1."""
        away = abs(value - self.median) / self.spread
        return min(1.0, max(0.0, (away - _USUAL_SPREAD) / (_WORST_SPREAD - _USUAL_SPREAD)))


def risks(
    clips: Sequence[Clip], transcripts: Iterable[Transcript], analysis: Mapping[str, Analysis]
) -> dict[str, Risk]:
    """Clip id → risk, of the clips that were analysed, the riskiest first."""
    said = {row.clip: row for row in transcripts}
    known = [analysis[clip.id] for clip in clips if clip.id in analysis]
    languages = {row.clip: written_in(said[row.clip]) if row.clip in said else "" for row in known}
    paces = {
        language: _spread([row for row in known if languages[row.clip] == language], _log_pace, _PACE_SPREAD)
        for language in set(languages.values())
    }
    loudness = _spread(known, _loudness, _LOUDNESS_SPREAD)
    compared = any(VOICE_DISTANCE in row.measures for row in known)
    found = []
    for row in known:
        doubts = [
            (one.severity * one.threshold.weight, one.words)
            for one in complaints(row.measures, language=languages[row.clip])
        ]
        doubts += _unlike_the_others(row, paces[languages[row.clip]], loudness)
        doubts += _not_known(row, said.get(row.clip), compared)
        left = math.prod(1 - amount for amount, _ in doubts)
        reasons = [words for amount, words in sorted(doubts, key=lambda doubt: -doubt[0]) if words]
        found.append(Risk(row.clip, round(1 - left, 4), tuple(dict.fromkeys(reasons))))
    return {risk.clip: risk for risk in sorted(found, key=lambda risk: (-risk.score, risk.clip))}


def _unlike_the_others(row: Analysis, pace: Spread | None, loudness: Spread | None) -> list[tuple[float, str]]:
    doubts = []
    value = _log_pace(row)
    if pace and value is not None and (amount := pace.beyond(value)):
        usual = f"{math.exp(value):.1f} letters for every second of speech, the others {math.exp(pace.median):.1f}"
        doubts.append((amount * _PACE_WEIGHT, f"its pace is unlike the others: {usual}"))
    value = _loudness(row)
    if loudness and value is not None and (amount := loudness.beyond(value)):
        away = value - loudness.median
        how = f"{abs(away):.0f} LU {'louder' if away > 0 else 'quieter'} than the others"
        doubts.append((amount * _LOUDNESS_WEIGHT, how))
    return doubts


def _not_known(row: Analysis, transcript: Transcript | None, compared: bool) -> list[tuple[float, str]]:
    """Doubts about what is missing; what is missing for a good reason (a text that a person gave) is none."""
    doubts: list[tuple[float, str]] = []
    if "confidence" in row.measures:
        doubts.append(((1 - row.measures["confidence"]) * _DOUBT, ""))
    if transcript is None:
        doubts.append((_NO_TEXT, "nobody has written down what is said in it"))
    failed = [row.missing[name] for name in SOUND if name in row.missing]
    if compared and VOICE_DISTANCE in row.missing and not (transcript and transcript.dropped):
        failed.append(row.missing[VOICE_DISTANCE])
    if "duration_s" in row.missing:
        return [(1.0, row.missing["duration_s"])]
    if failed:
        doubts.append((_NOT_MEASURED, f"not everything could be measured: {failed[0]}"))
    return doubts


def _spread(rows: Sequence[Analysis], value_of: Callable[[Analysis], float | None], least: float) -> Spread | None:
    values = np.array([value for row in rows if (value := value_of(row)) is not None])
    if len(values) < _LEAST_CLIPS:
        return None
    median = float(np.median(values))
    return Spread(median, max(least, 1.4826 * float(np.median(np.abs(values - median)))))


def _log_pace(row: Analysis) -> float | None:
    value = row.measures.get("chars_per_s", 0)
    return math.log(value) if value > 0 else None


def _loudness(row: Analysis) -> float | None:
    return row.measures.get("loudness_lufs")
