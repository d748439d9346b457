"""The training loop of Qwen3-TTS: one function, from top to bottom, resumable at any step.

What is right here and wrong in the public recipe is listed in the README under "Why the loss is right".
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from voicefactory import files
from voicefactory.engines.qwen3_tts.checkpoint import checkpoints, load_checkpoint, save_checkpoint
from voicefactory.engines.qwen3_tts.codes import FRAME_RATE
from voicefactory.engines.qwen3_tts.data_order import epochs_of_steps, split_held_out, steps_from
from voicefactory.engines.qwen3_tts.facts import is_toy, read_config
from voicefactory.engines.qwen3_tts.inputs import TokenSequence, build_sequences, collate
from voicefactory.engines.qwen3_tts.losses import losses
from voicefactory.engines.qwen3_tts.model import load_model, tensor_files
from voicefactory.engines.qwen3_tts.optimization import parameter_groups, schedule, trainable_parameters
from voicefactory.engines.qwen3_tts.runlog import RunLog
from voicefactory.engines.qwen3_tts.selfcheck import check_alignment, measure_alignment
from voicefactory.engines.qwen3_tts.speaker import check_speaker_is_new, speaker_embedding
from voicefactory.errors import Cancelled, InputError, VoiceFactoryError
from voicefactory.presets import Hyperparameters, Preset, settle
from voicefactory.types import Checkpoint, Codes, OnProgress, Progress, ShouldStop


def finetune(
    codes: Codes,
    model: Path,
    preset: Preset,
    run: Path,
    *,
    speaker: str,
    device: str,
    on_progress: OnProgress,
    should_stop: ShouldStop,
) -> Checkpoint:
    """Train `model` on `codes` until the preset is fulfilled; return the last checkpoint.

    `run` receives preset.yaml, metrics.jsonl, log.txt, speaker.safetensors and checkpoints/step-NNNNNN. A run
    that was stopped or killed goes on from its last checkpoint. `speaker` is the lower-case name.

    Raises Cancelled after saving; SelfCheckError before the first step; InputError for codes of another
    engine, a name that the model already has, or a data set too small to train on.
    """
    # 1. The run's folder, its log, and what must hold before anything heavy is loaded.
    if codes.engine != "qwen3-tts":
        raise InputError(f"These codes were made for {codes.engine}; extract them again for qwen3-tts.")
    check_speaker_is_new(read_config(model), speaker)
    log = RunLog(run)
    rows = files.read_jsonl(codes.path)
    preset = settle(preset, len(rows), sum(len(row["audio_codes"]) for row in rows) / FRAME_RATE)
    preset.save(run / "preset.yaml")
    bf16 = uses_bf16(preset, device)
    log.line(f"training {speaker!r} from {model} on {device} in {'bf16 autocast' if bf16 else 'fp32'}")

    # 2. The model with fp32 master weights, and the speaker's embedding as the finished voice will hold it.
    wrapper = load_model(model, device=device, dtype=torch.float32, as_base=True)
    net = wrapper.model
    voice = speaker_embedding(net, Path(rows[0]["ref_audio"])).to(weights_dtype(model)).float()
    log.save_speaker(voice)
    parameters = trainable_parameters(net, preset)
    if preset.gradient_checkpointing:
        net.talker.gradient_checkpointing_enable({"use_reentrant": False})

    # 3. The data: token ids once, some clips held out, the order of every step known in advance.
    sequences = build_sequences(net.config, wrapper.processor, rows)
    training, held_out = split_held_out([row["clip"] for row in rows], preset.eval_fraction, preset.seed)
    lengths = {index: len(sequences[index]) for index in training}
    steps_per_epoch = len(next(epochs_of_steps(lengths, preset)))
    total_steps = preset.max_steps or preset.epochs * steps_per_epoch
    log.line(f"{len(training)} clips to train on, {len(held_out)} held out, {total_steps} steps")

    # 4. The optimiser: decay where it belongs, the whole schedule a function of the step.
    optimizer = torch.optim.AdamW(
        parameter_groups(parameters, preset.weight_decay), lr=preset.learning_rate, fused=device.startswith("cuda")
    )

    # 5. Resume, or check the model before the first step.
    torch.manual_seed(preset.seed)
    step, started, trained_s = 0, time.monotonic(), 0.0
    saved = checkpoints(run / "checkpoints")
    if saved:
        state = load_checkpoint(saved[-1], parameters, optimizer)
        if state["codes"] != codes.fingerprint:
            raise InputError("The recordings changed since this run was started. Start a new run.")
        step, trained_s = state["step"], state["seconds"]
        log.line(f"resuming at step {step}")
    else:
        net.eval()
        alignment = measure_alignment(net, [sequences[index] for index in training], voice, device)
        log.line(check_alignment(alignment, toy=is_toy(model)))
    log.keep_metrics_up_to(step)

    def save() -> Path:
        state = {"codes": codes.fingerprint, "speaker": speaker, "seconds": trained_s + time.monotonic() - started}
        return save_checkpoint(run / "checkpoints", step, parameters, optimizer, state, preset.keep_checkpoints)

    # 6. The loop: accumulate, clip, step, measure, save. On a CPU the order of every sum is fixed, so that a
    #    resumed run ends with the weights of one that was never stopped, bit by bit.
    torch.use_deterministic_algorithms(device == "cpu")
    net.train()
    for epoch, batches in steps_from(lengths, preset, step, total_steps):
        if should_stop():
            save()
            log.line(f"cancelled after step {step}")
            raise Cancelled(f"Cancelled after step {step} of {total_steps}; training can go on from there.")
        begun = time.monotonic()
        collated = [collate([sequences[index] for index in batch]) for batch in batches]
        predictions = sum(batch.predictions for batch in collated)
        frames = sum(batch.frames for batch in collated)
        rate = preset.learning_rate * schedule(preset, step, total_steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        first = rest = 0.0
        for batch in collated:
            with autocast(bf16, device):
                parts = losses(net, batch.to(device), voice)
            mean_first, mean_rest = parts.first / predictions, parts.rest / (frames * parts_per_frame(net))
            (mean_first + preset.code_predictor_weight * mean_rest).backward()  # type: ignore[no-untyped-call]
            first, rest = first + float(mean_first.detach()), rest + float(mean_rest.detach())
        norm = float(torch.nn.utils.clip_grad_norm_(parameters.values(), preset.max_grad_norm))
        if not math.isfinite(norm):
            raise VoiceFactoryError(
                f"Training went wrong at step {step + 1}: the loss is no longer a number. "
                "Start again with a tenth of the learning rate."
            )
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1

        seconds = time.monotonic() - begun
        metrics = {
            "step": step,
            "epoch": epoch,
            "loss": first + preset.code_predictor_weight * rest,
            "loss_first": first,
            "loss_rest": rest,
            "learning_rate": rate,
            "grad_norm": norm,
            "audio_seconds_per_second": frames / FRAME_RATE / seconds,
            "seconds": trained_s + time.monotonic() - started,
        }
        last = step == total_steps
        if held_out and (last or step % preset.eval_every_steps == 0):
            metrics |= evaluate(net, [sequences[index] for index in held_out], voice, preset, device, bf16)
        if last or step % preset.save_every_steps == 0:
            save()
        log.metrics(metrics)
        on_progress(Progress("finetune", step, total_steps, f"loss {metrics['loss']:.3f}", metrics))

    # 7. The last checkpoint is the result.
    final = checkpoints(run / "checkpoints")[-1]
    log.line(f"finished after step {step}")
    return Checkpoint(final, step, speaker, model)


@torch.no_grad()
def evaluate(
    net: Any, held_out: Sequence[TokenSequence], voice: torch.Tensor, preset: Hyperparameters, device: str, bf16: bool
) -> dict[str, float]:
    """Mean cross-entropies on held-out clips, in nats: eval_loss_first, eval_loss_rest, eval_loss."""
    net.eval()
    first = rest = 0.0
    predictions = frames = 0
    for start in range(0, len(held_out), preset.batch_size):
        batch = collate(held_out[start : start + preset.batch_size])
        with autocast(bf16, device):
            parts = losses(net, batch.to(device), voice)
        first, rest = first + float(parts.first), rest + float(parts.rest)
        predictions, frames = predictions + parts.predictions, frames + parts.frames
    net.train()
    mean_first, mean_rest = first / predictions, rest / (frames * parts_per_frame(net))
    return {
        "eval_loss": mean_first + preset.code_predictor_weight * mean_rest,
        "eval_loss_first": mean_first,
        "eval_loss_rest": mean_rest,
    }


def parts_per_frame(net: Any) -> int:
    """Codebooks that the code predictor predicts of each frame: 15."""
    return int(net.config.talker_config.num_code_groups) - 1


def uses_bf16(preset: Preset, device: str) -> bool:
    """Whether forward and backward run in bf16: where the preset asks for it, or can choose and the GPU has it."""
    if preset.precision == "auto":
        return device.startswith("cuda") and torch.cuda.is_bf16_supported()
    return preset.precision == "bf16"


def autocast(bf16: bool, device: str) -> contextlib.AbstractContextManager[Any]:
    """bf16 arithmetic over fp32 weights, or nothing."""
    return torch.autocast(device.partition(":")[0], dtype=torch.bfloat16) if bf16 else contextlib.nullcontext()


def weights_dtype(model: Path) -> torch.dtype:
    """The precision that the model's weights are stored in, and a voice made from it will be."""
    from safetensors import safe_open

    name = "talker.model.codec_embedding.weight"
    with safe_open(tensor_files(model)[name], framework="pt") as tensors:
        dtype: torch.dtype = tensors.get_slice(name)[:1].dtype
    return dtype
