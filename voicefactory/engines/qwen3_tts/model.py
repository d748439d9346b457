"""Find, check and load a Qwen3-TTS model directory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from voicefactory.engines.qwen3_tts.facts import DEFAULT_HUB_MODEL, TOY, read_config
from voicefactory.engines.qwen3_tts.toy import toy_model
from voicefactory.engines.qwen3_tts.upstream import qwen
from voicefactory.errors import InputError, ModelUnavailableError
from voicefactory.types import OnProgress, Progress

_TOKENIZER_TYPE = "qwen3_tts_tokenizer_12hz"
#: what a model repository holds that we use; pickles are never fetched
_FILES = ["*.json", "*.txt", "*.safetensors", "speech_tokenizer/*.json", "speech_tokenizer/*.safetensors"]


def resolve_model(model: str, home: Path, on_progress: OnProgress) -> Path:
    """Turn "toy", a directory or a Hub id into a checked local model directory.

    Raises InputError for what is no Qwen3-TTS 12 Hz model, ModelUnavailableError if it cannot be downloaded.
    """
    if model == TOY:
        return toy_model(home)
    path = Path(model).expanduser()
    if path.exists() or model.startswith((".", "/", "~")):
        check_model_folder(path)
        return path.resolve()
    return check_model_folder(_snapshot(model, on_progress))


def _snapshot(model: str, on_progress: OnProgress) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    try:
        return Path(snapshot_download(model, allow_patterns=_FILES, local_files_only=True))
    except HFValidationError:
        raise InputError(
            f"{model!r} is neither a folder nor a Hub id. Give toy, a folder, or an id such as {DEFAULT_HUB_MODEL}."
        ) from None
    except LocalEntryNotFoundError:
        pass
    on_progress(Progress("extract", message=f"Downloading {model} from the Hub"))
    try:
        return Path(snapshot_download(model, allow_patterns=_FILES))
    except RepositoryNotFoundError:
        raise InputError(f"The Hub has no model {model!r} that you may read. Check the id, or log in.") from None
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
        raise ModelUnavailableError(
            f"The model {model} is not on this machine and could not be downloaded "
            f"({type(error).__name__}). Connect to the internet, give a folder with the model, "
            "or use the model toy, which needs no download and makes noise."
        ) from error


def check_model_folder(path: Path) -> Path:
    """Return `path` if it holds a 12 Hz Qwen3-TTS that can be fine-tuned; raise InputError saying what is missing."""
    config = read_config(path)
    if config.get("model_type") != "qwen3_tts":
        raise InputError(f"{path} is not a Qwen3-TTS model: its config.json says {config.get('model_type')!r}.")
    if config.get("tokenizer_type") != _TOKENIZER_TYPE:
        raise InputError(
            f"{path} uses the tokenizer {config.get('tokenizer_type')!r}; only the 12 Hz models are known."
        )
    for needed in ("speech_tokenizer/config.json", "speech_tokenizer/model.safetensors", "generation_config.json"):
        if not (path / needed).exists():
            raise InputError(f"{path} is not a complete Qwen3-TTS model: {needed} is missing. Download it again.")
    names = set(tensor_files(path))
    if not any(name.startswith("speaker_encoder.") for name in names):
        raise InputError(f"{path} has no speaker encoder, so no new voice can be added. Use a Base model.")
    return path


def tensor_files(path: Path) -> dict[str, Path]:
    """Tensor name → safetensors file, for one file or several with an index. Raises InputError."""
    index = path / "model.safetensors.index.json"
    try:
        if index.exists():
            weight_map = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
            if any(Path(file).name != file or not file.endswith(".safetensors") for file in weight_map.values()):
                raise ValueError("points outside of its folder")
            return {name: path / file for name, file in weight_map.items()}
        with safe_open(path / "model.safetensors", framework="pt") as tensors:
            return dict.fromkeys(tensors.keys(), path / "model.safetensors")
    except (OSError, SafetensorError, ValueError, KeyError):
        raise InputError(f"{path} has no readable model.safetensors. Download it again.") from None


def read_tensors(path: Path) -> Iterator[tuple[str, torch.Tensor]]:
    """Every tensor of a model directory by name, one at a time, on the CPU."""
    by_file: dict[Path, list[str]] = {}
    for name, file in tensor_files(path).items():
        by_file.setdefault(file, []).append(name)
    for file, names in by_file.items():
        with safe_open(file, framework="pt") as tensors:
            for name in names:
                yield name, tensors.get_tensor(name)


def load_model(path: Path, *, device: str, dtype: torch.dtype, as_base: bool) -> Any:
    """Load through the package's own `Qwen3TTSModel.from_pretrained`, from safetensors only.

    `as_base` loads a fine-tuned voice like a base model, with its speaker encoder: to clone with it or to
    train it further. Note that the codec is loaded in `dtype` as well.
    """
    from transformers import AutoConfig

    AutoConfig.register("qwen3_tts", qwen().Qwen3TTSConfig, exist_ok=True)
    config = AutoConfig.from_pretrained(path)
    if as_base:
        config.tts_model_type = "base"
    placed = {} if device == "cpu" else {"device_map": device}
    return qwen().Qwen3TTSModel.from_pretrained(
        str(path), config=config, dtype=dtype, attn_implementation="sdpa", use_safetensors=True, **placed
    )
