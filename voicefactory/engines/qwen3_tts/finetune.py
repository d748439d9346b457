"""The training loop of Qwen3-TTS: one function, from top to bottom, resumable at any step.

What is right here and wrong in the public recipe is listed in the README under "Why the loss is right".
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from voicefactory import files
from voicefactory.engines.base import Training
from voicefactory.engines.qwen3_tts.adapters import add_adapter, check_adapter
from voicefactory.engines.qwen3_tts.aloud import Aloud, begin_watch, stopped_by_drift
from voicefactory.engines.qwen3_tts.checkpoint import (
    Standing,
    best_path,
    check_same_run,
    checkpoints,
    drop_optimizer_states,
    load_checkpoint,
    save_best,
    save_checkpoint,
    standing_of,
)
from voicefactory.engines.qwen3_tts.codes import FRAME_RATE
from voicefactory.engines.qwen3_tts.data_order import epochs_of_steps, split_held_out, steps_from
from voicefactory.engines.qwen3_tts.evaluation import autocast, evaluate, speak_sentences
from voicefactory.engines.qwen3_tts.facts import is_toy, read_config
from voicefactory.engines.qwen3_tts.inputs import build_sequences
from voicefactory.engines.qwen3_tts.loader import Layout, ahead
from voicefactory.engines.qwen3_tts.model import load_model, tensor_files
from voicefactory.engines.qwen3_tts.optimization import Updater, hold_weights, schedule, trainable_parameters
from voicefactory.engines.qwen3_tts.runlog import Measured, RunLog
from voicefactory.engines.qwen3_tts.selfcheck import check_alignment, measure_alignment
from voicefactory.engines.qwen3_tts.speaker import Speakers, check_speaker_is_new
from voicefactory.engines.qwen3_tts.step import gradients, measure_longest_batch
from voicefactory.engines.qwen3_tts.world import World
from voicefactory.errors import Cancelled, InputError, VoiceFactoryError, is_out_of_memory
from voicefactory.presets import Hyperparameters, Preset, settle
from voicefactory.types import Checkpoint, Codes, OnProgress, Progress, ShouldStop


def finetune(training: Training, *, on_progress: OnProgress, should_stop: ShouldStop) -> Checkpoint:
    """Train until the preset is fulfilled; return the checkpoint that the voice is made of.

    The run's folder receives preset.yaml, metrics.jsonl, log.txt, speaker.safetensors, checkpoints/step-NNNNNN,
    the best weights in checkpoints/best-NNNNNN, and the sentences spoken at every measurement in heard/. A run that
    was stopped or killed goes on from its last checkpoint. Under `torchrun` the processes share the work.

    Raises Cancelled after saving; SelfCheckError before the first step; InputError, naming the clip, for data or
    a preset that cannot be trained with; VoiceFactoryError if the loss is no longer a number.
    """
    world = World.join(training.device)
    try:
        return _finetune(training, world.device(training.device), on_progress, should_stop, world)
    finally:
        world.leave()


def _finetune(
    wanted: Training, device: str, on_progress: OnProgress, should_stop: ShouldStop, world: World
) -> Checkpoint:
    codes, model, run, speaker = wanted.codes, wanted.model, wanted.run, wanted.speaker

    # 1. What must hold before anything heavy is loaded.
    rows = files.read_jsonl(codes.path)
    references = references_of(rows, speaker)
    check_codes(codes, model)
    for name in references:
        check_speaker_is_new(read_config(model), name)
    check_adapter(wanted.preset, device)
    preset = settle(wanted.preset, len(rows), sum(len(row["audio_codes"]) for row in rows) / FRAME_RATE)
    bf16 = uses_bf16(preset, device)
    log = RunLog(run, quiet=not world.leads)
    saved = checkpoints(run / "checkpoints")
    about = {"preset": preset.model_dump(), "codes": codes.fingerprint, "clips": digests(rows), "speaker": speaker}
    if saved:
        check_same_run(saved[-1], about)
        standing = standing_of(saved[-1])
        if standing.stopped_early or not (saved[-1] / "optimizer.safetensors").exists():  # it had come to its end
            return _result(run, standing, preset, speaker, model)
    log.save_preset(preset)
    log.line(f"training {', '.join(references)} from {model} on {device} in {'bf16' if bf16 else 'fp32'}")

    # 2. The model, its adapter if there is one, and the speakers' embeddings as the finished voice will hold them.
    halved = bf16 and (preset.adapter != "none" or preset.precision == "bf16-stochastic")
    wrapper = load_model(model, device=device, dtype=torch.bfloat16 if halved else torch.float32, as_base=True)
    net = wrapper.model
    torch.manual_seed(preset.seed)  # an adapter starts at random
    if preset.adapter != "none":
        add_adapter(net, preset)
    parameters = trainable_parameters(net, preset)
    hold_weights(net, parameters, preset, bf16=bf16)
    speakers = Speakers(net, references, stored=weights_dtype(model), train=preset.train_speaker_encoder)
    log.save_speakers(speakers.by_name())
    if preset.gradient_checkpointing:
        net.talker.gradient_checkpointing_enable({"use_reentrant": False})

    # 3. The data: token ids once, some clips held out, the order of every step known in advance.
    sequences = build_sequences(
        net.config, wrapper.processor, [{"speaker": speaker, **row} for row in rows], speakers.numbers
    )
    training, held_out = split_held_out([row["clip"] for row in rows], preset.eval_fraction, preset.seed)
    lengths = {index: len(sequences[index]) for index in training}
    steps_per_epoch = len(next(epochs_of_steps(lengths, preset)))
    total_steps = preset.max_steps or preset.epochs * steps_per_epoch
    log.line(f"{len(training)} clips to train on, {len(held_out)} held out, {total_steps} steps")

    # 4. Resume, or check the model before the first step.
    updater = Updater(parameters, preset, device)
    log.line(updater.name)
    if saved:
        standing = load_checkpoint(saved[-1], parameters, updater)
        log.line(f"resuming at step {standing.step}")
    else:
        standing = Standing()
        net.eval()
        with autocast(bf16, device):
            alignment = measure_alignment(net, [sequences[index] for index in training], speakers.fixed(), device)
        log.line(check_alignment(alignment, toy=is_toy(model)))
    if device.startswith("cuda") and world.size == 1 and not saved:
        log.line(
            _dry_run(
                standing,
                preset,
                lambda layout: measure_longest_batch(net, layout, training, speakers, parameters, preset, device, bf16),
                Layout(sequences, preset.code_predictor_share, preset.seed, device, standing.parts),
            )
        )
    log.keep_metrics_up_to(standing.step)
    measured = Measured(log, total_steps, standing.seconds)

    def save() -> None:
        standing.seconds = measured.seconds
        trained = speakers.by_name() if preset.train_speaker_encoder else {}
        if world.leads:
            save_checkpoint(run / "checkpoints", standing, parameters, updater, about, trained, preset.keep_checkpoints)

    def read(extra: Mapping[str, Any] | None = None) -> None:
        try:
            row = measured.read(preset.code_predictor_weight, extra)
        except FloatingPointError as error:
            raise _not_a_number(*error.args, run=run) from None
        if row:
            told = {key: value for key, value in row.items() if isinstance(value, float | int)}
            on_progress(Progress("finetune", row["step"], total_steps, f"loss {row['loss']:.3f}", told))

    watch = begin_watch(wanted, preset, net, standing.step, device) if world.leads else None
    aloud = Aloud(
        lambda: speak_sentences(
            wrapper,
            speakers,
            wanted.sentences,
            wanted.language,
            run / "heard",
            step=standing.step,
            seed=preset.seed,
            device=device,
            bf16=bf16,
            toy=is_toy(model),
        ),
        watch,
        log,
    )

    def measure() -> None:
        """Sentences to hear and to measure, held-out loss, best weights; whether to go on."""
        extra: dict[str, Any] = {}
        if preset.speak_at_evaluations and world.leads and (watch or standing.step < total_steps):
            extra |= aloud.at(standing.step)
        sound = watch is None or not watch.stops or watch.sound
        if held_out and world.leads:
            extra |= evaluate(
                net,
                [sequences[index] for index in held_out],
                speakers,
                batch_size=max(1, preset.batch_size // standing.parts),
                code_predictor_weight=preset.code_predictor_weight,
                device=device,
                bf16=bf16,
            )
        if world.leads and standing.is_best(extra.get("eval_loss"), sound=sound, watched=bool(watch and watch.stops)):
            save_best(
                run / "checkpoints",
                standing,
                parameters,
                speakers.by_name() if preset.train_speaker_encoder else {},
            )
        read(extra)
        standing.drift = watch.drift.sentence if watch and watch.drift else ""
        patience = preset.early_stopping_patience
        over = bool(standing.drift) or (patience is not None and standing.worse >= patience)
        standing.stopped_early = world.any(over)

    # 5. The loop: accumulate, clip, step, measure, save. On a CPU the order of every sum is fixed, so that a
    #    resumed run ends with the weights of one that was never stopped, bit by bit. On a GPU nothing waits for
    #    the device but reading the losses, once a second.
    torch.use_deterministic_algorithms(device == "cpu")
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # nothing reads it
    net.train()
    if watch and not watch.readings:
        aloud.at(standing.step)  # what the voice is like before training
    while not standing.at_end(total_steps):
        layout = Layout(
            sequences, preset.code_predictor_share, preset.seed, device, standing.parts, world.rank, world.size
        )
        steps = steps_from(lengths, preset, standing.step, total_steps)
        try:
            for work in ahead(layout, standing.step, steps):
                if world.any(should_stop()):
                    read()
                    save()
                    log.line(f"cancelled after step {standing.step}")
                    raise Cancelled(
                        f"Cancelled after step {standing.step} of {total_steps}; training can go on from there."
                    )
                rate = preset.learning_rate * schedule(preset, standing.step, total_steps)
                values = gradients(net, work, speakers, parameters, preset, device, bf16, world)
                updater.update(standing.step, rate)
                standing.step += 1
                row = {"step": standing.step, "epoch": work.epoch, "learning_rate": rate}
                measured.add(row, values, work.frames / FRAME_RATE)
                if standing.step == total_steps or standing.step % preset.eval_every_steps == 0:
                    measure()
                elif measured.due(device):
                    read()
                if standing.at_end(total_steps) or standing.step % preset.save_every_steps == 0:
                    read()
                    save()
                if standing.at_end(total_steps):
                    break
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or world.size > 1:
                raise
            happened = _halve(standing, preset)
            for parameter in parameters.values():
                parameter.grad = None
        else:
            continue
        torch.cuda.empty_cache()  # after the error and what it held on to are gone
        log.line(happened)
        on_progress(Progress("finetune", standing.step, total_steps, happened, notice=True))

    # 6. The best or the last checkpoint is the result; a finished run needs no optimiser any more.
    if not (run / "checkpoints" / f"step-{standing.step:06d}").exists():  # memory ran out while it was measured
        read()
        save()
    if standing.drift and watch:
        watch.tell(standing.drift)
        log.line(f"stopped because the voice drifted away: {standing.drift}")
        on_progress(Progress("finetune", standing.step, total_steps, stopped_by_drift(standing.drift), notice=True))
    elif standing.stopped_early:
        log.line(f"stopped early: the held-out loss was best after step {standing.best_step}")
    log.line(f"finished after step {standing.step}")
    if world.leads:
        drop_optimizer_states(run / "checkpoints")
    return _result(run, standing, preset, speaker, model)


def references_of(rows: Sequence[Mapping[str, Any]], speaker: str) -> dict[str, Path]:
    """Speaker → reference, in the order in which they appear. Raises InputError if one has two."""
    references: dict[str, Path] = {}
    for row in rows:
        name, path = str(row.get("speaker") or speaker), Path(row["ref_audio"])
        if references.setdefault(name, path) != path:
            raise InputError(f"The speaker {name!r} has two references. Choose one for all of their clips.")
    return references


def check_codes(codes: Codes, model: Path) -> None:
    """Raise InputError if the codes were not made by this model's own codec."""
    if codes.engine != "qwen3-tts":
        raise InputError(f"These codes were made for {codes.engine}; extract them again for qwen3-tts.")
    own = files.sha256_of(model / "speech_tokenizer" / "model.safetensors")
    if codes.tokenizer != own:
        raise InputError(
            f"These codes were made with another speech tokenizer ({codes.tokenizer[:8]}) than the model's "
            f"({own[:8]}). Extract them again with this model."
        )


