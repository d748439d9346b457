"""What is trained and how fast: the parameters that a preset thaws, their precision, the learning rate of a step.

The step itself is taken in `updater.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from voicefactory.engines.qwen3_tts.adapters import is_adapter
from voicefactory.engines.qwen3_tts.updater import Updater, decays
from voicefactory.errors import InputError
from voicefactory.presets import Hyperparameters

__all__ = ["Updater", "hold_weights", "parameter_groups", "schedule", "trainable_parameters"]


def trainable_parameters(net: Any, preset: Hyperparameters) -> dict[str, torch.nn.Parameter]:
    """The parameters that the preset trains, by name; all others are frozen.

    With an adapter, its matrices train in place of the layers' weights; embeddings and the speaker encoder
    follow their own keys. Raises InputError if the preset freezes everything.
    """
    chosen = {}
    for name, parameter in net.named_parameters():
        if is_adapter(name):
            wanted = True
        elif not name.startswith("talker."):
            wanted = preset.train_speaker_encoder and name.startswith("speaker_encoder.")
        elif "text_embedding" in name:
            wanted = preset.train_text_embedding
        elif "codec_embedding" in name:
            wanted = preset.train_codec_embedding
        elif preset.adapter != "none":
            wanted = False
        elif name.startswith("talker.code_predictor."):
            wanted = preset.train_code_predictor
        else:
            wanted = preset.train_talker
        parameter.requires_grad_(wanted)
        if wanted:
            chosen[name] = parameter
    if not chosen:
        raise InputError("This preset trains nothing. Set train_talker or another train_ key to true.")
    return chosen


def hold_weights(
    net: Any, parameters: Mapping[str, torch.nn.Parameter], preset: Hyperparameters, *, bf16: bool
) -> None:
    """Put every weight of `net` into the precision it is held in, in place. Call before the optimiser is made.

    Trained weights are fp32, or bf16 where the preset rounds at random; adapters always fp32. Frozen ones are
    bf16 if the arithmetic is (`bf16`), otherwise fp32; 4-bit ones stay. The speaker encoder is fp32 always.
    """
    rounded = preset.precision == "bf16-stochastic"
    for name, parameter in net.named_parameters():
        if not parameter.is_floating_point():  # in 4 bits
            continue
        if is_adapter(name) or not name.startswith("talker."):
            dtype = torch.float32
        elif name in parameters:
            dtype = torch.bfloat16 if rounded else torch.float32
        else:
            dtype = torch.bfloat16 if bf16 else torch.float32
        parameter.data = parameter.data.to(dtype)


def parameter_groups(parameters: dict[str, torch.nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Two groups for AdamW: matrices decay; norms, biases and embeddings do not."""
    decayed = {name for name, parameter in parameters.items() if decays(name, parameter)}
    return [
        {"params": [p for name, p in parameters.items() if name in decayed], "weight_decay": weight_decay},
        {"params": [p for name, p in parameters.items() if name not in decayed], "weight_decay": 0.0},
    ]


def schedule(preset: Hyperparameters, step: int, total_steps: int) -> float:
    """Share of the peak learning rate at `step` (from 0): linear warm-up, then constant, linear or cosine to 0."""
    warmup = min(preset.warmup_steps, total_steps // 2)
    if step < warmup:
        return (step + 1) / warmup
    if preset.schedule == "constant":
        return 1.0
    done = (step - warmup) / max(1, total_steps - warmup)
    return 1.0 - done if preset.schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * done))
