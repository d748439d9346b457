"""How training ends: best and last, patience, a loss that is no number, memory that runs out, a process of two."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
import torch
from safetensors.torch import load_file, save_file

from voicefactory import files
from voicefactory.engines.base import Engine, Training
from voicefactory.engines.qwen3_tts.checkpoint import checkpoints
from voicefactory.engines.qwen3_tts.inputs import build_sequences, text_token_ids
from voicefactory.engines.qwen3_tts.loader import Layout
from voicefactory.engines.qwen3_tts.model import load_model
from voicefactory.engines.qwen3_tts.optimization import hold_weights, trainable_parameters
from voicefactory.engines.qwen3_tts.speaker import Speakers
from voicefactory.engines.qwen3_tts.step import measure_longest_batch
from voicefactory.errors import Cancelled, InputError, VoiceFactoryError
from voicefactory.presets import load_preset, settle
from voicefactory.types import Checkpoint, Codes, Progress, never, silent

Run = Callable[..., Checkpoint]


@pytest.fixture
def train(engine: Engine, toy: Path, codes: Codes, tmp_path: Path) -> Run:
    def train(*overrides: str, run: str = "run", **changes: object) -> Checkpoint:
        given: dict[str, object] = {
            "codes": codes,
            "model": toy,
            "preset": load_preset("quick", overrides),
            "run": tmp_path / run,
            "speaker": "ann",
            "device": "cpu",
        }
        listening = {"on_progress": silent, "should_stop": never}
        listening |= {name: changes.pop(name) for name in tuple(changes) if name in listening}  # type: ignore[misc]
        return engine.finetune(Training(**{**given, **changes}), **listening)  # type: ignore[arg-type]

    return train


def metrics(run: Path) -> list[dict[str, float]]:
    return files.read_jsonl(run / "metrics.jsonl")


def test_patience_ends_training_and_the_best_weights_become_the_voice(train: Run, tmp_path: Path) -> None:
    """With a rate at which the toy soon gets worse on what it has not seen."""
    numbers = ("max_steps=60", "learning_rate=2e-2", "warmup_steps=0", "schedule=constant", "eval_fraction=0.2")
    numbers += ("eval_every_steps=1", "early_stopping_patience=3", "speak_at_evaluations=false")
    checkpoint = train(*numbers)
    rows = metrics(tmp_path / "run")
    losses = [row["eval_loss"] for row in rows]
    best = losses.index(min(losses)) + 1
    assert len(rows) == best + 3 < 60
    assert checkpoint.step == best
    assert checkpoint.path.name == f"best-{best:06d}"
    assert "stopped early" in (tmp_path / "run" / "log.txt").read_text(encoding="utf-8")
    assert {path.name for path in (tmp_path / "run" / "checkpoints").iterdir()} >= {
        f"best-{best:06d}",
        f"step-{len(rows):06d}",
    }
    assert len(checkpoints(tmp_path / "run" / "checkpoints")) <= 2
    assert not list((tmp_path / "run").rglob("optimizer.safetensors"))  # a finished run needs none
    assert (
        train(*numbers, "eval_every_steps=1", "early_stopping_patience=3", "speak_at_evaluations=false") == checkpoint
    )
    assert len(metrics(tmp_path / "run")) == len(rows)  # it was over, and is not trained on


def test_the_last_weights_become_the_voice_when_asked_for(train: Run, tmp_path: Path) -> None:
    checkpoint = train("max_steps=4", "learning_rate=2e-2", "eval_every_steps=1", "result=last", "warmup_steps=0")
    assert checkpoint.path.name == "step-000004"


def test_sentences_are_spoken_at_measurements_and_change_nothing(train: Run, tmp_path: Path) -> None:
    numbers = ("max_steps=3", "batch_size=2", "eval_every_steps=2", "learning_rate=1e-3", "adapter_dropout=0.1")
    silently = train(*numbers, "speak_at_evaluations=false", "result=last", run="silent")
    aloud = train(*numbers, "result=last", run="aloud", sentences=("Hello.",), language="english")
    heard = tmp_path / "aloud" / "heard" / "step-000002-1.wav"
    assert metrics(tmp_path / "aloud")[1]["heard"] == [heard.name]
    assert soundfile.info(heard).duration > 0.1
    left, right = (load_file(one.path / "weights.safetensors") for one in (silently, aloud))
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_metrics_tell_what_people_ask_for(train: Run, tmp_path: Path) -> None:
    train("max_steps=2", "eval_every_steps=2", "speak_at_evaluations=false")
    told = {"step", "epoch", "loss", "loss_first", "loss_rest", "learning_rate", "grad_norm"}
    told |= {"audio_seconds_per_second", "memory_bytes", "seconds", "seconds_left"}
    first, last = metrics(tmp_path / "run")
    assert set(first) == told
    assert set(last) == told | {"eval_loss", "eval_loss_first", "eval_loss_rest", "heard"} - {"heard"}
    assert last["seconds_left"] == 0
    assert first["memory_bytes"] > 10_000_000


def test_a_loss_that_is_no_number_names_step_rate_and_advice(
    train: Run, toy: Path, codes: Codes, tmp_path: Path
) -> None:
    """One letter of this model's vocabulary is broken, and only the last clip has it."""
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in toy.iterdir():
        if path.name != "model.safetensors":
            (broken / path.name).symlink_to(path)
    weights = load_file(toy / "model.safetensors")
    for token in text_token_ids(load_model(toy, device="cpu", dtype=torch.float32, as_base=True).processor, "Ж"):
        weights["talker.model.text_embedding.weight"][token] = torch.inf
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    numbers = ("batch_size=1", "epochs=1", "save_every_steps=1", "eval_fraction=0", "learning_rate=0.02")
    with pytest.raises(VoiceFactoryError, match=r"stopped at step \d+: with a learning rate of") as told:
        train(*numbers, "warmup_steps=0", model=broken, codes=changed(codes, tmp_path, row=11, text="Ж"))
    assert "learning_rate=0.00" in str(told.value)
    kept = checkpoints(tmp_path / "run" / "checkpoints")[-1]
    assert f"checkpoint of step {int(kept.name[5:])} is kept" in str(told.value)
    assert f"stopped at step {int(kept.name[5:]) + 1}:" in str(told.value)
    assert all(bool(weight.isfinite().all()) for weight in load_file(kept / "weights.safetensors").values())


