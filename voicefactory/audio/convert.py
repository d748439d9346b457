"""Any file → mono, 24 kHz, at a sensible level, in one or two passes and bounded memory.

The first pass surveys: how long, how loud, which channel speaks, what is broken. If the file is short the
survey has all of it in memory; otherwise a second pass decodes again and writes.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soxr

from voicefactory.audio.decode import Block, Sound, open_sound
from voicefactory.audio.wav import Samples, write_wav
from voicefactory.errors import Cancelled, InputError
from voicefactory.types import MIN_CLIP_S, SAMPLE_RATE, ShouldStop, never

TARGET_LUFS = -20.0
PEAK_CEILING_DBFS = -1.0
MAX_GAIN_DB = 40.0
SILENCE_DBFS = -70.0  #: a file whose loudest sample stays below this has nothing to hear in it

_STRETCH_S = 5  # loudness is measured on whole stretches of this length …
_MAX_STRETCHES = 60  # … at most five minutes of them, spread evenly
_LOUDEST_NUMBER = 1e6  # beyond this a sample is no sound; 16-bit integers stored as floats stay below
_CANCELLED_SHARE = 0.02  # channels that lose more energy than this when mixed are in opposite phase
_MAX_BROKEN_SHARE = 0.01


@dataclass
class Survey:
    """What one pass over a file found."""

    rate: int
    channels: int
    seconds: float = 0
    peak: float = 0  #: of the mono signal, full scale 1.0
    numbers: int = 0
    not_numbers: int = 0
    loudest_channel: int | None = None  #: set when mixing would cancel the voice
    damage: list[str] = field(default_factory=list)
    sample: list[Samples] = field(default_factory=list)  #: evenly spread stretches, mono, 24 kHz
    complete: bool = True  #: True if `sample` is the whole file


@dataclass(frozen=True)
class Converted:
    """What became of a file."""

    seconds: float
    source_rate: int  #: Hz
    source_channels: int
    gain_db: float
    notes: tuple[str, ...]


def convert(
    path: Path,
    out: Path,
    *,
    max_minutes: float,
    should_stop: ShouldStop = never,
    tell: Callable[[float], None] = lambda share: None,
) -> Converted:
    """Decode `path` into `out`; `tell` hears which share of the work is done, 0 to 1.

    Raises InputError with the reason when there is nothing to use, Cancelled when told to stop.
    """
    limits = _Limits(max_minutes, should_stop, tell)
    survey = _survey(path, limits, None)
    if survey.loudest_channel is not None:
        survey = _survey(path, limits, survey.loudest_channel)
    _refuse_unusable(survey)
    gain_db = _gain_db(survey)
    gain = 10 ** (gain_db / 20)
    blocks = survey.sample if survey.complete else _mono(path, survey, limits)
    seconds = write_wav(out, (block * gain for block in blocks))
    return Converted(seconds, survey.rate, survey.channels, round(gain_db, 2), tuple(_notes(survey)))


@dataclass(frozen=True)
class _Limits:
    """What ends a pass over a file before its end, and who hears how far it is."""

    max_minutes: float
    should_stop: ShouldStop
    tell: Callable[[float], None]


def _survey(path: Path, limits: _Limits, channel: int | None) -> Survey:
    with open_sound(path) as sound:
        survey = Survey(sound.rate, sound.channels, loudest_channel=channel)
        _refuse_length(sound.seconds, limits.max_minutes)
        energies = np.zeros(sound.channels)
        mixed_energy = 0.0

        def counted() -> Iterator[Block]:
            nonlocal energies, mixed_energy
            for block in _cleaned(sound, survey):
                energies += np.square(block, dtype=np.float64).sum(axis=0)
                mixed_energy += float(np.square(block.mean(axis=1), dtype=np.float64).sum())
                yield block

        mono = _resampled(_downmixed(counted(), channel), sound.rate)
        every = 1
        for index, stretch in enumerate(_stretches(_limited(mono, limits))):
            survey.seconds += len(stretch) / SAMPLE_RATE
            limits.tell(0.5 * min(1.0, survey.seconds / sound.seconds) if sound.seconds else 0.0)
            survey.peak = max(survey.peak, float(np.abs(stretch).max(initial=0)))
            if index % every == 0:
                survey.sample.append(stretch)
            if len(survey.sample) > _MAX_STRETCHES:
                survey.sample = survey.sample[::2]
                every *= 2
                survey.complete = False
        survey.damage = list(dict.fromkeys(sound.damage))
        if channel is None and sound.channels > 1 and mixed_energy < _CANCELLED_SHARE * energies.max():
            survey.loudest_channel = int(energies.argmax())
    return survey


def _mono(path: Path, survey: Survey, limits: _Limits) -> Iterator[Samples]:
    frames = 0
    with open_sound(path) as sound:
        blocks = _downmixed(_cleaned(sound, Survey(sound.rate, sound.channels)), survey.loudest_channel)
        for block in _limited(_resampled(blocks, sound.rate), limits):
            frames += len(block)
            limits.tell(0.5 + 0.5 * min(1.0, frames / SAMPLE_RATE / survey.seconds))
            yield block


def _cleaned(sound: Sound, survey: Survey) -> Iterator[Block]:
    """NaN, infinity and absurd values become silence, and are counted."""
    for block in sound.blocks:
        broken = ~(np.abs(block) < _LOUDEST_NUMBER)
        survey.numbers += block.size
        if count := int(np.count_nonzero(broken)):
            survey.not_numbers += count
            yield np.where(broken, np.float32(0), block)
        else:
            yield block


def _downmixed(blocks: Iterator[Block], channel: int | None) -> Iterator[Samples]:
    for block in blocks:
        yield block.mean(axis=1) if channel is None else np.ascontiguousarray(block[:, channel])


def _resampled(blocks: Iterator[Samples], rate: int) -> Iterator[Samples]:
    if rate == SAMPLE_RATE:
        yield from blocks
        return
    stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)


def _limited(blocks: Iterator[Samples], limits: _Limits) -> Iterator[Samples]:
    """Stop a file that goes on for longer than its header said, and a person who pressed Cancel."""
    frames = 0
    for block in blocks:
        if limits.should_stop():
            raise Cancelled("Stopped while reading recordings; the finished ones are kept.")
        frames += len(block)
        _refuse_length(frames / SAMPLE_RATE, limits.max_minutes)
        yield block


def _stretches(blocks: Iterator[Samples]) -> Iterator[Samples]:
    """Regroup blocks into stretches of `_STRETCH_S`; the last one is shorter."""
    size = _STRETCH_S * SAMPLE_RATE
    held: list[Samples] = []
    frames = 0
    for block in blocks:
        held.append(block)
        frames += len(block)
        if frames >= size:
            joined = np.concatenate(held)
            whole = frames - frames % size
            yield from (joined[start : start + size].copy() for start in range(0, whole, size))
            held, frames = [joined[whole:].copy()], frames - whole
    if frames:
        yield np.concatenate(held)


def _refuse_length(seconds: float | None, max_minutes: float) -> None:
    if seconds is not None and seconds > max_minutes * 60:
        raise InputError(
            f"It is longer than {max_minutes:g} minutes, the most that one recording may have. Split it, "
            "or set VOICEFACTORY_MAX_RECORDING_MINUTES."
        )


def _refuse_unusable(survey: Survey) -> None:
    if survey.not_numbers > _MAX_BROKEN_SHARE * survey.numbers:
        share = survey.not_numbers / survey.numbers
        raise InputError(f"It is damaged: {share:.0%} of its samples are not numbers. Export it again.")
    if survey.seconds < MIN_CLIP_S:
        damage = f" ({', '.join(survey.damage)})" if survey.damage else ""
        raise InputError(f"It is too short: {survey.seconds:.2g} s{damage}. A clip needs at least {MIN_CLIP_S:g} s.")
    if survey.peak < 10 ** (SILENCE_DBFS / 20):
        raise InputError(f"There is nothing to hear in it: all {_length(survey.seconds)} are silent.")


def _gain_db(survey: Survey) -> float:
    """Towards the target loudness, but never over the peak ceiling and never more than the noise can bear."""
    loudness = _loudness(np.concatenate(survey.sample))
    headroom = PEAK_CEILING_DBFS - 20 * math.log10(survey.peak)
    return min(TARGET_LUFS - loudness, headroom, MAX_GAIN_DB)


def _loudness(samples: Samples) -> float:
    """Integrated loudness after ITU-R BS.1770-4, LUFS; the plain level where gating leaves nothing."""
    import pyloudnorm  # late: it brings in scipy.signal, which takes a second

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loudness = float(pyloudnorm.Meter(SAMPLE_RATE).integrated_loudness(samples))
    if math.isfinite(loudness):
        return loudness
    return 10 * math.log10(float(np.mean(np.square(samples, dtype=np.float64))) + 1e-12)


def _notes(survey: Survey) -> Iterator[str]:
    yield from survey.damage
    if survey.not_numbers:
        yield f"{survey.not_numbers} samples were not numbers and became silence"
    if survey.loudest_channel is not None:
        yield f"the channels cancel each other, so only channel {survey.loudest_channel + 1} was taken"


def _length(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
