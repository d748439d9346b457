"""The optimiser step: exact where it can be, right on average where bf16 forces it to round, resumable to the bit."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from voicefactory.engines.qwen3_tts.adapters import add_adapter
from voicefactory.engines.qwen3_tts.model import load_model
from voicefactory.engines.qwen3_tts.optimization import hold_weights, parameter_groups, trainable_parameters
from voicefactory.engines.qwen3_tts.updater import Updater, round_stochastically
from voicefactory.errors import InputError
from voicefactory.presets import Hyperparameters, Preset, settle

#: A matrix whose size is no multiple of the 8-bit blocks, one too small for them, a norm, an embedding.
SHAPES = {"layer.weight": (70, 101), "small.weight": (8, 9), "norm.weight": (33,), "embedding.weight": (60, 90)}
RATE = 1e-3
Parameters = dict[str, torch.nn.Parameter]


def preset_of(**values: object) -> Hyperparameters:
    return settle(Preset.model_validate({"weight_decay": 0.1, "learning_rate": RATE, **values}), 10, 60.0)


def parameters_of(dtype: torch.dtype) -> Parameters:
    torch.manual_seed(1)
    return {name: torch.nn.Parameter(torch.randn(shape).to(dtype)) for name, shape in SHAPES.items()}


def give_gradients(parameters: Parameters, step: int) -> None:
    generator = torch.Generator().manual_seed(step)
    for parameter in parameters.values():
        parameter.grad = torch.randn(parameter.shape, generator=generator).to(parameter.dtype)


def steps(updater: Updater, parameters: Parameters, first: int, last: int) -> None:
    for step in range(first, last):
        give_gradients(parameters, step)
        updater.update(step, RATE * (1 + step))
        assert all(parameter.grad is None for parameter in parameters.values())


def equal(one: Parameters, other: Parameters) -> bool:
    return all(torch.equal(one[name], other[name]) for name in SHAPES)


def test_fp32_is_torchs_adamw_bit_by_bit() -> None:
    ours, theirs = parameters_of(torch.float32), parameters_of(torch.float32)
    steps(Updater(ours, preset_of(), "cpu"), ours, 0, 5)
    optimizer = torch.optim.AdamW(parameter_groups(theirs, 0.1), fused=True)
    for step in range(5):
        give_gradients(theirs, step)
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 + step)
        optimizer.step()
    assert equal(ours, theirs)


def test_decay_spares_norms_biases_and_embeddings() -> None:
    parameters = parameters_of(torch.float32)
    before = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    for parameter in parameters.values():
        parameter.grad = torch.zeros_like(parameter)
    Updater(parameters, preset_of(), "cpu").update(0, RATE)
    for name in ("layer.weight", "small.weight"):
        torch.testing.assert_close(parameters[name].detach(), before[name] * (1 - RATE * 0.1))
    for name in ("norm.weight", "embedding.weight"):
        assert torch.equal(parameters[name], before[name])


@pytest.mark.parametrize("chunk", [64 << 20, 3000], ids=["whole", "in parts"])
@pytest.mark.parametrize("optimizer", ["adamw", "adamw-8bit"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def test_state_comes_back_to_the_bit(dtype: torch.dtype, optimizer: str, chunk: int, tmp_path: Path) -> None:
    preset = preset_of(optimizer=optimizer)
    whole = parameters_of(dtype)
    steps(Updater(whole, preset, "cpu", chunk=chunk), whole, 0, 6)
    stopped = parameters_of(dtype)
    updater = Updater(stopped, preset, "cpu", chunk=chunk)
    steps(updater, stopped, 0, 3)
    saved = updater.state()
    save_file(saved, tmp_path / "state.safetensors")
    resumed = {name: torch.nn.Parameter(parameter.detach().clone()) for name, parameter in stopped.items()}
    fresh = Updater(resumed, preset, "cpu", chunk=chunk)
    fresh.load_state(load_file(tmp_path / "state.safetensors"))
    again = fresh.state()
    assert again.keys() == saved.keys()
    assert all(torch.equal(again[key], saved[key]) and again[key].dtype == saved[key].dtype for key in saved)
    steps(fresh, resumed, 3, 6)
    assert equal(whole, resumed)
    # the state matters: without it the steps end elsewhere
    forgetful = {name: torch.nn.Parameter(parameter.detach().clone()) for name, parameter in stopped.items()}
    steps(Updater(forgetful, preset, "cpu", chunk=chunk), forgetful, 3, 6)
    assert not equal(whole, forgetful)


def test_8_bits_hold_a_quarter_and_step_almost_as_fp32_does() -> None:
    ours, fp32 = parameters_of(torch.float32), parameters_of(torch.float32)
    start = parameters_of(torch.float32)["layer.weight"]
    updater = Updater(ours, preset_of(optimizer="adamw-8bit"), "cpu")
    assert updater.name == "8-bit AdamW"
    steps(updater, ours, 0, 4)
    steps(Updater(fp32, preset_of(), "cpu"), fp32, 0, 4)
    state = updater.state()
    assert state["layer.weight|state1"].dtype == torch.uint8
    assert state["small.weight|state1"].dtype == torch.float32
    moved, wanted = (p["layer.weight"].detach() - start.detach() for p in (ours, fp32))
    assert torch.cosine_similarity(moved.flatten(), wanted.flatten(), dim=0) > 0.99
    assert not torch.equal(moved, wanted)


def test_without_bitsandbytes_adamw_takes_its_place_and_the_name_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = parameters_of(torch.float32)
    eight_bit = Updater(parameters, preset_of(optimizer="adamw-8bit"), "cpu")
    steps(eight_bit, parameters, 0, 1)
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)  # Python's own way to say: not there
    updater = Updater(parameters, preset_of(optimizer="adamw-8bit"), "cpu")
    assert "bitsandbytes" in updater.name
    steps(updater, parameters, 1, 2)
    with pytest.raises(InputError, match="not saved by the optimiser of this run"):
        updater.load_state(eight_bit.state())


def test_a_state_of_other_parameters_is_refused() -> None:
    parameters = parameters_of(torch.float32)
    updater = Updater(parameters, preset_of(), "cpu")
    steps(updater, parameters, 0, 1)
    parameters.pop("norm.weight")
    with pytest.raises(InputError, match="not saved by the optimiser of this run"):
        Updater(parameters, preset_of(), "cpu").load_state(updater.state())


def test_after_an_error_in_the_middle_it_goes_on_as_if_nothing_had_been() -> None:
    """As when memory runs out: here the bf16 weight's gradient is of a kind that the optimiser does not take."""

    def two() -> tuple[Parameters, Updater]:
        parameters = {
            "a.weight": torch.nn.Parameter(torch.ones(40)),
            "b.weight": parameters_of(torch.bfloat16)["layer.weight"],
        }
        return parameters, Updater(parameters, preset_of(), "cpu")

    failed, updater = two()
    failed["b.weight"].grad = torch.ones_like(failed["b.weight"]).to_sparse()
    with pytest.raises(RuntimeError, match="sparse"):
        updater.update(0, RATE)
    whole, fresh = two()
    for parameters, one in ((failed, updater), (whole, fresh)):
        give_gradients(parameters, 0)
        one.update(0, RATE)
    assert all(torch.equal(failed[name], whole[name]) for name in whole)
    assert all(torch.equal(updater.state()[key], value) for key, value in fresh.state().items())


