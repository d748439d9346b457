"""Dataset → Codes."""

from __future__ import annotations

from pathlib import Path

from voicefactory.engines.base import Engine
from voicefactory.project import Project
from voicefactory.types import Codes, Dataset, OnProgress, ShouldStop, never, silent


def extract(
    project: Project,
    dataset: Dataset,
    engine: Engine,
    model: Path,
    device: str,
    *,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> Codes:
    """Encode the data set with the codec of `model`: codes/<engine>-<tokenizer>/codes.jsonl in the project.

    Clips that were encoded before, with the same codec, are taken over. Raises Cancelled.
    """
    return engine.extract(
        dataset, model, project.codes, device=device, on_progress=on_progress, should_stop=should_stop
    )
