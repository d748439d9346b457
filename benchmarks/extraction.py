"""Peak memory and speed of extraction on one 10-minute file, with a codec of the real shape.

    .venv/bin/python benchmarks/extraction.py

The recordings of tests/data are joined into one file of ten minutes. Cutting and encoding run in processes of
their own, whose peak resident memory the operating system reports. The codec has the real encoder's shape
(39.4 M parameters) and random weights: memory and time do not depend on what they are.
"""

from __future__ import annotations

import json
import multiprocessing
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

MINUTES = 10
DATA = Path(__file__).parent.parent / "tests" / "data" / "clips"


def joined(out: Path) -> None:
    """Ten minutes of speech: the committed clips over and over, each time a little louder or softer."""
    rng = np.random.default_rng(0)
    clips = [soundfile.read(path, dtype="float32")[0] for path in sorted((DATA / "wavs").glob("*.wav"))]
    with soundfile.SoundFile(out, "w", 24_000, 1, "PCM_16") as target:
        written = 0
        while written < MINUTES * 60 * 24_000:
            for clip in clips:
                samples = np.concatenate([clip * rng.uniform(0.7, 1.0), np.zeros(14_400, dtype=np.float32)])
                target.write(samples)
                written += len(samples)


def real_shaped_model(out: Path) -> None:
    """speech_tokenizer/ as in the 12 Hz models: default Mimi encoder."""
    from transformers import EncodecFeatureExtractor

    from voicefactory.engines.qwen3_tts.upstream import qwen

    decoder = {"hidden_size": 512, "intermediate_size": 1024, "codebook_dim": 512}
    config = qwen().Qwen3TTSTokenizerV2Config(encoder_config={"use_cache": False}, decoder_config=decoder)
    qwen().Qwen3TTSTokenizerV2Model(config).save_pretrained(out / "speech_tokenizer")
    EncodecFeatureExtractor(sampling_rate=24_000).save_pretrained(out / "speech_tokenizer")


def cut(home: Path, recording: Path) -> dict[str, Any]:
    from voicefactory.pipeline.ingest import ingest
    from voicefactory.pipeline.segment import segment
    from voicefactory.project import Project

    project = Project.create("benchmark", home)
    clips, refused = segment(project, ingest(project, [recording])[0])
    return {
        "clips": len(clips),
        "refused": len(refused),
        "clip_seconds": [round(min(c.seconds for c in clips), 1), round(max(c.seconds for c in clips), 1)],
    }


def encode(home: Path, model: Path) -> dict[str, Any]:
    from voicefactory import files
    from voicefactory.engines.qwen3_tts.codes import extract
    from voicefactory.pipeline.segment import load_clips
    from voicefactory.project import Project
    from voicefactory.types import Dataset, Reference, Sample, never, silent

    clips = load_clips(Project.create("benchmark", home))
    samples = tuple(Sample(clip, "text", "english") for clip in clips)
    reference = Reference(clips[0].audio, "", clips[0].seconds, 1.0, ())
    dataset = Dataset(samples, reference, home / "dataset.jsonl", "benchmark")
    before = peak_gib()
    codes = extract(dataset, model, home / "codes", device="cpu", on_progress=silent, should_stop=never)
    frames = sum(len(row["audio_codes"]) for row in files.read_jsonl(codes.path))
    return {"frames": frames, "peak_before_gib": round(before, 2)}


def peak_gib() -> float:
    """Peak resident memory of this process; getrusage would report that of its parent as well. Linux only."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 2**20


def _measured(queue: Any, work: Callable[..., dict[str, Any]], *arguments: Path) -> None:
    begun = time.monotonic()
    result = work(*arguments)
    queue.put({**result, "seconds": round(time.monotonic() - begun, 1), "peak_gib": round(peak_gib(), 2)})


def alone(work: Callable[..., dict[str, Any]], *arguments: Path) -> dict[str, Any]:
    """Run `work` in a fresh process; its result with seconds and peak resident memory."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_measured, args=(queue, work, *arguments))
    process.start()
    result: dict[str, Any] = queue.get(timeout=1800)
    process.join()
    return result


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        joined(home / "ten-minutes.wav")
        real_shaped_model(home / "model")
        print(json.dumps({"machine": platform.machine(), "cpus": multiprocessing.cpu_count()}))
        print("cut   ", json.dumps(alone(cut, home, home / "ten-minutes.wav")))
        print("encode", json.dumps(alone(encode, home, home / "model")))
