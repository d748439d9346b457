"""The memory plan against what training allocates: every allocation of forward, backward and optimiser step.

python benchmarks/memory.py                    the real sizes, traced on fake tensors: nothing is computed
python benchmarks/memory.py --real [SIZE ...]  computed on the CPU in fp32, with the process's memory beside it

A fake tensor has a shape and no storage, so both sizes fit any machine. What is counted is what torch asks its
allocator for, in blocks of 512 bytes as CUDA's. Not counted: CUDA's own context, fragmentation, workspaces inside
of kernels, and the codec, which is not part of the step.
"""

from __future__ import annotations

import argparse
import gc
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

sys.path.insert(0, str(Path(__file__).parents[1]))

from voicefactory.engines.qwen3_tts.adapters import add_adapter
from voicefactory.engines.qwen3_tts.inputs import Batch, build_sequence, collate
from voicefactory.engines.qwen3_tts.losses import losses
from voicefactory.engines.qwen3_tts.memory import MemoryPlan, arithmetic_of, plan_memory, worst_batch
from voicefactory.engines.qwen3_tts.optimization import hold_weights, trainable_parameters
from voicefactory.engines.qwen3_tts.sizes import model_sizes
from voicefactory.engines.qwen3_tts.updater import Updater
from voicefactory.engines.qwen3_tts.upstream import qwen
from voicefactory.presets import Hyperparameters, load_preset, preset_files, settle

_BLOCK = 512  #: bytes; CUDA's caching allocator rounds up to it
CLIPS, SECONDS = 300, 1800.0  #: of the data set that `auto` is settled for: half an hour
CLIP_S, TEXT_TOKENS = 6.0, 25  #: of every clip

#: Hidden and intermediate size of the talker; the rest is the same in both models.
_REAL = {"0.6b": (1024, 3072), "1.7b": (2048, 6144)}


def real_config(size: str) -> Any:
    """The configuration of a published model, "0.6b" or "1.7b", without its tokens' names."""
    hidden, intermediate = _REAL[size]
    attention = {"num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128, "rope_theta": 1_000_000}
    talker = {
        **attention,
        "vocab_size": 3072,
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": 28,
        "text_hidden_size": 2048,
        "text_vocab_size": 151_936,
        "num_code_groups": 16,
        "rope_scaling": {"rope_type": "default", "interleaved": True, "mrope_section": [24, 20, 20]},
        "codec_pad_id": 2148,
        "codec_bos_id": 2149,
        "codec_eos_token_id": 2150,
        "codec_think_id": 2154,
        "codec_nothink_id": 2155,
        "codec_think_bos_id": 2156,
        "codec_think_eos_id": 2157,
        "codec_language_id": {"english": 2050},
        "spk_id": {},
        "spk_is_dialect": {},
        "code_predictor_config": {
            **attention,
            "vocab_size": 2048,
            "hidden_size": 1024,
            "intermediate_size": 3072,
            "num_hidden_layers": 5,
            "num_code_groups": 16,
        },
    }
    config = qwen().Qwen3TTSConfig(
        talker_config=talker,
        speaker_encoder_config={"enc_dim": hidden},
        tokenizer_type="qwen3_tts_tokenizer_12hz",
        tts_model_type="base",
    )
    config._attn_implementation = "sdpa"
    return config


class Trace(TorchDispatchMode):
    """Follows every block of memory that tensors take, from its allocation until nothing refers to it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known: set[int] = set()

    def count(self, tensor: torch.Tensor) -> None:
        """Count the memory of a tensor, once."""
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._known:
            return
        size = -(-storage.nbytes() // _BLOCK) * _BLOCK
        self._known.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._drop, key, size)

    def _drop(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                self.count(leaf)
        return result


@dataclass(frozen=True)
class Compared:
    """One run's plan beside what it allocated, in bytes."""

    plan: MemoryPlan
    traced: int
    resident: int  #: what the process's memory grew by; 0 on fake tensors

    @property
    def error(self) -> float:
        """Share by which the plan is too high."""
        return self.plan.allocated / self.traced - 1


def compare(config: Any, preset: Hyperparameters, *, bf16: bool, fake: bool, clip_s: float = CLIP_S) -> Compared:
    """Run two steps of training as the trainer runs them, and follow their memory. `bf16` as on a GPU."""
    frames = round(clip_s * 12.5)
    kind = arithmetic_of(preset, bf16)
    vocabulary = config.talker_config.text_vocab_size
    sequences = [
        build_sequence(
            config,
            torch.zeros(3, dtype=torch.long),
            torch.randint(0, vocabulary, (TEXT_TOKENS,)),
            torch.randint(0, 2048, (frames, 16)),
            "english",
        )
        for _ in range(preset.batch_size)
    ]
    real_batch = collate(sequences, preset.code_predictor_share)
    before = psutil.Process().memory_info().rss
    mode = FakeTensorMode(allow_non_fake_inputs=True) if fake else nullcontext()
    with mode, _Resident() as resident:
        batch = (
            Batch(**{key: mode.from_tensor(value) for key, value in vars(real_batch).items()}) if fake else real_batch
        )
        halved = kind != "fp32" and (preset.adapter != "none" or kind == "bf16")
        net = _build(config, preset, torch.bfloat16 if halved else torch.float32, mode if fake else None)
        parameters = trainable_parameters(net, preset)
        hold_weights(net, parameters, preset, bf16=kind != "fp32")
        if preset.gradient_checkpointing:
            net.talker.gradient_checkpointing_enable({"use_reentrant": False})
        updater = Updater(parameters, preset, "cpu")
        speakers = torch.zeros(1, config.talker_config.hidden_size)
        trace = Trace()
        for tensor in net.parameters():
            trace.count(tensor)
        with trace:
            for step in range(2):  # the second has the optimiser's state
                for _ in range(min(2, preset.gradient_accumulation_steps)):  # the second has gradients
                    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=kind != "fp32"):
                        parts = losses(net, batch, speakers)
                    loss = parts.first / parts.predictions + preset.code_predictor_weight * parts.rest / parts.frames
                    del parts
                    loss.backward()
                    del loss
                torch.nn.utils.clip_grad_norm_(parameters.values(), preset.max_grad_norm)
                updater.update(step, preset.learning_rate)
    plan = plan_memory(
        model_sizes(config.to_dict()),
        preset,
        worst_batch([len(one) for one in sequences], [frames] * len(sequences), preset.batch_size),
        cuda=bf16,
    )
    return Compared(plan, trace.peak, 0 if fake else resident.peak - before)


