"""How large a model is, from its config.json and the headers of its files. Loads no torch: the page asks."""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicefactory.engines.qwen3_tts.facts import TOY, read_config

_PATIENCE_S = 5.0  #: for the Hub's answer: a few kilobytes
_CODEC = "speech_tokenizer/model.safetensors"


@dataclass(frozen=True)
class Transformer:
    """The sizes of one stack of layers."""

    layers: int
    hidden: int
    heads: int
    key_heads: int
    head_dim: int
    intermediate: int

    @property
    def queries(self) -> int:
        """Width of all query heads together."""
        return self.heads * self.head_dim

    @property
    def keys(self) -> int:
        """Width of all key heads together; that of the values is the same."""
        return self.key_heads * self.head_dim

    @property
    def layer_matrices(self) -> int:
        """Weights of one layer's seven linear layers: q, k, v, o, gate, up, down."""
        return self.hidden * (2 * self.queries + 2 * self.keys + 3 * self.intermediate)

    @property
    def layer_parameters(self) -> int:
        """The same with its norms."""
        return self.layer_matrices + 2 * self.hidden + 2 * self.head_dim

    def adapter_parameters(self, rank: int) -> int:
        """LoRA's two matrices beside each of a layer's seven: rank × (inputs + outputs)."""
        h, q, k, i = self.hidden, self.queries, self.keys, self.intermediate
        return rank * ((h + q) + 2 * (h + k) + (q + h) + 2 * (h + i) + (i + h))


@dataclass(frozen=True)
class ModelSizes:
    """The sizes of a Qwen3-TTS model, read from its config.json. Make it with `model_sizes`."""

    talker: Transformer
    predictor: Transformer
    text_vocabulary: int
    text_hidden: int
    codec_vocabulary: int  #: of the talker's own head: codes and tags
    codes: int  #: of one codebook
    codebooks: int
    speaker_encoder: int  #: parameters
    codec: int  #: parameters of the codec that is loaded beside it; 0 if unknown

    def parameters(self) -> dict[str, int]:
        """Parameters by part; together they are the model's, the codec apart."""
        talker, predictor, rest = self.talker, self.predictor, self.codebooks - 1
        projected = predictor.hidden != talker.hidden
        return {
            "talker_layers": talker.layers * talker.layer_parameters + talker.hidden,
            "text_projection": self.text_hidden * (self.text_hidden + 1) + talker.hidden * (self.text_hidden + 1),
            "codec_head": talker.hidden * self.codec_vocabulary,
            "text_embedding": self.text_vocabulary * self.text_hidden,
            "codec_embedding": self.codec_vocabulary * talker.hidden,
            "predictor_layers": predictor.layers * predictor.layer_parameters + predictor.hidden,
            "predictor_projection": (talker.hidden + 1) * predictor.hidden if projected else 0,
            "predictor_heads": rest * predictor.hidden * self.codes,
            "predictor_embeddings": rest * self.codes * talker.hidden,
            "speaker_encoder": self.speaker_encoder,
        }


def model_sizes(config: Mapping[str, Any], codec_parameters: int = 0) -> ModelSizes:
    """The sizes that a model's config.json stands for. A KeyError means that it is no Qwen3-TTS configuration."""
    talker = config["talker_config"]
    predictor = talker["code_predictor_config"]
    return ModelSizes(
        talker=_transformer(talker),
        predictor=_transformer(predictor),
        text_vocabulary=talker["text_vocab_size"],
        text_hidden=talker["text_hidden_size"],
        codec_vocabulary=talker["vocab_size"],
        codes=predictor["vocab_size"],
        codebooks=talker["num_code_groups"],
        speaker_encoder=_speaker_encoder_parameters(config.get("speaker_encoder_config") or {}),
        codec=codec_parameters,
    )


def _transformer(config: Mapping[str, Any]) -> Transformer:
    heads = config["num_attention_heads"]
    return Transformer(
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        heads=heads,
        key_heads=config["num_key_value_heads"],
        head_dim=config.get("head_dim") or config["hidden_size"] // heads,
        intermediate=config["intermediate_size"],
    )


def _speaker_encoder_parameters(config: Mapping[str, Any]) -> int:
    """Parameters of the ECAPA-TDNN (arXiv:2005.07143); defaults are those of qwen-tts's own configuration."""
    channels = config.get("enc_channels", [512, 512, 512, 512, 1536])
    kernels = config.get("enc_kernel_sizes", [5, 3, 3, 3, 1])
    attention, squeeze = config.get("enc_attention_channels", 128), config.get("enc_se_channels", 128)
    scale = config.get("enc_res2net_scale", 8)

    def conv(inputs: int, outputs: int, kernel: int = 1) -> int:
        return outputs * (inputs * kernel + 1)

    total = conv(config.get("mel_dim", 128), channels[0], kernels[0])
    for before, own, kernel in zip(channels, channels[1:-1], kernels[1:], strict=False):
        total += conv(before, own) + conv(own, own)  # on either side of the Res2Net block
        total += (scale - 1) * conv(own // scale, own // scale, kernel)
        total += conv(own, squeeze) + conv(squeeze, own)
    last = channels[-1]
    total += conv(last, last, kernels[-1])
    total += conv(3 * last, attention) + conv(attention, last)
    return total + conv(2 * last, config.get("enc_dim", 1024))


def find_config(model: str, home: Path, *, fetch: bool) -> tuple[dict[str, Any], int] | None:
    """config.json of "toy", a directory or a Hub id, and the parameters of the codec beside it (0 = not known).

    None if it is not on this machine; with `fetch`, the Hub is asked for these few kilobytes first. Raises
    InputError for a directory without a configuration.
    """
    if model == TOY:
        built = sorted((home / "models").glob("toy-v*/config.json"))
        return _in_folder(built[-1].parent) if built else None
    path = Path(model).expanduser()
    if path.exists() or model.startswith((".", "/", "~")):
        return _in_folder(path)
    return _on_hub(model, fetch)


def _in_folder(path: Path) -> tuple[dict[str, Any], int]:
    return read_config(path), stored_parameters(path / _CODEC)


def _on_hub(model: str, fetch: bool) -> tuple[dict[str, Any], int] | None:
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    try:
        config, codec = (try_to_load_from_cache(model, name) for name in ("config.json", _CODEC))
        if not isinstance(config, str):
            if not fetch:
                return None
            config = hf_hub_download(model, "config.json", etag_timeout=_PATIENCE_S)
        if isinstance(codec, str):
            return read_config(Path(config).parent), stored_parameters(Path(codec))
        size = get_hf_file_metadata(hf_hub_url(model, _CODEC), timeout=_PATIENCE_S).size if fetch else None
        return read_config(Path(config).parent), (size or 0) // 4  # it is stored in fp32
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError):
        return None


def stored_parameters(path: Path) -> int:
    """Numbers in a safetensors file, from its header alone; 0 if there is none to read.

    The format is 8 bytes with the header's length, then the header as JSON: name → shape and place.
    """
    try:
        with open(path, "rb") as source:
            (length,) = struct.unpack("<Q", source.read(8))
            if length > os.fstat(source.fileno()).st_size:
                return 0
            header = json.loads(source.read(length))
    except (OSError, ValueError, struct.error):
        return 0
    return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
