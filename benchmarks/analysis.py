"""How long the analysis of an hour of audio takes, and what of it each measure is.

    .venv/bin/python benchmarks/analysis.py [--minutes 60] [--dnsmos-minutes 10]

The recordings of tests/data are repeated to the hour, each copy with another first sample, so that nothing is taken
from what was measured before. Reported: the whole step as the product runs it (all cores, without and with DNSMOS),
the processor time of each measure in one process, the time of the risks, and memory of all processes together.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import soundfile

from voicefactory import files
from voicefactory.audio.sound_measures import measure_sound
from voicefactory.audio.wav import write_wav
from voicefactory.pipeline.analyse import analyse
from voicefactory.pipeline.risk import risks
from voicefactory.pipeline.workers import worker_count
from voicefactory.project import Project
from voicefactory.types import Clip, Quality, Transcript

CLIPS = Path(__file__).parent.parent / "tests" / "data" / "clips"


def project_of(home: Path, minutes: float) -> tuple[Project, list[Clip], list[Transcript]]:
    """A project of real clips over and over, until there are so many minutes of them."""
    project = Project.create(f"Anna {minutes:g}", home)
    lines = (CLIPS / "metadata.csv").read_text(encoding="utf-8").splitlines()[1:]
    given = [(soundfile.read(CLIPS / name, dtype="float32")[0], text) for name, text in (x.split("|") for x in lines)]
    clips: list[Clip] = []
    transcripts: list[Transcript] = []
    seconds = 0.0
    while seconds < minutes * 60:
        samples, text = given[len(clips) % len(given)]
        samples = np.concatenate([np.float32([len(clips) / 32768]), samples])
        name = f"clip-{len(clips):04d}"
        audio = project.clips / f"{name}.wav"
        length = write_wav(audio, [samples])
        quality = Quality(-3.0, -20.0, 50.0, 0.0)
        clips.append(Clip(name, name, audio.name, audio, 0.0, length, length, quality, files.sha256_of(audio)))
        transcripts.append(Transcript(name, text, "english", 0.9, "whisper"))
        seconds += length
    return project, clips, transcripts


class Peak:
    """Highest memory of this process and its children together, looked at ten times a second."""

    def __enter__(self) -> Peak:
        self.gib, self._end = 0.0, threading.Event()
        threading.Thread(target=self._look, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()

    def _look(self) -> None:
        while not self._end.wait(0.1):
            own = psutil.Process()
            total = 0
            for process in (own, *own.children(recursive=True)):
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue
            self.gib = max(self.gib, total / 2**30)


def step(home: Path, minutes: float, dnsmos: bool) -> None:
    project, clips, transcripts = project_of(home, minutes)
    audio_s = sum(clip.seconds for clip in clips)
    with Peak() as peak:
        begun = time.monotonic()
        analyse(project, clips, transcripts, dnsmos=dnsmos)
        took = time.monotonic() - begun
    begun = time.monotonic()
    analyse(project, clips, transcripts, dnsmos=dnsmos)
    again = time.monotonic() - begun
    what = "all measures, DNSMOS too" if dnsmos else "all measures but DNSMOS"
    print(
        f"| {what} | {len(clips)} | {audio_s / 60:.0f} min | {took:.0f} s | {took / audio_s:.3f} | {again:.2f} s | "
        f"{peak.gib:.2f} GiB |",
        flush=True,
    )


def shares() -> None:
    """Processor time of each measure on the twelve recordings, in this process."""
    paths = sorted((CLIPS / "wavs").glob("*.wav"))
    measure_sound(paths[0])  # loads the models
    spent: Counter[str] = Counter()
    audio_s = 0.0
    for path in paths:
        found = measure_sound(path)
        audio_s += found.measures["duration_s"]
        spent.update(found.seconds)
    rest = sum(seconds for name, seconds in spent.items() if name != "dnsmos")
    print("\n| measure | processor seconds an hour of audio | share without DNSMOS |\n|---|---|---|")
    for name, seconds in spent.most_common():
        share = "" if name == "dnsmos" else f"{seconds / rest:.0%}"
        print(f"| {name} | {seconds / audio_s * 3600:.1f} | {share} |")


def ranking(home: Path, count: int) -> None:
    """The risks of so many clips."""
    project, clips, transcripts = project_of(home, 1)
    found = analyse(project, clips, transcripts, dnsmos=False)
    many, texts, rows = [], [], {}
    for index in range(count):
        base = index % len(clips)
        name = f"many-{index}"
        many.append(replace(clips[base], id=name))
        texts.append(replace(transcripts[base], clip=name))
        rows[name] = replace(found[base], clip=name)
    begun = time.monotonic()
    ranked = risks(many, texts, rows)
    print(f"\nRisks of {len(ranked)} clips: {time.monotonic() - begun:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--dnsmos-minutes", type=float, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        print(f"{worker_count(99)} cores; load before the start: {psutil.getloadavg()[0]:.1f}\n")
        print(
            "| step | clips | audio | time | of real time | again, all kept | memory |\n|---|---|---|---|---|---|---|"
        )
        step(home, options.minutes, dnsmos=False)
        if options.dnsmos_minutes:
            step(home, options.dnsmos_minutes, dnsmos=True)
        shares()
        ranking(home, 5_000)


if __name__ == "__main__":
    main()