def _build(config: Any, preset: Hyperparameters, dtype: torch.dtype, mode: Any) -> Any:
    """The model with the preset's adapter, loaded in `dtype`; with fake weights in a fake `mode`.

    Those are put in place of weights without storage: peft cannot move fake ones.
    """
    usual = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        if mode is None:
            net = qwen().Qwen3TTSForConditionalGeneration(config).train()
            add_adapter(net, preset)
            return net
        with torch.device("meta"):
            net = qwen().Qwen3TTSForConditionalGeneration(config).train()
            add_adapter(net, preset)
    finally:
        torch.set_default_dtype(usual)
    with mode:
        for module in net.modules():
            for name, parameter in module.named_parameters(recurse=False):
                setattr(module, name, torch.nn.Parameter(torch.empty(parameter.shape, dtype=parameter.dtype)))
            for name, buffer in module.named_buffers(recurse=False):
                module.register_buffer(name, torch.empty(buffer.shape, dtype=buffer.dtype), persistent=False)
    return net


class _Resident:
    """The process's memory at its highest, looked at every 5 ms."""

    def __enter__(self) -> _Resident:
        self.peak, self._ended = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        process = psutil.Process()
        while not self._ended.wait(0.005):
            self.peak = max(self.peak, process.memory_info().rss)

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()


def rows(sizes: Sequence[str], *, fake: bool) -> None:
    """Print a table: preset × size, plan, trace, error."""
    columns = "| Model | Preset | Batch | Plan, GB | Traced, GB | Error |"
    print(columns if fake else columns + " Process grew, GB | Seconds |")
    print("|---|---|---|---|---|---|" if fake else "|---|---|---|---|---|---|---|---|")
    for size in sizes:
        for name, overrides in _cases(fake):
            preset = settle(load_preset(name, overrides), CLIPS, SECONDS)
            began = time.monotonic()
            found = compare(real_config(size), preset, bf16=fake, fake=fake)
            told = " ".join([name, *overrides])
            line = f"| {size} | {told} | {preset.batch_size} | {found.plan.allocated / 1e9:.2f} | "
            line += f"{found.traced / 1e9:.2f} | {found.error:+.1%} |"
            if not fake:
                line += f" {found.resident / 1e9:.2f} | {time.monotonic() - began:.0f} |"
            print(line, flush=True)
            gc.collect()


def _cases(fake: bool) -> list[tuple[str, tuple[str, ...]]]:
    """Presets with what is changed in them. bitsandbytes has no fake tensors: tests compute its part, at small size."""
    if not fake:
        return [("quick", ("precision=fp32", "batch_size=1")), ("lora", ("precision=fp32", "batch_size=1"))]
    cases: list[tuple[str, tuple[str, ...]]] = [
        (name, ("optimizer=adamw",) if name == "low-memory" else ()) for name in preset_files() if name != "qlora"
    ]
    return [
        *cases,
        ("quick", ("precision=fp32",)),
        ("quick", ("gradient_checkpointing=true",)),
        ("quick", ("precision=bf16-stochastic",)),
        ("quick", ("code_predictor_share=0.125",)),
        ("quick", ("train_text_embedding=true",)),
        ("quick", ("train_talker=false", "train_codec_embedding=false")),
        ("lora", ("gradient_checkpointing=true",)),
        ("lora", ("precision=fp32",)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", action="store_true", help="compute it, in fp32 on the CPU")
    parser.add_argument("sizes", nargs="*", choices=[*_REAL, []], help="0.6b, 1.7b")
    arguments = parser.parse_args()
    print(f"torch {torch.__version__}, clips of {CLIP_S} s with {TEXT_TOKENS} text tokens\n")
    rows(arguments.sizes or (["0.6b"] if arguments.real else list(_REAL)), fake=not arguments.real)


if __name__ == "__main__":
    main()
