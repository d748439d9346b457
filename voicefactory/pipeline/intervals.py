"""How sure a number is: intervals for means, for differences, for shares, and for a blind test.

Seeds of one sentence resemble each other, so a sentence is the unit: its seeds are averaged first, and whole
sentences are drawn again (the cluster bootstrap of Field and Welsh, 2007, J. R. Statist. Soc. B 69; for word errors
the same is done by Bisani and Ney, 2004, ICASSP). Everything is drawn from one fixed seed: the same figures give the
same interval.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DRAWS = 2000
LEVEL = 0.95
_SEED = 20_240_601

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float
    n: int  #: sentences (of a blind test: decided pairs)

    def to_json(self) -> dict[str, float | int | None]:
        """Rounded to what is worth reading; an end that nobody knows is null."""
        ends = {"mean": self.mean, "low": self.low, "high": self.high}
        return {**{name: round(end, 4) if math.isfinite(end) else None for name, end in ends.items()}, "n": self.n}


def by_sentence(values: Iterable[tuple[str, float]]) -> dict[str, float]:
    """(sentence, value) of every seed → the mean of each sentence."""
    gathered: dict[str, list[float]] = {}
    for sentence, value in values:
        gathered.setdefault(sentence, []).append(value)
    return {sentence: float(np.mean(seeds)) for sentence, seeds in gathered.items()}


def mean_interval(values: Sequence[float]) -> Interval | None:
    """Mean of `values`, one a sentence, and its bootstrap interval; None without any.

    The percentile interval with the widened levels of Hesterberg (2015, The American Statistician 69, "expanded
    percentile"): the plain one is too narrow for 20 sentences. One sentence has no interval: it is then the whole line.
    """
    if not values:
        return None
    known = np.asarray(values, dtype=np.float64)
    mean, n = float(known.mean()), len(known)
    if n == 1:
        return Interval(mean, -math.inf, math.inf, 1)
    rng = np.random.default_rng(_SEED)
    means = known[rng.integers(0, n, size=(DRAWS, n))].mean(axis=1)
    tail = _expanded_tail(n)
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(mean, float(low), float(high), n)


def difference(ours: Mapping[str, float], theirs: Mapping[str, float]) -> Interval | None:
    """ours - theirs over the sentences that both have (sentence → value), as a paired bootstrap."""
    return mean_interval([ours[sentence] - theirs[sentence] for sentence in ours if sentence in theirs])


def share_interval(shares: Sequence[float]) -> Interval | None:
    """How often something happens: `shares`, one a sentence, are the shares of its seeds in which it did.

    A bootstrap of nothing but zeros would claim that it never happens. This is the exact interval for as many
    trials as there are sentences, as if further seeds told nothing new (Korn and Graubard, 1998, Survey Methodology
    24, with the smallest effective sample).
    """
    if not shares:
        return None
    from scipy.stats import beta

    n, mean = len(shares), float(np.mean(shares))
    count, tail = mean * n, (1 - LEVEL) / 2
    low = float(beta.ppf(tail, count, n - count + 1)) if count > 0 else 0.0
    high = float(beta.ppf(1 - tail, count + 1, n - count)) if count < n else 1.0
    return Interval(mean, low, high, n)


def binomial_interval(wins: int, decided: int) -> Interval:
    """Share of wins with the exact interval of Clopper and Pearson (1934, Biometrika 26)."""
    if not decided:
        return Interval(math.nan, 0.0, 1.0, 0)
    from scipy.stats import binomtest

    found = binomtest(wins, decided).proportion_ci(LEVEL, method="exact")
    return Interval(wins / decided, float(found.low), float(found.high), decided)


def _expanded_tail(n: int) -> float:
    """Share of the draws that is cut off at each end, so that the interval is as wide as Student's t asks for."""
    from scipy.stats import norm, t

    return float(norm.cdf(math.sqrt(n / (n - 1)) * t.ppf((1 - LEVEL) / 2, n - 1)))
