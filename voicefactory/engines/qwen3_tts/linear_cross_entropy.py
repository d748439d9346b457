"""Cross-entropy of a linear layer, with its gradient made in the forward pass.

The logits of a head are made, turned into probabilities and then into the gradient in place, and multiplied back
while they are still in the cache; nothing as large as the logits is kept for the backward pass. Known from Liger
Kernel (arXiv:2410.10989) as fused linear cross-entropy; this is the plain torch form of it, one head at a time.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention


def linear_cross_entropy(hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Sum over K of the cross-entropies, in nats and fp32: of softmax(weight · hidden) against `targets`.

    `hidden` [K, H], `weight` [V, H], `targets` [K] below V. Under autocast the products are computed in its
    precision, the softmax in fp32.
    """
    device = hidden.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else weight.dtype
    trains = torch.is_grad_enabled() and (hidden.requires_grad or weight.requires_grad)
    with torch.autocast(device, enabled=False):
        if not trains:
            return F.cross_entropy(F.linear(hidden.to(dtype), weight.to(dtype)).float(), targets, reduction="sum")
        loss: torch.Tensor = _LinearCrossEntropy.apply(  # type: ignore[no-untyped-call]
            hidden.to(dtype), weight.to(dtype), targets
        )
        return loss


class _LinearCrossEntropy(torch.autograd.Function):
    """d loss / d logits = softmax(logits) - one-hot(target)."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor
    ) -> torch.Tensor:
        logits = F.linear(hidden, weight).float()
        right = targets[:, None]
        logits -= logits.amax(1, keepdim=True)  # so that no exponential overflows
        chosen = logits.gather(1, right)
        totals = logits.exp_().sum(1, keepdim=True)
        loss = (totals.log() - chosen).sum()
        logits /= totals
        logits.scatter_add_(1, right, torch.full_like(chosen, -1.0))
        gradient = logits.to(weight.dtype)
        ctx.save_for_backward(
            gradient @ weight if ctx.needs_input_grad[0] else None,
            gradient.T @ hidden if ctx.needs_input_grad[1] else None,
        )
        return loss

    @staticmethod
    def backward(  # type: ignore[override]
        ctx: Any, above: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, None]:
        hidden, weight = ctx.saved_tensors
        # In place: nobody else holds them.
        return (
            None if hidden is None else hidden.mul_(above),
            None if weight is None else weight.mul_(above),
            None,
        )