def test_a_random_share_of_the_frames_is_trained_and_the_same_after_a_resume(train: Run, tmp_path: Path) -> None:
    numbers = ("max_steps=3", "batch_size=4", "code_predictor_share=0.125", "save_every_steps=1", "eval_fraction=0")
    one, other = train(*numbers, run="one"), train(*numbers, run="other")
    left, right = (load_file(checkpoint.path / "weights.safetensors") for checkpoint in (one, other))
    assert all(torch.equal(left[name], right[name]) for name in left)
    whole = train("max_steps=3", "batch_size=4", "eval_fraction=0", run="whole")
    assert metrics(tmp_path / "one")[0]["loss_first"] == metrics(tmp_path / "whole")[0]["loss_first"]
    assert metrics(tmp_path / "one")[0]["loss_rest"] != metrics(tmp_path / "whole")[0]["loss_rest"]
    assert metrics(tmp_path / "one")[0]["loss_rest"] == pytest.approx(
        metrics(tmp_path / "whole")[0]["loss_rest"], rel=0.1
    )
    assert whole.step == 3


def test_the_speaker_encoder_trains_when_asked_to(engine: Engine, train: Run, toy: Path, tmp_path: Path) -> None:
    checkpoint = train("max_steps=2", "learning_rate=1e-2", "train_speaker_encoder=true", "eval_fraction=0")
    weights, before = load_file(checkpoint.path / "weights.safetensors"), load_file(toy / "model.safetensors")
    moved = [
        name for name in weights if name.startswith("speaker_encoder.") and not torch.equal(weights[name], before[name])
    ]
    assert moved
    voice = tmp_path / "voice"
    voice.mkdir()
    engine.assemble(checkpoint, voice)
    row = load_file(voice / "model.safetensors")["talker.model.codec_embedding.weight"][3000]
    assert torch.equal(row, load_file(checkpoint.path / "speaker.safetensors")["ann"])
    assert not torch.equal(row, load_file(tmp_path / "run" / "speaker.safetensors")["ann"])  # as it was at the start


