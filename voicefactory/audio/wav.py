"""Our own audio files: mono, 24 kHz, 16-bit WAV, written whole or not at all."""

from __future__ import annotations

import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from voicefactory import files
from voicefactory.types import SAMPLE_RATE

Samples = npt.NDArray[np.float32]


def write_wav(path: Path, blocks: Iterable[Samples]) -> float:
    """Write blocks of float32 samples (full scale 1.0) and return the seconds written.

    The standard library's writer, because it reports a full disk; libsndfile does not say why it stopped.
    """
    frames = 0
    with files.writing(path) as aside, wave.open(str(aside), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        for block in blocks:
            frames += len(block)
            out.writeframes((block * 32768).round().clip(-32768, 32767).astype("<i2").tobytes())
    return frames / SAMPLE_RATE


def read_wav(path: Path, start_s: float = 0, end_s: float | None = None, rate: int = SAMPLE_RATE) -> Samples:
    """Read (part of) one of our own files as float32 at `rate` Hz."""
    start = round(start_s * SAMPLE_RATE)
    stop = None if end_s is None else round(end_s * SAMPLE_RATE)
    samples, own_rate = soundfile.read(path, start=start, stop=stop, dtype="float32")
    if own_rate != rate:
        samples = soxr.resample(samples, own_rate, rate)
    return np.asarray(samples, dtype=np.float32)
