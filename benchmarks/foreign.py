"""Clips of another speaker: how many are found, and how many of the own are suspected, at the product's limits.

    .venv/bin/python benchmarks/foreign.py --folders en fr it ru --same en,es

Each folder holds clips of one speaker: wav, flac, ogg or g722, 1 to 20 s each; sub-folders count. Nothing is
downloaded. --same names folders of one person, which are never mixed with each other but for a line of their own.
The five voices behind the committed figures are Debian's packages asterisk-core-sounds-{en,es,fr,it,ru}-g722,
without silence/, beeps, tones and tt-monkeys (which are monkeys).

Each mix is drawn 20 times from every ordered pair of folders: `--clips` clips, the given share of them foreign.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from voicefactory.audio.sound_measures import Sound, measure_sound
from voicefactory.audio.wav import write_wav
from voicefactory.pipeline.foreign import distances, voices
from voicefactory.pipeline.workers import finished, worker_count
from voicefactory.types import MAX_CLIP_S, MIN_CLIP_S, SAMPLE_RATE

SUFFIXES = (".wav", ".flac", ".ogg", ".g722")
SKIPPED = ("silence", "beep", "tone", "monkeys")
SHARES = (0.0, 0.05, 0.2, 0.5)
DRAWS = 20
SHORT_S = 2.0


@dataclass
class Speaker:
    """What the clips of one folder measured."""

    name: str
    embeddings: npt.NDArray[np.float32]  #: clips × 256
    speech_s: npt.NDArray[np.float64]
    seconds: npt.NDArray[np.float64]


@dataclass
class Count:
    """Flagged and all, of the foreign clips and of the own."""

    hits: int = 0
    foreign: int = 0
    alarms: int = 0
    own: int = 0

    def row(self) -> str:
        hits = f"{self.hits / self.foreign:.1%} of {self.foreign}" if self.foreign else "-"
        return f"{hits} | {self.alarms / max(1, self.own):.2%} of {self.own}"


def read(path: Path) -> tuple[npt.NDArray[np.float32], int]:
    if path.suffix != ".g722":
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        return samples.mean(axis=1), rate
    import av

    with av.open(str(path), format="g722") as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    return np.concatenate([np.zeros(0, dtype="int16"), *frames]).astype(np.float32) / 32768, 16_000


def measure(path: Path, tell: object, should_stop: object) -> Sound | None:
    """One clip as the product would have it: mono, 24 kHz, 16-bit."""
    import torch

    torch.set_num_threads(1)
    samples, rate = read(path)
    if not MIN_CLIP_S <= len(samples) / rate <= MAX_CLIP_S:
        return None
    with tempfile.TemporaryDirectory() as folder:
        audio = Path(folder) / "clip.wav"
        write_wav(audio, [soxr.resample(samples, rate, SAMPLE_RATE)])
        return measure_sound(audio, dnsmos=False)


def speaker(folder: Path) -> Speaker:
    paths = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix in SUFFIXES and not any(word in str(path.relative_to(folder)) for word in SKIPPED)
    ]
    results = sorted(finished(measure, paths, workers=worker_count(len(paths))), key=lambda result: result[0])
    sounds = [one for _, one in results if one is not None and one.embedding is not None]
    seconds = np.array([one.measures["duration_s"] for one in sounds])
    speech_s = seconds * (1 - np.array([one.measures["silence_share"] for one in sounds]))
    return Speaker(folder.name, np.stack([one.embedding for one in sounds]), speech_s, seconds)


def mixes(main: Speaker, other: Speaker, share: float, clips: int) -> Iterator[tuple[npt.NDArray[np.bool_], ...]]:
    """(who is foreign, who is flagged, who is short, what is said) of each draw."""
    rng = np.random.default_rng([len(main.seconds), len(other.seconds), round(share * 100)])
    foreign = round(share * clips)
    for _ in range(DRAWS):
        a = rng.choice(len(main.seconds), min(clips - foreign, len(main.seconds)), replace=False)
        b = rng.choice(len(other.seconds), min(foreign, len(other.seconds)), replace=False)
        vectors = np.concatenate([main.embeddings[a], other.embeddings[b]])
        speech_s = np.concatenate([main.speech_s[a], other.speech_s[b]])
        seconds = np.concatenate([main.seconds[a], other.seconds[b]])
        found = distances(vectors, speech_s)
        names = [str(index) for index in range(len(found))]
        said = voices(names, vectors, dict(zip(names, speech_s, strict=True)), found).sentence
        truth = np.arange(len(found)) >= len(a)
        flagged = found > 1
        if share == 0.5 and flagged[truth].mean() < flagged[~truth].mean():
            truth = ~truth  # of two equal ones either is the rest
        yield truth, flagged, seconds < SHORT_S, np.array([said.startswith("Two speakers")])


def report(title: str, pairs: list[tuple[Speaker, Speaker]], clips: int) -> None:
    print(f"\n{title}\n")
    print(
        "| mix | found, 1 to 2 s | suspected wrongly, 1 to 2 s | found, 2 to 20 s | suspected wrongly, 2 to 20 s | "
        '"Two speakers?" |'
    )
    print("|---|---|---|---|---|---|")
    for share in SHARES:
        short, long, asked = Count(), Count(), []
        for main, other in pairs:
            for truth, flagged, is_short, two in mixes(main, other, share, clips):
                asked.append(bool(two[0]))
                for count, these in ((short, is_short), (long, ~is_short)):
                    count.hits += int((flagged & truth & these).sum())
                    count.foreign += int((truth & these).sum())
                    count.alarms += int((flagged & ~truth & these).sum())
                    count.own += int((~truth & these).sum())
        print(
            f"| {1 - share:.0%} + {share:.0%} | {short.row()} | {long.row()} | {np.mean(asked):.0%} of {len(asked)} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folders", nargs="+", type=Path, required=True, help="one speaker each")
    parser.add_argument("--same", default="", help="names of folders of one person, with commas between")
    parser.add_argument("--clips", type=int, default=200, help="in a mix")
    options = parser.parse_args()
    same = set(options.same.split(",")) if options.same else set()
    speakers = [speaker(folder) for folder in options.folders]
    for one in speakers:
        short = one.seconds < SHORT_S
        print(f"- {one.name}: {len(short)} clips, {short.sum()} of them under {SHORT_S:g} s")
    pairs = [(a, b) for a in speakers for b in speakers if a is not b]
    report("Different people", [pair for pair in pairs if not {pair[0].name, pair[1].name} <= same], options.clips)
    if same:
        told = [pair for pair in pairs if {pair[0].name, pair[1].name} <= same]
        report("Folders said to be of one person", told, options.clips)


if __name__ == "__main__":
    main()
