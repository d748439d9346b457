"""Adapters: only they train, merged they say what PEFT says, and 4 bits are really 4 bits."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.engines.engine_data import dataset_of, real_clips
from voicefactory import files
from voicefactory.engines.base import Engine, Training
from voicefactory.engines.qwen3_tts.adapters import add_adapter, check_adapter, is_adapter, quantize
from voicefactory.engines.qwen3_tts.losses import code_predictor_logits
from voicefactory.engines.qwen3_tts.model import load_model
from voicefactory.engines.qwen3_tts.optimization import hold_weights, trainable_parameters
from voicefactory.errors import InputError
from voicefactory.pipeline.card import model_card
from voicefactory.pipeline.package import package, voice_files
from voicefactory.pipeline.publish import files_to_publish
from voicefactory.presets import Hyperparameters, Preset, load_preset, settle
from voicefactory.project import Project
from voicefactory.types import Checkpoint, Codes, never, silent

LORA = {"adapter": "lora", "adapter_rank": 4, "adapter_alpha": 12, "train_codec_embedding": False}


def preset_of(**values: object) -> Hyperparameters:
    return settle(Preset.model_validate({**LORA, **values}), 10, 60.0)


def net_of(model: Path) -> Any:
    return load_model(model, device="cpu", dtype=torch.float32, as_base=True).model.eval()


def logits(net: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """First codebook [2, 9, V] and the others [6, 15, V] for inputs that are always the same."""
    generator = torch.Generator().manual_seed(5)
    talker = net.talker
    inputs = torch.randn(2, 9, talker.config.hidden_size, generator=generator)
    attended = torch.ones(2, 9, dtype=torch.long)
    positions, _ = talker.get_rope_index(attended)
    hidden = talker.model(
        inputs_embeds=inputs, attention_mask=attended, position_ids=positions, use_cache=False
    ).last_hidden_state
    codes = torch.randint(0, 2000, (6, 16), generator=generator)
    return talker.codec_head(hidden), code_predictor_logits(net, hidden[0, :6], codes)


def grow(net: Any) -> dict[str, torch.Tensor]:
    """Give the matrices B, which start at zero, something to say; return the adapter's tensors by name."""
    generator = torch.Generator().manual_seed(7)
    found = {}
    for name, parameter in net.named_parameters():
        if is_adapter(name):
            if "lora_B" in name:
                parameter.data.normal_(0, 0.1, generator=generator)
            found[name] = parameter.detach().clone()
    return found


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({}, r"talker\.(code_predictor\.)?model\.layers"),
        ({"train_code_predictor": False}, r"talker\.model\.layers"),
        ({"train_talker": False}, r"talker\.code_predictor\.model\.layers"),
    ],
)
def test_only_the_adapter_trains_on_every_linear_layer(toy: Path, values: dict[str, object], wanted: str) -> None:
    preset = preset_of(**values)
    net = net_of(toy)
    layers = [name for name, one in net.named_modules() if isinstance(one, torch.nn.Linear) and ".layers." in name]
    before = logits(net)
    add_adapter(net, preset)
    trained = trainable_parameters(net, preset)
    expected = {f"{name}.lora_{matrix}.default.weight" for name in layers for matrix in "AB" if re.match(wanted, name)}
    assert trained.keys() == expected
    assert {name for name, parameter in net.named_parameters() if parameter.requires_grad} == expected
    for left, right in zip(before, logits(net), strict=True):
        assert torch.equal(left, right)  # B starts at zero


def test_embeddings_and_speaker_encoder_train_beside_it_when_asked(toy: Path) -> None:
    preset = preset_of(train_codec_embedding=True, train_speaker_encoder=True)
    net = net_of(toy)
    add_adapter(net, preset)
    others = {name for name in trainable_parameters(net, preset) if not is_adapter(name)}
    assert "talker.model.codec_embedding.weight" in others
    assert "talker.code_predictor.model.codec_embedding.14.weight" in others
    assert all("codec_embedding" in name or name.startswith("speaker_encoder.") for name in others)


