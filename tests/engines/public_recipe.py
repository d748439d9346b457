"""The loss of the public fine-tuning recipe, written down by us, so that a test can show what it teaches.

Three misalignments: the talker's labels are already aligned and shifted once more by the model; the code
predictor's labels likewise; and the code predictor is given a hidden state that has seen its own frame.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from benchmarks.padded import embed_padded, pad
from voicefactory import files
from voicefactory.engines.qwen3_tts.assemble import assemble
from voicefactory.engines.qwen3_tts.inputs import IGNORED, TokenSequence, build_sequences, collate
from voicefactory.engines.qwen3_tts.losses import losses
from voicefactory.engines.qwen3_tts.model import load_model
from voicefactory.engines.qwen3_tts.optimization import trainable_parameters
from voicefactory.engines.qwen3_tts.runlog import RunLog
from voicefactory.engines.qwen3_tts.speaker import speaker_embedding
from voicefactory.presets import Preset, settle
from voicefactory.types import Checkpoint, Codes


def public_loss(model: Any, clips: list[TokenSequence], speaker: torch.Tensor, *, faults: set[str]) -> torch.Tensor:
    """Mean loss with some of the `faults` {"talker shift", "predictor shift", "own position"}, the rest right."""
    if not faults:
        parts = losses(model, collate(clips), speaker[None])
        return parts.first / parts.predictions + 0.3 * parts.rest / (15 * parts.frames)
    talker, batch = model.talker, pad(clips)
    output = talker(
        inputs_embeds=embed_padded(model, batch, speaker),
        attention_mask=batch.attention_mask,
        labels=batch.labels,  # already aligned; the model shifts them again
        output_hidden_states=True,
    )
    hidden = output.hidden_states[0][-1]
    asked = batch.labels != IGNORED
    right = torch.nn.functional.cross_entropy(output.logits[asked], batch.labels[asked])
    first = output.loss if "talker shift" in faults else right
    codes = batch.codes
    at = batch.frame_at if "own position" in faults else batch.frame_at - 1
    logits, shifted = talker.forward_sub_talker_finetune(codes, hidden[batch.frame_rows, at])
    aligned = torch.nn.functional.cross_entropy(logits.flatten(0, 1), codes[:, 1:].flatten())
    return first + 0.3 * (shifted if "predictor shift" in faults else aligned)


def train(model: Path, codes: Codes, out: Path, *, faults: set[str], steps: int = 120) -> tuple[Path, float]:
    """Overfit `model` on all of `codes` with that loss; return the assembled voice "ann" and the last loss."""
    torch.manual_seed(0)
    wrapper = load_model(model, device="cpu", dtype=torch.float32, as_base=True)
    net, preset = wrapper.model, settle(Preset(), 2, 10)
    rows = files.read_jsonl(codes.path)
    voice = speaker_embedding(net, Path(rows[0]["ref_audio"]))
    parameters = trainable_parameters(net, preset)
    optimizer = torch.optim.AdamW(parameters.values(), lr=5e-3, weight_decay=0.01)
    clips = build_sequences(net.config, wrapper.processor, rows)
    net.train()
    value = torch.zeros(())
    for _ in range(steps):
        value = public_loss(net, clips, voice, faults=faults)
        value.backward()
        torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    run = out / "run"
    RunLog(run).save_speakers({"ann": voice})
    preset.save(run / "preset.yaml")
    saved = run / "checkpoints" / f"step-{steps:06d}"
    saved.mkdir(parents=True)
    save_file({name: parameter.detach() for name, parameter in parameters.items()}, saved / "weights.safetensors")
    (out / "voice").mkdir()
    assemble(Checkpoint(saved, steps, "ann", model), out / "voice")
    return out / "voice", float(value.detach())
