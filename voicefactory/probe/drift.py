"""Does a voice drift away from its speaker while it trains? One rule over the readings of all measurements.

A reading has a **fault**, always compared with the reading before training (step 0), so that what the base model does
wrong by itself stops nobody:

- *fast*, *slow*: the pace is outside of the speaker's own range (or of `drift_pace` around the speaker's pace, if that
  is wider) and by a tenth farther from the speaker's pace than before training; or, however wide the range is, it is by
  a fifth farther away than before training, and still moving away.
- *runaway*: most sentences do not come to an end, and more than before training.
- *silent*: in most sentences nobody speaks, and in more than before training.
- *stranger*: the likeness is by more than `drift_likeness` (and by more than the width of the speaker's own range)
  below the best that was seen, and below that range.

It **drifts** when two measurements in a row have the same fault: one bad sample does not stop an hour's work. A rule on
the speech and not on the loss, because a voice that hurries or mumbles may predict its clips better and better.

The thresholds are assumed. They were tried on real recordings that were sped up, exchanged and cut off, never on the
real weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from voicefactory.probe.measuring import Own, Reading

Fault = Literal["fast", "slow", "runaway", "silent", "stranger"]
MOST = 0.5  #: share of the sentences; more are "most"
AWAY = 1.2  #: so much farther from the speaker's pace than before training is a fault in any range
FARTHER = 1.1  #: less than that farther is a matter of chance, or of which sentences these are


@dataclass(frozen=True)
class Limits:
    """What the readings of one speaker may be."""

    slowest: float  #: pace, 1 is the speaker's
    fastest: float
    least_likeness: float | None  #: what nine of ten of the speaker's own clips reach; None = not known
    fall: float  #: of the likeness, below the best


@dataclass(frozen=True)
class Drift:
    """What was found."""

    fault: Fault
    since: int  #: step of the first of the two readings
    sentence: str


def limits(own: Own, *, drift_pace: float, drift_likeness: float) -> Limits:
    """The limits of a speaker with these own clips; `drift_pace` and `drift_likeness` as in `Preset`."""
    alike = own.likeness
    return Limits(
        slowest=min(own.pace.low, 1 - drift_pace),
        fastest=max(own.pace.high, 1 + drift_pace),
        least_likeness=alike.low if alike else None,
        fall=max(drift_likeness, alike.high - alike.low) if alike else drift_likeness,
    )


def faults(readings: Sequence[Reading], own: Limits) -> list[frozenset[Fault]]:
    """The faults of each reading. `readings` are those of a run in their order, the first one from before training."""
    return [_faults(readings[: at + 1], own) for at in range(len(readings))]


def drift(readings: Sequence[Reading], own: Limits) -> Drift | None:
    """Whether the last two readings have the same fault."""
    if len(readings) < 2:
        return None
    before, now = faults(readings, own)[-2:]
    both = [fault for fault in ("runaway", "silent", "fast", "slow", "stranger") if fault in before & now]
    if not both:
        return None
    since = readings[-2].step
    return Drift(both[0], since, f"{_sentence(both[0], readings, own)} It began at step {since}.")


def _faults(readings: Sequence[Reading], own: Limits) -> frozenset[Fault]:
    first, now = readings[0], readings[-1]
    found: set[Fault] = set()
    if len(readings) == 1:
        return frozenset()
    if now.runaway > MOST and now.runaway > first.runaway:
        found.add("runaway")
    if now.silent > MOST and now.silent > first.silent:
        found.add("silent")
    if now.pace is not None and _pace_is_off(readings, now.pace, own):
        found.add("fast" if now.pace > 1 else "slow")
    if now.likeness is not None and own.least_likeness is not None:
        best = max(one.likeness for one in readings if one.likeness is not None)
        if now.likeness < min(own.least_likeness, best - own.fall):
            found.add("stranger")
    return frozenset(found)


def _pace_is_off(readings: Sequence[Reading], now: float, own: Limits) -> bool:
    """Distances are logarithms, so that half and twice the pace are as far, and count on the side of `now` only."""
    side = 1 if now > 1 else -1
    known = [max(0.0, side * math.log(one.pace)) for one in readings if one.pace]
    away = known[-1]
    at_first = known[0] if readings[0].pace else 0.0
    if not own.slowest <= now <= own.fastest:
        return away > at_first + math.log(FARTHER)
    return len(known) > 2 and away > at_first + math.log(AWAY) and away > known[-2]


def _sentence(fault: Fault, readings: Sequence[Reading], own: Limits) -> str:
    now = readings[-1]
    if fault == "runaway":
        return f"{now.runaway:.0%} of the sentences no longer came to an end."
    if fault == "silent":
        return f"Nobody spoke any more in {now.silent:.0%} of the sentences."
    if fault == "stranger":
        best = max(one.likeness for one in readings if one.likeness is not None)
        return f"The voice sounded less like the speaker: a likeness of {now.likeness:.2f} after {best:.2f}."
    pace = now.pace or 0.0
    told = f"{abs(pace - 1):.0%} {'faster' if fault == 'fast' else 'slower'} than the speaker's own clips"
    return f"It spoke {told}; {own.slowest:.2f} to {own.fastest:.2f} of their pace is usual."
