"""Adapters: small matrices beside the frozen ones (LoRA), and frozen ones held in 4 bits (QLoRA).

LoRA (Hu et al. 2021, arXiv:2106.09685) learns W + alpha/rank · B·A with W frozen; B starts at zero, so that
training starts from the untouched model. QLoRA (Dettmers et al. 2023, arXiv:2305.14314) holds W in the 4-bit
numbers "NF4". Every linear layer of the talker's and the code predictor's transformers gets an adapter; heads,
projections and embeddings get none.

An adapter is merged into the weights when a voice is assembled, and kept beside them as a PEFT folder.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from voicefactory import files
from voicefactory.errors import InputError
from voicefactory.presets import Hyperparameters, Preset

_TALKER = r"model\.layers\.\d+\.(self_attn|mlp)\.(q|k|v|o|gate|up|down)_proj"  # as peft sees it, inside the talker
_CODE_PREDICTOR = rf"code_predictor\.{_TALKER}"
_A, _B = ".lora_A.default.weight", ".lora_B.default.weight"


def check_adapter(preset: Preset, device: str) -> None:
    """Raise InputError, before anything is loaded, if this preset's adapter cannot be trained on `device`."""
    if preset.adapter == "none":
        return
    if not (preset.train_talker or preset.train_code_predictor):
        raise InputError(
            "An adapter has nothing to sit on: set train_talker or train_code_predictor to true, or adapter to none."
        )
    if preset.adapter == "qlora":
        if not device.startswith("cuda"):
            raise InputError(f"qlora needs an NVIDIA GPU, and this run is on {device}: choose lora instead.")
        if not has_bitsandbytes():
            raise InputError("qlora needs bitsandbytes: pip install 'voicefactory[8bit]', or choose lora instead.")


def has_bitsandbytes() -> bool:
    """True if bitsandbytes is installed and its library loads."""
    with contextlib.suppress(ImportError, OSError, RuntimeError):
        import bitsandbytes

        return hasattr(bitsandbytes, "optim")
    return False


def add_adapter(net: Any, preset: Hyperparameters) -> None:
    """Put the preset's adapter into `net.talker`, in place; everything else of the talker is frozen.

    The matrices A are drawn with the preset's seed. Nothing happens if the preset has no adapter.
    """
    if preset.adapter == "none":
        return
    from peft import inject_adapter_in_model

    if preset.adapter == "qlora":
        quantize(net, _compute_dtype(preset))
    with torch.random.fork_rng():
        torch.manual_seed(preset.seed)
        inject_adapter_in_model(_lora_config(preset), net.talker)


def quantize(net: Any, compute_dtype: torch.dtype) -> None:
    """Hold the linear layers of the talker's and the code predictor's transformers in NF4, in place.

    They come out on the device they were on, frozen, and compute in `compute_dtype`. The scales of their blocks
    are in 8 bits, so that a weight takes 4.13 bits (QLoRA's double quantisation). Works on a CPU too.
    """
    from bitsandbytes.nn import Linear4bit

    wanted = re.compile(f"{_TALKER}|{_CODE_PREDICTOR}")
    for name in [name for name, _ in net.talker.named_modules() if wanted.fullmatch(name)]:
        linear = net.talker.get_submodule(name)  # one at a time, so that each is freed before the next
        packed = Linear4bit(
            linear.in_features,
            linear.out_features,
            bias=linear.bias is not None,
            compute_dtype=compute_dtype,
            quant_type="nf4",
            device=torch.device("meta"),
        )
        weight = type(packed.weight)(linear.weight.data, requires_grad=False, quant_type="nf4", module=packed)
        packed.weight = weight.to(linear.weight.device)  # the move is what quantises
        packed.bias = linear.bias
        packed.train(linear.training)
        owner, _, last = name.rpartition(".")
        setattr(net.talker.get_submodule(owner), last, packed)


def is_adapter(name: str) -> bool:
    """True for the name of an adapter's matrix."""
    return ".lora_" in name


