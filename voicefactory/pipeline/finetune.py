"""Codes → Checkpoint: one run a combination of codes, model and preset."""

from __future__ import annotations

from pathlib import Path

from voicefactory import files
from voicefactory.engines.base import Engine, Training
from voicefactory.languages import AUTO
from voicefactory.pipeline.probe_clips import probe_recordings, probe_sentences
from voicefactory.pipeline.sentences import SENTENCES
from voicefactory.presets import Preset
from voicefactory.project import Project, slug
from voicefactory.types import Checkpoint, Codes, Dataset, OnProgress, Progress, ShouldStop, never, silent


def finetune(
    project: Project,
    codes: Codes,
    engine: Engine,
    model: Path,
    preset: Preset,
    device: str,
    *,
    language: str = AUTO,
    dataset: Dataset | None = None,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> tuple[Path, Checkpoint]:
    """Train, or go on training; return the run's folder and its last checkpoint.

    The same codes, model and preset are the same run: it resumes where it was, and is skipped when it is
    finished. Another preset or changed recordings are another run beside it. Raises Cancelled after saving.
    The run keeps the fingerprint of the frozen `dataset` in dataset.json. At every measurement the voice says the
    fixed sentences of `language`, and is compared with clips of the data set (see `probe`).
    """
    inputs = {
        "engine": engine.spec.name,
        "codes": codes.fingerprint,
        "model": files.model_identity(model),
        "preset": preset.model_dump(),
        "speaker": project.speaker,
    }
    run = project.runs / f"{slug(preset.name)}-{files.fingerprint(inputs)[:8]}"
    finished = run / "finished.json"
    if dataset:
        name = dataset.fingerprint
        files.write_json(run / "dataset.json", {"fingerprint": name, "folder": f"datasets/{name[:12]}"})
    if not files.is_current(finished, inputs):
        training = Training(
            codes,
            model,
            preset,
            run,
            speaker=project.speaker,
            device=device,
            sentences=probe_sentences(language, dataset) if dataset else SENTENCES[language],
            language=language,
            recordings=probe_recordings(dataset, engine, preset) if dataset else (),
        )
        checkpoint = engine.finetune(training, on_progress=on_progress, should_stop=should_stop)
        row = {"checkpoint": project.relative(checkpoint.path), "step": checkpoint.step, "drift": checkpoint.drift}
        files.write_json(finished, row)
        files.mark_current(finished, inputs)
    result = files.read_json(finished)
    on_progress(Progress("finetune", result["step"], result["step"]))
    kept = project.root / result["checkpoint"]
    checkpoint = Checkpoint(kept, result["step"], project.speaker, model, result.get("drift", ""))
    return run, checkpoint
