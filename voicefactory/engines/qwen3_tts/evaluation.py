"""Judging while training: the loss of clips that are held out, and sentences to hear."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import soundfile
import torch

from voicefactory import files
from voicefactory.engines.qwen3_tts.codes import SAMPLES_PER_FRAME
from voicefactory.engines.qwen3_tts.inputs import TokenSequence, collate
from voicefactory.engines.qwen3_tts.losses import losses
from voicefactory.engines.qwen3_tts.memory import SPOKEN_FRAMES
from voicefactory.engines.qwen3_tts.speaker import FIRST_ROW, Speakers
from voicefactory.engines.qwen3_tts.synthesis import TOY_FRAMES, max_frames
from voicefactory.languages import AUTO
from voicefactory.probe.measuring import Spoken
from voicefactory.types import SAMPLE_RATE


def autocast(bf16: bool, device: str) -> contextlib.AbstractContextManager[Any]:
    """bf16 arithmetic, or nothing."""
    return torch.autocast(device.partition(":")[0], dtype=torch.bfloat16) if bf16 else contextlib.nullcontext()


def parts_per_frame(net: Any) -> int:
    """Codebooks that the code predictor predicts of each frame: 15."""
    return int(net.config.talker_config.num_code_groups) - 1


@torch.no_grad()
def evaluate(
    net: Any,
    held_out: Sequence[TokenSequence],
    speakers: Speakers,
    *,
    batch_size: int,
    code_predictor_weight: float,
    device: str,
    bf16: bool,
) -> dict[str, float]:
    """Mean cross-entropies on held-out clips, in nats: eval_loss_first, eval_loss_rest, eval_loss."""
    sums = torch.zeros(2, device=device)
    predictions = frames = 0
    with _as_at_synthesis(net):
        for start in range(0, len(held_out), batch_size):
            batch = collate(held_out[start : start + batch_size]).to(device)
            with autocast(bf16, device):
                parts = losses(net, batch, speakers.fixed())
            sums += torch.stack([parts.first, parts.rest]).to(sums.dtype)
            predictions, frames = predictions + parts.predictions, frames + parts.frames
    first, rest = sums.tolist()
    mean_first, mean_rest = first / predictions, rest / (frames * parts_per_frame(net))
    return {
        "eval_loss": mean_first + code_predictor_weight * mean_rest,
        "eval_loss_first": mean_first,
        "eval_loss_rest": mean_rest,
    }


@torch.no_grad()
def speak_sentences(
    wrapper: Any,
    speakers: Speakers,
    sentences: Sequence[str],
    language: str,
    folder: Path,
    *,
    step: int,
    seed: int,
    device: str,
    bf16: bool,
    toy: bool = False,
) -> list[Spoken]:
    """Speak `sentences` as the first speaker with the weights as they are, into folder/step-NNNNNN-K.wav.

    They are generated together and decoded one by one: a batch takes hardly longer than its longest sentence, but the
    codec would take memory for all of them at once. A toy, which makes noise and rarely comes to an end, says two
    seconds of the first.

    Training does not notice: its weights and random states are as before.
    """
    net = wrapper.model
    talker_config = net.config.talker_config
    before = (net.tts_model_type, talker_config.spk_id, talker_config.spk_is_dialect, net.supported_speakers)
    table = net.talker.get_input_embeddings().weight
    row = table[FIRST_ROW].clone()
    name = speakers.names[0]
    chosen = sentences[:1] if toy else sentences
    if not chosen:
        return []
    caps = [TOY_FRAMES if toy else min(max_frames(sentence), SPOKEN_FRAMES) for sentence in chosen]
    gpus = [torch.device(device).index or 0] if device.startswith("cuda") else []
    with torch.random.fork_rng(gpus), _as_at_synthesis(net), autocast(bf16, device):
        try:
            net.tts_model_type, net.supported_speakers = "custom_voice", {name: FIRST_ROW}.keys()
            talker_config.spk_id, talker_config.spk_is_dialect = {name: FIRST_ROW}, {name: False}
            table[FIRST_ROW] = speakers.fixed()[0].to(table.dtype)
            torch.manual_seed(seed)
            said, _ = net.generate(
                input_ids=wrapper._tokenize_texts([wrapper._build_assistant_text(one) for one in chosen]),
                instruct_ids=[None] * len(chosen),
                languages=[language or AUTO] * len(chosen),
                speakers=[name] * len(chosen),
                non_streaming_mode=True,
                **wrapper._merge_generate_kwargs(max_new_tokens=max(caps) + 1),
            )
        finally:
            net.tts_model_type, talker_config.spk_id, talker_config.spk_is_dialect, net.supported_speakers = before
            table[FIRST_ROW] = row
        return [
            Spoken(
                _decoded(wrapper, codes[:cap], folder / f"step-{step:06d}-{number}.wav"),
                sentence,
                language or AUTO,
                runaway=len(codes) >= cap,
            )
            for number, (sentence, cap, codes) in enumerate(zip(chosen, caps, said, strict=True), 1)
        ]


def _decoded(wrapper: Any, codes: torch.Tensor, out: Path) -> Path:
    """Write the sound of `codes` [T, 16]; a moment of silence where there are none."""
    waves, rate = [torch.zeros(SAMPLES_PER_FRAME).numpy()], SAMPLE_RATE
    if len(codes):
        waves, rate = wrapper.model.speech_tokenizer.decode([{"audio_codes": codes}])
    with files.writing(out) as aside:
        soundfile.write(aside, waves[0], rate, format="WAV", subtype="PCM_16")
    return out


@contextlib.contextmanager
def _as_at_synthesis(net: Any) -> Iterator[None]:
    net.eval()
    try:
        yield
    finally:
        net.train()
