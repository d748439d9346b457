"""What the judge's measures tell apart: real recordings against the same ones spoiled in one way each.

    .venv/bin/python benchmarks/judge.py CLIPS --others tests/data/others --work /tmp/judge

CLIPS holds recordings of one speaker and metadata.csv (`file|text`). The speaker's own ranges are made from every
second recording, and everything is reported on the others: untouched, spoiled, and other speakers. The rate is the
share of single recordings that lie outside the speaker's 10th to 90th percentile on the side that the fault moves
them to; of untouched ones that is 10 % for each side by construction, and more where there are few. Whisper and DNSMOS
take two seconds for each; what was heard is kept in --work, so a stopped run goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests import spoiling
from voicefactory.engines import registry
from voicefactory.pipeline.intervals import mean_interval
from voicefactory.pipeline.judge_listen import Judge, Sound
from voicefactory.pipeline.judge_scores import MEASURES, OwnVoice, scores
from voicefactory.types import silent

Scores = list[dict[str, float]]
#: What is done, and the measures that should notice.
SPOILED: dict[str, tuple[str, ...]] = {
    "untouched": (),
    "shuffled transcripts": ("word_error", "char_error"),
    "1.15 times as fast": ("pace",),
    "1.3 times as fast": ("pace",),
    "noise at 20 dB": ("dnsmos",),
    "noise at 10 dB": ("dnsmos",),
    "noise at 0 dB": ("dnsmos", "word_error"),
    "cut after 65 %": ("truncated", "word_error"),
    "3 s of silence after it": ("silence_share",),
    "another's first second": ("first_likeness",),
    "other speakers": ("likeness", "first_likeness"),
}


def main() -> None:
    options = _options()
    rows = [line.split("|") for line in (options.clips / "metadata.csv").read_text("utf-8").splitlines()[1:]]
    clips = [(options.clips / name, text) for name, text in (row[:2] for row in rows)]
    strangers = [spoiling.read(path) for path in sorted(options.others.glob("*.flac"))]
    ear = _ear(options)
    listen = _listener(ear, options.work)
    own_clips, tried = clips[::2], clips[1::2]
    sounds = [listen("untouched", path.stem, spoiling.read(path)) for path, _ in own_clips]
    own = OwnVoice(sounds, [text for _, text in own_clips], "english")
    results: dict[str, Scores] = {name: [] for name in SPOILED}
    for at, (path, text) in enumerate(tried):
        for name, sound in _spoil(spoiling.read(path), strangers[at % len(strangers)]).items():
            results[name].append(scores(listen(name, path.stem, sound), text, own))
        heard = listen("untouched", path.stem, spoiling.read(path))
        results["shuffled transcripts"].append(scores(heard, tried[at - 1][1], own))
    for at, stranger in enumerate(strangers):
        results["other speakers"].append(scores(listen("other", str(at), stranger), "", own))
    print(
        f"{len(own_clips)} recordings make the ranges, {len(tried)} are tried, {len(strangers)} of others; "
        f"Whisper {ear.found.name}\n"
    )
    print(table(results, own))


def table(results: dict[str, Scores], own: OwnVoice) -> str:
    """Markdown: a row for each fault and each measure that should notice it."""
    told = [
        "| fault | measure | outside | untouched outside | mean (95 %) | own 10 to 90 % |",
        "|---|---|---|---|---|---|",
    ]
    for name, measures in SPOILED.items():
        for measure in measures:
            values = [row[measure] for row in results[name] if measure in row]
            before = [row[measure] for row in results["untouched"] if measure in row]
            mean, limits = mean_interval(values), own.ranges.get(measure)
            assert mean is not None
            beside = f"{limits.low:.3f} to {limits.high:.3f}" if limits else "never"
            told.append(
                f"| {name} | {MEASURES[measure].title} | {_outside(measure, values, own, name):.0%} of {len(values)} "
                f"| {_outside(measure, before, own, name):.0%} of {len(before)} "
                f"| {mean.mean:.3f} ({mean.low:.3f} to {mean.high:.3f}) | {beside} |"
            )
    return "\n".join(told)


def _outside(measure: str, values: Sequence[float], own: OwnVoice, fault: str) -> float:
    if measure not in own.ranges:
        return float(np.mean([value > 0 for value in values]))
    low, high = own.ranges[measure].low, own.ranges[measure].high
    above = MEASURES[measure].worse == "high" or "fast" in fault or "silence" in fault
    return float(np.mean([value > high if above else value < low for value in values]))


def _spoil(samples: spoiling.Samples, stranger: spoiling.Samples) -> dict[str, spoiling.Samples]:
    return {
        "untouched": samples,
        "1.15 times as fast": spoiling.sped_up(samples, 1.15),
        "1.3 times as fast": spoiling.sped_up(samples, 1.3),
        "noise at 20 dB": spoiling.noisy(samples, 20),
        "noise at 10 dB": spoiling.noisy(samples, 10),
        "noise at 0 dB": spoiling.noisy(samples, 0),
        "cut after 65 %": spoiling.cut_short(samples),
        "3 s of silence after it": spoiling.with_silence(samples),
        "another's first second": spoiling.alien_start(samples, stranger),
    }


def _ear(options: argparse.Namespace) -> Judge:
    engine = registry.get(registry.DEFAULT)
    toy = engine.resolve_model("toy", options.work, silent)  # its own encoder is untrained, and is not reported
    return Judge("english", options.asr, "cpu", engine.speaker_encoder(toy, "cpu"), "toy")


def _listener(ear: Judge, work: Path) -> Callable[[str, str, spoiling.Samples], Sound]:
    def listen(fault: str, name: str, samples: spoiling.Samples) -> Sound:
        audio = work / fault.replace(" ", "-").replace("%", "") / f"{name}.flac"
        audio.parent.mkdir(parents=True, exist_ok=True)
        if not audio.exists():
            soundfile.write(audio, samples, spoiling.RATE, subtype="PCM_16")
        return ear.listen(audio, audio.with_suffix(".json"))

    return listen


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What the judge's measures tell apart.")
    parser.add_argument("clips", type=Path)
    parser.add_argument("--others", type=Path, required=True, help="FLAC files of other speakers")
    parser.add_argument("--work", type=Path, required=True, help="where spoiled audio and what was heard is kept")
    parser.add_argument("--asr", default="auto")
    return parser.parse_args()


if __name__ == "__main__":
    main()
