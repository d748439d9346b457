"""Resumable checkpoints: trained weights or adapter, optimiser, random state, where the run stands.

Safetensors and JSON only. A checkpoint is written aside and renamed, so a folder `step-000200` is whole or not
there. The data order and the learning rate need no state: both are functions of the preset and the step.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import load_file, save_file

from voicefactory import files
from voicefactory.errors import InputError

_RANDOM = "random_state"
_SPEAKERS = "speaker.safetensors"
#: keys of a preset that may differ when a run goes on: they do not touch what is trained
FREE_TO_CHANGE = frozenset({"name", "description", "keep_checkpoints", "save_every_steps", "speak_at_evaluations"}) | {
    "probe",
    "drift_pace",
    "drift_likeness",
}


@dataclass
class Standing:
    """Where a run stands."""

    step: int = 0
    seconds: float = 0.0  #: of training so far
    parts: int = 1  #: pieces that each batch is cut into, since memory ran out
    best_step: int = 0  #: whose weights are kept as the best
    best_loss: float | None = None  #: lowest held-out loss, in nats
    worse: int = 0  #: measurements since then
    stopped_early: bool = False
    drift: str = ""  #: why, if the voice drifted away from its speaker

    def at_end(self, total_steps: int) -> bool:
        """Whether training is over."""
        return self.stopped_early or self.step >= total_steps

    def is_best(self, eval_loss: float | None, *, sound: bool, watched: bool) -> bool:
        """Whether the weights of this step are the best so far; then they are noted as that.

        `eval_loss` is the held-out loss, None without held-out clips: there the newest `sound` weights are the best,
        if the run is `watched` and so may have to go back to them. What is not sound is never the best.
        """
        lower = eval_loss is not None and (self.best_loss is None or eval_loss < self.best_loss)
        if eval_loss is not None:
            self.worse = 0 if lower else self.worse + 1
        if not sound or not (lower or (eval_loss is None and watched)):
            return False
        self.best_loss, self.best_step = eval_loss, self.step
        return True


class Stateful(Protocol):
    """The optimiser, as far as a checkpoint goes."""

    def state(self) -> dict[str, torch.Tensor]:
        """Tensors by name, on the CPU."""
        ...

    def load_state(self, tensors: dict[str, torch.Tensor]) -> None:
        """Put them back."""
        ...


def save_checkpoint(
    folder: Path,
    standing: Standing,
    parameters: Mapping[str, torch.nn.Parameter],
    optimizer: Stateful,
    about: Mapping[str, Any],
    speakers: Mapping[str, torch.Tensor],
    keep: int,
) -> Path:
    """Write folder/step-NNNNNN with `about` (any JSON) beside it; drop all but the `keep` newest, and old bests."""
    path = folder / f"step-{standing.step:06d}"
    if not path.exists():  # cancelled right after it was saved: a whole checkpoint is not replaced by its equal
        random = {_RANDOM: torch.get_rng_state()}
        if torch.cuda.is_available():
            random[f"{_RANDOM}_cuda"] = torch.cuda.get_rng_state()
        with files.writing_folder(path) as aside:
            _write_weights(aside, parameters, speakers)
            save_file({**optimizer.state(), **random}, aside / "optimizer.safetensors")
            files.write_json(aside / "state.json", {**dataclasses.asdict(standing), **about})
    for old in checkpoints(folder)[:-keep]:
        shutil.rmtree(old)
    for old in folder.glob("best-*"):
        if old != best_path(folder, standing):
            shutil.rmtree(old)
    return path


def save_best(
    folder: Path,
    standing: Standing,
    parameters: Mapping[str, torch.nn.Parameter],
    speakers: Mapping[str, torch.Tensor],
) -> None:
    """Write folder/best-NNNNNN: weights only, for a voice can be made of it and no run goes on from it."""
    path = best_path(folder, standing)
    if not path.exists():
        with files.writing_folder(path) as aside:
            _write_weights(aside, parameters, speakers)


def best_path(folder: Path, standing: Standing) -> Path:
    """Where the best weights are, as `Standing.is_best` chose them."""
    return folder / f"best-{standing.best_step:06d}"


def _write_weights(
    folder: Path, parameters: Mapping[str, torch.nn.Parameter], speakers: Mapping[str, torch.Tensor]
) -> None:
    save_file({name: p.detach().cpu().contiguous() for name, p in parameters.items()}, folder / "weights.safetensors")
    if speakers:
        save_file({name: one.detach().cpu().contiguous() for name, one in speakers.items()}, folder / _SPEAKERS)


def checkpoints(folder: Path) -> list[Path]:
    """Whole checkpoints, the oldest first."""
    return sorted(path for path in folder.glob("step-*") if (path / "state.json").exists())


def standing_of(path: Path) -> Standing:
    """Where the run stood when the checkpoint was written."""
    state = files.read_json(path / "state.json")
    return Standing(**{field.name: state[field.name] for field in dataclasses.fields(Standing) if field.name in state})


def check_same_run(path: Path, about: Mapping[str, Any]) -> None:
    """Raise InputError naming the differences if the checkpoint belongs to other data or another preset.

    `about` is {"preset": keys and values, "codes": fingerprint, "clips": clip → digest, …} as it was saved.
    """
    state = files.read_json(path / "state.json")
    was, now = state["preset"], about["preset"]
    changed = [
        f"{key} was {was.get(key)}, is {now[key]}"
        for key in now
        if key not in FREE_TO_CHANGE and was.get(key) != now[key]
    ]
    if changed:
        raise InputError(f"This run was started with another preset: {'; '.join(changed)}. Start a new run.")
    if state["codes"] != about["codes"]:
        difference = _difference(state["clips"], about["clips"])
        raise InputError(f"The recordings changed since this run was started: {difference}. Start a new run.")


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    kinds = {
        "added": [clip for clip in after if clip not in before],
        "gone": [clip for clip in before if clip not in after],
        "changed": [clip for clip in after if clip in before and before[clip] != after[clip]],
    }
    told = [f"{len(clips)} {kind} ({', '.join(clips[:3])})" for kind, clips in kinds.items() if clips]
    return ", ".join(told) or "the reference or the tokenizer is another one"


def load_checkpoint(path: Path, parameters: Mapping[str, torch.nn.Parameter], optimizer: Stateful) -> Standing:
    """Put a checkpoint's weights, optimiser and random states in place; return where the run stands."""
    weights = load_file(path / "weights.safetensors")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])
    state = load_file(path / "optimizer.safetensors")
    torch.set_rng_state(state.pop(_RANDOM))
    cuda = state.pop(f"{_RANDOM}_cuda", None)
    if cuda is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(cuda)
    optimizer.load_state(state)
    return standing_of(path)


def drop_optimizer_states(folder: Path) -> None:
    """A finished run needs only its weights: what it could be resumed with is most of its size."""
    for path in checkpoints(folder):
        (path / "optimizer.safetensors").unlink(missing_ok=True)
