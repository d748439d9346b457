"""Training killed with SIGKILL at random instants and started again each time, against a run never killed.

    python benchmarks/kills.py [--kills 20] [--steps 60] [--preset quick] [--set key=value]

A process of its own trains the toy on the twelve committed clips and saves often. It is killed at an instant
drawn between its first sign of life and the end of the run, so while it loads, steps, measures and writes
checkpoints. After so many kills it may finish. Its weights must then be those of the other run, bit by bit.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

from tests.engines.engine_data import dataset_of, real_clips
from voicefactory import files
from voicefactory.engines.qwen3_tts.checkpoint import checkpoints
from voicefactory.engines.registry import get
from voicefactory.presets import load_preset
from voicefactory.types import Codes, never, silent

ROOT = Path(__file__).parent.parent
PROGRAM = """
import sys
from pathlib import Path
from voicefactory.engines.base import Training
from voicefactory.engines.registry import get
from voicefactory.presets import load_preset
from voicefactory.types import Codes, never, silent
path, fingerprint, tokenizer, toy, run, preset = sys.argv[1:7]
codes = Codes(Path(path), "qwen3-tts", tokenizer, 12.5, 16, fingerprint)
training = Training(codes, Path(toy), load_preset(preset), Path(run), "ann", "cpu", ("Hello.",), "english")
get().finetune(training, on_progress=silent, should_stop=never)
"""


def start(codes: Codes, toy: Path, run: Path, preset: Path) -> subprocess.Popen[bytes]:
    """Train in a process of its own."""
    arguments = [codes.path, codes.fingerprint, codes.tokenizer, toy, run, preset]
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *map(str, arguments)], cwd=ROOT)


def kill_and_resume(
    codes: Codes, toy: Path, run: Path, preset: Path, kills: int, between_s: tuple[float, float], seed: int
) -> list[int]:
    """Kill the run `kills` times, then let it finish; return the step of the last checkpoint at each kill."""
    draw = random.Random(seed)
    reached = []
    for _ in range(kills):
        process = start(codes, toy, run, preset)
        time.sleep(draw.uniform(*between_s))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        saved = checkpoints(run / "checkpoints")
        reached.append(int(saved[-1].name[5:]) if saved else 0)
        if process.returncode == 0:
            break
    process = start(codes, toy, run, preset)
    assert process.wait() == 0
    return reached


def same(one: Path, other: Path) -> bool:
    """Whether two checkpoints hold the same weights, bit by bit."""
    left, right = (load_file(path / "weights.safetensors") for path in (one, other))
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        engine = get()
        toy = engine.resolve_model("toy", folder, silent)
        dataset = dataset_of(real_clips(), folder)
        codes = engine.extract(dataset, toy, folder / "codes", device="cpu", on_progress=silent, should_stop=never)
        numbers = [f"max_steps={arguments.steps}", "batch_size=2", "save_every_steps=1", "eval_every_steps=5"]
        preset = folder / "preset.yaml"
        load_preset(arguments.preset, [*numbers, "early_stopping_patience=null", *arguments.set]).save(preset)
        begun = time.monotonic()
        assert start(codes, toy, folder / "whole", preset).wait() == 0
        whole_s = time.monotonic() - begun
        training_s = files.read_jsonl(folder / "whole" / "metrics.jsonl")[-1]["seconds"]
        loading_s = whole_s - training_s
        # from the middle of loading to so far into training that the run is not over before the last kill
        between_s = (0.5 * loading_s, loading_s + 1.6 * training_s / arguments.kills)
        reached = kill_and_resume(codes, toy, folder / "killed", preset, arguments.kills, between_s, arguments.seed)
        ends = [checkpoints(folder / name / "checkpoints")[-1] for name in ("whole", "killed")]
        steps = [row["step"] for row in files.read_jsonl(folder / "killed" / "metrics.jsonl")]
        print(f"never killed: {arguments.steps} steps in {whole_s:.0f} s")
        print(f"killed {len(reached)} times, last checkpoints then: {reached}")
        print(f"last weights equal, bit by bit: {same(*ends)}")
        print(f"every step once in metrics.jsonl: {steps == list(range(1, arguments.steps + 1))}")
        best = [sorted((folder / name / "checkpoints").glob("best-*")) for name in ("whole", "killed")]
        if best[0]:
            print(
                f"best weights equal, bit by bit: {best[0][0].name == best[1][0].name and same(best[0][0], best[1][0])}"
            )


if __name__ == "__main__":
    main()
