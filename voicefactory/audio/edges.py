"""The edges of a clip: a little quiet before and after what is said, of the room and not of a computer.

Where the recording has a pause beside the speech, the pause itself is kept. Where it has none, the quiet of
another pause of the same recording takes its place, with a crossfade; so nothing clicks, and the noise of
the room neither stops nor starts with the voice.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from voicefactory.audio.vad import WINDOW_S, Probabilities
from voicefactory.audio.wav import Samples, read_wav
from voicefactory.types import SAMPLE_RATE

MIN_PAD_S, MAX_PAD_S = 0.1, 0.25  #: quiet beside the speech; what is added makes it `PAD_S`
PAD_S = 0.15
FADE_S = 0.02  #: at the very edges, and between what was recorded and what is added
_SURE_PAUSE = 0.15  # speech probability
_ROOM_S = PAD_S + 2 * FADE_S
_MOST_PAUSES = 30  # looked at, evenly spread
_QUIET_SHARE = 5  # percent of the windows that tell the level of a room without a pause


def room_quiet(path: Path, probabilities: Probabilities) -> Samples:
    """`_ROOM_S` of the quiet in this recording: of its pauses the one with the middle level.

    A recording without a pause gives noise with the spectrum of its softest moments, always the same.
    """
    pauses = _long_pauses(probabilities)
    step = max(1, -(-len(pauses) // _MOST_PAUSES))
    found: list[Samples] = [read_wav(path, start_s, start_s + _ROOM_S) for start_s in pauses[::step]]
    if found:
        found.sort(key=lambda samples: float(np.square(samples, dtype=np.float64).mean()))
        return found[len(found) // 2]
    return _noise_like(read_wav(path, 0, 60.0))


def with_quiet(samples: Samples, room: Samples, before_s: float, after_s: float) -> Samples:
    """Add so much of the room's quiet at the edges (at most `PAD_S` each), and fade in and out."""
    fade = round(FADE_S * SAMPLE_RATE)
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    parts: list[Samples] = [np.array(samples)]
    if len(samples) < 2 * fade:
        return parts[0]
    for seconds, first in ((before_s, True), (after_s, False)):
        added = round(seconds * SAMPLE_RATE)
        if added <= 0:
            continue
        quiet = room[: added + fade].copy()
        if first:  # the last `fade` of the quiet lie under the first of the speech
            parts[0][:fade] = parts[0][:fade] * ramp + quiet[-fade:] * ramp[::-1]
            parts.insert(0, quiet[:-fade])
        else:
            parts[-1][-fade:] = parts[-1][-fade:] * ramp[::-1] + quiet[:fade] * ramp
            parts.append(quiet[fade:])
    whole: Samples = np.concatenate(parts)
    whole[:fade] *= ramp
    whole[-fade:] *= ramp[::-1]
    return whole


def missing_quiet(kept_s: float) -> float:
    """Seconds to add beside speech that has `kept_s` of a pause."""
    return PAD_S - kept_s if kept_s < MIN_PAD_S else 0.0


def speech_edges(probabilities: Probabilities) -> tuple[float, float] | None:
    """When the first thing that might be speech begins and the last one ends, seconds; None if there is none."""
    maybe = np.flatnonzero(probabilities >= _SURE_PAUSE)
    return (float(maybe[0] * WINDOW_S), float((maybe[-1] + 1) * WINDOW_S)) if len(maybe) else None


def _long_pauses(probabilities: Probabilities) -> list[float]:
    """Where `_ROOM_S` of sure pause begin, away from the speech around them."""
    needed = int(_ROOM_S / WINDOW_S) + 3
    quiet = np.concatenate([[False], probabilities < _SURE_PAUSE, [False]])
    changes = np.flatnonzero(np.diff(quiet.astype(np.int8)))
    return [
        float(((start + end) / 2) * WINDOW_S - _ROOM_S / 2)
        for start, end in zip(changes[::2], changes[1::2], strict=True)
        if end - start >= needed
    ]


def _noise_like(samples: Samples) -> Samples:
    window = round(WINDOW_S * SAMPLE_RATE)
    count = len(samples) // window
    size = round(_ROOM_S * SAMPLE_RATE)
    if not count:
        return np.zeros(size, dtype=np.float32)
    rows = samples[: count * window].reshape(count, window)
    power = np.square(rows, dtype=np.float64).mean(axis=1)
    softest = rows[power <= np.percentile(power, _QUIET_SHARE)]
    spectrum = np.sqrt(np.square(np.abs(np.fft.rfft(softest, axis=1))).mean(axis=0))
    white = np.random.default_rng(0).standard_normal(size)
    shaped = np.fft.irfft(
        np.fft.rfft(white) * np.interp(np.linspace(0, 1, size // 2 + 1), np.linspace(0, 1, len(spectrum)), spectrum),
        size,
    )
    level = np.sqrt(np.square(softest, dtype=np.float64).mean() / max(float(np.square(shaped).mean()), 1e-20))
    return np.asarray(shaped * level, dtype=np.float32)
