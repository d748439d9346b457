"""The speaker embedding: computed once, in fp32, from the reference; its row in the codec embedding."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import torch

from voicefactory.engines.base import EmbedSpeaker
from voicefactory.engines.qwen3_tts.model import tensor_files
from voicefactory.engines.qwen3_tts.upstream import qwen
from voicefactory.errors import InputError
from voicefactory.types import SAMPLE_RATE

_ENCODER = "speaker_encoder."  #: where its tensors are in a model
FIRST_ROW = 3000  #: the public recipe's row; the next free one from here on is taken


_SILENT = 10 ** (-50 / 20)  #: a reference whose loudest sample is below -50 dBFS holds no voice


class Speakers:
    """The speakers of a run: for each the embedding of one reference.

    They are computed once, in fp32, and rounded through `stored`, the precision that the finished voice keeps
    them in. Where the speaker encoder itself is trained they are computed anew for every batch.
    """

    def __init__(self, net: Any, references: Mapping[str, Path], *, stored: torch.dtype, train: bool = False) -> None:
        self.names = tuple(references)
        self._encoder = net.speaker_encoder.float()
        self._mels = [reference_mels(path).to(_device_of(self._encoder)) for path in references.values()]
        self._stored = stored
        self._train = train
        with torch.no_grad():
            self._constant = self._embeddings().to(stored).float()

    @property
    def numbers(self) -> dict[str, int]:
        """Row of each speaker in `embeddings`."""
        return {name: number for number, name in enumerate(self.names)}

    def embeddings(self) -> torch.Tensor:
        """[S, hidden] in fp32, on the model's device; with a gradient where the encoder is trained."""
        return self._embeddings() if self._train and torch.is_grad_enabled() else self.fixed()

    def fixed(self) -> torch.Tensor:
        """[S, hidden] as a finished voice would hold them now."""
        if not self._train:
            return self._constant
        with torch.no_grad():
            return self._embeddings().to(self._stored).float()

    def by_name(self) -> dict[str, torch.Tensor]:
        """name → embedding [hidden]."""
        return dict(zip(self.names, self.fixed(), strict=True))

    def _embeddings(self) -> torch.Tensor:
        with torch.autocast(_device_of(self._encoder).type, enabled=False):
            return torch.stack([self._encoder(mels)[0] for mels in self._mels])


def _device_of(module: Any) -> torch.device:
    device: torch.device = next(module.parameters()).device
    return device


@torch.inference_mode()
def speaker_embedding(model: Any, reference: Path) -> torch.Tensor:
    """Embedding [hidden] of the voice in `reference` (mono, 24 kHz), in fp32 on the model's device.

    Mel spectrogram and encoder as in `extract_speaker_embedding` of qwen-tts, which works in the model's
    precision; here it is fp32 whatever the model is loaded in.
    """
    encoder = model.speaker_encoder.float()
    embedding: torch.Tensor = encoder(reference_mels(reference).to(_device_of(encoder)))[0]
    return embedding.clone()


def lone_encoder(model: Path, device: str) -> EmbedSpeaker:
    """The speaker encoder of the model directory `model` in fp32, without the gigabytes around it.

    What is returned takes an audio file (mono, 24 kHz) to a unit vector [hidden], and raises as `reference_mels`.
    """
    from safetensors import safe_open

    with torch.device("cpu"):
        encoder = qwen().Qwen3TTSSpeakerEncoder(qwen().Qwen3TTSConfig.from_pretrained(model).speaker_encoder_config)
    weights: dict[str, torch.Tensor] = {}
    own = {name: file for name, file in tensor_files(model).items() if name.startswith(_ENCODER)}
    for name, file in own.items():
        with safe_open(file, framework="pt") as tensors:
            weights[name.removeprefix(_ENCODER)] = tensors.get_tensor(name).float()
    encoder.load_state_dict(weights)
    encoder.float().eval().to(device)

    @torch.inference_mode()
    def embed(audio: Path) -> npt.NDArray[np.float32]:
        embedding = encoder(reference_mels(audio).to(device))[0]
        return np.asarray((embedding / embedding.norm()).cpu().numpy(), dtype=np.float32)

    return embed


@torch.no_grad()
def reference_mels(reference: Path) -> torch.Tensor:
    """Mel spectrogram [1, T, 128] as the speaker encoder takes it.

    Raises InputError if the file is not mono at 24 kHz, or silent.
    """
    samples, rate = soundfile.read(reference, dtype="float32")
    if rate != SAMPLE_RATE or samples.ndim != 1:
        raise InputError(f"The reference {reference.name} must be mono at 24 kHz; it is {rate} Hz.")
    if abs(samples).max(initial=0.0) < _SILENT:
        raise InputError(f"The reference {reference.name} is silent. Choose a clip in which the voice speaks.")
    mels: torch.Tensor = qwen().mel_spectrogram(
        torch.from_numpy(samples)[None],
        n_fft=1024,
        num_mels=128,
        sampling_rate=SAMPLE_RATE,
        hop_size=256,
        win_size=1024,
        fmin=0,
        fmax=12_000,
    )
    return mels.transpose(1, 2).float()


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
