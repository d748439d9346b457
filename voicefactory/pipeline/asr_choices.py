"""Which Whisper sizes this machine can run, and how long each would take.

Times come from this machine: from earlier runs of `transcribe`, which are remembered, or else from a run of a
second or so, the encoder of the smallest model that is here. From there other sizes are scaled by their arithmetic, and
say that they are an estimate. Nothing is told about a machine that has no model yet.
"""

from __future__ import annotations

import contextlib
import functools
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
import psutil

from voicefactory import files, hardware
from voicefactory.errors import VoiceFactoryError
from voicefactory.languages import WHISPER_CODES
from voicefactory.pipeline.asr import gpu_count, local_model, open_asr


@dataclass(frozen=True)
class _Size:
    """Whisper's architecture: millions of parameters, width, layers of the encoder and the decoder."""

    parameters: float
    width: int
    encoder_layers: int
    decoder_layers: int


#: As published with the models (https://github.com/openai/whisper, and the configuration files).
_SIZES = {
    "tiny": _Size(39, 384, 4, 4),
    "base": _Size(74, 512, 6, 6),
    "small": _Size(244, 768, 12, 12),
    "medium": _Size(769, 1024, 24, 24),
    "large-v3-turbo": _Size(809, 1280, 32, 4),
    "large-v3": _Size(1550, 1280, 32, 32),
}
_ENGLISH_ONLY = ("tiny", "base", "small", "medium")  #: come as <name>.en too; shown if they are on this machine
_FRAMES, _VOCABULARY = 1500, 51_865
_TOKENS, _BEAMS = 90, 5  # of a window of 30 s: three tokens a second

_CPU_OVERHEAD, _GPU_OVERHEAD = 420 << 20, 1 << 30  # bytes; the first measured with tiny.en and base, the second assumed
_BYTES_A_PARAMETER = 2  # the files are fp16, and are held while a CPU's int8 is made of them
_MARGIN = 1.2
#: All of listening, for one encoder run a 30 s of sound: 3.1 to 3.4 with tiny.en, 2.0 to 2.3 with base (two CPU cores).
_WHOLE = (2.0, 3.5)
_SAME, _OTHER = (0.8, 1.3), (0.6, 1.7)  # how far a new run may be from what was measured; with another size
_SHORTEST_RUN_S = 60.0  # less sound than this says little


@dataclass(frozen=True)
class AsrChoice:
    """A Whisper size, as it is offered."""

    name: str
    on_this_machine: bool  #: otherwise it is downloaded first
    memory_bytes: int  #: needed; calculated
    seconds_low: float | None  #: to listen to all of the sound, without a download; None = not known here yet
    seconds_high: float | None
    languages: tuple[str, ...]  #: of ours, by the engine's names
    why_not: str = ""  #: a sentence; empty if it can run here
    device: str = "cpu"  #: or cuda
    estimate: bool = True  #: False: this very size was timed on this machine


def choices(seconds_of_audio: float, home: Path) -> tuple[AsrChoice, ...]:
    """Every size, the smallest first, with its expected time for that much sound.

    `home` is where measured speeds are kept (`Project.home`); the first call on a machine may take a few seconds.
    """
    device = "cuda" if gpu_count() else "cpu"
    speeds = _speeds(home, device) or _calibrated(home, device)
    names = [name for size in _SIZES for name in (size, *_english(size))]
    return tuple(_choice(name, seconds_of_audio, device, speeds) for name in names)


def remember_speed(home: Path, asr: str, device: str, audio_s: float, seconds: float) -> None:
    """Keep how long a run took, if it was long enough to tell. `seconds` is without loading the model."""
    if audio_s >= _SHORTEST_RUN_S and seconds > 0 and _size(asr):
        _write(home, device, asr, [seconds / audio_s * low_or_high for low_or_high in _SAME])


def _english(size: str) -> tuple[str, ...]:
    name = f"{size}.en"
    return (name,) if size in _ENGLISH_ONLY and local_model(name) else ()


def _size(name: str) -> _Size | None:
    return _SIZES.get(name.removesuffix(".en"))


