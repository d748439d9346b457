"""What is trained and how fast: the parameters that a preset thaws, their groups, the learning rate of a step."""

from __future__ import annotations

import math
from typing import Any

import torch

from voicefactory.errors import InputError
from voicefactory.presets import Hyperparameters


def trainable_parameters(net: Any, preset: Hyperparameters) -> dict[str, torch.nn.Parameter]:
    """The parameters that the preset trains, by name; all others are frozen.

    Raises InputError if the preset freezes everything.
    """
    chosen = {}
    for name, parameter in net.named_parameters():
        wanted = preset.train_talker
        if not name.startswith("talker."):
            wanted = False  # the speaker encoder serves cloning and stays as it is
        elif "text_embedding" in name:
            wanted = preset.train_text_embedding
        elif "codec_embedding" in name:
            wanted = preset.train_codec_embedding
        elif name.startswith("talker.code_predictor."):
            wanted = preset.train_code_predictor
        parameter.requires_grad_(wanted)
        if wanted:
            chosen[name] = parameter
    if not chosen:
        raise InputError("This preset trains nothing. Set train_talker or another train_ key to true.")
    return chosen


def parameter_groups(parameters: dict[str, torch.nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Two groups for AdamW: matrices decay; norms, biases and embeddings do not."""
    decayed = {name for name, p in parameters.items() if p.ndim > 1 and "embedding" not in name}
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
