"""How many words are cut when real clips are joined into long files and cut again.

    python -m benchmarks.cutting [--folder DIR] [--rounds 1]

DIR holds metadata.csv (file|text, further columns are ignored) and the recordings; the default is tests/data/clips.
The clips are joined with pauses of known length, also none, in silence, on noise and on chords, and cut by the
product with Whisper base for the word times. Two judges look at the clips that come out:

by time: Whisper base hears every clip alone and gives its words' times; a word's audible part is what is left when
silence at its ends is taken away. A word is cut if a clip begins or ends more than 40 ms inside of its audible part
where the sound is less than 25 dB below the word's, or if no clip holds it.

by ear: Whisper base hears the single clips, the long file uncut, and the pieces that came out of it. Words that it gets
wrong, misses or adds, against the true texts, are counted for each.
"""

from __future__ import annotations

import argparse
import itertools
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import numpy.typing as npt
import soundfile
from faster_whisper import WhisperModel
from num2words import num2words

from tests.whisper_base import join_whisper_base
from voicefactory.audio.wav import read_wav
from voicefactory.pipeline.ingest import ingest
from voicefactory.pipeline.segment import segment
from voicefactory.project import Project
from voicefactory.types import Clip

DEFAULT = Path(__file__).parent.parent / "tests" / "data" / "clips"
RATE = 24_000
INSIDE_S, DROP_DB = 0.04, 25.0
Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Word:
    text: str
    start_s: float  #: audible part, in the clip and then in the long file
    end_s: float


@dataclass(frozen=True)
class Condition:
    name: str
    pauses_s: tuple[float, float]  #: shortest and longest; below zero = what is silent at the clips' edges goes
    bed: str = ""  #: noise or chords


