"""The loss: what each position and each head is asked for, aligned by us.

The public recipe hands labels to the model, which shifts them once more: positions learn the frame after
next, and code predictor heads learn their neighbour's codebook. Here every cross-entropy is computed from
logits against targets that are already in place. `tests/engines/test_alignment.py` shows both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention

from voicefactory.engines.qwen3_tts.inputs import IGNORED, Batch, embed


@dataclass(frozen=True)
class Losses:
    """Cross-entropies in nats, summed, so that accumulated batches weigh by what is in them."""

    first: torch.Tensor  #: sum over `predictions` of the first codebook and the end of speech
    rest: torch.Tensor  #: sum over `frames` × 15 of codebooks 2 to 16
    predictions: int
    frames: int


def hidden_states(model: Any, batch: Batch, speaker: torch.Tensor) -> torch.Tensor:
    """Last hidden states [B, L, hidden] of the talker, after its final norm, as synthesis uses them."""
    talker = model.talker
    position_ids, _ = talker.get_rope_index(batch.attention_mask)
    output = talker.model(
        inputs_embeds=embed(model, batch, speaker),
        attention_mask=batch.attention_mask,
        position_ids=position_ids,
        use_cache=False,
    )
    hidden: torch.Tensor = output.last_hidden_state
    return hidden


def code_predictor_logits(model: Any, before: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """Logits [N, 15, 2048] of codebooks 2 to 16.

    `before` [N, hidden] is the talker's hidden state at the position before the frame, which has not seen the
    frame yet (at synthesis it is `past_hidden`); `codes` is [N, 16]. Head i sees codebooks 1 to i+1.
    """
    talker = model.talker
    embeddings = [before, talker.get_input_embeddings()(codes[:, 0])]
    tables = talker.code_predictor.get_input_embeddings()
    embeddings += [tables[book - 1](codes[:, book]) for book in range(1, codes.shape[1] - 1)]
    inputs = torch.stack([embedding.to(before.dtype) for embedding in embeddings], dim=1)
    logits: torch.Tensor = talker.code_predictor.forward_finetune(inputs_embeds=inputs, use_cache=False).logits
    return logits


def losses(model: Any, batch: Batch, speaker: torch.Tensor) -> Losses:
    """Forward pass and both cross-entropies of a batch."""
    hidden = hidden_states(model, batch, speaker)
    asked = batch.labels != IGNORED
    first_logits = model.talker.codec_head(hidden[asked])
    first = F.cross_entropy(first_logits.float(), batch.labels[asked], reduction="sum")
    codes = frame_codes(batch)
    rest_logits = code_predictor_logits(model, hidden[batch.frame_rows, batch.frame_at - 1], codes)
    rest = F.cross_entropy(rest_logits.float().flatten(0, 1), codes[:, 1:].flatten(), reduction="sum")
    return Losses(first, rest, batch.predictions, batch.frames)


def frame_codes(batch: Batch) -> torch.Tensor:
    """All 16 codebooks [N, 16] of a batch's frames."""
    first = batch.codec_ids[batch.frame_rows, batch.frame_at]
    return torch.cat([first[:, None], batch.rest], dim=1)