def test_the_seed_decides_how_it_starts(toy: Path) -> None:
    def first(seed: int) -> torch.Tensor:
        net = net_of(toy)
        torch.rand(seed + 1)  # what was drawn before does not matter
        add_adapter(net, preset_of(seed=seed))
        weight: torch.Tensor = net.talker.model.layers[0].self_attn.q_proj.lora_A.default.weight
        return weight.detach()

    assert torch.equal(first(0), first(0))
    assert not torch.equal(first(0), first(1))


@pytest.fixture
def assembled(toy: Path, engine: Engine, tmp_path: Path) -> Callable[..., tuple[Any, Path]]:
    """Call with preset values: (the net that was trained, the voice assembled from its checkpoint)."""

    def assemble(model: Path = toy, own_speakers: dict[str, torch.Tensor] | None = None, **values: object) -> Any:
        preset = preset_of(**values)
        run, voice = tmp_path / "run", tmp_path / "voice"
        net = net_of(model)
        add_adapter(net, preset)
        trained = grow(net)
        if preset.train_codec_embedding:
            table = net.talker.model.codec_embedding.weight
            table.data[:10].normal_(generator=torch.Generator().manual_seed(1))
            trained["talker.model.codec_embedding.weight"] = table.detach().clone()
        checkpoint = run / "checkpoints" / "step-000004"
        checkpoint.mkdir(parents=True)
        voice.mkdir()
        save_file(trained, checkpoint / "weights.safetensors")
        speakers = {"zoe": torch.full((64,), 0.5), "ann": torch.full((64,), 0.25)}
        save_file(speakers, run / "speaker.safetensors")
        if own_speakers:
            save_file(own_speakers, checkpoint / "speaker.safetensors")
        preset.save(run / "preset.yaml")
        engine.assemble(Checkpoint(checkpoint, 4, "zoe", model), voice)
        return net, voice

    return assemble


@pytest.mark.parametrize(("model", "embedding"), [("toy_1b7", False), ("toy", True)])
def test_merged_says_what_peft_says(
    request: pytest.FixtureRequest, assembled: Callable[..., tuple[Any, Path]], model: str, embedding: bool
) -> None:
    """The network in training, the merged voice, and the base model with `PeftModel` over it are one."""
    from peft import PeftModel

    base = request.getfixturevalue(model)
    trained, voice = assembled(base, train_codec_embedding=embedding)
    beside = net_of(base)
    untouched = logits(beside)
    PeftModel.from_pretrained(beside.talker, str(voice / "adapter"))
    merged = net_of(voice)
    for one, other, third, start in zip(logits(trained), logits(beside), logits(merged), untouched, strict=True):
        assert (other - one).abs().max() == 0
        assert (third - one).abs().max() < 1e-5
        assert (start - one).abs().max() > 1e-2
    if embedding:
        tables = [net.talker.model.codec_embedding.weight[:3000] for net in (trained, beside, merged)]
        assert torch.equal(tables[0], tables[1])
        assert torch.equal(tables[0], tables[2])


def test_every_speaker_gets_a_row_and_the_adapter_folder_tells_no_path(
    assembled: Callable[..., tuple[Any, Path]], toy: Path
) -> None:
    _, voice = assembled()
    talker = files.read_json(voice / "config.json")["talker_config"]
    assert talker["spk_id"] == {"zoe": 3000, "ann": 3001}
    table = load_file(voice / "model.safetensors")["talker.model.codec_embedding.weight"]
    assert table[3000].tolist() == [0.5] * 64
    assert table[3001].tolist() == [0.25] * 64
    assert load_file(voice / "adapter" / "speaker.safetensors").keys() == {"ann", "zoe"}
    config = (voice / "adapter" / "adapter_config.json").read_text(encoding="utf-8")
    assert str(toy) not in config
    assert '"lora_alpha": 12' in config
    assert sum(path.stat().st_size for path in (voice / "adapter").iterdir()) < 0.1e6


