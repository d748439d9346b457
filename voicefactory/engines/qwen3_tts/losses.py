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

from voicefactory.engines.qwen3_tts.inputs import Batch, book_embeddings, embed
from voicefactory.engines.qwen3_tts.linear_cross_entropy import linear_cross_entropy
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


def code_predictor_states(
    model: Any, before: torch.Tensor, codes: torch.Tensor, books: Sequence[torch.Tensor] | None = None
) -> torch.Tensor:
    """Last hidden states [K, 16, hidden] of the code predictor; head i, of codebook i + 2, reads state i + 1.

    `before` [K, hidden] is the talker's hidden state at the position before the frame, which has not seen the
    frame yet (at synthesis it is `past_hidden`); `codes` is [K, 16]. Head i sees codebooks 1 to i+1. `books` are
    the embeddings [K, hidden] of codebooks 2 to 15 at least, if they are there already.
    """
    talker = model.talker
    predictor = talker.code_predictor
    seen = codes.shape[1] - 2  # codebooks 2 to 15: nobody sees the last
    if books is None:
        tables = predictor.get_input_embeddings()
        books = [tables[book](codes[:, book + 1]) for book in range(seen)]
    embeddings = [before, talker.get_input_embeddings()(codes[:, 0]), *books[:seen]]
    inputs = torch.stack([embedding.to(before.dtype) for embedding in embeddings], dim=1)
    # No mask has to be made: without one, attention is causal.
    states: torch.Tensor = predictor.model(
        inputs_embeds=predictor.small_to_mtp_projection(inputs),
        attention_mask={"full_attention": None},
        use_cache=False,
    ).last_hidden_state
    return states


def code_predictor_logits(model: Any, before: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """Logits [K, 15, 2048] of codebooks 2 to 16, for `before` and `codes` as above."""
    states = code_predictor_states(model, before, codes)
    heads = model.talker.code_predictor.lm_head
    return torch.stack([head(states[:, index + 1]) for index, head in enumerate(heads)], dim=1)


def losses(model: Any, batch: Batch, speakers: torch.Tensor) -> Losses:
    """Forward pass and both cross-entropies of a batch. `speakers` [S, hidden]."""
    books = book_embeddings(model, batch)
    hidden = hidden_states(model, batch, speakers, books)
    first = linear_cross_entropy(hidden[batch.asked], model.talker.codec_head.weight, batch.targets)
    at, rest = batch.frame_at, batch.rest
    if len(batch.predicted) < len(rest):
        at, rest = at[batch.predicted], rest[batch.predicted]
        books = [book[batch.predicted] for book in books]
    codes = torch.cat([batch.codec_ids[at][:, None], rest], dim=1)
    _, *states = code_predictor_states(model, hidden[at - 1], codes, books).unbind(1)
    heads = model.talker.code_predictor.lm_head
    of_heads = [
        linear_cross_entropy(state, head.weight, targets)
        for state, head, targets in zip(states, heads, rest.unbind(1), strict=True)
    ]
    return Losses(first, torch.stack(of_heads).sum(), batch.predictions, len(rest))
