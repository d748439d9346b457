"""How much memory and work a training run needs, from the preset, the model's config.json and the clips' lengths.

Nothing here loads torch: the page asks in its own process. Everything is counted, nothing is measured:

- **Weights**: trained ones in fp32 (4 bytes), or in bf16 (2) with stochastic rounding; frozen ones in bf16 where
  the arithmetic is bf16, otherwise in fp32; NF4 takes 4.13 bits (QLoRA, arXiv:2305.14314).
- **Copies**: autocast keeps a bf16 copy of each fp32 matrix from its forward pass to its backward pass; weights
  that round at random are stepped on in fp32, a chunk at a time.
- **Gradients** are as wide as what they are gradients of. **The optimiser** keeps two numbers a parameter.
- **Activations**: what autograd keeps of each layer for its backward pass, tensor by tensor as the package's code
  makes them. `activations.py` has the list; `tests/engines/test_memory.py` compares it with traces of the real classes.

The peak is where these meet: at the end of the forward pass, or somewhere on the way back, where the activations
shrink while the gradients grow, or in the optimiser's step; for the smallest runs, when a sentence is decoded to be
heard. `plan_memory` walks back and takes the highest point. Linear layers see no padding, since clips are packed;
attention pads each clip to the batch's longest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from voicefactory.engines.qwen3_tts.activations import Arithmetic, Segment, Shape, WorstBatch, segments_of
from voicefactory.engines.qwen3_tts.sizes import ModelSizes
from voicefactory.presets import Hyperparameters

#: What CUDA itself takes, and what is lost between blocks. Assumed: seen elsewhere, not measured with this trainer.
CUDA_CONTEXT = 600 << 20
FRAGMENTATION = 0.05  #: of gradients, copies and activations, which come and go
CHUNK = 64 << 20  #: bf16 weights that are stepped on together; `updater.CHUNK`, which needs torch
#: The longest that is decoded at a measurement at most (15 s), and what the codec's
#: decoder takes for it in fp32: measured on a CPU at 50, 100 and 150 frames with random weights in the real shape.
SPOKEN_FRAMES = 190
_DECODING, _DECODING_A_FRAME = 0.22 * (1 << 30), 0.0054 * (1 << 30)
_REAL_CODEC = 153.7e6  #: parameters of the codec that was measured
_NF4 = 4.127 / 8  #: bytes a weight: 4 bits, and the blocks' scales, which are in 8 bits themselves
_ADAM_8BIT = 2 + 2 * 4 / 256  #: bytes a parameter: two numbers of 8 bits, and a scale for 256 of each


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes at the highest point of a run, by what they are for."""

    terms: dict[str, int]  #: weights, copies, gradients, optimizer, activations, codec, overhead
    at: str  #: where that point is: forward, backward, step, or speaking at a measurement

    @property
    def total(self) -> int:
        """What the card must have free."""
        return sum(self.terms.values())

    @property
    def allocated(self) -> int:
        """What torch itself allocates: `total` without CUDA's own part, as `torch.cuda.max_memory_allocated` counts."""
        return self.total - self.terms["overhead"]


def worst_batch(positions: Sequence[int], frames: Sequence[int], batch_size: int) -> WorstBatch:
    """The `batch_size` longest clips. `positions` and `frames` are one a clip, in the same order."""
    chosen = sorted(zip(positions, frames, strict=True), reverse=True)[:batch_size]
    return WorstBatch(
        clips=len(chosen),
        positions=sum(length for length, _ in chosen),
        longest=max((length for length, _ in chosen), default=0),
        frames=sum(count for _, count in chosen),
    )


# --- memory -----------------------------------------------------------------------------------------------------


def arithmetic_of(preset: Hyperparameters, bf16: bool) -> Arithmetic:
    """How forward and backward compute. `bf16` says whether the device can; a CPU is not asked to."""
    if preset.precision == "bf16-stochastic":
        return "bf16"
    wanted = bf16 if preset.precision == "auto" else preset.precision == "bf16"
    return "autocast" if wanted else "fp32"