def _choice(name: str, audio_s: float, device: str, speeds: Mapping[str, list[float]]) -> AsrChoice:
    size = _size(name)
    assert size is not None
    here = local_model(name) is not None
    weights = size.parameters * 1e6 * _BYTES_A_PARAMETER * _MARGIN
    memory = int(weights) + (_GPU_OVERHEAD if device == "cuda" else _CPU_OVERHEAD)
    low, high = _seconds(name, audio_s, speeds)
    return AsrChoice(
        name,
        here,
        memory,
        low,
        high,
        ("english",) if name.endswith(".en") else tuple(WHISPER_CODES),
        _why_not(name, here, memory, device),
        device,
        estimate=name not in speeds,
    )


def _why_not(name: str, here: bool, memory: int, device: str) -> str:
    if device == "cuda":
        free = max((card.free_bytes for card in hardware.gpus()), default=0)
    else:
        free = psutil.virtual_memory().available
    if memory > free:
        gib = 1 << 30
        return f"It needs about {memory / gib:.1f} GiB of memory, and {free / gib:.1f} GiB are free."
    if not here and _offline():
        return f"It is not on this machine, and there is no network (HF_HUB_OFFLINE). Take {name} from another one."
    return ""


def _offline() -> bool:
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def _seconds(name: str, audio_s: float, speeds: Mapping[str, list[float]]) -> tuple[float | None, float | None]:
    """Lowest and highest time, from the size itself or from the one nearest in arithmetic."""
    size = _size(name)
    assert size is not None
    if name in speeds:
        low, high = speeds[name]
        return low * audio_s, high * audio_s
    known = {timed: found for timed in speeds if (found := _size(timed))}
    if not known:
        return None, None
    nearest = min(known, key=lambda timed: abs(_flops(known[timed]) - _flops(size)))
    ratio = _flops(size) / _flops(known[nearest])
    low, high = speeds[nearest]
    return low * audio_s * ratio * _OTHER[0], high * audio_s * ratio * _OTHER[1]


def _flops(size: _Size) -> float:
    """Arithmetic of one window: an encoder over 1500 frames, a decoder over the tokens of every beam.

    A layer costs 24 width² a frame and 4 width a pair of frames; a decoder's 16 width² parameters a layer and its
    vocabulary are used twice (multiply, add) a token. From tiny to base this gives 2.1 times; measured were 2.1.
    """
    width = size.width
    encoder = size.encoder_layers * (24 * _FRAMES * width**2 + 4 * _FRAMES**2 * width)
    decoder = 2 * (size.decoder_layers * 16 * width**2 + _VOCABULARY * width)
    return float(encoder + decoder * _TOKENS * _BEAMS)


def _calibrated(home: Path, device: str) -> dict[str, list[float]]:
    """Time the encoder of the smallest model that is here; nothing if there is none."""
    names = [name for size in _SIZES for name in (f"{size}.en", size) if local_model(name)]
    for name in names[:1]:
        with contextlib.suppress(VoiceFactoryError):
            _, model = open_asr(name, device if device == "cpu" else "auto")
            import numpy as np

            window = np.zeros((model.model.n_mels, model.feature_extractor.nb_max_frames), dtype=np.float32)
            times = []
            for _ in range(4):  # the first warms up
                began = time.perf_counter()
                np.asarray(model.encode(window).to_device("cpu") if device == "cuda" else model.encode(window))
                times.append(time.perf_counter() - began)
            _write(home, device, f"{name} encoder", [min(times) / 30 * whole for whole in _WHOLE])
    return _speeds(home, device)


@functools.lru_cache(maxsize=1)
def _machine() -> str:
    """What tells one machine from another where projects lie on a shared disk."""
    return f"{platform.node()} {platform.machine()} {psutil.cpu_count()}"


def _path(home: Path) -> Path:
    return home / "asr-speed.json"


def _speeds(home: Path, device: str) -> dict[str, list[float]]:
    """Model → lowest and highest seconds for a second of sound, on this machine."""
    kept = _read(home).get(f"{_machine()} {device}", {})
    runs = {name: pair for name, pair in kept.items() if not name.endswith(" encoder")}
    return runs or {f"{name.removesuffix(' encoder')}": pair for name, pair in kept.items()}


def _read(home: Path) -> dict[str, dict[str, list[float]]]:
    with contextlib.suppress(FileNotFoundError, ValueError):
        found: Any = files.read_json(_path(home))
        return dict(found)
    return {}


def _write(home: Path, device: str, name: str, pair: list[float]) -> None:
    home.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(home / ".asr-speed.lock"):
        kept = _read(home)
        kept.setdefault(f"{_machine()} {device}", {})[name] = [round(one, 5) for one in pair]
        files.write_json(_path(home), kept)
