"""Who is speaking, as a direction: the speaker encoder of resemblyzer (GE2E, 256 numbers).

Two clips of one person point the same way, whatever is said in them; see benchmarks/foreign.py for how surely. Noise,
clipping and echo turn the direction as much as another person does: compare only clips that sound alike.
It runs on the CPU, where a clip takes some 50 ms: a process that measures many keeps the loaded model.
"""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import soxr

from voicefactory.errors import InputError

if TYPE_CHECKING:
    from resemblyzer import VoiceEncoder

RATE = 16_000  #: Hz, what the encoder hears
_WINDOW = 25_760  #: samples: 1.6 s and one frame of 10 ms
_MIN_SPEECH_S = 0.4  #: with less, the direction is a matter of chance
_SILENCE = 1e-4  #: root mean square of -80 dBFS

Embedding = npt.NDArray[np.float32]


def embed(samples: npt.NDArray[np.float32], rate: int) -> Embedding:
    """The speaker of mono float32 `samples` (full scale 1.0) as a unit vector of shape (256,).

    Long silences are left out. Raises InputError where there is too little speech.
    """
    if not len(samples) or not np.isfinite(samples).all() or float(np.sqrt(np.mean(np.square(samples)))) < _SILENCE:
        raise InputError("There is only silence in it, so nobody can say who speaks.")
    encoder = _encoder()
    from resemblyzer import preprocess_wav

    heard = samples if rate == RATE else soxr.resample(samples, rate, RATE)
    speech = preprocess_wav(np.clip(heard, -1, 1))
    if len(speech) < _MIN_SPEECH_S * RATE:
        raise InputError(f"There is less than {_MIN_SPEECH_S} s of speech in it, too little to say who speaks.")
    # Said again until it fills the encoder's window: silence there would make all short clips alike.
    embedding = encoder.embed_utterance(np.resize(speech, max(len(speech), _WINDOW))).astype(np.float32)
    return np.asarray(embedding / np.linalg.norm(embedding), dtype=np.float32)


@functools.cache
def _encoder() -> VoiceEncoder:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the old packages it imports
        from resemblyzer import VoiceEncoder

    return VoiceEncoder("cpu", verbose=False)
