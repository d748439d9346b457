"""From the pipeline's `Progress` to the job's row: not too often, and with the time left as a range."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections import deque
from collections.abc import Callable

from voicefactory.jobs.store import Store
from voicefactory.types import Progress

INTERVAL_S = 0.2  #: between two writes of the same step
_RECENT = 20  #: reports that the recent pace is taken from


class Eta:
    """Seconds left of one step, as a range.

    One end is the pace since the step began, the other the pace of the last reports; the range is
    widened while little has been done, because the first units are slower (loading, warming up).
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._step = ""
        self._seen: deque[tuple[float, float]] = deque(maxlen=_RECENT)
        self._first = (0.0, 0.0)

    def update(self, step: str, done: float, total: float) -> tuple[float, float] | None:
        """Take a report; the range in seconds, or None while nobody can know."""
        now = self._clock()
        if step != self._step or not self._seen or done < self._seen[-1][1]:
            self._step, self._first = step, (now, done)
            self._seen.clear()
        if not self._seen or done > self._seen[-1][1]:
            self._seen.append((now, done))
        if total <= 0 or len(self._seen) < 3:
            return None
        paces = [self._pace(self._first), self._pace(self._seen[0])]
        left = max(total - done, 0.0)
        margin = 0.05 + 0.3 * left / total
        return left * min(paces) * (1 - margin), left * max(paces) * (1 + margin)

    def _pace(self, since: tuple[float, float]) -> float:
        """Seconds a unit, from `since` to the latest report."""
        return (self._seen[-1][0] - since[0]) / (self._seen[-1][1] - since[1])


class Reporter:
    """An `OnProgress` that writes to the job's row at most every 0.2 s, and always when the step changes."""

    def __init__(self, store: Store, job: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._job, self._clock = store, job, clock
        self._eta = Eta(clock)
        self._written = float("-inf")
        self._step = ""

    def __call__(self, progress: Progress) -> None:
        left = self._eta.update(progress.step, progress.done, progress.total)
        now = self._clock()
        finished = progress.total > 0 and progress.done >= progress.total
        if progress.step == self._step and now - self._written < INTERVAL_S and not finished:
            return
        self._step, self._written = progress.step, now
        low, high = left if left else (None, None)
        with contextlib.suppress(sqlite3.OperationalError):  # a full disk, a locked table: the work goes on
            self._store.report(
                self._job,
                step=progress.step,
                done=progress.done,
                total=progress.total,
                message=progress.message,
                eta_low=low,
                eta_high=high,
            )
