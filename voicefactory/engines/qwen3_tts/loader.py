"""The clips of every step, laid out while the step before is still computed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import torch

from voicefactory.engines.qwen3_tts.inputs import Batch, TokenSequence, collate, predicted_frames

_AHEAD = 2  #: steps


@dataclass(frozen=True)
class StepWork:
    """What one process computes of one optimiser step, and what the whole step is divided by."""

    epoch: int
    batches: list[Batch]  #: on the device
    predictions: int  #: of the whole step, over all processes
    predicted: int  #: frames whose codebooks 2 to 16 are predicted, likewise
    frames: int  #: likewise


@dataclass(frozen=True)
class Layout:
    """How a step's clips become batches: `parts` pieces of each batch, shared out among `size` processes."""

    sequences: Sequence[TokenSequence]
    share: float  #: of the frames whose codebooks 2 to 16 are predicted
    seed: int
    device: str
    parts: int = 1
    rank: int = 0
    size: int = 1

    def work(self, step: int, epoch: int, batches: Sequence[Sequence[int]]) -> StepWork:
        """Lay out the clips of `step` (from 0)."""
        pieces = [piece for batch in batches for piece in cut(batch, self.parts * self.size)]
        frames = [sum(len(self.sequences[index].rest) for index in piece) for piece in pieces]
        mine = []
        for number in range(self.rank, len(pieces), self.size):
            generator = torch.Generator().manual_seed(hash((self.seed, step, number)) % 2**63)
            clips = [self.sequences[index] for index in pieces[number]]
            mine.append(collate(clips, self.share, generator).to(self.device))
        return StepWork(
            epoch,
            mine,
            sum(frames) + sum(len(piece) for piece in pieces),
            sum(predicted_frames(count, self.share) for count in frames),
            sum(frames),
        )


def cut(batch: Sequence[int], pieces: int) -> list[list[int]]:
    """Cut a batch into at most `pieces` of about the same number of clips."""
    size = -(-len(batch) // pieces)
    return [list(batch[at : at + size]) for at in range(0, len(batch), size)]


def ahead(layout: Layout, first_step: int, steps: Iterable[tuple[int, list[list[int]]]]) -> Iterator[StepWork]:
    """The work of every step in `steps` (epoch, batches), laid out by a thread that runs ahead."""
    waiting: deque[Future[StepWork]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="loader") as pool:
        for step, (epoch, batches) in enumerate(steps, first_step):
            waiting.append(pool.submit(layout.work, step, epoch, batches))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
