"""The loss: what each position and each head is asked for, aligned by us.

The public recipe hands labels to the model, which shifts them once more: positions learn the frame after
next, and code predictor heads learn their neighbour's codebook. Here every cross-entropy is computed from
logits against targets that are already in place. `tests/engines/test_alignment.py` shows both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention

from voicefactory.engines.qwen3_tts.inputs import Batch, book_embeddings, embed
from voicefactory.engines.qwen3_tts.packing import Packing, use_packed_attention


@dataclass(frozen=True)
class Losses:
    """Cross-entropies in nats, summed, so that accumulated batches weigh by what is in them."""

    first: torch.Tensor  #: sum over `predictions` of the first codebook and the end of speech
    rest: torch.Tensor  #: sum over `frames` × 15 of codebooks 2 to 16
    predictions: int
    frames: int  #: whose codebooks 2 to 16 were predicted


def hidden_states(
    model: Any, batch: Batch, speakers: torch.Tensor, books: Sequence[torch.Tensor] | None = None
) -> torch.Tensor:
    """Last hidden states [N, hidden] of the talker, after its final norm, as synthesis uses them.

    `speakers` are the speaker embeddings [S, hidden] of the run; `books` as for `embed`.
    """
    core = model.talker.model
    use_packed_attention(core)
    # Four rows: the first only tells the package that this is one row of text, the others are time, height and
    # width of its rotary embedding, which are all the same for speech.
    order = torch.arange(len(batch.position_ids), device=batch.position_ids.device)
    position_ids = torch.stack([order, *[batch.position_ids] * 3])[:, None]
    output = core(
        inputs_embeds=embed(model, batch, speakers, books)[None],
        position_ids=position_ids,
        use_cache=False,
        packing=Packing(batch.rows, batch.places),
    )
    hidden: torch.Tensor = output.last_hidden_state[0]
    return hidden


def code_predictor_logits(
    model: Any, before: torch.Tensor, codes: torch.Tensor, books: Sequence[torch.Tensor] | None = None
) -> torch.Tensor:
    """Logits [K, 15, 2048] of codebooks 2 to 16.

    `before` [K, hidden] is the talker's hidden state at the position before the frame, which has not seen the
    frame yet (at synthesis it is `past_hidden`); `codes` is [K, 16]. Head i sees codebooks 1 to i+1. `books` are
    the embeddings [K, hidden] of codebooks 2 to 15 at least, if they are there already.
    """
    talker = model.talker
    seen = codes.shape[1] - 2  # codebooks 2 to 15: nobody sees the last
    if books is None:
        tables = talker.code_predictor.get_input_embeddings()
        books = [tables[book](codes[:, book + 1]) for book in range(seen)]
    embeddings = [before, talker.get_input_embeddings()(codes[:, 0]), *books[:seen]]
    inputs = torch.stack([embedding.to(before.dtype) for embedding in embeddings], dim=1)
    # No mask has to be made: without one, attention is causal.
    output = talker.code_predictor.forward_finetune(
        inputs_embeds=inputs, attention_mask={"full_attention": None}, use_cache=False
    )
    logits: torch.Tensor = output.logits
    return logits


def losses(model: Any, batch: Batch, speakers: torch.Tensor) -> Losses:
    """Forward pass and both cross-entropies of a batch. `speakers` [S, hidden]."""
    books = book_embeddings(model, batch)
    hidden = hidden_states(model, batch, speakers, books)
    first_logits = model.talker.codec_head(hidden[batch.asked])
    first = F.cross_entropy(first_logits.float(), batch.targets, reduction="sum")
    at, rest = batch.frame_at, batch.rest
    if len(batch.predicted) < len(rest):
        at, rest = at[batch.predicted], rest[batch.predicted]
        books = [book[batch.predicted] for book in books]
    codes = torch.cat([batch.codec_ids[at][:, None], rest], dim=1)
    rest_logits = code_predictor_logits(model, hidden[at - 1], codes, books)
    summed = F.cross_entropy(rest_logits.float().flatten(0, 1), rest.flatten(), reduction="sum")
    return Losses(first, summed, batch.predictions, len(rest))
