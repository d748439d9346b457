"""Everything that can be measured on one clip without its text and without the other clips.

Each measure is taken by itself: one that cannot be is left out with the reason, and the others stand.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from voicefactory.audio.bandwidth import bandwidth
from voicefactory.audio.listener_score import listener_score
from voicefactory.audio.speaker_encoder import Embedding, embed
from voicefactory.audio.vad import SPEECH_ABOVE, speech_in
from voicefactory.audio.wav import Samples, read_wav
from voicefactory.errors import InputError
from voicefactory.types import SAMPLE_RATE

#: measure → digits kept
SOUND = {"duration_s": 3, "loudness_lufs": 1, "peak_dbfs": 1, "silence_share": 3, "bandwidth_hz": 0}
VOICE, DNSMOS = "voice", "dnsmos"
_MIN_LOUDNESS_S = 0.4  # one block of BS.1770


@dataclass
class Sound:
    """What one clip measured."""

    measures: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)  #: measure → why not, a sentence
    embedding: Embedding | None = None  #: who speaks, a unit vector of shape (256,)
    seconds: dict[str, float] = field(default_factory=dict)  #: measure → processor time, for benchmarks


def measure_sound(path: Path, *, sound: bool = True, dnsmos: bool = True) -> Sound:
    """Measure one of our own WAV files; `sound` is everything but DNSMOS. Never raises because of the file."""
    wanted: list[str] = [*SOUND, VOICE] if sound else []
    wanted += [DNSMOS] if dnsmos else []
    found = Sound()
    try:
        samples = read_wav(path)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the file, the other clips go on
        found.missing = dict.fromkeys(wanted, f"Its audio cannot be read ({_words(error)}).")
        return found
    if not np.isfinite(samples).all():
        found.missing = dict.fromkeys(wanted, "Some of its samples are not numbers.")
        return found
    for name in wanted:
        _one(found, name, samples)
    return found


def _one(found: Sound, name: str, samples: Samples) -> None:
    import time

    begun = time.thread_time()
    try:
        if name == VOICE:
            found.embedding = embed(samples, SAMPLE_RATE)
        else:
            value = _MEASURES[name](samples)
            if not math.isfinite(value):
                raise InputError("There is only silence in it.")
            found.measures[name] = round(value, SOUND.get(name, 2))
    except Exception as error:  # noqa: BLE001 - one measure that fails does not cost the others
        found.missing[name] = _words(error) if isinstance(error, InputError) else f"It failed ({_words(error)})."
    found.seconds[name] = time.thread_time() - begun


def _words(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__


def _loudness(samples: Samples) -> float:
    """Integrated loudness after ITU-R BS.1770-4, LUFS."""
    import pyloudnorm

    if len(samples) < _MIN_LOUDNESS_S * SAMPLE_RATE:
        raise InputError(f"It is shorter than {_MIN_LOUDNESS_S} s, and loudness is measured over as much.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of logarithms of nothing
        return float(pyloudnorm.Meter(SAMPLE_RATE).integrated_loudness(samples))


def _peak(samples: Samples) -> float:
    highest = float(np.abs(samples).max(initial=0))
    return 20 * math.log10(highest) if highest > 0 else -math.inf


def _silence_share(samples: Samples) -> float:
    speaking = speech_in(samples) >= SPEECH_ABOVE
    return 1 - float(speaking.mean()) if len(speaking) else math.nan


_MEASURES: dict[str, Callable[[Samples], float]] = {
    "duration_s": lambda samples: len(samples) / SAMPLE_RATE,
    "loudness_lufs": _loudness,
    "peak_dbfs": _peak,
    "silence_share": _silence_share,
    "bandwidth_hz": lambda samples: bandwidth(samples, SAMPLE_RATE),
    DNSMOS: lambda samples: listener_score(samples, SAMPLE_RATE),
}
