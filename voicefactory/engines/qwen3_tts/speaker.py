"""The speaker embedding: computed once, in fp32, from the reference; its row in the codec embedding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import soundfile
import torch

from voicefactory.engines.qwen3_tts.upstream import qwen
from voicefactory.errors import InputError
from voicefactory.types import SAMPLE_RATE

FIRST_ROW = 3000  #: the public recipe's row; the next free one from here on is taken


@torch.inference_mode()
def speaker_embedding(model: Any, reference: Path) -> torch.Tensor:
    """Embedding [hidden] of the voice in `reference` (mono, 24 kHz), in fp32 on the model's device.

    Mel spectrogram and encoder as in `extract_speaker_embedding` of qwen-tts, which works in the model's
    precision; here it is fp32 whatever the model is loaded in.
    """
    samples, rate = soundfile.read(reference, dtype="float32")
    if rate != SAMPLE_RATE or samples.ndim != 1:
        raise InputError(f"The reference {reference.name} must be mono at 24 kHz; it is {rate} Hz.")
    mels = qwen().mel_spectrogram(
        torch.from_numpy(samples)[None],
        n_fft=1024,
        num_mels=128,
        sampling_rate=SAMPLE_RATE,
        hop_size=256,
        win_size=1024,
        fmin=0,
        fmax=12_000,
    )
    encoder = model.speaker_encoder.float()
    device = next(encoder.parameters()).device
    embedding: torch.Tensor = encoder(mels.transpose(1, 2).float().to(device))[0]
    return embedding.clone()


def free_row(config: dict[str, Any]) -> int:
    """The first row of the codec embedding that no speaker, language or tag uses.

    `config` is config.json. Raises InputError if all are taken.
    """
    talker = config["talker_config"]
    taken = {
        row for value in (talker.get("spk_id") or {}).values() for row in ([value] if isinstance(value, int) else value)
    }
    taken |= set((talker.get("codec_language_id") or {}).values())
    taken |= {
        value
        for key, value in talker.items()
        if key.startswith("codec_") and key.endswith("_id") and isinstance(value, int)
    }
    for row in range(FIRST_ROW, talker["vocab_size"]):
        if row not in taken:
            return row
    raise InputError("This model has no room for another speaker. Start from a Base model.")


def check_speaker_is_new(config: dict[str, Any], speaker: str) -> None:
    """Raise InputError if the model already speaks with that name."""
    speakers = config["talker_config"].get("spk_id") or {}
    if speaker in speakers:
        raise InputError(f"The model already has a speaker called {speaker!r}. Choose another name for the new voice.")
