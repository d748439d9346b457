"""Which NVIDIA cards there are, how free they are, and which one to take.

The cards are asked through NVML, so that looking costs no GPU memory and needs no torch; `index` is the
number that CUDA gives the card in this process, the N of `cuda:N`.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from voicefactory.errors import Cancelled, InputError

AUTO, CPU = "auto", "cpu"
GIB = 1 << 30

#: Dense bf16 TFLOP/s by the vendor's data sheets, for a rough idea of the time; the first name that fits counts.
_DATA_SHEETS = (
    ("B200", 2250),
    ("H200", 989),
    ("H100 PCIe", 756),
    ("H100", 989),
    ("A100", 312),
    ("L40S", 362),
    ("L40", 181),
    ("L4", 121),
    ("A40", 150),
    ("A10G", 70),
    ("A10", 125),
    ("RTX 6000 Ada", 364),
    ("RTX A6000", 155),
    ("RTX 5090", 210),
    ("RTX 4090", 165),
    ("RTX 4080", 97),
    ("RTX 3090", 71),
    ("RTX 3080", 60),
    ("RTX 3060", 25),
)


@dataclass(frozen=True)
class Gpu:
    """One card as it is now."""

    index: int  #: as in cuda:N
    name: str
    uuid: str
    total_bytes: int
    free_bytes: int
    load_percent: int  #: 0 to 100, of the last sample period
    processes: tuple[tuple[int, int], ...] = ()  #: (pid, bytes) of those that compute on it, where the driver tells


def gpus() -> list[Gpu]:
    """The cards that this process may use, in CUDA's order; empty without a card or a driver."""
    _number_as_nvidia_smi_does()
    try:
        import pynvml
    except ImportError:
        return []
    try:
        pynvml.nvmlInit()
        try:
            return _visible(_all_cards(pynvml), os.environ)
        finally:
            pynvml.nvmlShutdown()
    except (pynvml.NVMLError, OSError):
        return []


def pick_device(wanted: str = AUTO) -> str:
    """Turn auto, cpu or cuda:N into the device to use: auto is the card with the most free memory, or the CPU.

    Raises InputError naming the devices there are.
    """
    wanted = wanted.strip().lower()
    if wanted == CPU:
        return CPU
    if wanted != AUTO and not re.fullmatch(r"cuda(:\d+)?", wanted):
        raise InputError(f"{wanted!r} is no device. Choose auto, cpu or cuda:N.")
    usable = _usable_by_torch()
    if wanted.startswith("cuda:"):
        if int(wanted.removeprefix("cuda:")) not in usable:
            raise InputError(f"There is no {wanted} here. {_what_there_is(usable)}")
        return f"cuda:{int(wanted.removeprefix('cuda:'))}"
    if usable:
        return f"cuda:{max(usable, key=lambda index: usable[index].free_bytes)}"
    if wanted == "cuda":
        raise InputError(f"There is no {wanted} here. {_what_there_is(usable)}")
    return CPU


def pick_devices(wanted: str) -> str:
    """The same for several that train together: "cuda:0,cuda:1".

    Raises InputError naming the devices there are, or the one that is named twice.
    """
    names = [name.strip() for name in wanted.split(",")]
    if len(names) > 1 and AUTO in names:
        raise InputError("Name the devices that should train together, for example cuda:0,cuda:1.")
    picked = [pick_device(name) for name in names]
    twice = next((name for name in picked if name != CPU and picked.count(name) > 1), None)
    if twice:
        raise InputError(f"{twice} is named twice. Name each device once.")
    return ",".join(picked)


def check_can_wait(device: str = AUTO) -> None:
    """Raise InputError if there is no card to wait for: see `wait_for_gpu`."""
    _cards_to_wait_for(gpus(), device)


def wait_for_gpu(
    needed_bytes: int,
    device: str = AUTO,
    *,
    tell: Callable[[str], None],
    should_stop: Callable[[], bool],
    look_every_s: float = 5.0,
) -> Gpu:
    """Wait until a card has `needed_bytes` free and return it: the freest, or the one that `device` names.

    `tell` is given a sentence when the waiting begins, and another when the freest card changed by a GiB.
    Raises InputError if there is no card, or none that is large enough when it is empty; Cancelled.
    """
    told: int | None = None
    while True:
        cards = _cards_to_wait_for(gpus(), device)
        largest = max(cards, key=lambda card: card.total_bytes)
        if largest.total_bytes < needed_bytes:
            raise InputError(
                f"{needed_bytes / GIB:.1f} GiB are needed, and the largest card to wait for, {largest.name}, has "
                f"{largest.total_bytes / GIB:.1f} GiB when it is empty. Choose a preset that needs less, such as "
                "low-memory or lora."
            )
        freest = max(cards, key=lambda card: card.free_bytes)
        if freest.free_bytes >= needed_bytes:
            return freest
        if told is None or abs(freest.free_bytes - told) >= GIB:
            told = freest.free_bytes
            tell(
                f"Waiting for a GPU: {needed_bytes / GIB:.1f} GiB are needed, and {freest.name} (cuda:{freest.index}) "
                f"has the most free: {freest.free_bytes / GIB:.1f} GiB. Ctrl-C stops."
            )
        look_again = time.monotonic() + look_every_s
        while time.monotonic() < look_again:
            if should_stop():
                raise Cancelled("Stopped while waiting for a GPU.")
            time.sleep(min(0.2, look_every_s))


