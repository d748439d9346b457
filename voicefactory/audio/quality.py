"""What is wrong with a clip, measured, and said in words.

Decibels are relative to full scale. "Speech" and "pause" are what the voice activity detection says of
every 32 ms; levels are powers averaged over these windows. The limits are in audio/thresholds.py.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from voicefactory.audio.thresholds import OF_CUTTING, REFUSALS, complaints
from voicefactory.audio.vad import SPEECH_ABOVE, WINDOW_S, Probabilities
from voicefactory.types import SAMPLE_RATE, Quality

_WINDOW = round(WINDOW_S * SAMPLE_RATE)  # 768 samples
_SURE_PAUSE = 0.15  # a window with less speech probability than this is a pause for sure
_MIN_PAUSE_WINDOWS = 4
_SILENCE = 1e-10  # power of -100 dBFS: below it nothing is measured
_CLIPPED_RUN = 3  # so many samples in a row at full scale are a cut-off peak, not a high one
_AT_FULL_SCALE = 0.985


def measure(
    samples: npt.NDArray[np.float32], probabilities: Probabilities, full_scale: float = 1.0
) -> tuple[Quality, str | None]:
    """Measure one clip (mono, 24 kHz); returns its quality, and the reason if it cannot be used.

    `probabilities` is the speech probability of every 32 ms of it, `full_scale` the value at which its
    source would have been cut off (1.0 before the recording's gain was applied).
    """
    powers = _window_powers(samples)
    probabilities = np.pad(probabilities[: len(powers)], (0, max(0, len(powers) - len(probabilities))))
    speaking = probabilities >= SPEECH_ABOVE
    speech = float(powers[speaking].mean()) if speaking.any() else 0.0
    noise = _noise(powers, probabilities)
    values = {
        "peak_dbfs": 2 * _decibel(float(np.abs(samples).max(initial=0)), _SILENCE**0.5),
        "rms_dbfs": _decibel(speech),
        "snr_db": max(0.0, _decibel(speech) - _decibel(noise)),
        "clipped_share": _clipped_share(samples, full_scale),
        "speech_s": float(speaking.sum()) * WINDOW_S,
        "speech_share": float(speaking.mean()) if len(speaking) else 0.0,
    }
    quality = Quality(
        peak_dbfs=round(values["peak_dbfs"], 1),
        rms_dbfs=round(values["rms_dbfs"], 1),
        snr_db=round(values["snr_db"], 1),
        clipped_share=round(values["clipped_share"], 6),
        verdicts=tuple(found.words for found in complaints(values, OF_CUTTING)),
    )
    return quality, next((found.words for found in complaints(values, REFUSALS)), None)


def _window_powers(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    padded = np.pad(samples, (0, -len(samples) % _WINDOW)).astype(np.float64)
    powers: npt.NDArray[np.float64] = np.square(padded).reshape(-1, _WINDOW).mean(axis=1)
    return powers


def _noise(powers: npt.NDArray[np.float64], probabilities: Probabilities) -> float:
    """Power of the pauses, or of the quietest windows if that is less: beside speech a pause holds its tail."""
    if not len(powers):
        return 0.0
    quietest = float(np.percentile(powers, 5))
    pause = powers[probabilities < _SURE_PAUSE]
    return min(quietest, float(np.median(pause))) if len(pause) >= _MIN_PAUSE_WINDOWS else quietest


def _clipped_share(samples: npt.NDArray[np.float32], full_scale: float) -> float:
    high = np.abs(samples) >= _AT_FULL_SCALE * full_scale
    if len(high) < _CLIPPED_RUN or not high.any():
        return 0.0
    runs = np.lib.stride_tricks.sliding_window_view(high, _CLIPPED_RUN).all(axis=1)
    return float(np.count_nonzero(runs)) / len(samples)


def _decibel(power: float, floor: float = _SILENCE) -> float:
    return float(10 * np.log10(max(power, floor)))
