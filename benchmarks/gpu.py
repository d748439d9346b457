"""Does training on a GPU match the CPU? The toy, in fp32, step by step; then in bf16, within its rounding.

python -m benchmarks.gpu [--device cuda:0]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch

from tests.engines.engine_data import dataset_of, real_clips
from voicefactory import files
from voicefactory.engines.base import Training
from voicefactory.engines.qwen3_tts.toy import build_toy
from voicefactory.engines.registry import get
from voicefactory.presets import load_preset
from voicefactory.types import never, silent

NUMBERS = ["max_steps=10", "batch_size=4", "learning_rate=1e-3", "warmup_steps=0", "eval_fraction=0"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda:0")
    device = parser.parse_args().device
    torch.backends.cuda.matmul.allow_tf32 = False
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        build_toy(folder / "toy")
        dataset = dataset_of(real_clips(), folder)
        codes = get().extract(
            dataset, folder / "toy", folder / "codes", device="cpu", on_progress=silent, should_stop=never
        )
        cases = {"cpu fp32": ("cpu", "fp32"), "gpu fp32": (device, "fp32"), "gpu bf16": (device, "bf16")}
        losses = {}
        for name, (where, precision) in cases.items():
            preset = load_preset("quick", [*NUMBERS, f"precision={precision}"])
            run = folder / name.replace(" ", "-")
            get().finetune(
                Training(codes, folder / "toy", preset, run, speaker="ann", device=where),
                on_progress=silent,
                should_stop=never,
            )
            losses[name] = [row["loss"] for row in files.read_jsonl(run / "metrics.jsonl")]
        print("| step | " + " | ".join(cases) + " |\n|---|" + "---|" * len(cases))
        for step, row in enumerate(zip(*losses.values(), strict=True), 1):
            print(f"| {step} | " + " | ".join(f"{loss:.5f}" for loss in row) + " |")
        for name in ("gpu fp32", "gpu bf16"):
            apart = max(abs(a - b) / a for a, b in zip(losses["cpu fp32"], losses[name], strict=True))
            print(f"{name}: at most {apart:.2%} from the CPU's loss")


if __name__ == "__main__":
    main()