def _cards_to_wait_for(cards: list[Gpu], device: str) -> list[Gpu]:
    wanted = device.strip().lower()
    if wanted == CPU:
        raise InputError("--wait-gpu waits for a GPU, and the device is cpu. Leave one of the two out.")
    if not cards:
        raise InputError("There is no NVIDIA card here to wait for. Leave --wait-gpu out to train on the CPU.")
    if not wanted.startswith("cuda:"):
        return cards
    chosen = [card for card in cards if wanted == f"cuda:{card.index}"]
    if not chosen:
        raise InputError(f"There is no {wanted} here. {_what_there_is({card.index: card for card in cards})}")
    return chosen


def peak_flops(name: str) -> float | None:
    """Dense bf16 FLOP/s of a card by its vendor's data sheet; None for one that is not in our table."""
    words = name.lower()
    return next((1e12 * tera for known, tera in _DATA_SHEETS if known.lower() in words), None)


@functools.lru_cache(maxsize=1)
def cpu_flops() -> float:
    """FLOP/s of an fp32 matrix product on this machine's cores, timed once (about a tenth of a second)."""
    import numpy as np

    size = 768
    left = np.full((size, size), 0.5, np.float32)
    best = float("inf")
    for _ in range(4):  # the first warms up
        began = time.perf_counter()
        left @ left
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / max(best, 1e-9)


def advice() -> str:
    """One sentence for the person: empty if a card will be used, otherwise why not and what to do."""
    if not gpus():
        return "No GPU: training will run on the CPU."
    if not _usable_by_torch():
        return (
            "There is an NVIDIA card, but the installed torch cannot use it: install the one for your driver "
            "from pytorch.org/get-started, and start again. Until then training will run on the CPU."
        )
    return ""


def _number_as_nvidia_smi_does() -> None:
    """Before CUDA starts: otherwise it numbers the fastest card 0, and NVML the first slot."""
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")


def _all_cards(nvml: Any) -> list[Gpu]:
    cards = []
    for index in range(nvml.nvmlDeviceGetCount()):
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
            name, uuid = _text(nvml.nvmlDeviceGetName(handle)), _text(nvml.nvmlDeviceGetUUID(handle))
        except nvml.NVMLError:
            continue  # a card that is lost or not ours to ask is not one to train on
        try:
            load = int(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
        except nvml.NVMLError:
            load = 0  # virtual cards do not tell
        cards.append(Gpu(index, name, uuid, int(memory.total), int(memory.free), load, _processes(nvml, handle)))
    return cards


def _processes(nvml: Any, handle: Any) -> tuple[tuple[int, int], ...]:
    """Of drivers that tell; older ones know the second form of the question, or none. The form without a number raises
    what is no NVMLError."""
    for ask in (nvml.nvmlDeviceGetComputeRunningProcesses_v3, nvml.nvmlDeviceGetComputeRunningProcesses_v2):
        try:
            found = ask(handle)
        except nvml.NVMLError:
            continue
        return tuple((int(one.pid), int(one.usedGpuMemory)) for one in found if one.usedGpuMemory is not None)
    return ()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _visible(cards: list[Gpu], environ: Mapping[str, str]) -> list[Gpu]:
    """Apply CUDA_VISIBLE_DEVICES as CUDA does: numbers or beginnings of UUIDs, up to the first unknown one."""
    wanted = environ.get("CUDA_VISIBLE_DEVICES")
    if wanted is None:
        return cards
    chosen: list[Gpu] = []
    for entry in (part.strip() for part in wanted.split(",")):
        if entry.isdigit():
            matching = [card for card in cards if card.index == int(entry)]
        else:
            matching = [card for card in cards if entry and card.uuid.startswith(entry)]
        if len(matching) != 1 or matching[0] in chosen:
            break
        chosen += matching
    return [dataclasses.replace(card, index=index) for index, card in enumerate(chosen)]


def _usable_by_torch() -> dict[int, Gpu]:
    """CUDA's number → card, for the cards that the installed torch can compute on."""
    _number_as_nvidia_smi_does()
    import torch  # late: it takes a second, and most commands do without

    if not torch.cuda.is_available():
        return {}
    cards = gpus()
    by_uuid = {card.uuid.removeprefix("GPU-"): card for card in cards}
    by_index = {card.index: card for card in cards}
    usable = {}
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        card = by_uuid.get(str(getattr(properties, "uuid", ""))) or by_index.get(index)
        total = int(properties.total_memory)
        usable[index] = card or Gpu(index, properties.name, "", total, total, 0)
    return usable


def _what_there_is(usable: dict[int, Gpu]) -> str:
    if not usable:
        return "No GPU that torch can use was found: choose cpu or auto."
    named = ", ".join(f"cuda:{index} ({card.name})" for index, card in usable.items())
    return f"Choose one of: {named}, cpu, auto."