#: Parts that are held in bf16 with stochastic rounding; adapters and the speaker encoder never are.
HALVED = frozenset(
    {
        "talker_layers",
        "text_projection",
        "codec_head",
        "text_embedding",
        "codec_embedding",
        "predictor_layers",
        "predictor_projection",
        "predictor_heads",
        "predictor_embeddings",
    }
)


def plan_memory(sizes: ModelSizes, preset: Hyperparameters, batch: WorstBatch, *, cuda: bool) -> MemoryPlan:
    """The peak of training on a CUDA card (in bf16 where the preset leaves it open), or on a CPU."""
    kind = arithmetic_of(preset, cuda)
    halved = kind != "fp32" and (preset.adapter != "none" or kind == "bf16")  # what the trainer loads in bf16
    parts, trained = sizes.parameters(), trained_parameters(sizes, preset)
    adapters = sum(count for part, count in trained.items() if part.endswith("_adapter"))
    whole = sum(count for part, count in trained.items() if part in HALVED)  # in bf16 with stochastic rounding
    in_fp32 = sum(trained.values()) - whole
    width = 2 if kind == "bf16" else 4
    held = sum(_held(sizes, preset, kind, part, count, part in trained) for part, count in parts.items())
    state = (_ADAM_8BIT if preset.optimizer == "adamw-8bit" else 8) * sum(trained.values())
    gradients = width * whole + 4 * in_fp32

    moment = _highest(
        segments_of(Shape(sizes, preset, batch, kind, trained)),
        preset.gradient_checkpointing,
        gradients if preset.gradient_accumulation_steps > 1 else 0,
        gradients,
        _rounding(sizes, trained, whole) if kind == "bf16" else 0,
    )
    spoken = _speaking(sizes, preset, halved)
    if spoken > moment.total:  # gradients and activations are gone when it speaks
        moment = _Moment({"copies": 0, "gradients": 0, "activations": spoken}, "speaking")
    constant = {
        "weights": held + 4 * adapters,
        "optimizer": state,
        "codec": (2 if halved else 4) * sizes.codec,
        "overhead": CUDA_CONTEXT + FRAGMENTATION * sum(moment.terms.values()) if cuda else 0,
    }
    terms = {**constant, **moment.terms}
    order = ("weights", "copies", "gradients", "optimizer", "activations", "codec", "overhead")
    return MemoryPlan({name: round(terms[name]) for name in order}, moment.at)


def speaking_memory(sizes: ModelSizes, *, cuda: bool) -> int:
    """Bytes for a model that only speaks: its weights (bf16 on a card, fp32 on a CPU), its codec, one long sentence."""
    width = 2 if cuda else 4
    held = width * (sum(sizes.parameters().values()) + sizes.codec)
    decoding = (_DECODING + _DECODING_A_FRAME * SPOKEN_FRAMES) * sizes.codec / _REAL_CODEC * width / 4
    return round((1 + FRAGMENTATION) * (held + decoding)) + (CUDA_CONTEXT if cuda else 0)


def _speaking(sizes: ModelSizes, preset: Hyperparameters, halved: bool) -> int:
    """Bytes that the codec's decoder takes for the longest sentence of a measurement; 0 if nothing is said."""
    if not preset.speak_at_evaluations:
        return 0
    whole = (_DECODING + _DECODING_A_FRAME * SPOKEN_FRAMES) * sizes.codec / _REAL_CODEC
    return round(whole / 2 if halved else whole)


def _held(sizes: ModelSizes, preset: Hyperparameters, kind: Arithmetic, part: str, count: int, trained: bool) -> float:
    """Bytes of a part's weights while it trains."""
    if part == "speaker_encoder":
        return 4 * count
    frozen = 4 if kind == "fp32" else 2
    if trained:
        return (2 if kind == "bf16" else 4) * count
    if preset.adapter == "qlora" and part in ("talker_layers", "predictor_layers"):
        stack = sizes.talker if part == "talker_layers" else sizes.predictor
        matrices = stack.layers * stack.layer_matrices
        return _NF4 * matrices + frozen * (count - matrices)
    return frozen * count


