"""Dataset → Codes."""

from __future__ import annotations

from pathlib import Path

from voicefactory.engines.base import Engine
from voicefactory.pipeline.refusals import write_refused
from voicefactory.project import Project
from voicefactory.types import Codes, Dataset, OnProgress, Progress, ShouldStop, never, silent


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

    Clips that were encoded before, with the same codec, are taken over. Extra texts that the model could not say
    are left in refused/extract.jsonl. Raises Cancelled.
    """
    codes = engine.extract(
        dataset, model, project.codes, device=device, on_progress=on_progress, should_stop=should_stop
    )
    write_refused(project, "extract", codes.refused)
    if codes.refused:
        told = f"{len(codes.refused)} of {len(dataset.extra_texts)} extra texts are left out: the model came to no end."
        on_progress(Progress("extract", message=told, notice=True))
    return codes
