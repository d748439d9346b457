"""What training will need, before it starts: memory against what each card has free, and about how long it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from voicefactory import hardware
from voicefactory.engines import registry
from voicefactory.engines.base import Engine, Plan, PlannedClip
from voicefactory.errors import InputError
from voicefactory.hardware import Gpu
from voicefactory.presets import Preset, load_preset, preset_files
from voicefactory.project import Project
from voicefactory.types import Clip, Dataset, OnProgress, Progress, ShouldStop, Transcript

GIB = 1 << 30
#: Share of the arithmetic peak that training reaches, from a slow start to what good kernels do. Assumed.
_SHARE_OF_GPU = (0.05, 0.40)
_SHARE_OF_CPU = (0.3, 0.9)  #: of what a matrix product reaches on this machine, timed here
_START_S = (10.0, 60.0)  #: loading the model and the check before the first step; assumed


@dataclass(frozen=True)
class OnDevice:
    """A run on one device."""

    device: str  #: cuda:N or cpu
    name: str
    free_bytes: int
    total_bytes: int
    fits: bool
    seconds: tuple[float, float] | None  #: about how long, from and to; None for a card nobody told us about


@dataclass(frozen=True)
class RunPlan:
    """What a run needs, where it fits, and what to do where it does not."""

    model: str
    preset: str
    plan: Plan
    devices: tuple[OnDevice, ...]  #: every card, the freest first; without one, the CPU
    nearest: str | None = None  #: the preset to take where nothing fits
    nearest_bytes: int = 0

    @property
    def best(self) -> OnDevice:
        """The device that would be taken."""
        return self.devices[0]

    def to_json(self) -> dict[str, Any]:
        """What `voicefactory plan --json` prints. Bytes and seconds."""
        return {
            "model": self.model,
            "preset": self.preset,
            "settled": self.plan.preset.model_dump(exclude={"name", "description"}),
            "training_clips": self.plan.training_clips,
            "held_out_clips": self.plan.held_out_clips,
            "steps": self.plan.steps,
            "memory": self.plan.memory,
            "peak_bytes": self.plan.peak_bytes,
            "flops": self.plan.flops,
            "devices": [vars(one) for one in self.devices],
            "nearest": self.nearest,
            "nearest_bytes": self.nearest_bytes or None,
        }


def planned_clips(clips: Sequence[Clip], transcripts: Sequence[Transcript]) -> list[PlannedClip]:
    """The clips that will be trained on: those with a text that the person did not drop."""
    seconds = {clip.id: clip.seconds for clip in clips}
    used = [row for row in transcripts if not row.dropped and row.text.strip() and row.clip in seconds]
    return [PlannedClip(row.clip, seconds[row.clip], row.text) for row in used]


def planned_of(dataset: Dataset) -> list[PlannedClip]:
    """The clips of a frozen data set."""
    return [PlannedClip(sample.clip.id, sample.clip.seconds, sample.text) for sample in dataset.samples]


def plan(
    project: Project, clips: Sequence[PlannedClip], *, engine: str, model: str, preset: Preset, fetch: bool = True
) -> RunPlan | None:
    """Plan training with `preset` on what is in the project now. Loads neither torch nor the model.

    None if the model's sizes are not known here: see `Engine.plan`, also for what is raised.
    """
    chosen = registry.get(engine)
    cards = sorted(hardware.gpus(), key=lambda card: -card.free_bytes)
    planned = chosen.plan(model, project.home, clips, preset, cuda=bool(cards), fetch=fetch)
    if planned is None:
        return None
    devices = [_on_card(card, planned) for card in cards] or [_on_cpu(planned)]
    if devices[0].fits:
        return RunPlan(model, preset.name, planned, tuple(devices))
    name, needed = _nearest(chosen, project, clips, model, preset, devices[0])
    return RunPlan(model, preset.name, planned, tuple(devices), name, needed)


def wait_for_card(
    project: Project,
    clips: Sequence[PlannedClip],
    *,
    engine: str,
    model: str,
    preset: Preset,
    device: str,
    on_progress: OnProgress,
    should_stop: ShouldStop,
) -> str:
    """Wait until a card has the planned memory free; return it as cuda:N.

    `device` is auto, or the card to wait for. Raises InputError where waiting is no use, Cancelled.
    """
    hardware.check_can_wait(device)
    planned = registry.get(engine).plan(model, project.home, clips, preset, cuda=True, fetch=True)
    if planned is None:
        raise InputError(f"How much memory {model} needs is not known before it is here. Download it first.")
    card = hardware.wait_for_gpu(
        planned.peak_bytes,
        device,
        tell=lambda sentence: on_progress(Progress("wait", message=sentence, notice=True)),
        should_stop=should_stop,
    )
    return f"cuda:{card.index}"


def _on_card(card: Gpu, planned: Plan) -> OnDevice:
    peak = hardware.peak_flops(card.name)
    return OnDevice(
        f"cuda:{card.index}",
        card.name,
        card.free_bytes,
        card.total_bytes,
        card.free_bytes >= planned.peak_bytes,
        _range(planned.flops, peak, _SHARE_OF_GPU) if peak else None,
    )


def _on_cpu(planned: Plan) -> OnDevice:
    memory = psutil.virtual_memory()
    return OnDevice(
        "cpu",
        "CPU",
        memory.available,
        memory.total,
        memory.available >= planned.peak_bytes and planned.preset.adapter != "qlora",
        _range(planned.flops, hardware.cpu_flops(), _SHARE_OF_CPU),
    )


def _range(flops: float, peak: float, shares: tuple[float, float]) -> tuple[float, float]:
    slow, fast = shares
    return _START_S[0] + flops / (peak * fast), _START_S[1] + flops / (peak * slow)


def _nearest(
    engine: Engine, project: Project, clips: Sequence[PlannedClip], model: str, preset: Preset, device: OnDevice
) -> tuple[str | None, int]:
    """The preset that fits `device` and needs the most memory of those that do, and how much that is.

    The one that gives up least: what takes less memory trains fewer numbers, or holds them more coarsely.
    Presets that train other parts than the talker are no way out for somebody who wants a voice.
    """
    fitting = []
    for name in preset_files():
        other = load_preset(name)
        if name == preset.name or other.train_talker != preset.train_talker:
            continue
        cuda = device.device != hardware.CPU
        if other.adapter == "qlora" and not cuda:
            continue
        planned = engine.plan(model, project.home, clips, other, cuda=cuda, fetch=False)
        if planned and planned.peak_bytes <= device.free_bytes:
            fitting.append((planned.peak_bytes, name))
    return (max(fitting)[1], max(fitting)[0]) if fitting else (None, 0)
