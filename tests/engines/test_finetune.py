"""The training loop: resumable to the bit, complete in its order, honest about what it trains."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from voicefactory import files
from voicefactory.engines.base import Engine, Training
from voicefactory.engines.qwen3_tts.checkpoint import checkpoints
from voicefactory.engines.qwen3_tts.data_order import epochs_of_steps, split_held_out, steps_from
from voicefactory.engines.qwen3_tts.model import load_model
from voicefactory.engines.qwen3_tts.optimization import schedule, trainable_parameters
from voicefactory.errors import Cancelled, InputError
from voicefactory.presets import Preset, load_preset, settle
from voicefactory.types import Checkpoint, Codes, OnProgress, Progress, ShouldStop, never, silent

PRESET = load_preset("quick", ["learning_rate=1e-3", "max_steps=6", "batch_size=2", "save_every_steps=2"])


def run_finetune(
    engine: Engine,
    codes: Codes,
    model: Path,
    run: Path,
    preset: Preset = PRESET,
    *,
    speaker: str = "ann",
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> Checkpoint:
    return engine.finetune(
        Training(codes, model, preset, run, speaker=speaker, device="cpu"),
        on_progress=on_progress,
        should_stop=should_stop,
    )


def run_of(checkpoint: Checkpoint) -> Path:
    return checkpoint.path.parent.parent


def same_weights(one: Path, other: Path) -> bool:
    left, right = load_file(one / "weights.safetensors"), load_file(other / "weights.safetensors")
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


@pytest.fixture(scope="module")
def whole(engine: Engine, toy: Path, codes: Codes, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """The end of a run of six steps that was never stopped, in a folder called run. Read only."""
    return run_finetune(engine, codes, toy, tmp_path_factory.mktemp("whole") / "run")


def test_cancelled_and_resumed_equals_never_stopped(
    engine: Engine, toy: Path, codes: Codes, whole: Checkpoint, tmp_path: Path
) -> None:
    seen: list[float] = []
    with pytest.raises(Cancelled, match="after step 3 of 6"):
        run_finetune(
            engine,
            codes,
            toy,
            tmp_path / "resumed",
            on_progress=lambda progress: seen.append(progress.done),
            should_stop=lambda: len(seen) == 3,
        )
    resumed = run_finetune(engine, codes, toy, tmp_path / "resumed")
    assert resumed.step == whole.step == 6
    assert same_weights(whole.path, resumed.path)
    rows = files.read_jsonl(tmp_path / "resumed" / "metrics.jsonl")
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row["loss"] for row in rows] == [row["loss"] for row in files.read_jsonl(run_of(whole) / "metrics.jsonl")]


def test_killed_and_resumed_equals_never_stopped(
    engine: Engine, toy: Path, codes: Codes, whole: Checkpoint, tmp_path: Path
) -> None:
    """A process of its own is really killed, after its first checkpoint and in the middle of what follows."""
    run = tmp_path / "killed"
    program = (
        "import sys, time; from pathlib import Path\n"
        "from voicefactory.engines.base import Training\n"
        "from voicefactory.engines.registry import get\n"
        "from voicefactory.presets import load_preset\n"
        "from voicefactory.types import Codes, never\n"
        "codes, toy, run = map(Path, sys.argv[1:4])\n"
        "made = Codes(codes, 'qwen3-tts', sys.argv[6], 12.5, 16, sys.argv[4])\n"
        "training = Training(made, toy, load_preset(sys.argv[5]), run, 'ann', 'cpu')\n"
        "get().finetune(training, on_progress=lambda p: time.sleep(0.3), should_stop=never)\n"
    )
    PRESET.save(tmp_path / "preset.yaml")
    arguments = [str(codes.path), str(toy), str(run), codes.fingerprint, str(tmp_path / "preset.yaml"), codes.tokenizer]
    process = subprocess.Popen([sys.executable, "-c", program, *arguments])
    deadline = time.monotonic() + 120
    while not checkpoints(run / "checkpoints") and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.4)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert 0 < len(files.read_jsonl(run / "metrics.jsonl")) < 6
    resumed = run_finetune(engine, codes, toy, run)
    assert same_weights(whole.path, resumed.path)


def test_a_run_is_not_continued_with_other_recordings(
    engine: Engine, toy: Path, codes: Codes, whole: Checkpoint, tmp_path: Path
) -> None:
    shutil.copytree(run_of(whole), tmp_path / "run")
    other = Codes(codes.path, codes.engine, codes.tokenizer, codes.frame_rate, codes.codebooks, "another")
    with pytest.raises(InputError, match="changed since this run was started"):
        run_finetune(engine, other, toy, tmp_path / "run")


def test_held_out_clips_are_measured_and_reported(engine: Engine, toy: Path, codes: Codes, tmp_path: Path) -> None:
    preset = load_preset("quick", ["max_steps=4", "batch_size=4", "eval_every_steps=2", "eval_fraction=0.2"])
    told: list[Progress] = []
    run_finetune(engine, codes, toy, tmp_path / "run", preset, on_progress=told.append)
    rows = files.read_jsonl(tmp_path / "run" / "metrics.jsonl")
    assert ["eval_loss" in row for row in rows] == [False, True, False, True]
    assert told[-1].metrics["eval_loss_first"] == rows[-1]["eval_loss_first"]
    assert "held out" in (tmp_path / "run" / "log.txt").read_text(encoding="utf-8")


def test_a_voice_is_added_to_a_voice_and_the_first_stays(
    engine: Engine, toy: Path, codes: Codes, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for speaker, base, out in (("ann", toy, first), ("bea böck", first, second)):
        out.mkdir()
        engine.assemble(run_finetune(engine, codes, base, tmp_path / f"run-{out.name}", speaker=speaker), out)
    config = files.read_json(second / "config.json")
    assert config["talker_config"]["spk_id"] == {"ann": 3000, "bea böck": 3001}
    assert config["tts_model_type"] == "custom_voice"
    before, after = load_file(first / "model.safetensors"), load_file(second / "model.safetensors")
    table = "talker.model.codec_embedding.weight"
    assert torch.equal(before[table][3000], after[table][3000])
    speaker = load_file(tmp_path / "run-second" / "speaker.safetensors")["bea böck"]
    assert torch.equal(after[table][3001], speaker)
    encoder = [name for name in after if name.startswith("speaker_encoder.")]
    original = load_file(toy / "model.safetensors")
    assert encoder
    assert all(torch.equal(after[name], original[name]) for name in encoder)
    assert (second / "speech_tokenizer" / "model.safetensors").samefile(toy / "speech_tokenizer" / "model.safetensors")
    with pytest.raises(InputError, match="already has a speaker"):
        run_finetune(engine, codes, second, tmp_path / "again", speaker="ann")
    assert load_model(second, device="cpu", dtype=torch.float32, as_base=True).model.speaker_encoder is not None


def test_a_bf16_model_is_trained_in_fp32_and_saved_in_bf16(
    engine: Engine, toy: Path, codes: Codes, tmp_path: Path
) -> None:
    base = tmp_path / "bf16"
    base.mkdir()
    for path in toy.iterdir():
        if path.name != "model.safetensors":
            (base / path.name).symlink_to(path)
    weights = load_file(toy / "model.safetensors")
    save_file({n: w.bfloat16() for n, w in weights.items()}, base / "model.safetensors", metadata={"format": "pt"})
    preset = load_preset("quick", ["learning_rate=2e-6", "max_steps=4", "batch_size=4", "warmup_steps=0"])
    checkpoint = run_finetune(engine, codes, base, tmp_path / "run", preset)
    trained = load_file(checkpoint.path / "weights.safetensors")
    name = "talker.codec_head.weight"
    moved = trained[name] != weights[name].bfloat16().float()
    assert trained[name].dtype == torch.float32
    assert moved.float().mean() > 0.99  # in pure bf16 most of such small steps would be rounded away
    out = tmp_path / "voice"
    out.mkdir()
    engine.assemble(checkpoint, out)
    saved = load_file(out / "model.safetensors")
    assert saved[name].dtype == torch.bfloat16
    row = saved["talker.model.codec_embedding.weight"][3000].float()
    assert torch.equal(row, load_file(tmp_path / "run" / "speaker.safetensors")["ann"])


def test_bf16_autocast_follows_fp32_over_fp32_weights(engine: Engine, toy: Path, codes: Codes, tmp_path: Path) -> None:
    numbers = ["learning_rate=5e-3", "max_steps=3", "batch_size=1", "eval_fraction=0", "warmup_steps=0"]
    for precision in ("fp32", "bf16"):
        preset = load_preset("quick", [*numbers, f"precision={precision}"])
        checkpoint = run_finetune(engine, codes, toy, tmp_path / precision, preset)
        assert load_file(checkpoint.path / "weights.safetensors")["talker.codec_head.weight"].dtype == torch.float32
    fp32, bf16 = (files.read_jsonl(tmp_path / name / "metrics.jsonl") for name in ("fp32", "bf16"))
    for left, right in zip(fp32, bf16, strict=True):
        assert right["loss"] == pytest.approx(left["loss"], rel=0.01)
        assert right["loss"] != left["loss"]


@pytest.mark.parametrize("accumulation", [1, 3])
def test_every_clip_is_seen_once_an_epoch_and_no_accumulation_is_dropped(accumulation: int) -> None:
    preset = settle(Preset(batch_size=4, gradient_accumulation_steps=accumulation), 50, 100)
    lengths = {index: 10 + index % 7 for index in range(50)}
    for steps in (next(epochs_of_steps(lengths, preset, epoch)) for epoch in range(3)):
        seen = [index for batches in steps for batch in batches for index in batch]
        assert sorted(seen) == sorted(lengths)
        assert len(steps) == -(-13 // accumulation)
    assert next(epochs_of_steps(lengths, preset, 0)) != next(epochs_of_steps(lengths, preset, 1))


def test_steps_after_a_resume_are_those_that_were_missing() -> None:
    preset = settle(Preset(batch_size=3), 20, 100)
    lengths = dict.fromkeys(range(20), 5)
    whole = list(steps_from(lengths, preset, 0, 25))
    assert len(whole) == 25
    assert [epoch for epoch, _ in whole][:8] == [1] * 7 + [2]
    assert list(steps_from(lengths, preset, 11, 25)) == whole[11:]


def test_accumulated_batches_equal_one_large_batch(engine: Engine, toy: Path, codes: Codes, tmp_path: Path) -> None:
    large = load_preset("quick", ["max_steps=1", "batch_size=12", "eval_fraction=0", "warmup_steps=0"])
    small = load_preset("quick", ["max_steps=1", "batch_size=5", "gradient_accumulation_steps=3", "eval_fraction=0"])
    for name, preset in (("large", large), ("small", small)):
        run_finetune(engine, codes, toy, tmp_path / name, preset)
    one, other = (files.read_jsonl(tmp_path / name / "metrics.jsonl")[0] for name in ("large", "small"))
    assert other["loss"] == pytest.approx(one["loss"], rel=1e-5)
    assert other["grad_norm"] == pytest.approx(one["grad_norm"], rel=1e-3)


def test_whole_recordings_are_held_out() -> None:
    clips = [f"rec{recording}-{index:04d}" for recording in range(10) for index in range(3)]
    training, held_out = split_held_out(clips, 0.1, seed=0)
    assert len(held_out) == 3
    assert len({clips[index].split("-")[0] for index in held_out}) == 1
    assert sorted(training + held_out) == list(range(30))
    assert split_held_out(clips[:9], 0.1, seed=0) == (list(range(9)), [])


@pytest.mark.parametrize(("kind", "end"), [("constant", 1.0), ("linear", 0.0), ("cosine", 0.0)])
def test_schedules_warm_up_and_end(kind: str, end: float) -> None:
    preset = settle(Preset.model_validate({"schedule": kind, "warmup_steps": 10}), 20, 100)
    assert schedule(preset, 0, 100) == pytest.approx(0.1)
    assert schedule(preset, 9, 100) == 1.0
    assert schedule(preset, 100, 100) == pytest.approx(end, abs=1e-9)


def test_what_is_frozen_stays_frozen(toy: Path) -> None:
    net = load_model(toy, device="cpu", dtype=torch.float32, as_base=True).model
    names = set(trainable_parameters(net, settle(Preset(), 20, 100)))
    assert "talker.model.text_embedding.weight" not in names
    assert not any(name.startswith("speaker_encoder.") for name in names)
    assert "talker.code_predictor.lm_head.0.weight" in names
    nothing = {key: False for key in Preset.model_fields if key.startswith("train_")}
    with pytest.raises(InputError, match="trains nothing"):
        trainable_parameters(net, settle(Preset.model_validate(nothing), 20, 100))
