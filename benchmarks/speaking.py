"""How soon something is heard, and what a model that stays loaded saves: from the request to the first sentence and to
the whole, by the worker that the page uses.

python benchmarks/speaking.py [--sentences 5] [--rounds 5]

The voice is the toy with an adapter of random numbers (tests/toy_voice.py), its sentences two seconds of noise each.
Cold: a worker begins, imports, loads. Warm: the worker of the request before takes the next one. Prints a table.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.toy_voice import RUN, give_voice  # noqa: E402
from voicefactory.engines.qwen3_tts.toy import toy_model  # noqa: E402
from voicefactory.jobs import processes  # noqa: E402
from voicefactory.jobs.scheduler import Scheduler  # noqa: E402
from voicefactory.jobs.store import Job  # noqa: E402
from voicefactory.pipeline.ingest import ingest  # noqa: E402
from voicefactory.pipeline.said import SpeechRequest, new_name, speech_folder  # noqa: E402
from voicefactory.pipeline.segment import segment  # noqa: E402
from voicefactory.pipeline.transcripts import bring_transcripts  # noqa: E402
from voicefactory.project import Project  # noqa: E402

CLIPS = ROOT / "tests" / "data" / "clips"
OWNER = "benchmark"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        project = make_project(Path(home))
        scheduler = Scheduler(Path(home))
        scheduler.start()
        try:
            taken = measure(scheduler, project, wanted.sentences, wanted.rounds)
        finally:
            scheduler.stop()
    print(f"\n{wanted.sentences} sentences; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print("| | first sentence, s (min, median, max) | whole text, s |\n|---|---:|---:|")
    for name, times in taken.items():
        first, whole = zip(*times, strict=True)
        print(f"| {name} | {spread(first)} | {spread(whole)} |")


def make_project(home: Path) -> Project:
    """Twelve recordings and a voice."""
    project = Project.create("Anna", home)
    recordings, _ = ingest(project, [CLIPS / "wavs"])
    clips, _ = segment(project, recordings, keep_whole=True)
    bring_transcripts(project, clips, CLIPS / "metadata.csv", language="english")
    give_voice(project, toy_model(home))
    return project


def measure(
    scheduler: Scheduler, project: Project, sentences: int, rounds: int
) -> dict[str, list[tuple[float, float]]]:
    """(seconds to the first sentence, to the whole) of each round, cold and warm by turns."""
    taken: dict[str, list[tuple[float, float]]] = {"cold": [], "warm": []}
    for _ in range(rounds):
        for name in taken:
            first, whole, job = ask(scheduler, project, sentences)
            taken[name].append((first, whole))
            print(f"{name}: {first:.2f} s, {whole:.2f} s", file=sys.stderr, flush=True)
        end_worker(job)
    return taken


def ask(scheduler: Scheduler, project: Project, sentences: int) -> tuple[float, float, Job]:
    """One request."""
    text = " ".join(f"This is sentence number {number}." for number in range(1, sentences + 1))
    request = SpeechRequest(new_name(), (f"voice:{RUN}",), ("Anna",), (text,))
    begun = time.monotonic()
    job = scheduler.submit("synthesize", project, OWNER, asdict(request))
    folder = speech_folder(project, request.name)
    first = 0.0
    while job.active:
        job = scheduler.store.get(job.id)
        if not first and (folder / "pieces.jsonl").exists():
            first = time.monotonic() - begun
        time.sleep(0.01)
    assert job.state == "succeeded", job.error
    return first, time.monotonic() - begun, job


def end_worker(job: Job) -> None:
    """So that the next request is a cold one."""
    processes.signal_tree(job.pid, job.pid_identity, kill=True)
    while processes.is_alive(job.pid, job.pid_identity):
        time.sleep(0.05)
    time.sleep(1)


def spread(values: tuple[float, ...]) -> str:
    return f"{min(values):.2f}, {statistics.median(values):.2f}, {max(values):.2f}"


if __name__ == "__main__":
    main()
