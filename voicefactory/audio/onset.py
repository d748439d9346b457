"""The first second of sound: where a synthesized voice goes wrong first.

Speech models begin without a past, so a wrong prompt, a wrong speaker or too much training shows at the beginning:
another voice, a burst, a fade. In the mean over a whole sentence that is lost.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

SECOND = 1.0
_FRAME_S = 0.02
_LOUD_SHARE = 95  #: percentile of the frames' levels that stands for "as loud as it speaks"
_BELOW_DB = 30.0  #: what is so far below is the room, not the voice

Samples = npt.NDArray[np.float32]


def first_second(samples: Samples, rate: int) -> tuple[Samples, Samples]:
    """(first second of sound, what comes after it) of mono `samples`; quiet before the sound belongs to neither.

    Both are empty in silence.
    """
    active = _active(samples, rate)
    if not active.any():
        return samples[:0], samples[:0]
    start = int(active.argmax()) * _frame(rate)
    end = start + round(SECOND * rate)
    return samples[start:end], samples[end:]


def level_against_rest_db(samples: Samples, rate: int) -> float | None:
    """How much louder the first second's sound is than the rest's, dB; None if either has none."""
    first, rest = (_sounding_power(part, rate, samples) for part in first_second(samples, rate))
    return 10 * math.log10(first / rest) if first and rest else None


def _frame(rate: int) -> int:
    return round(_FRAME_S * rate)


def _powers(samples: Samples, rate: int) -> npt.NDArray[np.float64]:
    size = _frame(rate)
    whole = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64)
    return np.asarray(np.square(whole).mean(axis=1))


def _limit(samples: Samples, rate: int) -> float:
    powers = _powers(samples, rate)
    loud = float(np.percentile(powers, _LOUD_SHARE)) if len(powers) else 0.0
    return loud * 10 ** (-_BELOW_DB / 10)


def _active(samples: Samples, rate: int) -> npt.NDArray[np.bool_]:
    limit = _limit(samples, rate)
    powers = _powers(samples, rate)
    return powers >= limit if limit > 1e-10 else np.zeros(len(powers), dtype=bool)


def _sounding_power(part: Samples, rate: int, whole: Samples) -> float:
    powers = _powers(part, rate)
    sounding = powers[powers >= _limit(whole, rate)]
    return float(sounding.mean()) if len(sounding) else 0.0
