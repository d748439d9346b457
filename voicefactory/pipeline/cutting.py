"""Where to cut a long recording: only in pauses, into clips of about 3 to 12 s.

Pauses of at least `MIN_PAUSE_S` are candidates; the cheapest way to cut is found by dynamic programming:
a clip costs by its distance from the ideal length, a cut costs when its pause is short. So long pauses
are taken first and shorter ones only where speech goes on. What has no pause for over 20 s is too long here;
`word_cuts` may find places between its words.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

from voicefactory.audio.vad import Probabilities, Stretch, speech_stretches
from voicefactory.types import MAX_CLIP_S

MIN_PAUSE_S = 0.16  #: the closure of a "t" or "k" within a word lasts up to about 0.12 s
LONG_PAUSE_S = 1.5  #: a clip never spans a pause as long as this
KEPT_PAUSE_S = 0.2  #: kept of the pause on each side of a clip
_IDEAL_S, _TOLERANCE_S = 7.5, 4.5  # 3 and 12 s cost 1
_GOOD_PAUSE_S = 0.5  # cutting in a longer pause costs nothing
_SHORT_PAUSE_COST = 4.0  # a second
_UNAVOIDABLE = 1e6
_SHORTEST_SYLLABLE_S = 0.15  # what is shorter and stands alone is a click


@dataclass(frozen=True)
class Piece:
    """A stretch to become a clip: speech, and what is kept of the pauses around it. Seconds of the recording."""

    start_s: float
    end_s: float
    speech_start_s: float
    speech_end_s: float

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s

    @property
    def too_long(self) -> bool:
        """True if there was no pause to cut it at."""
        return self.seconds > MAX_CLIP_S


Quietest = Callable[[Stretch], float]  #: where in a pause (seconds of the recording) it is most silent


def plan_pieces(probabilities: Probabilities, seconds: float, quietest: Quietest) -> list[Piece]:
    """Cut a recording of that length, given the speech probability of every 32 ms of it.

    `quietest` finds the place to cut in a pause too short to leave `KEPT_PAUSE_S` on both sides.
    """
    runs = speech_stretches(probabilities, min_pause_s=MIN_PAUSE_S)
    runs = [Stretch(run.start_s, min(run.end_s, seconds)) for run in runs if run.start_s < seconds]
    if not runs:
        return []
    pauses = [Stretch(a.end_s, b.start_s) for a, b in itertools.pairwise(runs)]
    start_s = max(0.0, runs[0].start_s - KEPT_PAUSE_S)
    pieces = []
    for first, last in _cheapest(runs, [pause.seconds for pause in pauses]):
        if last == len(pauses):
            end_s = next_s = min(seconds, runs[-1].end_s + KEPT_PAUSE_S)
        elif pauses[last].seconds >= 2 * KEPT_PAUSE_S:
            end_s, next_s = pauses[last].start_s + KEPT_PAUSE_S, pauses[last].end_s - KEPT_PAUSE_S
        else:
            end_s = next_s = quietest(pauses[last])
        piece = Piece(start_s, end_s, runs[first].start_s, runs[last].end_s)
        if piece.speech_end_s - piece.speech_start_s >= _SHORTEST_SYLLABLE_S:
            pieces.append(piece)
        start_s = next_s
    return pieces


def _cheapest(runs: list[Stretch], pauses: list[float]) -> list[tuple[int, int]]:
    """(first, last) run of each piece; pauses[i] follows runs[i].

    best[n] is the cost of the first n runs. A piece is at most 20 s, so the time is linear in runs.
    """
    best = [0.0] + [math.inf] * len(runs)
    begin = [0] * (len(runs) + 1)
    for last, run in enumerate(runs):
        after_s = pauses[last] if last < len(pauses) else math.inf
        for first in range(last, -1, -1):
            if first < last and pauses[first] >= LONG_PAUSE_S:
                break
            seconds = run.end_s - runs[first].start_s + 2 * KEPT_PAUSE_S
            if seconds > MAX_CLIP_S and first < last:
                break
            cost = best[first] + _cost(seconds, after_s)
            if cost < best[last + 1]:
                best[last + 1], begin[last + 1] = cost, first
    cuts, end = [], len(runs)
    while end > 0:
        cuts.append((begin[end], end - 1))
        end = begin[end]
    return cuts[::-1]


def _cost(seconds: float, pause_after_s: float) -> float:
    if seconds > MAX_CLIP_S:
        return _UNAVOIDABLE
    length = ((seconds - _IDEAL_S) / _TOLERANCE_S) ** 2
    return length + _SHORT_PAUSE_COST * max(0.0, _GOOD_PAUSE_S - pause_after_s)
