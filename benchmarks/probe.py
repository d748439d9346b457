"""What listening to itself costs a run: the toy with and without the probe, and measuring alone.

python -m benchmarks.probe [--steps 40] [--every 10]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tests.engines.engine_data import dataset_of, real_clips
from voicefactory import files
from voicefactory.engines.base import Training
from voicefactory.engines.registry import get
from voicefactory.pipeline.sentences import SENTENCES
from voicefactory.presets import load_preset
from voicefactory.probe.measuring import Spoken, measure, measure_own
from voicefactory.types import never, silent

NUMBERS = ["batch_size=2", "learning_rate=1e-3", "eval_fraction=0.2"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--every", type=int, default=10, help="steps between measurements")
    wanted = parser.parse_args()
    engine = get()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = engine.resolve_model("toy", folder, silent)
        dataset = dataset_of(real_clips(), folder)
        codes = engine.extract(dataset, model, folder, device="cpu", on_progress=silent, should_stop=never)
        for name, more in (
            ("silent", "speak_at_evaluations=false"),
            ("spoken", "probe=none"),
            ("probed", "probe=watch"),
        ):
            numbers = [*NUMBERS, f"max_steps={wanted.steps}", f"eval_every_steps={wanted.every}", more]
            run = folder / name
            training = Training(
                codes,
                model,
                load_preset("quick", numbers),
                run,
                speaker="ann",
                device="cpu",
                sentences=SENTENCES["english"],
                language="english",
                recordings=dataset.samples,
            )
            engine.finetune(training, on_progress=silent, should_stop=never)
            seconds = files.read_jsonl(run / "metrics.jsonl")[-1]["seconds"]
            readings = files.read_jsonl(run / "probe.jsonl")
            told = f", of it {sum(row['seconds'] for row in readings):.1f} s in {len(readings)} readings" * bool(
                readings
            )
            print(f"{name}: {wanted.steps} steps in {seconds:.1f} s{told}")
        ear = engine.speaker_encoder(model, "cpu")
        own = measure_own(dataset.samples, ear)
        assert own is not None
        spoken = [Spoken(audio, text, "english", False) for audio, text in real_clips()[:4]]
        began = time.process_time()
        measure(1, spoken, own, ear)
        print(f"measuring four sentences alone: {time.process_time() - began:.2f} s of CPU time")


if __name__ == "__main__":
    main()