@pytest.mark.parametrize("embedding", [False, True])
def test_strength_goes_from_the_base_model_to_the_voice(
    embedding: bool, assembled: Callable[..., tuple[Any, Path]], engine: Engine, toy: Path, tmp_path: Path
) -> None:
    """At 1 the finished voice bit for bit, at 0 the base model with the speakers added, in between and beyond on the
    line through both."""
    _, voice = assembled(train_codec_embedding=embedding)
    checkpoint = Checkpoint(tmp_path / "run" / "checkpoints" / "step-000004", 4, "zoe", toy)
    at: dict[float, dict[str, torch.Tensor]] = {}
    for strength in (0.0, 0.5, 1.0, 1.25):
        folder = tmp_path / f"at-{strength}"
        folder.mkdir()
        engine.assemble(checkpoint, folder, strength)
        at[strength] = load_file(folder / "model.safetensors")
    assert (tmp_path / "at-1.0" / "model.safetensors").read_bytes() == (voice / "model.safetensors").read_bytes()
    base = load_file(toy / "model.safetensors")
    assert at[0.0].keys() == base.keys()
    table = "talker.model.codec_embedding.weight"
    moved = 0
    for name, start in base.items():
        if name == table:  # beside the rows of the speakers
            assert torch.equal(at[0.0][name][:3000], start[:3000])
            assert torch.equal(at[0.0][name][3000:3002], at[1.0][name][3000:3002])
        else:
            assert torch.equal(at[0.0][name].view(torch.uint8), start.view(torch.uint8))  # also the sign of zeros
        change = at[1.0][name].float() - at[0.0][name].float()
        moved += bool(change.abs().max() > 0)
        for strength in (0.5, 1.25):
            assert (at[strength][name].float() - at[0.0][name].float() - strength * change).abs().max() < 1e-5
    assert moved > 20


def test_a_checkpoints_own_speakers_win(assembled: Callable[..., tuple[Any, Path]]) -> None:
    """A run that trains the speaker encoder hears its references anew."""
    _, voice = assembled(own_speakers={"zoe": torch.full((64,), 0.75)})
    assert files.read_json(voice / "config.json")["talker_config"]["spk_id"] == {"zoe": 3000}
    table = load_file(voice / "model.safetensors")["talker.model.codec_embedding.weight"]
    assert table[3000].tolist() == [0.75] * 64


def test_gradients_with_checkpointing_are_those_without(toy: Path) -> None:
    """Activations computed twice, through the talker's core called directly, as training does."""

    def gradients(checkpointing: bool) -> dict[str, torch.Tensor]:
        net = net_of(toy)
        add_adapter(net, preset_of())
        grow(net)
        trained = trainable_parameters(net, preset_of())
        if checkpointing:
            net.talker.gradient_checkpointing_enable({"use_reentrant": False})
        net.train()
        first, rest = logits(net)
        (first.square().mean() + rest.square().mean()).backward()
        return {name: parameter.grad for name, parameter in trained.items() if parameter.grad is not None}

    plain, twice = gradients(False), gradients(True)
    assert plain.keys() == twice.keys()
    assert len(plain) == 42
    for name in plain:
        torch.testing.assert_close(plain[name], twice[name])


def test_4_bits_are_trained_beside_for_real(toy: Path) -> None:
    """The preset refuses a CPU; the same functions work on one: NF4 layers, gradients only for the adapter."""
    from bitsandbytes.nn import Linear4bit

    whole = net_of(toy)
    net = net_of(toy)
    preset = preset_of(adapter="qlora", precision="fp32")
    add_adapter(net, preset)
    trained = trainable_parameters(net, preset)
    hold_weights(net, trained, preset, bf16=False)
    layers = [module for module in net.talker.modules() if isinstance(module, Linear4bit)]
    assert len(layers) == 21
    held = net.talker.model.layers[0].mlp.up_proj.base_layer.weight
    assert held.dtype == torch.uint8
    assert held.numel() == 128 * 64 / 2
    net.train()
    first, rest = logits(net)
    for quantized, exact in zip((first, rest), logits(whole), strict=True):
        assert 0.9 < torch.cosine_similarity(quantized.flatten(), exact.flatten(), dim=0) < 0.9999
    (first.square().mean() + rest.square().mean()).backward()
    with_gradient = {name for name, parameter in net.named_parameters() if parameter.grad is not None}
    assert with_gradient == trained.keys()
    assert all(is_adapter(name) for name in with_gradient)
    moving = [name for name in with_gradient if "lora_B" in name and trained[name].grad.abs().sum() > 0]  # type: ignore
    assert len(moving) == 21