def digests(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Clip → digest of what is trained on: text, codes, language, speaker, instruction."""
    told = ("text", "audio_codes", "language", "speaker", "instruct")
    return {
        str(row["clip"]): hashlib.sha256(repr([row.get(key) for key in told]).encode()).hexdigest()[:12] for row in rows
    }


def uses_bf16(preset: Preset, device: str) -> bool:
    """Whether forward and backward run in bf16: where the preset asks for it, or can choose and the GPU has it."""
    if preset.precision == "auto":
        return device.startswith("cuda") and torch.cuda.is_bf16_supported()
    return preset.precision != "fp32"


def weights_dtype(model: Path) -> torch.dtype:
    """The precision that the model's weights are stored in, and a voice made from it will be."""
    from safetensors import safe_open

    name = "talker.model.codec_embedding.weight"
    with safe_open(tensor_files(model)[name], framework="pt") as tensors:
        dtype: torch.dtype = tensors.get_slice(name)[:1].dtype
    return dtype


def _dry_run(standing: Standing, preset: Hyperparameters, measure: Callable[[Layout], int], layout: Layout) -> str:
    """Take the longest batch's step without training, in smaller pieces until it fits; say what it needs."""
    while True:
        try:
            peak = measure(dataclasses.replace(layout, parts=standing.parts))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            _halve(standing, preset)
        else:
            pieces = "" if standing.parts == 1 else f", in {standing.parts} pieces"
            return f"the longest batch needs {peak / 1e9:.1f} GB, measured{pieces}"


def _halve(standing: Standing, preset: Hyperparameters) -> str:
    """Cut every batch into twice as many pieces; return what happened, in words. Raises VoiceFactoryError at one."""
    if standing.parts >= preset.batch_size:
        raise VoiceFactoryError(
            "There is not enough memory for a single clip. The last checkpoint is kept: choose the preset "
            "low-memory or lora, leave out the longest clips, or close other programs that use the memory."
        )
    standing.parts *= 2
    clips = max(1, preset.batch_size // standing.parts)
    return (
        f"memory ran out after step {standing.step}: going on with batches of {clips} instead of {preset.batch_size} "
        f"and {standing.parts} times the accumulation, which trains the same"
    )


def _not_a_number(step: int, rate: float, *, run: Path) -> VoiceFactoryError:
    saved = checkpoints(run / "checkpoints")
    kept = f" The checkpoint of step {standing_of(saved[-1]).step} is kept." if saved else ""
    return VoiceFactoryError(
        f"Training stopped at step {step}: with a learning rate of {rate:.2g} the loss is no longer a number. "
        f"Start again with a tenth of it, learning_rate={rate / 10:.1g}.{kept}"
    )


def _result(run: Path, standing: Standing, preset: Hyperparameters, speaker: str, model: Path) -> Checkpoint:
    """The best or the last weights, as the preset wants them; never those of a voice that had drifted away.

    Raises VoiceFactoryError if it had from the first measurement on.
    """
    folder = run / "checkpoints"
    best = best_path(folder, standing)
    if (standing.drift or preset.result == "best") and standing.best_step and best.exists():
        return Checkpoint(best, standing.best_step, speaker, model, standing.drift)
    if standing.drift:
        raise VoiceFactoryError(
            f"{stopped_by_drift(standing.drift)} No earlier weights sounded right, so no voice was made of them. "
            f"Start again with a tenth of the learning rate, learning_rate={preset.learning_rate / 10:.1g}, or take "
            "the voice without training."
        )
    return Checkpoint(folder / f"step-{standing.step:06d}", standing.step, speaker, model)
