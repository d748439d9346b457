"""How much memory and work a training run needs, from the preset, the model's config.json and the clips' lengths.

Nothing here loads torch: the page asks in its own process. Everything is counted, nothing is measured:

- **Weights**: trained ones in fp32 (4 bytes), or in bf16 (2) with stochastic rounding; frozen ones in bf16 where
  the arithmetic is bf16, otherwise in fp32; NF4 takes 4.13 bits (QLoRA, arXiv:2305.14314).
- **Copies**: autocast keeps a bf16 copy of each fp32 matrix from its forward pass to its backward pass; weights
  that round at random are stepped on in fp32, a chunk at a time.
- **Gradients** are as wide as what they are gradients of. **The optimiser** keeps two numbers a parameter.
- **Activations**: what autograd keeps of each layer for its backward pass, tensor by tensor as the package's code
  makes them. `_saved` has the list; `tests/engines/test_memory.py` compares it with a trace of the real classes.

The peak is where these meet: at the end of the forward pass, or somewhere on the way back, where the activations
shrink while the gradients grow, or in the optimiser's step. `plan_memory` walks back and takes the highest point.
Linear layers see no padding, since clips are packed; attention pads each clip to the batch's longest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from voicefactory.engines.qwen3_tts.sizes import ModelSizes, Transformer
from voicefactory.presets import Hyperparameters

Arithmetic = Literal["fp32", "autocast", "bf16"]

#: What CUDA itself takes, and what is lost between blocks. Assumed: seen elsewhere, not measured with this trainer.
CUDA_CONTEXT = 600 << 20
FRAGMENTATION = 0.05  #: of gradients, copies and activations, which come and go
CHUNK = 64 << 20  #: bf16 weights that are stepped on together; `updater.CHUNK`, which needs torch
_NF4 = 4.127 / 8  #: bytes a weight: 4 bits, and the blocks' scales, which are in 8 bits themselves
_ADAM_8BIT = 2 + 2 * 4 / 256  #: bytes a parameter: two numbers of 8 bits, and a scale for 256 of each


@dataclass(frozen=True)
class WorstBatch:
    """The batch that takes the most memory: the longest clips together."""

    clips: int
    positions: int  #: of all clips, end to end
    longest: int  #: positions of the longest clip, to which attention pads the others
    frames: int

    @property
    def padded(self) -> int:
        """Positions that attention sees."""
        return self.clips * self.longest


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes at the highest point of a run, by what they are for."""

    terms: dict[str, int]  #: weights, copies, gradients, optimizer, activations, codec, overhead
    at: str  #: where that point is: forward, backward or step

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


@dataclass(frozen=True)
class _Segment:
    """A part of the backward pass: what is freed after it, and what it leaves behind. Bytes."""

    activations: int
    copies: int = 0  #: bf16 copies of its matrices
    gradients: int = 0
    checkpoint: int = 0  #: what is kept instead of the activations when they are computed twice
    passing: int = 0  #: gradients of activations while it is at work


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
        _segments(sizes, preset, batch, kind, trained),
        preset.gradient_checkpointing,
        gradients if preset.gradient_accumulation_steps > 1 else 0,
        gradients,
        _rounding(sizes, trained, whole) if kind == "bf16" else 0,
    )
    constant = {
        "weights": held + 4 * adapters,
        "optimizer": state,
        "codec": (2 if halved else 4) * sizes.codec,
        "overhead": CUDA_CONTEXT + FRAGMENTATION * sum(moment.terms.values()) if cuda else 0,
    }
    terms = {**constant, **moment.terms}
    order = ("weights", "copies", "gradients", "optimizer", "activations", "codec", "overhead")
    return MemoryPlan({name: round(terms[name]) for name in order}, moment.at)


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


def _saved(stack: Transformer, kind: Arithmetic, how: str, rank: int, residual: int) -> tuple[int, int]:
    """Bytes that autograd keeps of one layer: (per position, per position that attention sees).

    `how` is trained, adapter or frozen; `residual` is the bytes of a number between layers. In order: what
    precedes each of the two norms, the norms' inner product and outcome, the inputs of the linear layers, queries
    and keys before and after their norms, what the attention keeps (queries, keys, values, its outcome), the
    outcome laid end to end, and the MLP's gate, its activation, the other branch and their product.
    """
    h, q, k, i = stack.hidden, stack.queries, stack.keys, stack.intermediate
    small = 4 * (2 + stack.heads + stack.key_heads)  # the norms' scales
    log_sums = 4 * stack.heads
    if kind == "fp32":
        attention = 8 * q + 8 * k + log_sums
        if how == "trained":
            return 24 * h + 12 * q + 8 * k + 16 * i + small, attention
        if how == "adapter":
            return 16 * h + 8 * q + 4 * k + 16 * i + 28 * rank + small, attention
        return 8 * h + 4 * q + 4 * k + 12 * i + small, attention
    attention = 4 * q + 4 * k + log_sums
    if how == "adapter":
        return 18 * h + 6 * q + 4 * k + 8 * i + 14 * rank + small, attention
    if how == "frozen":
        return 8 * h + 4 * q + 4 * k + 6 * i + small, attention
    norms = 16 if kind == "bf16" else 26 if residual == 4 else 22
    return norms * h + 8 * q + 6 * k + 8 * i + small, attention


