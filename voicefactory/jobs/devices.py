"""The devices that jobs are placed on, as they are now, and what a worker is allowed to see of them."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable, Collection, Sequence

import psutil

from voicefactory import hardware
from voicefactory.device_memory import family, resident
from voicefactory.hardware import CPU
from voicefactory.jobs.placement import Device
from voicefactory.jobs.store import Job

_ASK_TORCH = "import torch; raise SystemExit(0 if torch.cuda.is_available() else 1)"
_PATIENCE_S = 120.0  #: for torch to be loaded from a slow disk

#: Running jobs, process ids of workers that only wait → the devices there are
Look = Callable[[Sequence[Job], Collection[int]], list[Device]]


def devices(running: Sequence[Job], idle: Collection[int]) -> list[Device]:
    """The cards that torch can compute on; without one, the CPU. What idle workers hold counts as free: they are given
    the next job, or end for it."""
    found = cards(running, idle) if hardware.gpus() and torch_can_use_cards() else []
    return found or [the_cpu(running, idle)]


def cards(running: Sequence[Job], idle: Collection[int]) -> list[Device]:
    """Every card that NVML tells of."""
    waiting = family(idle)
    return [
        Device(
            f"cuda:{card.index}",
            f"{card.name} (cuda:{card.index})",
            card.total_bytes,
            card.free_bytes + sum(size for pid, size in card.processes if pid in waiting),
            _by_job(dict(card.processes), running),
        )
        for card in hardware.gpus()
    ]


def the_cpu(running: Sequence[Job], idle: Collection[int]) -> Device:
    """This machine's memory."""
    memory = psutil.virtual_memory()
    held = {
        job.id: sum(resident(family([job.pid])).values())
        for job in running
        if job.pid is not None and job.device == CPU
    }
    free = memory.available + sum(resident(family(idle)).values())
    return Device(CPU, "this computer", memory.total, free, held)


@functools.lru_cache(maxsize=1)
def torch_can_use_cards() -> bool:
    """Whether the installed torch finds a card. Asked once, in another process: this one needs no torch."""
    try:
        asked = subprocess.run([sys.executable, "-c", _ASK_TORCH], timeout=_PATIENCE_S, capture_output=True)
        return asked.returncode == 0
    except subprocess.TimeoutExpired:
        return False


def visible(device: str) -> str:
    """What CUDA_VISIBLE_DEVICES should be for a worker on this device: its card by name, or nothing."""
    return next((card.uuid for card in hardware.gpus() if device == f"cuda:{card.index}"), "")


def shortage(needed_bytes: int | None) -> str:
    """Why a worker that sees only its device should not begin now: a sentence, or empty. For the last look before it
    takes the memory: somebody else may have been quicker."""
    found = [(card.name, card.total_bytes, card.free_bytes) for card in hardware.gpus()]
    memory = psutil.virtual_memory()
    name, total, free = found[0] if found else ("this computer", memory.total, memory.available)
    if needed_bytes is None or needed_bytes > total or needed_bytes <= free:
        return ""
    gib = 1 << 30
    return (
        f"{needed_bytes / gib:.1f} GiB of memory are needed, and {name} has {free / gib:.1f} GiB to give. "
        "It starts when there is enough."
    )


def _by_job(held: dict[int, int], running: Sequence[Job]) -> dict[str, int]:
    """Bytes by job, with what a worker's children hold; empty where the driver tells of no process."""
    found: dict[str, int] = {}
    for job in running:
        pids = family([job.pid]) if job.pid is not None else {}
        if any(pid in held for pid in pids):
            found[job.id] = sum(held.get(pid, 0) for pid in pids)
    return found