def merged(
    name: str, weight: torch.Tensor, trained: Mapping[str, torch.Tensor], preset: Preset, strength: float = 1.0
) -> torch.Tensor:
    """The base model's tensor `name` with its adapter multiplied in: W + strength · alpha/rank · B·A, in W's precision.

    `trained` holds a checkpoint's tensors by name. The sum is computed in fp32. A tensor without an adapter is
    returned as it is. After qlora, W is the whole weight and not the 4-bit one that the adapter grew beside. A
    change far below the steps of a bf16 W is partly lost here; the adapter itself keeps it.
    """
    layer = name.removesuffix(".weight")
    if layer + _A not in trained or strength == 0:
        return weight
    product = trained[layer + _B].float() @ trained[layer + _A].float()
    return (weight.float() + strength * preset.adapter_alpha / preset.adapter_rank * product).to(weight.dtype)


def adapter_tensors(trained: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A checkpoint's tensors under the names of a PEFT file. `trained` has names such as `talker.model.….lora_A…`.

    Embeddings that were trained beside the adapter are part of it; the speaker encoder is not.
    """
    return {
        f"base_model.model.{name.removeprefix('talker.').replace('.default.', '.')}": tensor.contiguous()
        for name, tensor in trained.items()
        if name.startswith("talker.")
    }


def write_adapter(
    folder: Path, trained: Mapping[str, torch.Tensor], preset: Preset, speakers: Mapping[str, torch.Tensor]
) -> None:
    """Write the adapter alone into `folder`: `PeftModel.from_pretrained(base.talker, folder)` loads it.

    Beside it lies speaker.safetensors: the embedding [hidden] of each of `speakers`, under its lower-case name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = _lora_config(preset)
    config.inference_mode = True
    # sets become lists that are the same every time; the base model's path on this machine is nobody's business
    values = {key: sorted(value) if isinstance(value, set) else value for key, value in config.to_dict().items()}
    text = json.dumps({**values, "base_model_name_or_path": None}, indent=2, sort_keys=True)
    files.write_text(folder / "adapter_config.json", text + "\n")
    for name, tensors in (("adapter_model", adapter_tensors(trained)), ("speaker", dict(speakers))):
        with files.writing(folder / f"{name}.safetensors") as aside:
            save_file(tensors, aside, metadata={"format": "pt"})


def example(base_model: str, speaker: str, language: str) -> str:
    """Python that speaks with `base_model` and the adapter, run in the folder of the finished voice."""
    return (
        "import json\n"
        "from peft import PeftModel\n"
        "from qwen_tts import Qwen3TTSModel\n"
        "from safetensors.torch import load_file\n"
        f"voice = Qwen3TTSModel.from_pretrained({base_model!r})\n"
        "model, talker = voice.model, voice.model.talker\n"
        'PeftModel.from_pretrained(talker, "adapter")  # puts it into the talker\n'
        'told = json.load(open("config.json", encoding="utf-8"))["talker_config"]\n'
        "model.config.talker_config.spk_id.update(told['spk_id'])\n"
        "model.config.talker_config.spk_is_dialect = told['spk_is_dialect']\n"
        "rows = talker.get_input_embeddings().weight.data\n"
        'for name, embedding in load_file("adapter/speaker.safetensors").items():\n'
        "    rows[told['spk_id'][name]] = embedding.to(rows)\n"
        'model.tts_model_type = "custom_voice"\n'
        f'waves, rate = voice.generate_custom_voice(text="Hello.", speaker={speaker!r}, language={language!r})\n'
    )


def _lora_config(preset: Preset) -> Any:
    from peft import LoraConfig

    places = [_TALKER] if preset.train_talker else []
    places += [_CODE_PREDICTOR] if preset.train_code_predictor else []
    return LoraConfig(
        r=preset.adapter_rank,
        lora_alpha=preset.adapter_alpha,
        lora_dropout=preset.adapter_dropout,
        target_modules="|".join(places),
        bias="none",
    )


def _compute_dtype(preset: Preset) -> torch.dtype:
    """Precision in which 4-bit layers multiply: that of the rest of the arithmetic."""
    if preset.precision == "auto":
        return torch.bfloat16 if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else torch.float32
    return torch.float32 if preset.precision == "fp32" else torch.bfloat16