CONDITIONS = (
    Condition("pauses 0.4 to 0.8 s", (0.4, 0.8)),
    Condition("pauses 80 to 200 ms", (0.08, 0.2)),
    Condition("no pauses, edges taken off", (-1.0, -1.0)),
    Condition("no pauses over 60 ms anywhere", (-2.0, -2.0)),
    Condition("0.2 to 0.6 s, noise 20 dB below", (0.2, 0.6), "noise"),
    Condition("0.2 to 0.6 s, chords 20 dB below", (0.2, 0.6), "chords"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=DEFAULT)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        asr = join_whisper_base(folder / "base")
        model = WhisperModel(str(asr), device="cpu", compute_type="int8")
        texts = _texts(arguments.folder)
        clips = [soundfile.read(arguments.folder / file, dtype="float32")[0] for file in texts]
        words = [_words(model, samples) for samples in clips]
        whole = " ".join(_hear(model, read_wav(_alone(clip, folder), rate=16_000)) for clip in clips)
        print(f"{len(clips)} clips, {sum(len(s) for s in clips) / RATE:.0f} s, "
              f"{sum(len(text.split()) for text in texts.values())} words in their texts, "
              f"{sum(map(len, words))} with times\n")  # fmt: skip
        print("| Joined with | long file, s | clips out | length, s: least, median, most | between words | refused | "
              "words cut, by time | word errors: single clips, uncut, cut | cutting, s |")  # fmt: skip
        print("|---|---|---|---|---|---|---|---|---|")
        totals = np.zeros(2, dtype=int)
        for condition in CONDITIONS:
            row, cut, count = _measure(condition, clips, words, list(texts.values()), whole, folder, asr, model)
            totals += (cut, count)
            print(row, flush=True)
        print(f"\nWords cut: {totals[0]} of {totals[1]}.")


def _measure(
    condition: Condition,
    clips: Sequence[Samples],
    words: Sequence[Sequence[Word]],
    texts: Sequence[str],
    whole: str,
    folder: Path,
    asr: Path,
    model: WhisperModel,
) -> tuple[str, int, int]:
    samples, placed = _joined(condition, clips, words)
    path = folder / f"{re.sub(r'[^a-z0-9]+', '-', condition.name)}.flac"
    soundfile.write(path, samples, RATE)
    project = Project.create(f"c {condition.name[:20]}", folder)
    began = time.monotonic()
    recordings, _ = ingest(project, [path])
    without, _ = segment(project, recordings)
    pieces, refused = segment(project, recordings, asr=str(asr), language="english")
    seconds = time.monotonic() - began
    assert segment(project, recordings, asr=str(asr), language="english") == (pieces, refused)
    bad = _cut_words(read_wav(recordings[0].audio), placed, pieces)
    for word in bad:
        print(f"<!-- cut: {word} -->")
    lengths = sorted(piece.seconds for piece in pieces)
    heard = " ".join(_hear(model, read_wav(piece.audio, rate=16_000)) for piece in pieces)
    truth = _normal(" ".join(texts))
    uncut = _hear(model, read_wav(recordings[0].audio, rate=16_000))
    errors = [_errors(truth, _normal(text)) for text in (whole, uncut, heard)]
    row = (
        f"| {condition.name} | {len(samples) / RATE:.0f} | {len(pieces)} | {lengths[0]:.1f}, "
        f"{lengths[len(lengths) // 2]:.1f}, {lengths[-1]:.1f} | {len(pieces) - len(without)} | {len(refused)} | "
        f"{len(bad)} of {len(placed)} | {errors[0]}, {errors[1]}, {errors[2]} of {len(truth.split())} | {seconds:.1f} |"
    )
    return row, len(bad), len(placed)


def _joined(
    condition: Condition, clips: Sequence[Samples], words: Sequence[Sequence[Word]]
) -> tuple[Samples, list[Word]]:
    """The long file, and where in it each word is."""
    generator = np.random.default_rng(0)
    parts: list[Samples] = []
    placed: list[Word] = []
    at = 0
    for clip, spoken in zip(clips, words, strict=True):
        keep = np.ones(len(clip), dtype=bool)
        if condition.pauses_s[0] < 0:
            keep[: max(0, round((spoken[0].start_s - 0.04) * RATE))] = False
            keep[round((spoken[-1].end_s + 0.04) * RATE) :] = False
        if condition.pauses_s[0] < -1:
            for before, after in itertools.pairwise(spoken):
                keep[round((before.end_s + 0.03) * RATE) : max(0, round((after.start_s - 0.03) * RATE))] = False
        left = np.concatenate([[0], np.cumsum(keep)])
        for word in spoken:
            start, end = (int(left[min(len(clip), round(t * RATE))]) for t in (word.start_s, word.end_s))
            placed.append(Word(word.text, (at + start) / RATE, (at + end) / RATE))
        low, high = condition.pauses_s
        pause = np.zeros(round(generator.uniform(low, high) * RATE) if high > 0 else 0, dtype=np.float32)
        parts += [clip[keep], pause]
        at += int(keep.sum()) + len(pause)
    speech = np.concatenate(parts)
    return np.clip(speech + _bed(condition.bed, speech, generator), -1, 1), placed


def _bed(kind: str, speech: Samples, generator: np.random.Generator) -> Samples:
    """20 dB below the speech: white noise, or four chords of saw teeth that follow each other."""
    if not kind:
        return np.zeros_like(speech)
    level = float(np.sqrt(np.square(speech[np.abs(speech) > 0.01]).mean())) / 10
    if kind == "noise":
        return (level * generator.standard_normal(len(speech))).astype(np.float32)
    times = np.arange(len(speech)) / RATE
    chords = np.array([[220, 277, 330], [196, 247, 294], [175, 220, 262], [165, 208, 247]])
    chosen = chords[(times / 1.5).astype(int) % 4]
    saws = sum(2 * ((times * chosen[:, voice]) % 1) - 1 for voice in range(3))
    return (level * saws / np.sqrt(np.square(saws).mean())).astype(np.float32)


def _words(model: WhisperModel, clip: Samples) -> list[Word]:
    """Words with the silence at their ends taken away, so that a pause that Whisper counts as word is none."""
    import soxr

    segments, _ = model.transcribe(soxr.resample(clip, RATE, 16_000), language="en", word_timestamps=True)
    found = [word for one in segments for word in one.words]
    level = _level(clip)
    loud = level > np.percentile(level, 90) - 35
    words = []
    for word in found:
        first, last = round(word.start * 100), min(len(loud), round(word.end * 100))
        audible = np.flatnonzero(loud[first:last])
        if len(audible):
            words.append(Word(word.word, (first + audible[0]) / 100, (first + audible[-1] + 1) / 100))
    return words


def _level(samples: Samples) -> Samples:
    frames = samples[: len(samples) // 240 * 240].reshape(-1, 240)
    return 10 * np.log10(np.square(frames).mean(axis=1) + 1e-10)


def _cut_words(recording: Samples, words: Sequence[Word], pieces: Sequence[Clip]) -> list[str]:
    bad = []
    for word in words:
        middle = (word.start_s + word.end_s) / 2
        if not any(piece.start_s <= middle <= piece.end_s for piece in pieces):
            bad.append(f"{word.text} at {middle:.2f} s is in no clip")
        for at in {edge for piece in pieces for edge in (piece.start_s, piece.end_s)}:
            if not word.start_s + INSIDE_S < at < word.end_s - INSIDE_S:
                continue
            inside = recording[round(word.start_s * RATE) : round(word.end_s * RATE)]
            here = recording[round((at - 0.01) * RATE) : round((at + 0.01) * RATE)]
            drop = 10 * np.log10(np.square(inside).mean() / (np.square(here).mean() + 1e-10))
            if drop < DROP_DB:
                bad.append(f"{word.text} at {at:.2f} s, {word.start_s:.2f} to {word.end_s:.2f} s, drop {drop:.0f} dB")
    return bad


def _alone(clip: Samples, folder: Path) -> Path:
    path = folder / "alone.wav"
    soundfile.write(path, clip, RATE)
    return path


def _hear(model: WhisperModel, samples: Samples) -> str:
    segments, _ = model.transcribe(samples, language="en", condition_on_previous_text=False)
    return " ".join(one.text for one in segments)


def _errors(truth: str, heard: str) -> int:
    counted: Any = jiwer.process_words(truth, heard)
    return int(counted.substitutions + counted.deletions + counted.insertions)


def _normal(text: str) -> str:
    spoken = re.sub(r"\d+", lambda number: f" {num2words(int(number.group()))} ", text.lower())
    return " ".join(re.sub(r"[^a-z' ]", " ", spoken).split())


def _texts(folder: Path) -> dict[str, str]:
    lines = (folder / "metadata.csv").read_text(encoding="utf-8").splitlines()[1:]
    return {line.split("|")[0]: line.split("|")[1] for line in lines if line.strip()}


if __name__ == "__main__":
    main()
