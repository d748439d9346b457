"""Before the first step: does this model predict speech the way training assumes?

A right model's logits at frame j say frame j+1. The public recipe teaches j+2 while its loss falls, so a
model that went through it, or a package that changed its shifts, must be noticed before it is trained on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention

from voicefactory.engines.qwen3_tts.inputs import TokenSequence, collate
from voicefactory.engines.qwen3_tts.losses import hidden_states
from voicefactory.errors import SelfCheckError

CLIPS = 8  #: how many clips are looked at
MARGIN = 0.25  #: nats; less than this is no difference between shifts, or to chance


@dataclass(frozen=True)
class Alignment:
    """Cross-entropy in nats of the first codebook at three shifts, and what chance would give."""

    same: float  #: logits at frame j against frame j
    next: float  #: against frame j+1: what synthesis needs
    after_next: float  #: against frame j+2: what the public recipe teaches
    chance: float  #: ln(vocabulary)

    @property
    def flat(self) -> bool:
        """True if no shift stands out: the model has learnt nothing about the order of frames."""
        values = (self.same, self.next, self.after_next)
        return max(values) - min(values) < MARGIN

    @property
    def random(self) -> bool:
        """True if no shift stands out and none is predicted better than chance."""
        return self.flat and min(self.same, self.next, self.after_next) > self.chance - MARGIN

    @property
    def right(self) -> bool:
        """True if the next frame is predicted best."""
        return self.next < min(self.same, self.after_next)

    def __str__(self) -> str:
        return (
            f"cross-entropy at the same frame {self.same:.3f}, the next {self.next:.3f}, "
            f"the one after {self.after_next:.3f}; chance {self.chance:.3f} nats"
        )


@torch.no_grad()
def measure_alignment(model: Any, sequences: Sequence[TokenSequence], speakers: torch.Tensor, device: str) -> Alignment:
    """Measure the three shifts on up to `CLIPS` clips; frames that have all three targets count.

    `speakers` are the speaker embeddings [S, hidden] of the run.
    """
    sums, count = [0.0, 0.0, 0.0], 0
    for sequence in sequences[:CLIPS]:
        hidden = hidden_states(model, collate([sequence]).to(device), speakers)[sequence.first_frame :]
        codes = sequence.codec_ids[sequence.first_frame :].to(device)
        usable = len(codes) - 2
        if usable < 1:
            continue
        logits = model.talker.codec_head(hidden[:usable]).float()
        for shift in range(3):
            target = codes[shift : shift + usable]
            sums[shift] += float(F.cross_entropy(logits, target, reduction="sum"))
        count += usable
    if count == 0:
        raise SelfCheckError("The clips are too short to check the model on. Add clips of a second or more.")
    same, following, after = (value / count for value in sums)
    return Alignment(same, following, after, math.log(model.config.talker_config.vocab_size))


def check_alignment(alignment: Alignment, *, toy: bool = False) -> str:
    """A line for the log. Raises SelfCheckError if training would teach the wrong thing.

    A model with random weights is exempt, and so is a descendant of the toy that has not learnt any order yet.
    """
    if alignment.random or (toy and alignment.flat):
        return f"self-check left out: the model is randomly initialised ({alignment})"
    if not alignment.right:
        raise SelfCheckError(
            "Training did not start: this model does not predict the next frame of your recordings best "
            f"({alignment}). It was probably fine-tuned with a misaligned loss, or the installed qwen-tts has "
            "changed. Choose an untouched Base model."
        )
    return f"self-check passed: {alignment}"
