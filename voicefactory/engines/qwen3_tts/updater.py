"""One optimiser step: AdamW in fp32 or with 8-bit state, on fp32 weights or on bf16 weights that round at random.

A step at 2e-6 moves a weight of 0.02 by a sixtieth of what bf16 can tell apart: rounded to the nearest, nearly
every update is lost (`tests/engines/test_optimization.py` counts them). Rounded at random, with the chance of the
higher neighbour growing with the distance from the lower one, it is kept on average (Gupta et al. 2015,
arXiv:1502.02551; for bf16 weights Zamirai et al. 2020, arXiv:2010.06192). The random numbers are a function of
seed, step and place, so a run that was stopped and resumed rounds as one that was not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from voicefactory.engines.qwen3_tts.adapters import has_bitsandbytes
from voicefactory.errors import InputError
from voicefactory.presets import Hyperparameters

CHUNK = 64 << 20  #: elements of bf16 weights that are held in fp32 at the same time: 256 MB

_ADAMW_STATE = frozenset({"step", "exp_avg", "exp_avg_sq"})
_EIGHT_BIT_STATE = frozenset({"step", "state1", "state2", "absmax1", "absmax2"})
_SMALL_STATE = frozenset({"step", "state1", "state2"})  # bitsandbytes keeps tensors below 4,096 elements in fp32


class Updater:
    """The optimiser of a run. `parameters` are what is trained, by name, and must not change their precision later.

    `name` says in words what it is. A bf16 parameter larger than `chunk` elements is worked on in parts, whose
    states have names of their own ("talker.model.text_embedding.weight[1]").
    """

    def __init__(
        self,
        parameters: Mapping[str, torch.nn.Parameter],
        preset: Hyperparameters,
        device: str,
        *,
        chunk: int = CHUNK,
    ) -> None:
        self._parameters = list(parameters.values())
        self._seed = preset.seed
        self._device = torch.device(device)
        self._places: dict[str, _Place] = {}
        for name, parameter in parameters.items():
            for place in _places(name, parameter, chunk):
                self._places[place.name] = place
        self._chunks = list(_chunks([place for place in self._places.values() if place.rounded], chunk))
        groups = [
            {
                "params": [place.weight for place in self._places.values() if place.decays == decays],
                "weight_decay": preset.weight_decay if decays else 0.0,
            }
            for decays in (True, False)
        ]
        wants_8bit = preset.optimizer == "adamw-8bit"
        self._in_8bit = wants_8bit and has_bitsandbytes()
        self._optimizer: Any
        if self._in_8bit:
            from bitsandbytes.optim import AdamW8bit

            self._optimizer = AdamW8bit(groups, lr=preset.learning_rate)
            self.name = "8-bit AdamW"
        else:
            self._optimizer = torch.optim.AdamW(groups, lr=preset.learning_rate, fused=True)
            self.name = "fused AdamW"
        if wants_8bit and not self._in_8bit:
            self.name += ", because bitsandbytes for the 8-bit one is not installed"
        if self._chunks:
            self.name += ", bf16 weights rounded at random"

    def update(self, step: int, rate: float) -> None:
        """One step at learning rate `rate` from the parameters' gradients, which are dropped afterwards.

        `step` counts from 0 and picks the random numbers of the rounding. If memory runs out in here, some weights
        may have moved already; the optimiser itself can go on.
        """
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        try:
            self._update_all(step)
        finally:
            self._clear()

    def _update_all(self, step: int) -> None:
        if any(place.weight.grad is not None for place in self._places.values() if not place.rounded):
            self._optimizer.step()
            for place in self._places.values():
                if not place.rounded:
                    place.weight.grad = None
        for index, chunk in enumerate(self._chunks):
            self._update_chunk(chunk, _generator(self._device, self._seed, step, index))

    def _clear(self) -> None:
        """Drop gradients, copies, and states that were only half made when memory ran out."""
        for parameter in self._parameters:
            parameter.grad = None
        for place in self._places.values():
            place.empty()
            state = self._optimizer.state.get(place.weight, {})
            if state and not (state.keys() >= _ADAMW_STATE or state.keys() >= _SMALL_STATE):
                del self._optimizer.state[place.weight]

    @torch.no_grad()
    def _update_chunk(self, chunk: list[_Place], generator: torch.Generator) -> None:
        """Step on fp32 copies of a chunk of bf16 weights, and round them back."""
        chunk = [place for place in chunk if place.source.grad is not None]
        for place in chunk:
            place.weight.data = place.bf16().float()
            place.weight.grad = place.gradient().float()
        self._optimizer.step()
        for place in chunk:
            place.bf16().copy_(round_stochastically(place.weight.data, generator))
            place.empty()

    def state(self) -> dict[str, torch.Tensor]:
        """Everything the next step depends on, bit by bit, on the CPU: "<parameter name>|<field>" → tensor."""
        found = {}
        for name, place in self._places.items():
            for field, value in self._optimizer.state.get(place.weight, {}).items():
                if field in _ADAMW_STATE | _EIGHT_BIT_STATE:  # the 8-bit numbers' tables are always the same
                    found[f"{name}|{field}"] = torch.as_tensor(value).detach().cpu().contiguous()
        return found

    def load_state(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Go on from what `state` returned. Raises InputError if it is another optimiser's, or other parameters'."""
        states: dict[str, dict[str, Any]] = {}
        for key, value in tensors.items():
            name, _, field = key.rpartition("|")
            states.setdefault(name, {})[field] = value
        known = (_EIGHT_BIT_STATE, _SMALL_STATE) if self._in_8bit else (_ADAMW_STATE,)
        if not states.keys() <= self._places.keys() or any(state.keys() not in known for state in states.values()):
            raise InputError(
                f"This checkpoint was not saved by the optimiser of this run ({self.name}). Install what it was "
                "trained with, or start a new run."
            )
        for name, state in states.items():
            weight = self._places[name].weight
            loaded = {field: value.to(self._device, copy=True) for field, value in state.items()}
            if self._in_8bit:
                loaded["step"] = int(state["step"])
                if "absmax1" in loaded:
                    for field, table in (("qmap1", "dynamic"), ("qmap2", "udynamic")):
                        loaded[field] = self._optimizer.name2qmap[table].to(self._device)
            self._optimizer.state[weight] = loaded


