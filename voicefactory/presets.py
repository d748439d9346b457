"""A preset: every number that training needs, typed, with a unit, a range and a sentence of help.

Presets live in `presets/*.yaml`, are validated when they are built, and are saved beside the run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voicefactory import files
from voicefactory.errors import InputError

_BESIDE_THE_PACKAGE = Path(__file__).parent.parent / "presets"  # a checkout or a Space
_IN_THE_PACKAGE = Path(__file__).parent / "preset_files"  # an installed wheel


AUTO: Final = "auto"
Auto = Literal["auto"]  #: a number that `settle` computes from the amount of data

Rate = Annotated[float, Field(gt=0, le=1)]
Batch = Annotated[int, Field(ge=1, le=512)]
Epochs = Annotated[int, Field(ge=1, le=10_000)]
Steps = Annotated[int, Field(ge=1)]
NoOrSteps = Annotated[int, Field(ge=0)]


class Preset(BaseModel):
    """How a voice is trained. Unknown keys and wrong types are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str = Field("custom", description="what the page and the run's folder call it")
    description: str = Field("", description="one sentence for the person who chooses")

    learning_rate: Rate | Auto = Field(AUTO, description="peak step size of AdamW; auto = 1e-5, or 1e-4 for an adapter")
    batch_size: Batch | Auto = Field(AUTO, description="clips in one forward pass; auto = 8, or all if there are fewer")
    gradient_accumulation_steps: int = Field(1, ge=1, le=1024, description="forward passes to one optimiser step")
    epochs: Epochs | Auto = Field(
        AUTO, description="times every training clip is seen; auto = two hours of speech in all, 3 to 20 times"
    )
    max_steps: int | None = Field(None, ge=1, description="optimiser steps; takes the place of epochs when set")
    warmup_steps: NoOrSteps | Auto = Field(
        AUTO, description="optimiser steps until the peak learning rate is reached; auto = 5 % of the run, at most 100"
    )
    schedule: Literal["constant", "linear", "cosine"] = Field(
        "cosine", description="learning rate after warm-up: kept, or lowered to zero along a line or a cosine"
    )
    weight_decay: float = Field(0.01, ge=0, le=1, description="AdamW decay; norms, biases and embeddings are spared")
    max_grad_norm: float = Field(1.0, gt=0, description="gradients are scaled down to this norm")
    code_predictor_weight: float = Field(
        0.3, ge=0, le=10, description="weight of codebooks 2 to 16 in the loss, beside 1 for the first"
    )
    code_predictor_share: float = Field(
        1.0, gt=0, le=1, description="random share of the frames whose codebooks 2 to 16 are trained in a step"
    )
    precision: Literal["auto", "fp32", "bf16", "bf16-stochastic"] = Field(
        "auto",
        description="bf16 = bf16 arithmetic over fp32 weights; bf16-stochastic = bf16 weights, rounded at random, for "
        "half the memory; auto = bf16 on a GPU that has it, otherwise fp32",
    )
    optimizer: Literal["adamw", "adamw-8bit"] = Field(
        "adamw", description="adamw-8bit keeps its state in a quarter of the memory; it needs bitsandbytes"
    )
    adapter: Literal["none", "lora", "qlora"] = Field(
        "none",
        description="train small matrices beside the frozen ones (LoRA) instead of the weights; qlora also holds the "
        "frozen ones in 4 bits, and needs a GPU",
    )
    adapter_rank: int = Field(16, ge=1, le=512, description="rank of the adapter's matrices; more can learn more")
    adapter_alpha: int = Field(32, ge=1, le=1024, description="the adapter's strength is alpha divided by rank")
    adapter_dropout: float = Field(0.0, ge=0, lt=1, description="share of the adapter's inputs left out at random")
    train_talker: bool = Field(True, description="train the talker's layers, text projection and first-codebook head")
    train_code_predictor: bool = Field(True, description="train the part that predicts codebooks 2 to 16")
    train_codec_embedding: bool = Field(True, description="train the embeddings of the codec tokens")
    train_text_embedding: bool = Field(
        False, description="train the 311 M text embedding; nearly all of its gradients are zero"
    )
    train_speaker_encoder: bool = Field(
        False, description="train the part that hears whose voice the reference is; cloning of other voices changes"
    )
    gradient_checkpointing: bool = Field(False, description="compute activations twice to save memory")
    eval_fraction: float = Field(
        0.1, ge=0, le=0.5, description="share of clips held out to measure on; none are held out below 10 clips"
    )
    eval_every_steps: Steps | Auto = Field(
        AUTO,
        description="optimiser steps between measurements on held-out clips; auto = ten in a run, at least 10 apart",
    )
    early_stopping_patience: int | None = Field(
        None, ge=1, description="measurements without a better held-out loss until training stops; empty = never"
    )
    result: Literal["best", "last"] = Field(
        "best", description="the voice is made of the best held-out loss, or of the last step"
    )
    speak_at_evaluations: bool = Field(True, description="speak a few fixed sentences at every measurement, to hear")
    probe: Literal["auto", "stop", "watch", "none"] = Field(
        "auto",
        description="measure pace, runaways and likeness of what is spoken at every measurement: watch = show them; "
        "stop = end training when the voice drifts away from its speaker; auto = stop, but watch the toy, which makes "
        "noise. Needs speak_at_evaluations",
    )
    drift_pace: float = Field(
        0.15,
        gt=0,
        le=1,
        description="share by which the voice may speak faster or slower than its speaker, if the "
        "speaker's own clips differ less",
    )
    drift_likeness: float = Field(
        0.1,
        ge=0,
        le=1,
        description="cosine by which the likeness may fall below the best measurement, if the speaker's "
        "own clips differ less",
    )
    save_every_steps: Steps | Auto = Field(
        AUTO, description="optimiser steps between checkpoints; auto = ten in a run, 10 to 500 steps apart"
    )
    keep_checkpoints: int = Field(2, ge=1, le=100, description="resumable checkpoints kept on disk")
    seed: int = Field(0, ge=0, lt=2**31, description="of the data order and everything else that is random")

    def save(self, path: Path) -> None:
        """Write it as YAML, whole or not at all."""
        files.write_text(path, yaml.safe_dump(self.model_dump(), sort_keys=False, allow_unicode=True))