def _rounding(sizes: ModelSizes, trained: Mapping[str, int], whole: int) -> int:
    """Bytes in which bf16 weights are stepped on: a chunk of weights and gradients in fp32, and random bits."""
    chunk = min(CHUNK, whole)
    largest = sizes.text_vocabulary * sizes.text_hidden if trained.get("text_embedding") else 0
    largest = min(chunk, max(largest, sizes.talker.hidden * sizes.talker.intermediate))
    return 8 * chunk + 6 * largest


def trained_parameters(sizes: ModelSizes, preset: Hyperparameters) -> dict[str, int]:
    """Trained parameters by part, as `trainable_parameters` chooses them; parts without any are left out."""
    parts = sizes.parameters()
    adapted = preset.adapter != "none"
    wanted: dict[str, bool] = {
        "talker_layers": preset.train_talker and not adapted,
        "text_projection": preset.train_talker and not adapted,
        "codec_head": preset.train_talker and not adapted,
        "text_embedding": preset.train_text_embedding,
        "codec_embedding": preset.train_codec_embedding,
        "predictor_layers": preset.train_code_predictor and not adapted,
        "predictor_projection": preset.train_code_predictor and not adapted,
        "predictor_heads": preset.train_code_predictor and not adapted,
        "predictor_embeddings": preset.train_codec_embedding,
        "speaker_encoder": preset.train_speaker_encoder,
    }
    chosen = {part: count for part, count in parts.items() if wanted[part] and count}
    if adapted and preset.train_talker:
        chosen["talker_adapter"] = sizes.talker.layers * sizes.talker.adapter_parameters(preset.adapter_rank)
    if adapted and preset.train_code_predictor:
        chosen["predictor_adapter"] = sizes.predictor.layers * sizes.predictor.adapter_parameters(preset.adapter_rank)
    return chosen


@dataclass(frozen=True)
class _Moment:
    terms: dict[str, int]
    at: str

    @property
    def total(self) -> int:
        return sum(self.terms.values())


def _highest(
    segments: Sequence[Segment], checkpointing: bool, accumulated: float, all_gradients: float, rounding: int
) -> _Moment:
    """The moment of a step at which activations, copies and gradients together are the most.

    `accumulated` are the gradients that are there before the backward pass begins, `rounding` what the
    optimiser's step copies.
    """
    kept = [one.checkpoint if checkpointing and one.checkpoint else one.activations for one in segments]
    copies = [one.copies for one in segments]

    def moment(at: str, activations: float, copied: float, gradients: float) -> _Moment:
        terms = {"copies": copied, "gradients": gradients, "activations": activations}
        return _Moment({name: round(value) for name, value in terms.items()}, at)

    moments = [moment("step", 0, rounding, all_gradients)]
    grown = 0
    for index, one in enumerate(segments):
        moments.append(moment("forward", sum(kept[index:]) + one.making, sum(copies[index:]), accumulated))
        again = checkpointing and one.checkpoint > 0
        # The second time ends before the layer's outcome, which is as large as its checkpoint.
        activations = sum(kept[index:]) + one.passing + (one.activations - one.checkpoint if again else 0)
        # Computed twice, a layer's copies are made anew; only those of other parts have waited since.
        waiting = [copies[at] for at in range(index, len(segments)) if not (checkpointing and segments[at].checkpoint)]
        copied = sum(waiting) + (one.copies if again else 0)
        grown += one.gradients
        moments.append(moment("backward", activations, copied, accumulated or grown))
    return max(moments, key=lambda one: one.total)


# --- measuring --------------------------------------------------------------------------------------------------


def measured_peak(step: Callable[[], object], undo: Callable[[], object], device: str) -> int:
    """Bytes that torch allocates at the peak of `step` on a CUDA `device`: a dry run instead of an estimate.

    `step` runs forward, backward and optimiser on the longest batch, with a learning rate of zero, so that no
    weight changes; `undo` then drops what it leaves (gradients, the optimiser's state, the random state) and runs
    even if `step` fails. Compare with `MemoryPlan.allocated`. Raises torch's OutOfMemoryError if it does not fit.
    """
    import torch

    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    try:
        step()
        torch.cuda.synchronize(device)
        return int(torch.cuda.max_memory_allocated(device))
    finally:
        undo()
