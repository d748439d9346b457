"""What a step keeps between its forward and its backward pass, part by part of the model.

`saved` lists what autograd keeps of a layer, tensor by tensor as the package's code makes them, and `segments_of`
puts the parts in the order in which the backward pass comes to them. Only numbers: nothing here loads torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from voicefactory.engines.qwen3_tts.sizes import ModelSizes, Transformer
from voicefactory.presets import Hyperparameters

Arithmetic = Literal["fp32", "autocast", "bf16"]


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
class Segment:
    """A part of the model: what is there while it is made, what stays, and what its way back adds. Bytes."""

    activations: int
    copies: int = 0  #: bf16 copies of its matrices, kept until the way back
    gradients: int = 0
    checkpoint: int = 0  #: what is kept instead of the activations when they are computed twice
    making: int = 0  #: beside all that, only while its forward pass is at work
    passing: int = 0  #: gradients of activations while its backward pass is at work


def layers_how(trained: Mapping[str, int], stack: str) -> str:
    """How the layers of "talker" or "predictor" take part: trained, adapter or frozen."""
    if trained.get(f"{stack}_layers"):
        return "trained"
    return "adapter" if trained.get(f"{stack}_adapter") else "frozen"


def saved(stack: Transformer, kind: Arithmetic, how: str, rank: int, residual: int) -> tuple[int, int]:
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


@dataclass(frozen=True)
class Shape:
    """A step in numbers: the model, what of it trains, in which arithmetic, on which batch."""

    sizes: ModelSizes
    preset: Hyperparameters
    batch: WorstBatch
    kind: Arithmetic
    trained: Mapping[str, int]  #: parameters by part

    @property
    def wide(self) -> int:
        """Bytes of a number that a linear layer gives."""
        return 4 if self.kind == "fp32" else 2

    @property
    def frames(self) -> int:
        """That the code predictor is trained on."""
        return max(1, round(self.batch.frames * self.preset.code_predictor_share))

    @property
    def reaches_talker(self) -> bool:
        """Otherwise autograd never comes there."""
        embeds = self.trained.get("codec_embedding") or self.trained.get("text_embedding")
        return bool(embeds) or layers_how(self.trained, "talker") != "frozen"

    def residual(self, how: str) -> int:
        """Bytes of a number on the way between layers that are trained, adapted or frozen."""
        in_fp32 = how == "trained" or bool(self.trained.get("codec_embedding"))
        return 4 if self.kind == "fp32" or (self.kind == "autocast" and in_fp32) else 2

    def gradients(self, *parts: str) -> int:
        """Bytes of the gradients of parts, as wide as their weights."""
        return (2 if self.kind == "bf16" else 4) * sum(self.trained.get(part, 0) for part in parts)

    def copies(self, part: str, matrices: int) -> int:
        """Bytes of the bf16 copies that autocast makes of a part's matrices."""
        return 2 * matrices if self.kind == "autocast" and self.trained.get(part) else 0


def segments_of(shape: Shape) -> list[Segment]:
    """The parts of the backward pass, in the order in which autograd comes to them: the last made comes first."""
    segments: list[Segment] = []
    if shape.reaches_talker or layers_how(shape.trained, "predictor") != "frozen":
        segments += _predictor(shape)
    if shape.reaches_talker:
        segments += _talker(shape)
    return segments


def _predictor(shape: Shape) -> list[Segment]:
    """Heads, layers and projection of the code predictor."""
    sizes, places = shape.sizes, shape.frames * shape.sizes.codebooks
    how, parameters = layers_how(shape.trained, "predictor"), shape.sizes.parameters()
    heads = _heads(shape, "predictor_heads", shape.frames, sizes.codebooks - 1, sizes.codes, sizes.predictor.hidden)
    projected = places * shape.wide * sizes.talker.hidden if parameters["predictor_projection"] else 0
    projection = Segment(
        activations=places * shape.residual(how) * sizes.predictor.hidden + projected,
        copies=shape.copies("predictor_projection", parameters["predictor_projection"]),
        gradients=shape.gradients("predictor_projection", "predictor_embeddings"),
        passing=2 * places * shape.residual(how) * sizes.talker.hidden,
    )
    norm = Segment(activations=places * sizes.predictor.hidden * 4)
    layer = _layer(shape, sizes.predictor, "predictor", places, places, 0)
    return [heads, norm, *[layer] * sizes.predictor.layers, projection]


def _talker(shape: Shape) -> list[Segment]:
    """Head, layers and text projection of the talker."""
    sizes, batch, trained = shape.sizes, shape.batch, shape.trained
    through, positions = shape.residual(layers_how(trained, "talker")), batch.positions
    asked = batch.frames + batch.clips
    head = _heads(shape, "codec_head", asked, 1, sizes.codec_vocabulary, sizes.talker.hidden)
    norm = Segment(activations=positions * 4 * sizes.talker.hidden)
    layer = _layer(shape, sizes.talker, "talker", positions, batch.padded, 2 * sizes.talker.head_dim)
    texts = positions - batch.frames
    inputs = Segment(
        activations=positions * through * sizes.talker.hidden + texts * shape.wide * 3 * sizes.text_hidden,
        copies=shape.copies("text_projection", sizes.parameters()["text_projection"]),
        gradients=shape.gradients("text_projection", "text_embedding", "codec_embedding"),
        passing=3 * positions * through * sizes.talker.hidden,
    )
    return [head, norm, *[layer] * sizes.talker.layers, inputs]


def _heads(shape: Shape, part: str, rows: int, heads: int, vocabulary: int, hidden: int) -> Segment:
    """Heads whose gradient is made in the forward pass, see `linear_cross_entropy`."""
    matrices = shape.trained.get(part, 0)
    logits = (4 if shape.kind == "fp32" else 6) * rows * vocabulary  # in bf16 both, for a moment
    copy = 2 * hidden * vocabulary if shape.kind == "autocast" else 0
    return Segment(
        activations=rows * heads * hidden * shape.wide + shape.wide * matrices,
        gradients=shape.gradients(part),
        making=logits + copy,
        passing=rows * heads * hidden * shape.wide - shape.wide * matrices,  # gradients take the place of those kept
    )


def _layer(shape: Shape, stack: Transformer, part: str, positions: int, padded: int, rope: int) -> Segment:
    """One layer of a stack. `rope` are the numbers a position of the rotary embedding that it keeps."""
    how = layers_how(shape.trained, part)
    through = shape.residual(how if shape.reaches_talker else "frozen")
    kept, attention = saved(stack, shape.kind, how, shape.preset.adapter_rank, through)
    adapter = shape.trained.get(f"{part}_adapter", 0) // stack.layers
    branches = 3 if how == "frozen" else 2  # of the MLP's gradients; the first takes the place of its product
    trained = stack.layer_parameters if shape.trained.get(f"{part}_layers") else 0
    return Segment(
        activations=positions * (kept + rope * through) + padded * attention,
        copies=shape.copies(f"{part}_layers", stack.layer_matrices) + (2 * adapter if shape.kind == "autocast" else 0),
        gradients=(2 if shape.kind == "bf16" else 4) * trained + 4 * adapter,
        checkpoint=positions * through * stack.hidden,
        passing=positions * (branches * shape.wide * stack.intermediate + 2 * through * stack.hidden),
    )
