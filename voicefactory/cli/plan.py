"""`voicefactory plan` in words: what the run is, what it needs, where it fits."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from voicefactory.cli.progress import duration
from voicefactory.engines import registry
from voicefactory.errors import InputError, ModelUnavailableError
from voicefactory.pipeline.plan import GIB, OnDevice, RunPlan, planned_clips
from voicefactory.pipeline.plan import plan as plan_training
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.transcripts import load_transcripts
from voicefactory.presets import load_preset
from voicefactory.project import Project, slug
from voicefactory.types import silent

#: What each part of the memory is, in words.
TERMS = {
    "weights": "weights",
    "copies": "copies of weights while they are used",
    "gradients": "gradients",
    "optimizer": "optimiser state",
    "activations": "activations of the longest batch",
    "codec": "speech tokenizer, loaded beside it",
    "overhead": "CUDA itself and what is lost between blocks (assumed)",
}
_SETTLED = ("learning_rate", "batch_size", "epochs", "warmup_steps", "eval_every_steps", "save_every_steps")


def plan_of(name: str, *, engine: str, model: str, preset: str, overrides: Iterable[str], home: Path | None) -> RunPlan:
    """The plan for the project called `name`.

    Raises InputError for a project, a preset or a model that is none, ModelUnavailableError for a model whose
    sizes cannot be found out here.
    """
    chosen = load_preset(preset, overrides)
    project = Project.open(slug(name), home)
    clips = planned_clips(load_clips(project), load_transcripts(project))
    if not clips:
        raise InputError(f"{project.name} has no clip with a text yet. Run create, or prepare it on the page, first.")
    known = registry.get(engine)
    wanted = model or known.default_model()
    if wanted == "toy":
        known.resolve_model(wanted, project.home, silent)  # it is built on first use
    found = plan_training(project, clips, engine=engine, model=wanted, preset=chosen)
    if found is None:
        raise ModelUnavailableError(
            f"How large {wanted} is cannot be found out: it is not on this machine, and the Hub does not answer. "
            "Connect to the internet, or give a folder with the model (--model)."
        )
    return found


def lines(found: RunPlan) -> list[str]:
    """The plan for a person who reads a terminal."""
    plan = found.plan
    told = [f"{found.preset} on {found.model}: {plan.training_clips} clips to train on, {plan.held_out_clips} held out"]
    told.append(f"{plan.steps} steps; " + ", ".join(f"{key} {getattr(plan.preset, key):g}" for key in _SETTLED))
    told.append("")
    told += [f"{size / GIB:8.2f} GiB  {TERMS[term]}" for term, size in plan.memory.items() if size]
    told.append(f"{plan.peak_bytes / GIB:8.2f} GiB  in all, at the peak")
    told.append("")
    told += [_device_line(one) for one in found.devices]
    if not found.best.fits:
        told.append(
            f"The nearest preset that fits is {found.nearest}, with {found.nearest_bytes / GIB:.2f} GiB: it needs "
            "the most of those that fit, so it gives up the least."
            if found.nearest
            else "No preset fits. Leave out the longest clips, or free some memory."
        )
    told.append("Memory is counted from the model's sizes; times are rough, and were not measured on any GPU.")
    return told


def _device_line(one: OnDevice) -> str:
    verdict = "fits" if one.fits else "does not fit"
    time = f"about {duration(one.seconds[0])} to {duration(one.seconds[1])}" if one.seconds else "time not known"
    free, total = one.free_bytes / GIB, one.total_bytes / GIB
    return f"{one.device}  {one.name}  {free:.1f} of {total:.1f} GiB free: {verdict}; {time}"
