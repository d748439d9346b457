"""Data parallel training: several processes, one set of weights, the same code for one as for many.

Each process works on its share of every step's clips; gradients, which are all divided by what the whole step
holds, are summed. So many processes take the step that one would take alone. `torchrun` starts them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import torch
import torch.distributed as dist


class World:
    """The processes that train together."""

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size

    @classmethod
    def join(cls, device: str) -> World:
        """Meet the others that `torchrun` started; alone if it did not."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        if not dist.is_initialized():
            dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
        return cls(dist.get_rank(), size)

    @property
    def leads(self) -> bool:
        """Whether this process writes files and measures."""
        return self.rank == 0

    def device(self, device: str) -> str:
        """The card of this process, if there are several."""
        if self.size == 1 or not device.startswith("cuda"):
            return device
        return f"cuda:{os.environ.get('LOCAL_RANK', self.rank)}"

    def any(self, wish: bool) -> bool:
        """Whether any process wishes it."""
        if self.size == 1:
            return wish
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        flag = torch.tensor(int(wish), device=device)
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag)

    def add_up(self, parameters: Iterable[torch.nn.Parameter], sums: torch.Tensor) -> None:
        """Sum gradients and `sums` over all processes, in place."""
        if self.size == 1:
            return
        for parameter in parameters:
            if parameter.grad is None:  # this process had no clip in this step
                parameter.grad = torch.zeros_like(parameter)
            dist.all_reduce(parameter.grad)
        dist.all_reduce(sums)

    def leave(self) -> None:
        """Part from the others."""
        if self.size > 1 and dist.is_initialized():
            dist.destroy_process_group()