def changed(codes: Codes, folder: Path, row: int = 2, **values: object) -> Codes:
    """The same codes with something else in one row."""
    rows = files.read_jsonl(codes.path)
    rows[row].update(values)
    files.write_jsonl(folder / "codes.jsonl", rows)
    return Codes(folder / "codes.jsonl", codes.engine, codes.tokenizer, codes.frame_rate, codes.codebooks, "changed")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"text": "  "}, "rec002-0: The text is empty"),
        ({"language": "klingon"}, "rec002-0: This model has no language 'klingon'"),
        ({"audio_codes": [[0] * 16] * 40_000}, "rec002-0: It is longer than the model can take"),
        ({"audio_codes": [[5000] * 16]}, "rec002-0: These are not 16 codebooks of 2048 codes"),
        ({"ref_audio": "elsewhere.wav"}, "has two references"),
    ],
    ids=["empty", "language", "long", "codes", "references"],
)
def test_what_cannot_be_trained_on_is_refused_by_the_clips_name(
    train: Run, codes: Codes, tmp_path: Path, values: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        train("max_steps=1", codes=changed(codes, tmp_path, **values))
    assert not list((tmp_path / "run").rglob("step-*"))


def test_codes_of_another_tokenizer_are_refused(train: Run, codes: Codes) -> None:
    other = Codes(codes.path, codes.engine, "0" * 64, codes.frame_rate, codes.codebooks, codes.fingerprint)
    with pytest.raises(InputError, match="another speech tokenizer"):
        train("max_steps=1", codes=other)


def test_a_silent_reference_is_refused(train: Run, codes: Codes, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "quiet.wav", torch.zeros(48_000).numpy(), 24_000)
    rows = [{**row, "ref_audio": str(tmp_path / "quiet.wav")} for row in files.read_jsonl(codes.path)]
    files.write_jsonl(tmp_path / "codes.jsonl", rows)
    quiet = Codes(tmp_path / "codes.jsonl", codes.engine, codes.tokenizer, codes.frame_rate, codes.codebooks, "quiet")
    with pytest.raises(InputError, match=r"quiet\.wav is silent"):
        train("max_steps=1", codes=quiet)


def test_other_data_or_another_preset_is_refused_with_the_difference(train: Run, codes: Codes, tmp_path: Path) -> None:
    numbers = ("max_steps=4", "save_every_steps=1", "eval_fraction=0")
    seen: list[Progress] = []
    with pytest.raises(VoiceFactoryError, match="Cancelled"):
        train(*numbers, on_progress=seen.append, should_stop=lambda: len(seen) == 2)
    with pytest.raises(InputError, match=r"1 changed \(rec002-0\)"):
        train(*numbers, codes=changed(codes, tmp_path, text="Something else."))
    with pytest.raises(InputError, match=r"learning_rate was 1e-05, is 0\.01"):
        train(*numbers, "learning_rate=1e-2")
    assert train(*numbers, "keep_checkpoints=5").step == 4


MEMORY = """
import resource, sys
from pathlib import Path
import psutil
from voicefactory.engines.base import Training
from voicefactory.engines.registry import get
from voicefactory.presets import load_preset, settle
from voicefactory.types import Codes
path, toy, run, tokenizer = sys.argv[1:5]
told = []
def little_left():  # asked before every step: when everything is loaded, memory becomes scarce
    if resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
        limit = psutil.Process().memory_info().vms + int(sys.argv[5])
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    return False
made = Codes(Path(path), "qwen3-tts", tokenizer, 12.5, 16, "f")
preset = load_preset("quick", ["max_steps=3", "batch_size=24", "eval_fraction=0", "learning_rate=1e-3"])
training = Training(made, Path(toy), preset, Path(run), speaker="ann", device="cpu")
get().finetune(training, on_progress=told.append, should_stop=little_left)
print([one.message for one in told if one.notice])
"""


@pytest.mark.slow
def test_memory_that_runs_out_halves_the_batch_and_goes_on(codes: Codes, toy: Path, tmp_path: Path) -> None:
    """A real shortage: the process may not have more than so many bytes, and torch's allocator says no."""
    rows = files.read_jsonl(codes.path) * 2
    files.write_jsonl(tmp_path / "codes.jsonl", [{**row, "clip": f"{n}-0"} for n, row in enumerate(rows)])
    arguments = [str(tmp_path / "codes.jsonl"), str(toy), str(tmp_path / "run"), codes.tokenizer, str(500 << 20)]
    done = subprocess.run([sys.executable, "-c", MEMORY, *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "memory ran out" in done.stdout
    assert [row["step"] for row in metrics(tmp_path / "run")] == [1, 2, 3]


@pytest.mark.parametrize("precision", ["fp32", "bf16-stochastic"])
def test_a_dry_run_of_the_longest_batch_changes_nothing(toy: Path, codes: Codes, precision: str) -> None:
    rows = files.read_jsonl(codes.path)[:3]
    wrapper = load_model(toy, device="cpu", dtype=torch.float32, as_base=True)
    net = wrapper.model
    preset = settle(load_preset("quick", [f"precision={precision}", "batch_size=1"]), 3, 9)
    parameters = trainable_parameters(net, preset)
    hold_weights(net, parameters, preset, bf16=False)
    before = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    speakers = Speakers(net, {"ann": Path(rows[0]["ref_audio"])}, stored=torch.float32)
    layout = Layout(build_sequences(net.config, wrapper.processor, rows), 1.0, 0, "cpu")
    random = torch.get_rng_state()
    bf16 = precision != "fp32"
    assert measure_longest_batch(net, layout, [0, 1, 2], speakers, parameters, preset, "cpu", bf16) > 10_000_000
    assert torch.equal(torch.get_rng_state(), random)
    for name, parameter in parameters.items():
        assert parameter.grad is None
        assert torch.equal(parameter, before[name])


TOGETHER = ["max_steps=4", "batch_size=5", "learning_rate=1e-3", "gradient_accumulation_steps=2", "warmup_steps=0"]
TOGETHER += ["eval_fraction=0.1", "eval_every_steps=2", "save_every_steps=2", "result=last"]


def assert_same_course(one: Checkpoint, two: Checkpoint) -> None:
    """The norm is that of the summed gradient; the weights are those after all steps."""
    assert two.step == one.step == 4
    for left, right in zip(metrics(run_of(one)), metrics(run_of(two)), strict=True):
        assert right["grad_norm"] == pytest.approx(left["grad_norm"], rel=1e-4)
        assert right["loss"] == pytest.approx(left["loss"], rel=1e-5)
        assert right.get("eval_loss", 0) == pytest.approx(left.get("eval_loss", 0), rel=1e-5)
    weights = [load_file(checkpoint.path / "weights.safetensors") for checkpoint in (one, two)]
    apart = max(float((weights[0][name] - weights[1][name]).abs().max()) for name in weights[0])
    assert apart < 1e-4  # of steps of 1e-3


def run_of(checkpoint: Checkpoint) -> Path:
    return checkpoint.path.parent.parent


@pytest.mark.slow
def test_two_processes_take_the_steps_of_one(train: Run) -> None:
    """`torchrun` and gloo."""
    assert_same_course(train(*TOGETHER, run="one"), train(*TOGETHER, run="two", device="cpu,cpu"))


@pytest.mark.slow
def test_two_processes_are_cancelled_and_resumed(train: Run) -> None:
    seen: list[Progress] = []
    with pytest.raises(Cancelled, match=r"Cancelled after step \d of 4"):
        train(*TOGETHER, run="two", device="cpu,cpu", on_progress=seen.append, should_stop=lambda: bool(seen))
    assert_same_course(train(*TOGETHER, run="one"), train(*TOGETHER, run="two", device="cpu,cpu"))


@pytest.mark.slow
def test_an_error_in_one_of_several_processes_is_told(train: Run, codes: Codes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has two references"):
        train("max_steps=1", device="cpu,cpu", codes=changed(codes, tmp_path, ref_audio="elsewhere.wav"))
