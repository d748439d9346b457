"""A preset: every number that training needs, typed, with a unit, a range and a sentence of help.

Presets live in `presets/*.yaml`, are validated when they are built, and are saved beside the run.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voicefactory import files
from voicefactory.errors import InputError

_BESIDE_THE_PACKAGE = Path(__file__).parent.parent / "presets"  # a checkout or a Space
_IN_THE_PACKAGE = Path(__file__).parent / "preset_files"  # an installed wheel


class Preset(BaseModel):
    """How a voice is trained. Unknown keys and wrong types are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str = Field("custom", description="what the page and the run's folder call it")
    description: str = Field("", description="one sentence for the person who chooses")

    learning_rate: float = Field(2e-5, gt=0, le=1, description="peak step size of AdamW")
    batch_size: int = Field(8, ge=1, le=512, description="clips in one forward pass")
    gradient_accumulation_steps: int = Field(1, ge=1, le=1024, description="forward passes to one optimiser step")
    epochs: int = Field(10, ge=1, le=10_000, description="times every training clip is seen")
    max_steps: int | None = Field(None, ge=1, description="optimiser steps; takes the place of epochs when set")
    warmup_steps: int = Field(10, ge=0, description="optimiser steps until the peak learning rate is reached")
    schedule: Literal["constant", "linear", "cosine"] = Field(
        "cosine", description="learning rate after warm-up: kept, or lowered to zero along a line or a cosine"
    )
    weight_decay: float = Field(0.01, ge=0, le=1, description="AdamW decay; norms, biases and embeddings are spared")
    max_grad_norm: float = Field(1.0, gt=0, description="gradients are scaled down to this norm")
    code_predictor_weight: float = Field(
        0.3, ge=0, le=10, description="weight of codebooks 2 to 16 in the loss, beside 1 for the first"
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto",
        description="arithmetic of forward and backward; master weights stay fp32. auto = bf16 on a GPU that has it",
    )
    train_talker: bool = Field(True, description="train the talker's layers, text projection and first-codebook head")
    train_code_predictor: bool = Field(True, description="train the part that predicts codebooks 2 to 16")
    train_codec_embedding: bool = Field(True, description="train the embeddings of the codec tokens")
    train_text_embedding: bool = Field(
        False, description="train the 311 M text embedding; nearly all of its gradients are zero"
    )
    gradient_checkpointing: bool = Field(False, description="compute activations twice to save memory")
    eval_fraction: float = Field(
        0.1, ge=0, le=0.5, description="share of clips held out to measure on; none are held out below 10 clips"
    )
    eval_every_steps: int = Field(50, ge=1, description="optimiser steps between measurements on held-out clips")
    save_every_steps: int = Field(50, ge=1, description="optimiser steps between checkpoints")
    keep_checkpoints: int = Field(2, ge=1, le=100, description="resumable checkpoints kept on disk")
    seed: int = Field(0, ge=0, lt=2**31, description="of the data order and everything else that is random")

    def save(self, path: Path) -> None:
        """Write it as YAML, whole or not at all."""
        files.write_text(path, yaml.safe_dump(self.model_dump(), sort_keys=False, allow_unicode=True))


def load_preset(name_or_file: str, overrides: Iterable[str] = ()) -> Preset:
    """Load `presets/<name>.yaml` or a YAML file, then apply `key=value` overrides.

    Raises InputError naming the valid presets or keys, or the key whose value does not fit.
    """
    values = _read(name_or_file)
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not key.strip():
            raise InputError(f"--set takes key=value, for example learning_rate=1e-5; {override!r} is not that.")
        values[key.strip()] = _parse_scalar(text)
    return build_preset(values)


def build_preset(values: dict[str, Any]) -> Preset:
    """Validate a preset from plain values. Raises InputError as `load_preset` does."""
    unknown = [str(key) for key in values if key not in Preset.model_fields]
    if unknown:
        valid = ", ".join(key for key in Preset.model_fields if key not in ("name", "description"))
        raise InputError(f"A preset has no key {', '.join(map(repr, unknown))}. Valid keys: {valid}.")
    try:
        return Preset.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        key = str(problem["loc"][0])
        meaning = Preset.model_fields[key].description
        raise InputError(
            f"The preset's {key} cannot be {problem['input']!r}: {problem['msg'].lower()}. It is: {meaning}."
        ) from None


def preset_files() -> dict[str, Path]:
    """Name → file of every preset that comes with VoiceFactory."""
    folder = _BESIDE_THE_PACKAGE if _BESIDE_THE_PACKAGE.is_dir() else _IN_THE_PACKAGE
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def _read(name_or_file: str) -> dict[str, Any]:
    known = preset_files()
    path = known.get(name_or_file, Path(name_or_file).expanduser())
    if not path.is_file():
        raise InputError(f"There is no preset {name_or_file!r}. Choose one of: {', '.join(known)}, or a YAML file.")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid YAML: {str(error).splitlines()[0]}.") from None
    if not isinstance(values, dict):
        raise InputError(f"{path} is not a preset: it should hold lines such as `learning_rate: 1.0e-5`.")
    values.setdefault("name", path.stem)
    return {key: _parse_scalar(value) if isinstance(value, str) else value for key, value in values.items()}


def _parse_scalar(text: str) -> Any:
    """YAML, plus the numbers that YAML 1.1 takes for text ("1e-5")."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return text
    return value
