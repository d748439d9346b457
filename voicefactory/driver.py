"""What NVIDIA's driver says of itself and its cards, for whoever wants to know why a card is not used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Driver:
    """NVIDIA's driver on this machine."""

    version: str = ""  #: empty if it does not say
    cuda: tuple[int, int] | None = None  #: the newest CUDA that it can run
    cards: int = 0
    lost: tuple[int, ...] = ()  #: cards that do not answer, in nvidia-smi's order
    problem: str = ""  #: what it answered instead of all this


def nvidia_driver() -> Driver | None:
    """Ask through NVML; None if there is no driver here. Loads no torch and takes no GPU memory."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError_LibraryNotFound:
        return None
    except pynvml.NVMLError as error:
        return Driver(problem=str(error))
    try:
        cards = range(pynvml.nvmlDeviceGetCount())
        lost = tuple(index for index in cards if not _answers(pynvml, index))
        return Driver(_version(pynvml), _cuda(pynvml), len(cards), lost)
    except pynvml.NVMLError as error:
        return Driver(problem=str(error))
    finally:
        pynvml.nvmlShutdown()


def _answers(nvml: Any, index: int) -> bool:
    try:
        nvml.nvmlDeviceGetMemoryInfo(nvml.nvmlDeviceGetHandleByIndex(index))
    except nvml.NVMLError:
        return False
    return True


def _version(nvml: Any) -> str:
    try:
        version = nvml.nvmlSystemGetDriverVersion()
    except nvml.NVMLError:
        return ""
    return version.decode() if isinstance(version, bytes) else str(version)


def _cuda(nvml: Any) -> tuple[int, int] | None:
    try:
        number = int(nvml.nvmlSystemGetCudaDriverVersion_v2())
    except nvml.NVMLError:
        return None
    return number // 1000, number % 1000 // 10
