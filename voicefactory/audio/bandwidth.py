"""How high the sound of a clip reaches: what was on the telephone, or in a small mp3, stays dull for ever.

Upsampling makes a file of 24 kHz out of one of 8 kHz, but nothing above 4 kHz. A frequency counts as really there
if its loudest moments are not too far below the loudest ones of the clip, and if it comes and goes with the
speech: noise and hum stay, speech does not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from voicefactory.errors import InputError

_FRAME = 1024  # 43 ms at 24 kHz
_BINS = 10  # of a band: 234 Hz at 24 kHz
_BELOW_LOUDEST_DB = 55.0  # an s of quiet speech is some 45 dB below its loudest vowel
_COMES_AND_GOES_DB = 10.0  # steady noise averaged over a band varies by 4 dB
_FLOOR = 1e-14


def bandwidth(samples: npt.NDArray[np.float32], rate: int) -> float:
    """The highest frequency with real energy in mono `samples`, Hz, to within 250 Hz.

    Raises InputError for silence and for less than one frame.
    """
    if len(samples) < _FRAME or not float(np.abs(samples).max(initial=0)) > 0:
        raise InputError("There is no sound in it whose pitch could be measured.")
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[:: _FRAME // 2]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(_FRAME).astype(np.float32), axis=1)))
    bands = power[:, 1 : 1 + _FRAME // 2 // _BINS * _BINS].reshape(len(power), -1, _BINS).mean(axis=2)
    levels = 10 * np.log10(bands / _FRAME**2 + _FLOOR)
    quiet, loud = np.percentile(levels, [10, 95], axis=0)
    there = (loud > loud.max() - _BELOW_LOUDEST_DB) & (loud - quiet > _COMES_AND_GOES_DB)
    if not there.any():
        raise InputError("Nothing in it comes and goes as speech does.")
    return float((np.flatnonzero(there)[-1] + 1) * _BINS + 1) * rate / _FRAME
