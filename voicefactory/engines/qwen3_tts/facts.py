"""What can be known of a model without torch: the page asks for it in its own, light process."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from voicefactory.errors import InputError

TOY = "toy"
TOY_MARK = "voicefactory_random_weights"  #: in config.json of every model that descends from the toy
REFERENCE = "reference/reference.wav"  #: in a voice without training: what it imitates; a .json beside it
DEFAULT_HUB_MODEL = "Qwen/Qwen3-TTS-12Hz-0.6B-Base"


def default_model() -> str:
    """The Hub's 0.6B base model if it is here or can be reached, otherwise the toy."""
    from huggingface_hub import constants, try_to_load_from_cache

    if isinstance(try_to_load_from_cache(DEFAULT_HUB_MODEL, "model.safetensors"), str):
        return DEFAULT_HUB_MODEL
    if constants.HF_HUB_OFFLINE or os.environ.get("TRANSFORMERS_OFFLINE") == "1":
        return TOY
    import httpx

    try:
        httpx.head(constants.ENDPOINT, timeout=2.0)
    except httpx.HTTPError:
        return TOY
    return DEFAULT_HUB_MODEL


def read_config(path: Path) -> dict[str, Any]:
    """config.json of a model directory. Raises InputError if there is none."""
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        config = None
    if not isinstance(config, dict):
        raise InputError(f"{path} is not a model folder: it has no readable config.json.")
    return config


def is_toy(path: Path) -> bool:
    """True if the model descends from the toy, and so makes noise."""
    return bool(read_config(path).get(TOY_MARK))


def takes_instructions(path: Path) -> bool:
    """True if the model is told how to speak by an instruction; qwen-tts drops instructions for the size 0.6B."""
    return read_config(path).get("tts_model_size") != "0b6"


def speakers(path: Path) -> tuple[str, ...]:
    """Who a model directory can speak as, the newest last; nobody for a base model that has no reference of its own."""
    config = read_config(path)
    if config.get("tts_model_type") == "base":
        own = own_reference(path)
        return (own["speaker"],) if own else ()
    return tuple(config["talker_config"].get("spk_id") or {})


def own_reference(path: Path) -> dict[str, str] | None:
    """text and speaker of the reference that a voice without training imitates; None for any other model."""
    beside = (path / REFERENCE).with_suffix(".json")
    if not ((path / REFERENCE).is_file() and beside.is_file()):
        return None
    row = json.loads(beside.read_text(encoding="utf-8"))
    return {"text": str(row["text"]), "speaker": str(row["speaker"])}
