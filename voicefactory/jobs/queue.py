"""Where a waiting job stands, and when it will probably start. Pure functions over rows of the job table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voicefactory.jobs.lanes import LANES, WIDTH, Lane
from voicefactory.jobs.placement import Served, in_turn
from voicefactory.jobs.store import Job, Kind

FAIR_S = 86_400.0  #: what an owner had started in so many seconds counts when turns are given


@dataclass(frozen=True)
class Place:
    """A waiting job's place in its lane."""

    ahead: int  #: jobs that will probably start before it; those of other people count, too
    seconds: float | None  #: until it starts, about; None where nobody can know


def served(started: Mapping[tuple[str, Kind], int]) -> Served:
    """`Store.started_since`, by lane."""
    found: Counter[tuple[str, Lane]] = Counter()
    for (owner, kind), count in started.items():
        found[owner, LANES[kind]] += count
    return found


def place_of(
    waiting: Job, active: Sequence[Job], started: Served, usual: Mapping[Kind, float], devices: int, now: float
) -> Place:
    """The place of `waiting` among the `active` jobs of its lane.

    `usual` are a kind's usual seconds, `devices` how many devices have this lane, `now` in Unix seconds. The time is
    that of all work before it, spread over the lane's places: exact if all jobs take as long as usual.
    """
    lane = LANES[waiting.kind]
    before: list[float | None] = [_left(job, usual, now) for job in active if _runs_in(job, lane)]
    places = WIDTH[lane] * (1 if lane == "files" else max(devices, 1))
    queue = in_turn([job for job in active if job.state == "queued" and LANES[job.kind] == lane], started)
    ahead = next((number for number, job in enumerate(queue) if job.id == waiting.id), 0)
    if len(before) + ahead < places:
        return Place(ahead, None if waiting.waits else 0.0)
    before += [usual.get(job.kind) for job in queue[:ahead]]
    known = [seconds for seconds in before if seconds is not None]
    if waiting.waits or len(known) < len(before):
        return Place(ahead, None)
    return Place(ahead, sum(known) / places)


def _runs_in(job: Job, lane: Lane) -> bool:
    return job.state == "running" and LANES[job.kind] == lane


def _left(job: Job, usual: Mapping[Kind, float], now: float) -> float | None:
    """Seconds that a running job still takes: what it says itself, else what is usual; None if it is overdue."""
    if job.eta_low is not None and job.eta_high is not None:
        return (job.eta_low + job.eta_high) / 2
    left = usual.get(job.kind, 0.0) - (now - (now if job.started is None else job.started))
    return left if left > 0 else None