def test_rounding_at_random_is_right_on_average() -> None:
    """4,000 roundings of each of 64 values: the mean is the value within 5 standard errors."""
    torch.manual_seed(0)
    values = torch.randn(64) * torch.logspace(-6, 3, 64)
    generator = torch.Generator().manual_seed(3)
    rounded = round_stochastically(values.repeat(4000, 1), generator).float()
    steps_apart = rounded.max(0).values - rounded.min(0).values  # the distance of the two bf16 neighbours
    error = (rounded.double().mean(0) - values).abs()
    assert (error <= 5 * 0.5 * steps_apart / math.sqrt(4000)).all()
    assert ((rounded == values.bfloat16().float()).float().mean(0) < 1).any()
    kept = torch.tensor([0.0, -0.0, 1.0, -3.140625, math.inf, -math.inf])
    assert torch.equal(round_stochastically(kept.clone(), generator).float(), kept)
    assert round_stochastically(torch.full((100,), math.nan), generator).isnan().all()


def test_why_round_at_random_small_steps_are_lost_otherwise() -> None:
    """100 steps at 2e-6, all in one direction, on weights of the usual size: 2e-4 each, if nothing were lost."""
    torch.manual_seed(0)
    start = (0.02 * torch.randn(100, 200)).bfloat16()
    nearest, ours = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    plain = torch.optim.AdamW([nearest], lr=2e-6, weight_decay=0.0)
    updater = Updater({"w.weight": ours}, preset_of(weight_decay=0.0), "cpu")
    for step in range(100):
        for parameter in (nearest, ours):
            parameter.grad = -torch.ones_like(parameter)
        plain.step()
        updater.update(step, 2e-6)
    kept_nearest, kept_ours = (float((p.detach().double() - start.double()).mean()) / 2e-4 for p in (nearest, ours))
    assert kept_nearest < 0.1
    assert float((nearest == start).float().mean()) > 0.9  # most weights have not moved at all
    assert kept_ours == pytest.approx(1, abs=0.05)


