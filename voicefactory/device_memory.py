"""Whose memory is in use on each device: our workers', and everybody else's."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import psutil

from voicefactory.hardware import CPU, Gpu, gpus


@dataclass(frozen=True)
class DeviceMemory:
    """A card, or without one this machine, as it is now. Bytes."""

    device: str  #: cuda:N or cpu
    name: str  #: empty for the CPU
    total_bytes: int
    free_bytes: int
    ours_bytes: int  #: of our workers, as far as the driver tells; part of what is not free
    load_percent: int  #: 0 to 100

    @property
    def others_bytes(self) -> int:
        """Of all other programs."""
        return max(self.total_bytes - self.free_bytes - self.ours_bytes, 0)


def device_memory(workers: Collection[int]) -> list[DeviceMemory]:
    """Every card, or else the CPU's memory; `workers` are the process ids of our jobs, whose children count too.

    Loads no torch and takes a few milliseconds.
    """
    ours = family(workers)
    return [_of_card(card, set(ours)) for card in gpus()] or [_of_machine(ours)]


def _of_card(card: Gpu, ours: set[int]) -> DeviceMemory:
    used = sum(size for pid, size in card.processes if pid in ours)
    return DeviceMemory(
        f"cuda:{card.index}",
        card.name,
        card.total_bytes,
        card.free_bytes,
        min(used, card.total_bytes - card.free_bytes),
        card.load_percent,
    )


def _of_machine(ours: dict[int, psutil.Process]) -> DeviceMemory:
    memory = psutil.virtual_memory()
    used = sum(resident(ours).values())
    in_use = memory.total - memory.available
    return DeviceMemory(CPU, "", memory.total, memory.available, min(used, in_use), round(psutil.cpu_percent()))


def resident(processes: Mapping[int, psutil.Process]) -> dict[int, int]:
    """Bytes of this machine's memory by process id; those that have ended are left out."""
    found = {}
    for pid, process in processes.items():
        with contextlib.suppress(psutil.Error):
            found[pid] = int(process.memory_info().rss)
    return found


def family(workers: Collection[int]) -> dict[int, psutil.Process]:
    """By process id: the processes that are still there, and their children."""
    found: dict[int, psutil.Process] = {}
    for pid in workers:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            found |= {one.pid: one for one in (process, *process.children(recursive=True))}
    return found
