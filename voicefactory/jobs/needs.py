"""How much of a device's memory a job needs, by the plan of its engine. Loads no torch."""

from __future__ import annotations

import contextlib
from typing import Any

from voicefactory import hardware
from voicefactory.engines import registry
from voicefactory.jobs.lanes import LANES
from voicefactory.jobs.store import Job
from voicefactory.pipeline.plan import plan, planned_clips
from voicefactory.pipeline.request import Request
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.transcripts import load_transcripts
from voicefactory.presets import load_preset
from voicefactory.project import Project

_LISTENING_BYTES = 3 << 30  #: Whisper large-v3 in 8 bits on a card, and what it works on; assumed, not measured


def needed_bytes(job: Job, project: Project) -> int | None:
    """Bytes at the job's peak; None if nobody can know before it has begun, such as for a model that is not here.

    Whatever is wrong with the request or a file of the project, the job itself will say, and nobody else waits for it.
    """
    with contextlib.suppress(Exception):
        if job.kind == "train":
            return _training(job.request, project)
        if LANES[job.kind] in ("train", "preview"):
            return _speaking(job.request, project)
        if LANES[job.kind] in ("data", "listen"):
            return _LISTENING_BYTES if hardware.gpus() else None
    return None


def _training(values: dict[str, Any], project: Project) -> int | None:
    request = Request(**{**values, "overrides": tuple(values.get("overrides", ()))})
    found = plan(
        project,
        planned_clips(load_clips(project), load_transcripts(project)),
        engine=request.engine,
        model=request.model,
        preset=load_preset(request.preset, request.overrides),
        fetch=False,
    )
    return found.plan.peak_bytes if found else None


def _speaking(values: dict[str, Any], project: Project) -> int | None:
    """Of the largest model that may speak: the newest voice, which is as large as what it was trained from, or the
    base model that is named."""
    engine = registry.get(str(values.get("engine") or registry.DEFAULT))
    voices = sorted(project.voices.glob("*/voice.json"), key=lambda path: path.stat().st_mtime)
    named = [str(values[key]) for key in ("model", "base") if values.get(key)]
    models = [*(str(path.parent) for path in voices[-1:]), *named]
    cuda = bool(hardware.gpus())
    sizes = [engine.speaking_memory(model, project.home, cuda=cuda) for model in models or [engine.default_model()]]
    return max((size for size in sizes if size is not None), default=None)
