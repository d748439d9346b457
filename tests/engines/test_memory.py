"""The memory plan against the real classes: their parameters, and every allocation of two steps of training."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.memory import compare, real_config
from voicefactory import files
from voicefactory.engines.qwen3_tts import memory, updater
from voicefactory.engines.qwen3_tts.memory import measured_peak, plan_memory, worst_batch
from voicefactory.engines.qwen3_tts.planning import frames_of, positions_of, training_flops
from voicefactory.engines.qwen3_tts.sizes import ModelSizes, find_config, model_sizes, stored_parameters
from voicefactory.engines.qwen3_tts.upstream import qwen
from voicefactory.errors import InputError
from voicefactory.presets import Hyperparameters, load_preset, settle

WITHIN = 0.10


def hyperparameters(name: str = "quick", *overrides: str) -> Hyperparameters:
    return settle(load_preset(name, overrides), 300, 1800.0)


def sizes_of(size: str) -> ModelSizes:
    return model_sizes(real_config(size).to_dict())


@pytest.fixture(scope="module")
def shallow() -> Any:
    """The 0.6B shape with fewer layers and texts: as wide as the real one, quick to trace."""
    config = copy.deepcopy(real_config("0.6b"))
    config.talker_config.num_hidden_layers = 2
    config.talker_config.text_vocab_size = 20_000
    config.talker_config.code_predictor_config.num_hidden_layers = 1
    return config


@pytest.fixture(scope="module")
def narrow() -> Any:
    """Small enough to be computed: 5.2 M parameters."""
    config = copy.deepcopy(real_config("0.6b"))
    for part in (config.talker_config, config.talker_config.code_predictor_config):
        part.hidden_size, part.intermediate_size, part.num_hidden_layers = 256, 512, 3
        part.num_attention_heads, part.num_key_value_heads, part.head_dim = 4, 2, 64
    config.talker_config.rope_scaling = {"rope_type": "default", "interleaved": True, "mrope_section": [12, 10, 10]}
    config.talker_config.text_vocab_size = 1000
    config.tts_pad_token_id, config.tts_bos_token_id, config.tts_eos_token_id = 997, 998, 999
    config.speaker_encoder_config.enc_dim = 256
    return config


@pytest.mark.parametrize(
    ("size", "total", "layers", "text", "predictor", "speaker"),
    [("0.6b", 914.6, 440.5, 311.2, 141.6, 8.9), ("1.7b", 1928.7, 1409.4, 311.2, 175.1, 12.0)],
)
def test_parameters_are_those_of_the_published_models(
    size: str, total: float, layers: float, text: float, predictor: float, speaker: float
) -> None:
    parts = sizes_of(size).parameters()
    inside = sum(count for part, count in parts.items() if part.startswith("predictor_"))
    counted = (sum(parts.values()), parts["talker_layers"], parts["text_embedding"], inside, parts["speaker_encoder"])
    for count, millions in zip(counted, (total, layers, text, predictor, speaker), strict=True):
        assert count / 1e6 == pytest.approx(millions, abs=0.06)


@pytest.mark.parametrize("size", ["0.6b", "1.7b"])
def test_parameters_are_those_of_the_real_classes(size: str) -> None:
    config = real_config(size)
    with torch.device("meta"):
        net = qwen().Qwen3TTSForConditionalGeneration(config)
    assert sum(model_sizes(config.to_dict()).parameters().values()) == sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("fixture", ["toy", "toy_1b7"])
def test_a_folder_tells_its_size_and_that_of_its_codec(fixture: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(fixture)
    found = find_config(str(folder), Path("nowhere"), fetch=False)
    assert found is not None
    sizes = model_sizes(*found)
    assert sum(sizes.parameters().values()) == stored_parameters(folder / "model.safetensors")
    assert sizes.codec == stored_parameters(folder / "speech_tokenizer" / "model.safetensors") > 0


def test_what_is_not_here_has_no_size(tmp_path: Path) -> None:
    assert find_config("toy", tmp_path, fetch=True) is None
    assert find_config("nobody/nothing", tmp_path, fetch=True) is None  # tests have no network
    with pytest.raises(InputError, match=r"no readable config\.json"):
        find_config(str(tmp_path), tmp_path, fetch=False)
    files.write_text(tmp_path / "broken.safetensors", "not one, but long enough")
    assert stored_parameters(tmp_path / "broken.safetensors") == 0


@pytest.mark.parametrize(
    ("preset", "overrides"),
    [
        ("quick", ()),
        *(
            pytest.param(preset, overrides, marks=pytest.mark.slow)
            for preset, overrides in (
                ("quick", ("precision=fp32",)),
                ("quick", ("precision=bf16-stochastic", "gradient_checkpointing=true")),
                ("quick", ("gradient_checkpointing=true", "code_predictor_share=0.5")),
                ("quick", ("gradient_accumulation_steps=2", "train_text_embedding=true")),
                ("lora", ()),
                ("text-embedding-only", ()),
            )
        ),
    ],
)
def test_the_plan_is_near_what_a_gpu_would_allocate(shallow: Any, preset: str, overrides: tuple[str, ...]) -> None:
    """On fake tensors, with the trainer's own losses and optimiser; so many clips that activations are the most."""
    found = compare(shallow, hyperparameters(preset, "batch_size=64", *overrides), bf16=True, fake=True)
    assert abs(found.error) < WITHIN, found


