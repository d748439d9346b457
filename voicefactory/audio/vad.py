"""Where someone speaks: Silero VAD, the copy inside faster-whisper, fed in blocks.

faster-whisper's own entry point wants the whole file in memory and hides the probabilities; the model
itself is a small recurrent network that takes 32 ms at a time, so an hour costs no more memory than a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from voicefactory.types import SAMPLE_RATE

VAD_RATE = 16_000  # Hz
_WINDOW = 512  # samples, fixed by the model
_CONTEXT = 64
_BATCH_WINDOWS = 1000
WINDOW_S = _WINDOW / VAD_RATE  #: 0.032 s, the step of the probabilities

SPEECH_ABOVE = 0.5  #: a window with more is speech …
PAUSE_BELOW = 0.35  #: … which goes on until a window has less

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Stretch:
    """A stretch of time, seconds."""

    start_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s


def speech_probabilities(path: Path, on_seconds: Callable[[float], None] = lambda seconds: None) -> Probabilities:
    """Probability of speech in every 32 ms of one of our WAV files. `on_seconds` hears how far it is."""
    pieces = list(_probabilities(_windows(_read_16k(path, on_seconds))))
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.float32)


def speech_in(samples: npt.NDArray[np.float32], rate: int = SAMPLE_RATE) -> Probabilities:
    """The same for samples in memory."""
    resampled = samples if rate == VAD_RATE else soxr.resample(samples, rate, VAD_RATE)
    pieces = list(_probabilities(_windows(iter([resampled]))))
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.float32)


def speech_stretches(probabilities: Probabilities, min_pause_s: float = 0.0) -> list[Stretch]:
    """Stretches of speech; pauses shorter than `min_pause_s` belong to the speech around them."""
    stretches: list[Stretch] = []
    start: int | None = None
    for index, probability in enumerate(probabilities):
        if start is None and probability >= SPEECH_ABOVE:
            start = index
        elif start is not None and probability < PAUSE_BELOW:
            _append(stretches, Stretch(start * WINDOW_S, index * WINDOW_S), min_pause_s)
            start = None
    if start is not None:
        _append(stretches, Stretch(start * WINDOW_S, len(probabilities) * WINDOW_S), min_pause_s)
    return stretches


def _append(stretches: list[Stretch], new: Stretch, min_pause_s: float) -> None:
    if stretches and new.start_s - stretches[-1].end_s < min_pause_s:
        stretches[-1] = Stretch(stretches[-1].start_s, new.end_s)
    else:
        stretches.append(new)


def _read_16k(path: Path, on_seconds: Callable[[float], None]) -> Iterator[npt.NDArray[np.float32]]:
    with soundfile.SoundFile(path) as file:
        stream = soxr.ResampleStream(file.samplerate, VAD_RATE, 1, dtype="float32")
        while len(block := file.read(1 << 18, dtype="float32")):
            on_seconds(file.tell() / file.samplerate)
            yield stream.resample_chunk(block)
        yield stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)


def _windows(blocks: Iterator[npt.NDArray[np.float32]]) -> Iterator[npt.NDArray[np.float32]]:
    """Regroup into (at most _BATCH_WINDOWS, _WINDOW); the end is filled up with silence."""
    size = _BATCH_WINDOWS * _WINDOW
    held = np.zeros(0, dtype=np.float32)
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) >= size:
            yield held[:size].reshape(-1, _WINDOW)
            held = held[size:]
    if len(held):
        yield np.pad(held, (0, -len(held) % _WINDOW)).reshape(-1, _WINDOW)


def _probabilities(batches: Iterator[npt.NDArray[np.float32]]) -> Iterator[Probabilities]:
    from faster_whisper.vad import get_vad_model  # takes a second to import

    session = get_vad_model().session
    hidden = cell = np.zeros((1, 1, 128), dtype=np.float32)
    before = np.zeros(_CONTEXT, dtype=np.float32)
    for batch in batches:
        context = np.concatenate([before[None], batch[:-1, -_CONTEXT:]])
        before = batch[-1, -_CONTEXT:]
        output, hidden, cell = session.run(
            None, {"input": np.concatenate([context, batch], axis=1), "h": hidden, "c": cell}
        )
        yield output.reshape(-1)
