"""Resumable checkpoints: trained weights, optimiser, scheduler step, random state. Safetensors only.

A checkpoint is written aside and renamed, so a folder `step-000200` is whole or not there. The data order
needs no state: it is a function of seed and epoch.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from voicefactory import files

_RANDOM = "random_state"


def save_checkpoint(
    folder: Path,
    step: int,
    parameters: dict[str, torch.nn.Parameter],
    optimizer: torch.optim.Optimizer,
    state: dict[str, Any],
    keep: int,
) -> Path:
    """Write folder/step-NNNNNN with `parameters`, optimiser and `state` (any JSON); drop all but `keep` newest."""
    path = folder / f"step-{step:06d}"
    if path.exists():  # cancelled right after it was saved: a whole checkpoint is not replaced by its equal
        return path
    names = {id(parameter): name for name, parameter in parameters.items()}
    moments: dict[str, torch.Tensor] = {_RANDOM: torch.get_rng_state()}
    for parameter, values in optimizer.state.items():
        for key, value in values.items():
            moments[f"{names[id(parameter)]}|{key}"] = torch.as_tensor(value).detach().cpu().contiguous()
    with files.writing_folder(path) as aside:
        save_file(
            {name: p.detach().cpu().contiguous() for name, p in parameters.items()}, aside / "weights.safetensors"
        )
        save_file(moments, aside / "optimizer.safetensors")
        files.write_json(aside / "state.json", {**state, "step": step})
    for old in checkpoints(folder)[:-keep]:
        shutil.rmtree(old)
    return path


def checkpoints(folder: Path) -> list[Path]:
    """Whole checkpoints, the oldest first."""
    return sorted(path for path in folder.glob("step-*") if (path / "state.json").exists())


def load_checkpoint(
    path: Path, parameters: dict[str, torch.nn.Parameter], optimizer: torch.optim.Optimizer
) -> dict[str, Any]:
    """Put a checkpoint's weights, optimiser and random state in place; return its state."""
    weights = load_file(path / "weights.safetensors")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])
    moments = load_file(path / "optimizer.safetensors")
    torch.set_rng_state(moments.pop(_RANDOM))
    fused = bool(optimizer.param_groups[0].get("fused"))  # a fused step is counted on the device
    for key, value in moments.items():
        name, _, field = key.rpartition("|")
        parameter = parameters[name]
        stays = field == "step" and not fused
        optimizer.state[parameter][field] = value if stays else value.to(parameter.device)
    state: dict[str, Any] = files.read_json(path / "state.json")
    return state