class Hyperparameters(Preset):
    """A preset in which nothing is left to `auto`. Made by `settle`."""

    learning_rate: Rate
    batch_size: Batch
    epochs: Epochs
    warmup_steps: NoOrSteps
    eval_every_steps: Steps
    save_every_steps: Steps


def settle(preset: Preset, clips: int, seconds: float) -> Hyperparameters:
    """Put a number wherever the preset says auto. `clips` are trained on, and last `seconds` together.

    The rules are starting points that nobody has measured on the real weights yet:

    - learning_rate: 1e-5, or 1e-4 for an adapter, which starts from nothing
    - batch_size: 8 clips, or all of them if there are fewer
    - epochs: as many as make two hours of speech, at least 3 and at most 20
    - warmup_steps: 5 % of the steps, at most 100
    - eval_every_steps: ten times in a run, at least 10 steps apart; save_every_steps: as often, at most 500 apart
    """
    values = preset.model_dump()

    def fill(key: str, number: float) -> None:
        if values[key] == AUTO:
            values[key] = number

    fill("learning_rate", 1e-4 if preset.adapter != "none" else 1e-5)
    fill("batch_size", max(1, min(8, clips)))
    fill("epochs", min(20, max(3, round(7200 / max(1.0, seconds)))))
    steps_per_epoch = math.ceil(math.ceil(clips / values["batch_size"]) / preset.gradient_accumulation_steps)
    steps = preset.max_steps or values["epochs"] * steps_per_epoch
    fill("warmup_steps", min(100, round(0.05 * steps)))
    fill("eval_every_steps", max(10, math.ceil(steps / 10)))
    fill("save_every_steps", max(10, min(500, math.ceil(steps / 10))))
    return Hyperparameters.model_validate(values)


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
    words = ("name", "description")
    return {
        key: _parse_scalar(value) if isinstance(value, str) and key not in words else value
        for key, value in values.items()
    }


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
