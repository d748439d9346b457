"""How evenly a clip is spoken, and whether its edges are quiet: for the choice of a reference. About 20 ms a clip.

The pitch is that of the autocorrelation (Rabiner 1977): of every 40 ms, the lag between 60 and 400 Hz at which the
sound is most like itself, taken as voiced from a likeness of 0.5. It errs by octaves now and then, so spreads are
those of the middle half of the values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soxr

from voicefactory.types import SAMPLE_RATE

_RATE = 8_000  # Hz; enough for a pitch
_FRAME, _HOP = 320, 160  # 40 and 20 ms
_LOWEST_HZ, _HIGHEST_HZ = 60, 400
_VOICED = 0.5
_SPEECH_BELOW_LOUDEST_DB = 30.0
_WINDOW = _RATE  # levels are compared second by second
_EDGE = _RATE // 25  # 40 ms
_NORMAL = 1.349  # the middle half of a normal distribution is so many standard deviations wide
_FLOOR = 1e-10


@dataclass(frozen=True)
class Steadiness:
    """How evenly one clip is spoken."""

    pitch_semitones: float | None  #: spread of the pitch, as a standard deviation; None if hardly anything is voiced
    drift_db: float  #: how much the level of the speech differs from second to second, as a standard deviation
    edges_db: float  #: of the louder edge (40 ms), against the speech; near 0 = someone speaks right at the edge


def steadiness(samples: npt.NDArray[np.float32]) -> Steadiness | None:
    """Measure mono float32 `samples` at 24 kHz; None for less than half a second, or silence."""
    sound = np.asarray(soxr.resample(samples, SAMPLE_RATE, _RATE), dtype=np.float64)
    if len(sound) < _RATE // 2 or not np.isfinite(sound).all():
        return None
    frames = np.lib.stride_tricks.sliding_window_view(sound, _FRAME)[::_HOP]
    powers = np.square(frames).mean(axis=1)
    speaking = powers > powers.max() * 10 ** (-_SPEECH_BELOW_LOUDEST_DB / 10)
    speech = float(powers[speaking].mean()) if speaking.any() else 0.0
    if speech < _FLOOR:
        return None
    edges = max(np.square(sound[:_EDGE]).mean(), np.square(sound[-_EDGE:]).mean())
    return Steadiness(
        pitch_semitones=_pitch_spread(frames[speaking]),
        drift_db=round(_drift(powers, speaking), 2),
        edges_db=round(10 * float(np.log10(max(edges, _FLOOR) / speech)), 1),
    )


def _pitch_spread(frames: npt.NDArray[np.float64]) -> float | None:
    frames = frames - frames.mean(axis=1, keepdims=True)
    spectra = np.fft.rfft(frames, 2 * _FRAME, axis=1)
    likeness = np.fft.irfft(np.square(np.abs(spectra)), axis=1)[:, :_FRAME]
    likeness *= _FRAME / (_FRAME - np.arange(_FRAME))  # fewer samples overlap at longer lags
    first, last = _RATE // _HIGHEST_HZ, _RATE // _LOWEST_HZ
    lags = likeness[:, first:last].argmax(axis=1) + first
    best = likeness[np.arange(len(lags)), lags] / np.maximum(likeness[:, 0], _FLOOR)
    pitches = np.log2(_RATE / lags[best > _VOICED])
    if len(pitches) < 10:  # a fifth of a second
        return None
    low, high = np.percentile(pitches, [25, 75])
    return round(12 * float(high - low) / _NORMAL, 2)


def _drift(powers: npt.NDArray[np.float64], speaking: npt.NDArray[np.bool_]) -> float:
    every = _WINDOW // _HOP
    levels = [
        10 * np.log10(powers[at : at + every][speaking[at : at + every]].mean())
        for at in range(0, len(powers), every)
        if speaking[at : at + every].sum() >= every // 4
    ]
    return float(np.std(levels)) if levels else 0.0
