"""A voice without training: the base model's own files with one reference beside them, which it imitates.

The folder is a base model: plain `Qwen3TTSModel.from_pretrained` loads it, and `generate_voice_clone` speaks with
reference/reference.wav. `Qwen3Synthesizer` finds that by itself, so that such a voice is used like a trained one.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from safetensors.torch import save_file

from voicefactory import files
from voicefactory.engines.qwen3_tts.assemble import TAKEN_OVER, link_folder
from voicefactory.engines.qwen3_tts.facts import REFERENCE, read_config
from voicefactory.engines.qwen3_tts.model import read_tensors
from voicefactory.types import Reference

_WEIGHTS = "model.safetensors"
_IMITATES = "voicefactory_imitates"  #: in config.json


def assemble_zero_shot(model: Path, reference: Reference, speaker: str, out: Path) -> None:
    """Write the voice that imitates `reference` into the existing folder `out`. Weights and codec are linked, not
    copied, where the file system allows it: nothing in them is changed."""
    imitated = {"reference": files.sha256_of(reference.audio), "text": reference.text}
    told = {"tts_model_type": "base", _IMITATES: files.fingerprint(imitated)}  # two references are two models
    files.write_json(out / "config.json", {**read_config(model), **told})
    for name in TAKEN_OVER:
        if (model / name).exists():
            shutil.copyfile(model / name, out / name)
    _weights(model, out / _WEIGHTS)
    link_folder(model / "speech_tokenizer", out / "speech_tokenizer")
    with files.writing(out / REFERENCE) as aside:
        shutil.copyfile(reference.audio, aside)
    files.write_json((out / REFERENCE).with_suffix(".json"), {"text": reference.text, "speaker": speaker})


def example(reference: Reference, language: str) -> str:
    """Python that speaks with the voice, run in its folder."""
    imitated = f"ref_text={reference.text!r}" if reference.text else "x_vector_only_mode=True"
    return (
        "from qwen_tts import Qwen3TTSModel\n"
        'voice = Qwen3TTSModel.from_pretrained(".")\n'
        f'waves, rate = voice.generate_voice_clone(text="Hello.", language={language!r}, '
        f"ref_audio={REFERENCE!r}, {imitated}, non_streaming_mode=True)\n"
    )


def _weights(model: Path, target: Path) -> None:
    """One file, as every voice has it; weights in several pieces are put together."""
    source = model / _WEIGHTS
    if not source.exists():
        save_file(dict(read_tensors(model)), target, metadata={"format": "pt"})
        target.chmod(0o644)  # safetensors makes it private
        return
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