@pytest.mark.parametrize(
    ("preset", "overrides", "bf16"),
    [
        ("quick", (), False),
        pytest.param("lora", (), False, marks=pytest.mark.slow),
        pytest.param("low-memory", ("batch_size=4",), True, marks=pytest.mark.slow),  # bf16 is slow on a CPU
        pytest.param("qlora", ("precision=bf16",), True, marks=pytest.mark.slow),
    ],
)
def test_the_plan_is_near_what_real_tensors_take(
    narrow: Any, preset: str, overrides: tuple[str, ...], bf16: bool
) -> None:
    """Computed on the CPU: 8-bit states and 4-bit weights are bitsandbytes' own, which has no fake tensors."""
    found = compare(narrow, hyperparameters(preset, "batch_size=2", *overrides), bf16=bf16, fake=False, clip_s=2.0)
    assert abs(found.error) < WITHIN, found


def test_more_clips_need_more_and_cheaper_presets_less() -> None:
    sizes = sizes_of("1.7b")
    batch = worst_batch([111] * 32, [75] * 32, 32)

    def needed(name: str, *overrides: str, clips: int = 32) -> int:
        shorter = dataclasses.replace(batch, clips=clips, positions=111 * clips, frames=75 * clips)
        return plan_memory(sizes, hyperparameters(name, *overrides), shorter, cuda=True).total

    assert needed("quick", clips=8) < needed("quick", clips=16) < needed("quick")
    in_order = [needed(name, clips=2) for name in ("qlora", "lora", "low-memory", "quick")]
    assert in_order == sorted(in_order)
    cheaper = [("gradient_checkpointing=true",), ("code_predictor_share=0.1",), ()]
    in_order = [needed("quick", *overrides) for overrides in cheaper]
    assert in_order == sorted(in_order)


def test_the_worst_batch_is_of_the_longest_clips_and_attention_pads_it() -> None:
    batch = worst_batch([50, 90, 40, 70], [10, 60, 20, 30], 2)
    assert (batch.clips, batch.positions, batch.longest, batch.frames, batch.padded) == (2, 160, 90, 90, 180)


def test_lengths_before_anything_is_encoded() -> None:
    assert frames_of(6.0) == 75
    assert positions_of(6.0, "Good morning.", 151_936) == 3 + 4 + 2 + 5 + 2 + 75
    assert positions_of(6.0, "Good morning.", 300) == 3 + 4 + 2 + 13 + 2 + 75  # a toy reads letter by letter


@pytest.mark.parametrize(("size", "position", "frame"), [("0.6b", 2.66, 7.74), ("1.7b", 8.49, 7.94)])
def test_work_is_six_operations_a_weight(size: str, position: float, frame: float) -> None:
    """GFLOP, as counted by hand for both models."""
    sizes, preset = sizes_of(size), hyperparameters()
    assert training_flops(sizes, preset, 1, 0) / 1e9 == pytest.approx(position, rel=0.005)
    assert training_flops(sizes, preset, 0, 1) / 1e9 == pytest.approx(frame, rel=0.005)
    half = hyperparameters("quick", "code_predictor_share=0.5")
    assert training_flops(sizes, half, 0, 1) == pytest.approx(training_flops(sizes, preset, 0, 1) / 2)
    assert training_flops(sizes, hyperparameters("lora"), 1, 1) < 0.7 * training_flops(sizes, preset, 1, 1)


def test_the_chunk_is_the_updaters() -> None:
    assert memory.CHUNK == updater.CHUNK


@pytest.mark.gpu
def test_a_dry_run_measures_and_is_undone() -> None:
    weight = torch.zeros(1 << 20, device="cuda", requires_grad=True)
    undone: list[bool] = []
    peak = measured_peak(lambda: (weight * 2).sum().backward(), lambda: undone.append(True), "cuda:0")
    assert peak >= 3 * weight.nbytes
    assert undone


def test_the_smallest_runs_need_the_most_when_a_sentence_is_decoded() -> None:
    """What is said at measurements comes after the gradients are gone: it is the peak only where they are small."""
    sizes = dataclasses.replace(sizes_of("0.6b"), codec=153_700_000)
    batch = worst_batch([110] * 2, [75] * 2, 2)
    aloud, silent = (
        plan_memory(sizes, hyperparameters("qlora", f"speak_at_evaluations={said}"), batch, cuda=True)
        for said in ("true", "false")
    )
    assert (aloud.at, silent.at) == ("speaking", "backward")
    assert silent.total < aloud.total < 1.25 * silent.total
    assert aloud.terms["gradients"] == 0
    assert plan_memory(sizes, hyperparameters("quick"), batch, cuda=True).at != "speaking"
