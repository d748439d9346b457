"""What a run leaves for people and for the page: log.txt, metrics.jsonl, the speaker's embedding."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from voicefactory import files


class RunLog:
    """Appends to a run's folder. A resumed run carries on in the same files."""

    def __init__(self, run: Path) -> None:
        run.mkdir(parents=True, exist_ok=True)
        self.run = run
        self._metrics = run / "metrics.jsonl"

    def line(self, text: str) -> None:
        """One dated line in log.txt."""
        with open(self.run / "log.txt", "a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")

    def metrics(self, row: dict[str, Any]) -> None:
        """One row in metrics.jsonl."""
        with open(self._metrics, "a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")

    def keep_metrics_up_to(self, step: int) -> None:
        """Forget rows after the checkpoint that training goes on from: they will be written again."""
        files.write_jsonl(self._metrics, [row for row in files.read_jsonl(self._metrics) if row["step"] <= step])

    def save_speaker(self, embedding: torch.Tensor) -> None:
        """Keep the embedding that the run was trained with."""
        with files.writing(self.run / "speaker.safetensors") as aside:
            save_file({"speaker": embedding.cpu().contiguous()}, aside)


def load_speaker(run: Path) -> torch.Tensor:
    """The embedding [hidden] that the run was trained with."""
    return load_file(run / "speaker.safetensors")["speaker"]
