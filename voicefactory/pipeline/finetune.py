"""Codes → Checkpoint: one run a combination of codes, model and preset."""

from __future__ import annotations

import hashlib
from pathlib import Path

from voicefactory import files
from voicefactory.engines.base import Engine
from voicefactory.languages import AUTO
from voicefactory.pipeline.sentences import SENTENCES
from voicefactory.presets import Preset
from voicefactory.project import Project, slug
from voicefactory.types import Checkpoint, Codes, OnProgress, Progress, ShouldStop, never, silent

_LOOKED_AT = 4 << 20  #: bytes at either end of a weights file


def finetune(
    project: Project,
    codes: Codes,
    engine: Engine,
    model: Path,
    preset: Preset,
    device: str,
    *,
    language: str = AUTO,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> tuple[Path, Checkpoint]:
    """Train, or go on training; return the run's folder and its last checkpoint.

    The same codes, model and preset are the same run: it resumes where it was, and is skipped when it is
    finished. Another preset or changed recordings are another run beside it. Raises Cancelled after saving.
    At every measurement the voice says the fixed sentences of `language`.
    """
    inputs = {
        "engine": engine.spec.name,
        "codes": codes.fingerprint,
        "model": _identity(model),
        "preset": preset.model_dump(),
        "speaker": project.speaker,
    }
    run = project.runs / f"{slug(preset.name)}-{files.fingerprint(inputs)[:8]}"
    finished = run / "finished.json"
    if not files.is_current(finished, inputs):
        checkpoint = engine.finetune(
            codes,
            model,
            preset,
            run,
            speaker=project.speaker,
            device=device,
            sentences=SENTENCES[language],
            language=language,
            on_progress=on_progress,
            should_stop=should_stop,
        )
        files.write_json(finished, {"checkpoint": project.relative(checkpoint.path), "step": checkpoint.step})
        files.mark_current(finished, inputs)
    result = files.read_json(finished)
    on_progress(Progress("finetune", result["step"], result["step"]))
    checkpoint = Checkpoint(project.root / result["checkpoint"], result["step"], project.speaker, model)
    return run, checkpoint


def _identity(model: Path) -> str:
    """What tells one model directory from another, without reading gigabytes: configuration, and of each weights
    file its size, header and last megabytes, in which no two trained models agree."""
    digest = hashlib.sha256((model / "config.json").read_bytes())
    for path in sorted(model.glob("*.safetensors")):
        size = path.stat().st_size
        digest.update(f"{path.name} {size}".encode())
        with open(path, "rb") as weights:
            digest.update(weights.read(_LOOKED_AT))
            weights.seek(max(0, size - _LOOKED_AT))
            digest.update(weights.read(_LOOKED_AT))
    return digest.hexdigest()
