"""From a checkpoint to a model directory that plain `Qwen3TTSModel.from_pretrained` loads.

The base model's files are taken over, its weights written once with the trained ones in their place, the
codec linked, and the run's speakers added to those that are there. An adapter is multiplied into the weights,
and also kept apart in `adapter/`. The speaker encoder stays in the weights: a custom voice does not load it,
but a copy with `tts_model_type: base` clones and trains on.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from voicefactory import files
from voicefactory.engines.qwen3_tts.adapters import is_adapter, merged, write_adapter
from voicefactory.engines.qwen3_tts.facts import read_config
from voicefactory.engines.qwen3_tts.model import read_tensors
from voicefactory.engines.qwen3_tts.runlog import load_speakers
from voicefactory.engines.qwen3_tts.speaker import free_row
from voicefactory.presets import load_preset
from voicefactory.types import Checkpoint

_SPEAKER_ROWS = "talker.model.codec_embedding.weight"
TAKEN_OVER = (
    "generation_config.json",
    "preprocessor_config.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)


def assemble(checkpoint: Checkpoint, out: Path, strength: float = 1.0) -> None:
    """Write the voice of `checkpoint` into the existing folder `out`. Weights keep the base model's precision.

    `strength` multiplies what training changed: W + strength · (W' - W). A run with an adapter also leaves
    `out`/adapter, a PEFT folder, which is at full strength always.
    """
    base, run = checkpoint.base_model, checkpoint.path.parent.parent
    preset = load_preset(str(run / "preset.yaml"))
    speakers = speakers_of(checkpoint)
    config = read_config(base)
    rows = {name: add_speaker(config, name) for name in speakers}
    files.write_json(out / "config.json", config)
    for name in TAKEN_OVER:
        if (base / name).exists():
            shutil.copyfile(base / name, out / name)
    trained = load_file(checkpoint.path / "weights.safetensors")
    tensors: dict[str, torch.Tensor] = {}
    for name, tensor in read_tensors(base):
        if name in trained:
            tensors[name] = _moved(tensor, trained[name], strength)
        else:
            tensors[name] = merged(name, tensor, trained, preset, strength)
    tensors[_SPEAKER_ROWS] = with_rows(tensors[_SPEAKER_ROWS], {rows[name]: speakers[name] for name in speakers})
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
    (out / "model.safetensors").chmod(0o644)  # safetensors makes it private
    if any(is_adapter(name) for name in trained):
        write_adapter(out / "adapter", trained, preset, speakers)
    link_folder(base / "speech_tokenizer", out / "speech_tokenizer")


def _moved(base: torch.Tensor, trained: torch.Tensor, strength: float) -> torch.Tensor:
    """`base` on its way to `trained`, in the precision of `base`; at 0 and 1 exactly the one and the other."""
    if strength in (0, 1):
        return trained.to(base.dtype) if strength else base
    return (base.float() + strength * (trained.float() - base.float())).to(base.dtype)


def speakers_of(checkpoint: Checkpoint) -> dict[str, torch.Tensor]:
    """Embedding [hidden] of each of the run's speakers, by lower-case name; the checkpoint's own speaker is first.

    A checkpoint whose speaker encoder was trained has embeddings of its own; otherwise they are the run's.
    """
    own = checkpoint.path / "speaker.safetensors"
    found = load_file(own) if own.exists() else load_speakers(checkpoint.path.parent.parent)
    return {name: found[name] for name in sorted(found, key=lambda name: (name != checkpoint.speaker, name))}


def with_rows(table: torch.Tensor, rows: Mapping[int, torch.Tensor]) -> torch.Tensor:
    """A copy of an embedding table in which some rows are replaced."""
    table = table.clone()
    for row, values in rows.items():
        table[row] = values.to(table.dtype)
    return table


def add_speaker(config: dict[str, Any], speaker: str) -> int:
    """Add `speaker` to config.json's content, beside those that are there; return its row in the codec embedding."""
    row = free_row(config)
    talker = config["talker_config"]
    talker["spk_id"] = {**(talker.get("spk_id") or {}), speaker: row}
    talker["spk_is_dialect"] = {**(talker.get("spk_is_dialect") or {}), speaker: False}
    config["tts_model_type"] = "custom_voice"
    return row


def link_folder(source: Path, target: Path) -> None:
    """Hard links where the file system allows it (the codec is 0.7 GB and never changes), copies elsewhere."""
    target.mkdir()
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if path.is_dir():
            copy.mkdir()
            continue
        try:
            os.link(path.resolve(), copy)
        except OSError:
            shutil.copyfile(path, copy)
