"""Overfit and speak: the proof that training teaches what synthesis says, and that the proof can fail."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.engines.public_recipe import train
from tests.engines.speaking import match
from voicefactory.engines.base import Engine, Training
from voicefactory.engines.qwen3_tts.inputs import build_sequences
from voicefactory.engines.qwen3_tts.model import load_model
from voicefactory.engines.qwen3_tts.selfcheck import Alignment, check_alignment, measure_alignment
from voicefactory.errors import SelfCheckError
from voicefactory.files import read_jsonl
from voicefactory.presets import load_preset
from voicefactory.types import Codes, never, silent

Trained = Callable[[set[str]], tuple[Path, float]]
ALL_FAULTS = {"talker shift", "predictor shift", "own position"}


@pytest.fixture(scope="module")
def codes(two_codes: Codes) -> Codes:
    """Few enough to be learned by heart."""
    return two_codes


def test_overfit_and_speak(engine: Engine, toy: Path, codes: Codes, tmp_path: Path) -> None:
    """Our own training loop, our own voice directory, plain qwen-tts."""
    preset = load_preset("quick", ["learning_rate=5e-3", "max_steps=120"])
    checkpoint = engine.finetune(
        Training(codes, toy, preset, tmp_path / "run", speaker="ann", device="cpu"),
        on_progress=silent,
        should_stop=never,
    )
    voice = tmp_path / "voice"
    voice.mkdir()
    engine.assemble(checkpoint, voice)
    share, excess = match(voice, "ann", codes.path)
    assert share >= 0.99
    assert excess == [0, 0]


@pytest.fixture(scope="module")
def trained(toy: Path, codes: Codes, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A toy voice trained with some faults, each combination once."""

    @functools.cache
    def voice(faults: frozenset[str]) -> tuple[Path, float]:
        return train(toy, codes, tmp_path_factory.mktemp("voice"), faults=set(faults))

    return lambda faults: voice(frozenset(faults))


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param({"talker shift"}, marks=pytest.mark.slow),
        pytest.param({"predictor shift"}, marks=pytest.mark.slow),
        pytest.param({"own position"}, marks=pytest.mark.slow),
        ALL_FAULTS,
    ],
    ids=lambda faults: " and ".join(sorted(faults)),
)
def test_each_fault_of_the_public_recipe_fails(trained: Trained, codes: Codes, faults: set[str]) -> None:
    """Each misalignment alone, and all three together, speaks something else, however low its loss is."""
    voice, loss = trained(faults)
    share, _ = match(voice, "ann", codes.path)
    assert loss < 0.5
    assert share < 0.5
    if "talker shift" in faults:
        with pytest.raises(SelfCheckError, match="misaligned"):
            check_alignment(alignment_of(voice, codes))


@pytest.mark.slow
def test_the_same_trainer_with_the_right_loss_passes(trained: Trained, codes: Codes) -> None:
    """Control: what fails above is the loss, not the little trainer of the test."""
    voice, _ = trained(set())
    share, excess = match(voice, "ann", codes.path)
    assert share >= 0.99
    assert excess == [0, 0]
    alignment = alignment_of(voice, codes)
    assert alignment.right
    assert not alignment.random
    assert "passed" in check_alignment(alignment)


def test_a_random_model_is_exempt_and_says_so(toy: Path, codes: Codes) -> None:
    alignment = alignment_of(toy, codes)
    assert alignment.random
    assert "randomly initialised" in check_alignment(alignment)


def test_a_misaligned_model_is_refused_before_the_first_step(
    engine: Engine, trained: Trained, codes: Codes, tmp_path: Path
) -> None:
    voice, _ = trained(ALL_FAULTS)
    with pytest.raises(SelfCheckError, match="did not start"):
        engine.finetune(
            Training(codes, voice, load_preset("quick"), tmp_path / "refused", speaker="bea", device="cpu"),
            on_progress=silent,
            should_stop=never,
        )
    assert not (tmp_path / "refused" / "checkpoints").exists()


@pytest.mark.parametrize(
    ("same", "following", "after", "right", "random"),
    [
        (5.0, 3.0, 5.0, True, False),
        (5.0, 4.0, 3.0, False, False),
        (3.0, 4.0, 5.0, False, False),
        (8.03, 8.04, 8.02, False, True),
        (9.0, 11.0, 14.0, False, False),  # confidently wrong is not random
    ],
)
def test_verdicts(same: float, following: float, after: float, right: bool, random: bool) -> None:
    alignment = Alignment(same, following, after, chance=8.03)
    assert (alignment.right, alignment.random) == (right, random)


def test_a_descendant_of_the_toy_without_order_is_exempt_and_another_model_is_not() -> None:
    flat = Alignment(7.61, 7.60, 7.59, chance=8.03)
    assert "randomly initialised" in check_alignment(flat, toy=True)
    with pytest.raises(SelfCheckError):
        check_alignment(flat)
    with pytest.raises(SelfCheckError):
        check_alignment(Alignment(5.0, 4.0, 3.0, chance=8.03), toy=True)


def alignment_of(model: Path, codes: Codes) -> Alignment:
    wrapper = load_model(model, device="cpu", dtype=torch.float32, as_base=True)
    net = wrapper.model.eval()
    sequences = build_sequences(net.config, wrapper.processor, read_jsonl(codes.path))
    # a voice's own row of the codec embedding is the speaker it was trained with
    row = net.config.talker_config.spk_id.get("ann", 3000)
    return measure_alignment(net, sequences, net.talker.get_input_embeddings().weight[[row]].detach(), "cpu")
