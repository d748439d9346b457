"""Reading and cutting a long file and many short ones: time, memory of all processes, and a second run.

    python -m benchmarks.ingest [--hours 3] [--files 2000]

The recordings of tests/data are joined into one mp3 of that length and copied, each a little softer than the one
before, into short flac files. Peak memory is the sum over the process and its helpers of what each has resident
(shared libraries counted for each), looked at five times a second.
"""

from __future__ import annotations

import argparse
import itertools
import platform
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import soundfile

from voicefactory.pipeline.ingest import ingest
from voicefactory.pipeline.segment import segment
from voicefactory.pipeline.workers import worker_count
from voicefactory.project import Project

WAVS = Path(__file__).parent.parent / "tests" / "data" / "clips" / "wavs"
RATE = 24_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=3)
    parser.add_argument("--files", type=int, default=2000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "given"
        folder.mkdir()
        seconds = _long_file(folder / "long.mp3", arguments.hours * 3600) + _short_files(folder, arguments.files)
        hours = seconds / 3600
        project = Project.create("benchmark", Path(temporary) / "home")
        print(f"One mp3 of {arguments.hours:g} h and {arguments.files} flac files, {hours:.2f} h in all.")
        print(f"{worker_count(99)} helpers on {psutil.cpu_count()} cores; Python {platform.python_version()}\n")
        print("| Step | seconds | seconds per hour of audio | peak memory of all processes, MB | result |")
        print("|---|---|---|---|---|")
        held: list[Any] = []
        _row("ingest", hours, lambda: held.append(ingest(project, [folder])) or f"{len(held[0][0])} recordings")
        recordings = held[0][0]
        _row("segment", hours, lambda: held.append(segment(project, recordings)) or f"{len(held[1][0])} clips")
        _row("ingest again, all done", hours, lambda: f"{len(ingest(project, [folder])[0])} recordings")
        _row("segment again, all done", hours, lambda: f"{len(segment(project, recordings)[0])} clips")


def _row(name: str, hours: float, work: Callable[[], str]) -> None:
    peak, ended = 0.0, threading.Event()
    own = psutil.Process()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.2):
            total = 0
            for process in (own, *own.children(recursive=True)):
                try:
                    total += process.memory_info().rss
                except psutil.Error:
                    continue
            peak = max(peak, total / 1e6)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.monotonic()
    result = work()
    seconds = time.monotonic() - began
    ended.set()
    watcher.join()
    print(f"| {name} | {seconds:.1f} | {seconds / hours:.1f} | {peak:.0f} | {result} |", flush=True)


def _speech() -> list[np.ndarray]:
    return [soundfile.read(path, dtype="float32")[0] for path in sorted(WAVS.glob("*.wav"))]


def _blocks() -> Iterator[np.ndarray]:
    generator = np.random.default_rng(0)
    for clip in itertools.cycle(_speech()):
        yield np.concatenate([clip * generator.uniform(0.7, 1.0), np.zeros(round(generator.uniform(0.3, 1.2) * RATE))])


def _long_file(path: Path, seconds: float) -> float:
    written = 0
    with soundfile.SoundFile(path, "w", RATE, 1, format="MP3", subtype="MPEG_LAYER_III") as out:
        for block in _blocks():
            out.write(block.astype(np.float32))
            written += len(block)
            if written >= seconds * RATE:
                return written / RATE
    return 0.0


def _short_files(folder: Path, count: int) -> float:
    seconds = 0.0
    for index, clip in zip(range(count), itertools.cycle(_speech()), strict=False):
        soundfile.write(folder / f"take {index:05d}.flac", clip * (1 - 0.3 * index / max(count, 1)), RATE)
        seconds += len(clip) / RATE
    return seconds


if __name__ == "__main__":
    main()
