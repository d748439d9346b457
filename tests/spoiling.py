"""Real recordings, spoiled in one way each: what a judge has to notice."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import soundfile
import soxr

Samples = npt.NDArray[np.float32]
RATE = 24_000  #: Hz, of everything here


def read(path: Path) -> Samples:
    """A recording as mono float32 at RATE."""
    samples, rate = soundfile.read(path, dtype="float32")
    return np.asarray(samples if rate == RATE else soxr.resample(samples, rate, RATE), dtype=np.float32)


def sped_up(samples: Samples, times: float) -> Samples:
    """Faster at the same pitch (FFmpeg's atempo, a WSOLA), as a voice that hurries."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=RATE, format="fltp", layout="mono")
    tempo, sink = graph.add("atempo", str(times)), graph.add("abuffersink")
    source.link_to(tempo)
    tempo.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None], dtype=np.float32), "fltp", "mono")
    frame.sample_rate = RATE
    graph.push(frame)
    graph.push(None)
    pieces = []
    while True:
        try:
            pieces.append(graph.pull().to_ndarray()[0])
        except (av.error.EOFError, av.error.BlockingIOError):
            return np.concatenate(pieces).astype(np.float32)


def noisy(samples: Samples, snr_db: float, seed: int = 0) -> Samples:
    """With white noise so far below the mean power."""
    power = float(np.mean(np.square(samples))) * 10 ** (-snr_db / 10)
    noise = np.random.default_rng(seed).normal(scale=np.sqrt(power), size=len(samples))
    return np.clip(samples + noise, -1, 1).astype(np.float32)


def cut_short(samples: Samples, share: float = 0.65) -> Samples:
    """Only the first part of it."""
    return samples[: round(share * len(samples))]


def with_silence(samples: Samples, seconds: float = 3.0) -> Samples:
    """Followed by nothing."""
    return np.concatenate([samples, np.zeros(round(seconds * RATE), dtype=np.float32)])


def alien_start(samples: Samples, other: Samples) -> Samples:
    """The first second of sound said by somebody else, as loud as the speaker."""
    from voicefactory.audio.onset import first_second

    start = len(samples) - sum(map(len, first_second(samples, RATE)))
    stranger = np.resize(first_second(other, RATE)[0], RATE)
    level = np.sqrt(np.mean(np.square(samples[start : start + RATE])) / np.mean(np.square(stranger)))
    return np.concatenate([samples[:start], (level * stranger).astype(np.float32), samples[start + RATE :]])
