"""The head's loss and gradients are torch's own, in every precision, with nothing of the logits' size kept."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention

from voicefactory.engines.qwen3_tts.linear_cross_entropy import linear_cross_entropy


def data(scale: float = 1.0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    hidden = (scale * torch.randn(7, 12)).requires_grad_()
    weight = torch.randn(33, 12).requires_grad_()
    return hidden, weight, torch.randint(0, 33, (7,))


def plain(hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(F.linear(hidden, weight).float(), targets, reduction="sum")


@pytest.mark.parametrize("scale", [1.0, 1000.0], ids=["plain", "exponentials would overflow"])
@pytest.mark.parametrize("autocast", [False, True])
def test_loss_and_gradients_are_those_of_torch(scale: float, autocast: bool) -> None:
    tolerance = {"rtol": 2e-2, "atol": 2e-1 * scale} if autocast else {"rtol": 1e-5, "atol": 1e-5 * scale}
    found = []
    for function in (linear_cross_entropy, plain):
        hidden, weight, targets = data(scale)
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            loss = function(hidden, weight, targets)
        (0.3 * loss).backward()
        found.append((loss.detach(), hidden.grad, weight.grad))
    for ours, theirs in zip(*found, strict=True):
        assert ours is not None
        assert theirs is not None
        assert ours.dtype == theirs.dtype
        torch.testing.assert_close(ours, theirs, **tolerance)


@pytest.mark.parametrize("trained", ["hidden", "weight"])
def test_what_is_frozen_gets_no_gradient(trained: str) -> None:
    hidden, weight, targets = data()
    {"hidden": weight, "weight": hidden}[trained].requires_grad_(False)
    linear_cross_entropy(hidden, weight, targets).backward()
    assert (hidden.grad is None) == (trained == "weight")
    assert (weight.grad is None) == (trained == "hidden")


def test_a_broken_number_is_not_hidden() -> None:
    hidden, weight, targets = data()
    with torch.no_grad():
        weight[3] = float("nan")
    assert linear_cross_entropy(hidden, weight, targets).isnan()
    with torch.no_grad():
        assert linear_cross_entropy(hidden, weight, targets).isnan()


def test_nothing_as_large_as_the_logits_is_kept() -> None:
    hidden, weight = torch.randn(50, 4, requires_grad=True), torch.randn(400, 4, requires_grad=True)
    kept: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.numel()) or tensor, lambda t: t):
        loss = linear_cross_entropy(hidden, weight, torch.zeros(50, dtype=torch.int64))
    assert sorted(kept) == sorted([hidden.numel(), weight.numel()])
    loss.backward()
    with pytest.raises(RuntimeError, match="a second time"):  # what was kept has been used up
        loss.backward()