def test_4_bit_layers_can_be_moved_and_keep_what_they_say(toy: Path) -> None:
    net = net_of(toy)
    quantize(net, torch.float32)
    net.train()
    first = logits(net)[0]
    assert torch.equal(first, logits(net.to("cpu"))[0])


def test_qlora_is_refused_without_a_gpu_or_bitsandbytes(monkeypatch: pytest.MonkeyPatch) -> None:
    preset = load_preset("qlora")
    with pytest.raises(InputError, match=r"needs an NVIDIA GPU.*choose lora"):
        check_adapter(preset, "cpu")
    check_adapter(preset, "cuda:0")
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(InputError, match=r"bitsandbytes.*\[8bit\]"):
        check_adapter(preset, "cuda:0")
    check_adapter(load_preset("lora"), "cpu")
    check_adapter(load_preset("quick"), "cpu")


def test_an_adapter_on_nothing_is_refused() -> None:
    preset = load_preset("lora", ["train_talker=false", "train_code_predictor=false"])
    with pytest.raises(InputError, match="train_talker or train_code_predictor"):
        check_adapter(preset, "cpu")


@pytest.mark.slow
def test_overfit_with_lora_and_use_both_ways(
    engine: Engine, toy: Path, two_codes: Codes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Train, package, speak in a clean process; then run the card's example with the adapter alone."""
    preset = load_preset("lora", ["learning_rate=1e-2", "max_steps=30", "warmup_steps=0", "schedule=constant"])
    project = Project.create("Zoë", tmp_path / "home")
    run = project.root / "runs" / "one"
    checkpoint = engine.finetune(
        Training(two_codes, toy, preset, run, speaker=project.speaker, device="cpu"),
        on_progress=silent,
        should_stop=never,
    )
    losses = [row["loss"] for row in files.read_jsonl(run / "metrics.jsonl")]
    assert losses[0] == pytest.approx(math.log(3072) + 0.3 * math.log(2048), abs=0.2)  # chance
    assert losses[-1] < losses[0] - 1.2  # the toy's heads are random and stay frozen: 1.7 is the most there is
    assert all(is_adapter(name) for name in load_file(checkpoint.path / "weights.safetensors"))

    voice = project.root / "voices" / "one"
    voice.mkdir(parents=True)
    engine.assemble(checkpoint, voice)
    dataset = dataset_of(real_clips()[:2], tmp_path)
    facts = {"base_model": str(toy), "consent": "", "toy": True}
    package(project, voice, run, dataset, preset, engine, [], "english", facts)
    packed = {path.relative_to(voice).as_posix() for path in voice_files(voice)}
    adapter = {"adapter/adapter_config.json", "adapter/adapter_model.safetensors", "adapter/speaker.safetensors"}
    assert adapter <= packed
    assert adapter <= set(files_to_publish(voice))

    card = (voice / "README.md").read_text(encoding="utf-8")
    assert "learning rate 0.01" in card
    code = card.partition("## The adapter alone")[2].partition("```python\n")[2].partition("```")[0]
    monkeypatch.chdir(voice)
    known: dict[str, Any] = {}
    exec(code.replace('text="Hello."', 'max_new_tokens=8, do_sample=False, text="Hello."'), known)
    assert known["rate"] == 24_000
    assert len(known["waves"][0]) > 0
    spoken = logits(net_of(voice))
    for one, other in zip(spoken, logits(known["voice"].model), strict=True):
        assert (one - other).abs().max() < 1e-5


def test_the_card_of_a_voice_whose_text_embedding_alone_was_trained() -> None:
    def card(name: str) -> str:
        preset = settle(load_preset(name), 10, 60.0).model_dump()
        facts = {"name": "A", "speaker": "a", "language": "english", "base_model": "x/y", "consent": "", "toy": False}
        facts |= {"preset": preset, "metrics": {}, "clips": 1, "seconds": 9.0, "eval_loss": []}
        return model_card({**facts, "made_with": "VoiceFactory", "created": "today"}, "pass\n")

    assert "Quality unknown" in card("text-embedding-only")
    assert "Quality unknown" not in card("quick")
    assert "The adapter alone" not in card("lora")