class _Place:
    """What the optimiser steps on: a fp32 parameter itself, or a copy of (a part of) a bf16 one, empty in between."""

    def __init__(self, name: str, source: torch.nn.Parameter, part: slice | None, decays: bool) -> None:
        self.name = name
        self.source = source
        self.decays = decays
        self.rounded = source.dtype == torch.bfloat16
        self._part = part
        self.weight = torch.nn.Parameter(torch.empty(0, device=source.device)) if self.rounded else source

    def bf16(self) -> torch.Tensor:
        """The weights themselves, not a copy."""
        return self.source.data if self._part is None else self.source.data.view(-1)[self._part]

    def gradient(self) -> torch.Tensor:
        """Their gradient."""
        assert self.source.grad is not None
        return self.source.grad if self._part is None else self.source.grad.reshape(-1)[self._part]

    def empty(self) -> None:
        """Drop the copy and its gradient."""
        if self.rounded:
            self.weight.grad = None
            self.weight.data = self.weight.data.new_empty(0)

    def __len__(self) -> int:
        return self.bf16().numel()


def decays(name: str, parameter: torch.Tensor) -> bool:
    """Whether weight decay pulls at a parameter: at matrices, not at norms, biases and embeddings."""
    return parameter.ndim > 1 and "embedding" not in name


def round_stochastically(values: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """fp32 `values` as bf16, each rounded up or down with a chance that makes the mean right. `values` is used up.

    bf16 is fp32 without its 16 lowest bits: 16 random bits are added there, and what did not carry is cut off.
    Infinity stays, and a number that bf16 has is not changed.
    """
    bits = values.view(torch.int32)
    half = 1 << 15
    noise = torch.randint(-half, half, bits.shape, dtype=torch.int16, device=bits.device, generator=generator)
    bits.add_(noise).add_(half).bitwise_and_(-(1 << 16))
    return values.to(torch.bfloat16)


def _places(name: str, parameter: torch.nn.Parameter, chunk: int) -> Iterator[_Place]:
    pulled = decays(name, parameter)
    if parameter.dtype != torch.bfloat16 or parameter.numel() <= chunk:
        yield _Place(name, parameter, None, pulled)
        return
    for index, start in enumerate(range(0, parameter.numel(), chunk)):
        yield _Place(f"{name}[{index}]", parameter, slice(start, start + chunk), pulled)


def _chunks(places: list[_Place], most: int) -> Iterator[list[_Place]]:
    """Consecutive places of at most `most` elements together."""
    chunk: list[_Place] = []
    for place in places:
        if chunk and sum(map(len, chunk)) + len(place) > most:
            yield chunk
            chunk = []
        chunk.append(place)
    if chunk:
        yield chunk


def _generator(device: torch.device, seed: int, step: int, chunk: int) -> torch.Generator:
    digest = hashlib.blake2b(f"{seed} {step} {chunk}".encode(), digest_size=7).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest, "big"))
