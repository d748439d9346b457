"""Which waiting job may start now, and on which device. Pure functions: the scheduler asks, and starts.

- **In turn**: an owner's second job comes after everybody's first. What an owner had started in the last day counts.
- **Lanes**: one training, one preparation and one preview at a time on each device, side by side.
- **Memory**: what a job needs must be free, less what running jobs were promised and have not taken yet; and all
  promises together stay below the device's memory. The freest device is taken.
- **No overtaking for memory**: a job that waits until ours give memory back is not overtaken on that device, or a
  stream of small jobs would keep it waiting for ever. What other programs hold may never come back, so then it is.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from voicefactory.hardware import CPU
from voicefactory.jobs.lanes import COUNTED, HOLDS_PROJECT, LANES, ON_CPU_TOO, WIDTH, Lane
from voicefactory.jobs.store import Job

GIB = 1 << 30
_YOUNG_S = 120.0  #: a job that runs for less has perhaps not taken its memory yet

#: (owner, lane) → jobs that were started lately
Served = Mapping[tuple[str, Lane], int]


@dataclass(frozen=True)
class Device:
    """A card, or the CPU, as it is now."""

    name: str  #: cuda:N or cpu
    title: str  #: as a person knows it
    total_bytes: int
    free_bytes: int
    taken: Mapping[str, int] = field(default_factory=dict)  #: job id → bytes that it holds, where that is known


@dataclass(frozen=True)
class Start:
    """A job that may start."""

    job: Job
    device: str


@dataclass(frozen=True)
class Decision:
    """What to do with the waiting jobs."""

    starts: tuple[Start, ...]
    waits: Mapping[str, str]  #: job id → why it waits although a lane is free; empty = it waits for its turn


def in_turn(waiting: Sequence[Job], served: Served) -> list[Job]:
    """The waiting jobs in the order in which they get a chance."""
    mine: Counter[tuple[str, Lane]] = Counter()
    ranked = []
    for job in sorted(waiting, key=lambda job: job.created):
        whose = (job.owner, LANES[job.kind])
        ranked.append((served.get(whose, 0) + mine[whose], job.created, job.id, job))
        mine[whose] += 1
    return [job for *_, job in sorted(ranked, key=lambda one: one[:3])]


def decide(
    waiting: Sequence[Job],
    running: Sequence[Job],
    devices: Sequence[Device],
    *,
    served: Served,
    max_running: int = 0,
    now: float = 0.0,
) -> Decision:
    """Which of `waiting` may start. `running` are all that have a device, also those that are about to start.

    `max_running`: heavy jobs that an owner may have at a time; 0 = any number. `now` in Unix seconds.
    """
    running, starts, waits = list(running), [], {}
    kept: set[tuple[str, Lane]] = set()  # devices of which a job waits for our memory
    holds = _first_of_projects([*running, *waiting])
    for job in in_turn(waiting, served):
        lane = LANES[job.kind]
        waits[job.id] = ""
        if job.kind in HOLDS_PROJECT and holds[job.project] != job.id:
            continue
        if max_running and lane in COUNTED and _running_of(job.owner, running) >= max_running:
            waits[job.id] = f"You may have {max_running} running at a time. It starts when one of yours is done."
            continue
        if lane == "files":
            device: str | None = CPU if _in_lane(running, lane) < WIDTH[lane] else None
        else:
            device, waits[job.id] = _device_for(job, running, devices, kept, now)
        if device is not None:
            starts.append(Start(job, device))
            running.append(_placed(job, device, now))
    return Decision(tuple(starts), waits)


def room(device: Device, running: Sequence[Job], now: float) -> int:
    """Bytes of a device that nobody holds and nobody was promised."""
    free, unpromised = device.free_bytes, device.total_bytes
    for job in running:
        if job.device != device.name:
            continue
        needed = job.needed_bytes or 0
        unpromised -= needed
        if device.taken:
            free -= max(0, needed - device.taken.get(job.id, 0))
        elif now - (now if job.started is None else job.started) < _YOUNG_S:  # nobody tells whose memory it is
            free -= needed
    return min(free, unpromised)


def _device_for(
    job: Job, running: Sequence[Job], devices: Sequence[Device], kept: set[tuple[str, Lane]], now: float
) -> tuple[str | None, str]:
    """The device, or None and why not. Notes in `kept` where it waits for memory of ours."""
    lane, needed = LANES[job.kind], job.needed_bytes or 0
    wanted = str(job.request.get("device") or "")
    fitting = [one for one in devices if wanted in ("", "auto", "cuda", one.name)] or list(devices)
    open_ones = [one for one in fitting if _in_lane(running, lane, one.name) < WIDTH[lane]]
    free = {one.name: room(one, running, now) for one in open_ones}
    with_room = [one for one in open_ones if free[one.name] >= needed and (one.name, lane) not in kept]
    if with_room:
        return max(with_room, key=lambda one: free[one.name]).name, ""
    if lane in ON_CPU_TOO and open_ones and all(one.name != CPU for one in devices):
        return (CPU, "") if _in_lane(running, lane, CPU) < WIDTH[lane] else (None, "")
    if all(one.total_bytes < needed for one in fitting):  # it would never fit: alone it can say so itself
        empty = [one for one in open_ones if not any(other.device == one.name for other in running)]
        return (empty[0].name, "") if empty else (None, "")
    short = [one for one in open_ones if free[one.name] < needed <= one.total_bytes]
    for one in short:
        if _comes_back(one, running) + free[one.name] >= needed:
            kept.add((one.name, lane))
    return None, _reason(job, short, free) if short else ""


def _comes_back(device: Device, running: Sequence[Job]) -> int:
    """Bytes that are free once all of ours have ended."""
    return sum(job.needed_bytes or 0 for job in running if job.device == device.name)


def _reason(job: Job, devices: Sequence[Device], free: Mapping[str, int]) -> str:
    freest = max(devices, key=lambda one: free[one.name])
    return (
        f"{(job.needed_bytes or 0) / GIB:.1f} GiB of memory are needed, and {freest.title} has "
        f"{max(free[freest.name], 0) / GIB:.1f} GiB to give. It starts when there is enough."
    )


def _first_of_projects(jobs: Sequence[Job]) -> dict[str, str]:
    """Project → the job that holds it, or is the first to get it."""
    first: dict[str, Job] = {}
    for job in jobs:
        if job.kind in HOLDS_PROJECT:
            known = first.get(job.project)
            if known is None or (not known.device and (job.device or job.created < known.created)):
                first[job.project] = job
    return {project: job.id for project, job in first.items()}


def _in_lane(running: Sequence[Job], lane: Lane, device: str | None = None) -> int:
    return sum(1 for job in running if LANES[job.kind] == lane and device in (None, job.device))


def _running_of(owner: str, running: Sequence[Job]) -> int:
    return sum(1 for job in running if job.owner == owner and LANES[job.kind] in COUNTED)


def _placed(job: Job, device: str, now: float) -> Job:
    return dataclasses.replace(job, device=device, started=now)