def _segments(
    sizes: ModelSizes, preset: Hyperparameters, batch: WorstBatch, kind: Arithmetic, trained: Mapping[str, int]
) -> list[_Segment]:
    """The parts of the backward pass, in the order in which autograd comes to them: the last made comes first."""
    talker, predictor, parts = sizes.talker, sizes.predictor, sizes.parameters()
    wide = 4 if kind == "fp32" else 2  # bytes of what linear layers give
    width = 2 if kind == "bf16" else 4  # bytes of a gradient
    frames = max(1, round(batch.frames * preset.code_predictor_share))
    asked = batch.frames + batch.clips
    rest, places = sizes.codebooks - 1, frames * sizes.codebooks
    embeds = bool(trained.get("codec_embedding") or trained.get("text_embedding"))
    talker_how = layers_how(trained, "talker")
    predictor_how = layers_how(trained, "predictor")
    in_talker = talker_how != "frozen" or embeds  # otherwise autograd never comes there
    in_predictor = in_talker or predictor_how != "frozen"

    def residual(how: str) -> int:
        """Bytes of a number on the way between layers."""
        in_fp32 = how == "trained" or bool(trained.get("codec_embedding"))
        return 4 if kind == "fp32" or (kind == "autocast" and in_fp32) else 2

    def copies(part: str, matrices: int) -> int:
        return 2 * matrices if kind == "autocast" and trained.get(part) else 0

    def layer(stack: Transformer, part: str, how: str, positions: int, padded: int, rope: int) -> _Segment:
        through = residual(how if in_talker else "frozen")
        saved, attention = _saved(stack, kind, how, preset.adapter_rank, through)
        adapter = trained.get(f"{part}_adapter", 0) // stack.layers
        branches = 3 if how == "frozen" else 2  # of the MLP's gradients; the first takes the place of its product
        return _Segment(
            activations=positions * (saved + rope * through) + padded * attention,
            copies=copies(f"{part}_layers", stack.layer_matrices) + (2 * adapter if kind == "autocast" else 0),
            gradients=(width * stack.layer_parameters if trained.get(f"{part}_layers") else 0) + 4 * adapter,
            checkpoint=positions * through * stack.hidden,
            passing=positions * (branches * wide * stack.intermediate + 2 * through * stack.hidden),
        )

    segments = []
    if in_predictor:
        logits = frames * rest * sizes.codes
        segments.append(
            _Segment(
                activations=4 * logits + places * predictor.hidden * (4 + wide),
                copies=copies("predictor_heads", parts["predictor_heads"]),
                gradients=width * trained.get("predictor_heads", 0),
                passing=8 * logits,
            )
        )
        one = layer(predictor, "predictor", predictor_how, places, places, 0)
        segments += [one] * predictor.layers
        segments.append(
            _Segment(
                activations=places * (residual(predictor_how) * predictor.hidden)
                + (places * wide * talker.hidden if parts["predictor_projection"] else 0),
                copies=copies("predictor_projection", parts["predictor_projection"]),
                gradients=width * (trained.get("predictor_projection", 0) + trained.get("predictor_embeddings", 0)),
                passing=2 * places * residual(predictor_how) * talker.hidden,
            )
        )
    if in_talker:
        logits = asked * sizes.codec_vocabulary
        segments.append(
            _Segment(
                activations=4 * logits + batch.positions * 4 * talker.hidden + asked * wide * talker.hidden,
                copies=copies("codec_head", parts["codec_head"]),
                gradients=width * trained.get("codec_head", 0),
                passing=8 * logits,
            )
        )
        one = layer(talker, "talker", talker_how, batch.positions, batch.padded, 2 * talker.head_dim)
        segments += [one] * talker.layers
        texts = batch.positions - batch.frames
        segments.append(
            _Segment(
                activations=batch.positions * residual(talker_how) * talker.hidden
                + texts * wide * 3 * sizes.text_hidden,
                copies=copies("text_projection", parts["text_projection"]),
                gradients=width
                * sum(trained.get(part, 0) for part in ("text_projection", "text_embedding", "codec_embedding")),
                passing=3 * batch.positions * residual(talker_how) * talker.hidden,
            )
        )
    return segments


def layers_how(trained: Mapping[str, int], stack: str) -> str:
    if trained.get(f"{stack}_layers"):
        return "trained"
    return "adapter" if trained.get(f"{stack}_adapter") else "frozen"


@dataclass(frozen=True)
class _Moment:
    terms: dict[str, int]
    at: str

    @property
    def total(self) -> int:
        return sum(self.terms.values())


def _highest(
    segments: Sequence[_Segment], checkpointing: bool, accumulated: float, all_gradients: float, rounding: int
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

    moments = [moment("forward", sum(kept), sum(copies), accumulated), moment("step", 0, rounding, all_gradients)]
    grown = 0
    for index, one in enumerate(segments):
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