def test_random_numbers_depend_on_seed_and_step() -> None:
    def weights(seed: int, step: int) -> torch.Tensor:
        parameters = parameters_of(torch.bfloat16)
        give_gradients(parameters, 0)
        Updater(parameters, preset_of(seed=seed), "cpu").update(step, RATE)
        return parameters["layer.weight"].detach()

    assert torch.equal(weights(0, 0), weights(0, 0))
    assert not torch.equal(weights(0, 0), weights(1, 0))
    assert not torch.equal(weights(0, 0), weights(0, 1))


@pytest.mark.parametrize(
    ("values", "bf16", "expected"),
    [
        ({}, False, {"fp32"}),
        ({}, True, {"fp32 trained", "bf16 frozen"}),
        ({"precision": "bf16-stochastic"}, True, {"bf16"}),
        ({"adapter": "lora"}, True, {"fp32 adapter", "bf16 frozen"}),
        ({"adapter": "lora", "precision": "bf16-stochastic"}, True, {"fp32 adapter", "bf16 frozen"}),
    ],
    ids=["fp32", "fp32 masters", "bf16-stochastic", "lora", "lora, bf16-stochastic"],
)
def test_every_weight_is_held_as_the_preset_says(
    toy: Path, values: dict[str, object], bf16: bool, expected: set[str]
) -> None:
    preset = preset_of(train_codec_embedding=False, train_speaker_encoder=True, **values)
    net = load_model(toy, device="cpu", dtype=torch.float32, as_base=True).model
    add_adapter(net, preset)
    trained = trainable_parameters(net, preset)
    hold_weights(net, trained, preset, bf16=bf16)
    found: dict[tuple[str, bool], set[torch.dtype]] = {}
    for name, parameter in net.named_parameters():
        kind = "adapter" if "lora" in name else name.split(".")[0]
        found.setdefault((kind, name in trained), set()).add(parameter.dtype)
    assert found.pop(("speaker_encoder", True)) == {torch.float32}
    if ("adapter", True) in found:
        assert found.pop(("adapter", True)) == {torch.float32}
    words = {torch.float32: "fp32", torch.bfloat16: "bf16"}
    held = {trained: words[dtype] for (_, trained), dtypes in found.items() for dtype in dtypes}
    wanted = {
        "fp32": {True: "fp32", False: "fp32"},
        "bf16": {True: "bf16", False: "bf16"},
        "fp32 trained": {True: "fp32"},
        "bf16 frozen": {False: "bf16"},
        "fp32 adapter": {},
    }
    assert held == {key: word for part in expected for key, word in wanted[part].items()}
