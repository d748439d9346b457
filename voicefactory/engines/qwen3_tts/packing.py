"""Attention over clips laid end to end.

Every other layer works on single positions and does not care where a clip ends. Attention does: here it takes
the positions of each clip apart, lets them look back within their own clip, and lays them end to end again. So
no layer computes padding, and the attention needs no mask, which is what its fastest kernels ask for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask
from transformers.modeling_utils import AttentionInterface

NAME = "voicefactory_packed"


@dataclass(frozen=True)
class Packing:
    """Where the clips lie among N positions."""

    rows: torch.Tensor  #: [B, longest] position of each clip's tokens; 0 after its end
    places: torch.Tensor  #: [N] of each position in the flattened `rows`


def use_packed_attention(core: Any) -> None:
    """Let the talker's layers take a `packing`. Without one they work as before, so that it can still speak."""
    core.config._attn_implementation = NAME


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    packing: Packing | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each clip: [1, heads, N, head size] → [1, N, heads, head size]."""
    if packing is None:
        output, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
        return output, None
    queries, keys, values = (states[0].transpose(0, 1)[packing.rows].transpose(1, 2) for states in (query, key, value))
    # A clip's end looks at nothing after it, so what stands in for the missing positions is never seen.
    attended = F.scaled_dot_product_attention(
        queries,
        keys,
        values,
        dropout_p=dropout,
        scale=scaling,
        is_causal=True,
        enable_gqa=query.shape[1] != key.shape[1],
    )
    return attended.transpose(1, 2).flatten(0, 1)[packing.places][None], None


AttentionInterface.register(NAME, packed_attention)
AttentionMaskInterface.register(NAME, sdpa_mask)
