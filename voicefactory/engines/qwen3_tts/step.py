"""One step: the gradient of its mean loss, and what it costs in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from voicefactory.engines.qwen3_tts.evaluation import autocast, parts_per_frame
from voicefactory.engines.qwen3_tts.loader import Layout, StepWork
from voicefactory.engines.qwen3_tts.losses import losses
from voicefactory.engines.qwen3_tts.memory import measured_peak
from voicefactory.engines.qwen3_tts.optimization import Updater
from voicefactory.engines.qwen3_tts.runlog import memory_in_use
from voicefactory.engines.qwen3_tts.speaker import Speakers
from voicefactory.engines.qwen3_tts.world import World
from voicefactory.presets import Hyperparameters


def gradients(
    net: Any,
    work: StepWork,
    speakers: Speakers,
    parameters: Mapping[str, torch.nn.Parameter],
    preset: Hyperparameters,
    device: str,
    bf16: bool,
    world: World,
) -> torch.Tensor:
    """Leave the clipped gradient of a step's mean loss in the parameters.

    Returns [3] on the device, without waiting for it: loss of the first codebook, of the others, gradient norm.
    """
    sums = torch.zeros(2, device=device)
    for batch in work.batches:
        with autocast(bf16, device):
            parts = losses(net, batch, speakers.embeddings())
        first = parts.first / work.predictions
        rest = parts.rest / (work.predicted * parts_per_frame(net))
        (first + preset.code_predictor_weight * rest).backward()  # type: ignore[no-untyped-call]
        sums += torch.stack([first.detach(), rest.detach()]).to(sums.dtype)
    world.add_up(parameters.values(), sums)
    norm = torch.nn.utils.clip_grad_norm_(parameters.values(), preset.max_grad_norm)
    return torch.cat([sums, norm.to(sums)[None]])


def measure_longest_batch(
    net: Any,
    layout: Layout,
    training: Sequence[int],
    speakers: Speakers,
    parameters: Mapping[str, torch.nn.Parameter],
    preset: Hyperparameters,
    device: str,
    bf16: bool,
) -> int:
    """Bytes in use at the peak of a step on the longest clips of `training`, which changes nothing.

    On a GPU they are what torch allocates; on a CPU, what the process holds afterwards. The optimiser is one of
    its own, with a rate of zero. Raises torch's OutOfMemoryError if it does not fit.
    """
    longest = sorted(training, key=lambda index: len(layout.sequences[index]))[-preset.batch_size :]
    states: list[Updater] = []

    def step() -> None:
        states.append(Updater(parameters, preset, device))
        work = layout.work(0, 1, [longest])
        gradients(net, work, speakers, parameters, preset, device, bf16, World())
        states[0].update(0, 0.0)

    def undo() -> None:
        states.clear()
        for parameter in parameters.values():
            parameter.grad = None

    net.train()
    gpus = [torch.device(device).index or 0] if device.startswith("cuda") else []
    with torch.random.fork_rng(gpus):  # dropout draws
        if gpus:
            return measured_peak(step, undo, device)
        try:
            step()
            return memory_in_use()
        finally:
            undo()
