"""What a run leaves for people and for the page: log.txt, metrics.jsonl, the speakers' embeddings."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import torch
from safetensors.torch import load_file, save_file

from voicefactory import files
from voicefactory.presets import Preset


class RunLog:
    """Appends to a run's folder. A resumed run carries on in the same files."""

    def __init__(self, run: Path, *, quiet: bool = False) -> None:
        run.mkdir(parents=True, exist_ok=True)
        self.run = run
        self._quiet = quiet  #: another process of the same run writes
        self._metrics = run / "metrics.jsonl"

    def line(self, text: str) -> None:
        """One dated line in log.txt."""
        if self._quiet:
            return
        with open(self.run / "log.txt", "a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")

    def metrics(self, row: dict[str, Any]) -> None:
        """One row in metrics.jsonl."""
        if self._quiet:
            return
        with open(self._metrics, "a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")

    def keep_metrics_up_to(self, step: int) -> None:
        """Forget rows after the checkpoint that training goes on from: they will be written again."""
        if self._quiet:
            return
        files.write_jsonl(self._metrics, [row for row in files.read_jsonl(self._metrics) if row["step"] <= step])

    def save_preset(self, preset: Preset) -> None:
        """Keep the numbers that the run is trained with."""
        if not self._quiet:
            preset.save(self.run / "preset.yaml")

    def save_speakers(self, embeddings: Mapping[str, torch.Tensor]) -> None:
        """Keep the embeddings that the run was trained with, by the speakers' names."""
        if self._quiet:
            return
        with files.writing(self.run / "speaker.safetensors") as aside:
            save_file({name: embedding.cpu().contiguous() for name, embedding in embeddings.items()}, aside)


def load_speakers(run: Path) -> dict[str, torch.Tensor]:
    """name → embedding [hidden] that the run was trained with."""
    return load_file(run / "speaker.safetensors")


class Measured:
    """Rows of metrics whose losses are still on the device: they are read together, so that no step waits."""

    def __init__(self, log: RunLog, total_steps: int, trained_s: float) -> None:
        self.log = log
        self._total = total_steps
        self._trained_s = trained_s
        self._begun = self._read = time.monotonic()
        self._first_step: int | None = None
        self._rows: list[tuple[dict[str, Any], torch.Tensor, float]] = []

    @property
    def seconds(self) -> float:
        """Seconds of training in all, those before a resume included."""
        return self._trained_s + time.monotonic() - self._begun

    def add(self, row: dict[str, Any], values: torch.Tensor, audio_s: float) -> None:
        """`values` are loss_first, loss_rest and grad_norm of the step that `row` tells the rest of."""
        if self._first_step is None:
            self._first_step = row["step"] - 1
        self._rows.append((row, values, audio_s))

    def due(self, device: str) -> bool:
        """Whether to read now: on a CPU at every step, on a GPU once a second, so that steps can queue up."""
        return device == "cpu" or time.monotonic() - self._read > 1.0

    def read(self, code_predictor_weight: float, extra: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """Write what has been added, `extra` with the last row; return that row, or None if there is none.

        Raises FloatingPointError with the step whose gradient is not finite: args are (step, learning rate).
        """
        if not self._rows:
            return None
        values = torch.stack([values for _, values, _ in self._rows]).tolist()
        now = time.monotonic()
        audio_s = sum(audio_s for _, _, audio_s in self._rows)
        speed = audio_s / max(1e-9, now - self._read)
        rows = self._rows
        self._rows, self._read = [], now
        assert self._first_step is not None
        per_step = (now - self._begun) / (rows[-1][0]["step"] - self._first_step)
        for (row, _, _), (first, rest, norm) in zip(rows, values, strict=True):
            if not math.isfinite(norm):
                raise FloatingPointError(row["step"], row["learning_rate"])
            row.update(
                loss=first + code_predictor_weight * rest,
                loss_first=first,
                loss_rest=rest,
                grad_norm=norm,
                audio_seconds_per_second=speed,
                seconds=self._trained_s + now - self._begun,
                seconds_left=per_step * (self._total - row["step"]),
                memory_bytes=memory_in_use(),
            )
        rows[-1][0].update(extra or {})
        for row, _, _ in rows:
            self.log.metrics(row)
        return rows[-1][0]


def memory_in_use() -> int:
    """Most bytes of GPU memory that training has held at once; without a GPU, what the process holds now."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    return int(psutil.Process().memory_info().rss)
