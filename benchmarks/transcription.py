"""Short clips packed into windows of 30 s, as the product hears them, against one by one.

    OMP_NUM_THREADS=2 python -m benchmarks.transcription [--folder DIR] [--base] [--rounds 5]

DIR holds metadata.csv (file|text, further columns are ignored) and the recordings; the default is tests/data/clips.
Both ways begin with the same clips on disk, load the same model anew, take beams of 5 and the same number of threads.
"One by one" is what a plain script does: one call of faster-whisper a clip. Rounds alternate; after the table come the
word errors of both ways against the true texts (digits and letters' case do not count).
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import jiwer
from num2words import num2words

from tests.whisper_base import join_whisper_base
from voicefactory.audio.wav import read_wav
from voicefactory.pipeline.asr import open_asr
from voicefactory.pipeline.ingest import ingest
from voicefactory.pipeline.segment import segment
from voicefactory.pipeline.transcribe import transcribe
from voicefactory.pipeline.windows import WHISPER_RATE
from voicefactory.project import Project
from voicefactory.types import Clip

DEFAULT = Path(__file__).parent.parent / "tests" / "data" / "clips"
PACKED = "packed into windows"
PLAIN = "one by one, text only"
TIMED = "one by one, with the words' times"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=DEFAULT)
    parser.add_argument("--base", action="store_true", help="Whisper base instead of tiny.en")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clips", type=int, default=40)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        asr = str(join_whisper_base(folder / "base")) if arguments.base else "tiny.en"
        texts = _texts(arguments.folder, arguments.clips)
        project = Project.create("benchmark", folder)
        recordings, _ = ingest(project, [arguments.folder / file for file in texts])
        clips, _ = segment(project, recordings, keep_whole=True)
        ways: dict[str, Callable[[], dict[str, str]]] = {
            PACKED: lambda: _packed(project, clips, asr),
            PLAIN: lambda: _one_by_one(clips, asr, word_times=False),
            TIMED: lambda: _one_by_one(clips, asr, word_times=True),
        }
        _warm_up(asr, clips)
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        heard: dict[str, dict[str, str]] = {}
        for _ in range(arguments.rounds):
            for name, way in ways.items():
                began = time.perf_counter()
                heard[name] = way()
                seconds[name].append(time.perf_counter() - began)
        true = {Path(file).name: text for file, text in texts.items()}
        _report(asr if not arguments.base else "base", clips, seconds, heard, true)


def _texts(folder: Path, most: int) -> dict[str, str]:
    lines = (folder / "metadata.csv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split("|") for line in lines]
    return {row[0]: row[1] for row in rows[:most]}


def _warm_up(asr: str, clips: list[Clip]) -> None:
    _one_by_one(clips[:2], asr, word_times=True)


def _packed(project: Project, clips: list[Clip], asr: str) -> dict[str, str]:
    project.transcripts_jsonl.unlink(missing_ok=True)
    transcripts, _ = transcribe(project, clips, language="english", asr=asr, device="cpu")
    return {row.clip: row.text for row in transcripts}


def _one_by_one(clips: list[Clip], asr: str, *, word_times: bool) -> dict[str, str]:
    _, model = open_asr(asr, "cpu")
    heard = {}
    for clip in clips:
        sound = read_wav(clip.audio, rate=WHISPER_RATE)
        segments, _ = model.transcribe(sound, language="en", beam_size=5, word_timestamps=word_times)
        heard[clip.id] = " ".join(segment.text.strip() for segment in segments)
    return heard


def _normalised(text: str) -> str:
    spelled = re.sub(r"\d+", lambda digits: f" {num2words(int(digits[0]))} ", text.lower())
    return " ".join(re.sub(r"[^a-z' ]", " ", spelled).split())


def _report(
    model: str,
    clips: list[Clip],
    seconds: dict[str, list[float]],
    heard: dict[str, dict[str, str]],
    true: dict[str, str],
) -> None:
    said = [_normalised(true[Path(clip.file).name]) for clip in clips]
    audio = sum(clip.seconds for clip in clips)
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    print(f"{len(clips)} clips, {audio:.0f} s of sound, Whisper {model}, OMP_NUM_THREADS {threads}\n")
    print("| way | seconds: min | median | max | audio per second (median) | word error |")
    print("|---|---|---|---|---|---|")
    for name, times in seconds.items():
        wrong = jiwer.wer(said, [_normalised(heard[name].get(clip.id, "")) for clip in clips])
        middle = statistics.median(times)
        print(f"| {name} | {min(times):.1f} | {middle:.1f} | {max(times):.1f} | {audio / middle:.1f} | {wrong:.1%} |")
    for name in (PLAIN, TIMED):
        ratios = [alone / packed for alone, packed in zip(seconds[name], seconds[PACKED], strict=True)]
        print(
            f"\n{name} : packed = {statistics.median(ratios):.2f} (median of the rounds; "
            f"{min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
