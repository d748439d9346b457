"""NVIDIA's driver, its cards, and whether the installed torch computes on them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from voicefactory.doctor.finding import Finding, fault, ok, warning
from voicefactory.driver import Driver, nvidia_driver
from voicefactory.errors import is_out_of_memory
from voicefactory.hardware import GIB, Gpu, gpus

_GET_TORCH = "Install the torch for this driver (pytorch.org/get-started), or a newer driver."


@functools.lru_cache(maxsize=1)
def _driver() -> Driver | None:
    return nvidia_driver()


def driver(home: Path) -> Iterator[Finding]:
    """The driver and the cards that it knows."""
    _driver.cache_clear()
    found = _driver()
    if found is None:
        remedy = "Nothing to do without an NVIDIA card. With one, install its driver; in Docker, run with --gpus all."
        yield warning("driver", "No NVIDIA driver: training will run on the CPU, which takes hours.", remedy)
        return
    if found.problem:
        remedy = "Restart the machine after a driver update; otherwise install the driver again."
        yield fault("driver", f"NVIDIA's driver does not answer: {found.problem}.", remedy)
        return
    cuda = f", CUDA up to {found.cuda[0]}.{found.cuda[1]}" if found.cuda else ""
    yield ok("driver", f"{found.version or 'version not told'}{cuda}; {found.cards} cards")
    for index in found.lost:
        remedy = "Look at nvidia-smi and dmesg; restarting the machine often brings it back."
        yield fault("driver", f"Card {index} of nvidia-smi does not answer.", remedy)


def torch_and_cards(home: Path) -> Iterator[Finding]:
    """The installed torch, and a sum on every card."""
    cards = gpus()
    try:
        import torch
    except (ImportError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        yield fault("torch", f"torch cannot be imported: {reason}", "Run make app again, or: pip install torch")
        return
    built_for = torch.version.cuda
    kind = f"built for CUDA {built_for}" if built_for else "built for the CPU only"
    yield ok("torch", f"{torch.__version__}, {kind}")
    if not cards:
        return
    known = _driver()
    if not built_for:
        yield fault("torch", f"There is a card ({cards[0].name}), and this torch cannot use it.", _GET_TORCH)
    elif known and known.cuda and known.cuda[0] < int(built_for.partition(".")[0]):
        told = f"This torch needs CUDA {built_for}, and the driver runs CUDA up to {known.cuda[0]}.{known.cuda[1]}."
        yield fault("torch", told, _GET_TORCH)
    elif not torch.cuda.is_available():
        yield fault("torch", "torch finds no card that it can use.", _GET_TORCH)
    else:
        by_index = {card.index: card for card in cards}
        for index in range(torch.cuda.device_count()):
            yield _sum_on(torch, index, by_index.get(index))


def _sum_on(torch: Any, index: int, card: Gpu | None) -> Finding:
    name = torch.cuda.get_device_name(index)
    room = f": {card.free_bytes / GIB:.1f} of {card.total_bytes / GIB:.1f} GiB free" if card else ""
    try:
        total = float(torch.ones(64, device=f"cuda:{index}").sum())
    except Exception as error:  # noqa: BLE001 - whatever CUDA makes of it
        if is_out_of_memory(error):
            return warning(f"cuda:{index}", f"{name} is full{room}", "Wait, or end other programs that use it.")
        reason = str(error).strip().splitlines()[0]
        return fault(f"cuda:{index}", f"torch cannot compute on {name}: {reason}", _GET_TORCH)
    if total != 64:
        return fault(f"cuda:{index}", f"{name} computes wrongly.", "Do not use this card; have it looked at.")
    return ok(f"cuda:{index}", f"{name}{room}; torch computes on it")
