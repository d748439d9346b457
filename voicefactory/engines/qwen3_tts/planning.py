"""What a run will be: clips, steps, memory, work. Loads no torch; `memory` has the model of the memory."""

from __future__ import annotations

import math
from collections.abc import Sequence

from voicefactory.engines.base import Plan, PlannedClip
from voicefactory.engines.qwen3_tts.activations import layers_how
from voicefactory.engines.qwen3_tts.data_order import split_held_out
from voicefactory.engines.qwen3_tts.memory import plan_memory, trained_parameters, worst_batch
from voicefactory.engines.qwen3_tts.sizes import ModelSizes
from voicefactory.errors import InputError
from voicefactory.presets import Hyperparameters, Preset, settle

FRAME_RATE = 12.5  #: codec frames per second


def plan_run(sizes: ModelSizes, clips: Sequence[PlannedClip], preset: Preset, *, cuda: bool) -> Plan:
    """What training on `clips` will need. Raises InputError if there are none."""
    if not clips:
        raise InputError("There is nothing to plan for: no clip with a text. Add recordings first.")
    settled = settle(preset, len(clips), sum(clip.seconds for clip in clips))
    training, held_out = split_held_out([clip.id for clip in clips], settled.eval_fraction, settled.seed)
    chosen = [clips[index] for index in training]
    frames = [frames_of(clip.seconds) for clip in chosen]
    positions = [positions_of(clip.seconds, clip.text, sizes.text_vocabulary) for clip in chosen]
    memory = plan_memory(sizes, settled, worst_batch(positions, frames, settled.batch_size), cuda=cuda)
    batches = math.ceil(len(chosen) / settled.batch_size)
    steps_per_epoch = math.ceil(batches / settled.gradient_accumulation_steps)
    steps = settled.max_steps or settled.epochs * steps_per_epoch
    epoch = training_flops(sizes, settled, sum(positions), sum(frames))
    return Plan(
        preset=settled,
        training_clips=len(training),
        held_out_clips=len(held_out),
        steps=steps,
        memory=memory.terms,
        flops=epoch * steps / steps_per_epoch,
    )


def frames_of(seconds: float) -> int:
    """Codec frames of a clip."""
    return max(1, round(seconds * FRAME_RATE))


def positions_of(seconds: float, text: str, text_vocabulary: int) -> int:
    """Positions of a clip before its text is tokenised; see the layout in `inputs`.

    A large vocabulary is taken to need a token for three bytes of text, a toy's one for each: on the safe side
    for English, where it is nearer four characters.
    """
    letters = len(text.encode())
    tokens = -(-letters // 3) if text_vocabulary > 10_000 else letters
    return 3 + 4 + 2 + tokens + 2 + frames_of(seconds)  # role, tags, speaker and pad, text, its end and codec bos


def training_flops(sizes: ModelSizes, preset: Hyperparameters, positions: int, frames: int) -> float:
    """Floating-point operations of training on that many positions and frames once.

    Two a weight and position forward, two for the gradient of what came in, two for that of the weight: six, four
    where the weight is frozen (Kaplan et al. 2020, arXiv:2001.08361), and two more where activations are computed
    twice. The attention's own products are left out: below 2 % at these lengths.
    """
    trained, parts = trained_parameters(sizes, preset), sizes.parameters()
    again = 2 if preset.gradient_checkpointing else 0
    embeds = bool(trained.get("codec_embedding") or trained.get("text_embedding"))
    in_talker = embeds or layers_how(trained, "talker") != "frozen"
    in_predictor = in_talker or layers_how(trained, "predictor") != "frozen"

    def each(part: str, weights: int, reached: bool, twice: int) -> float:
        operations = 2.0 if not reached else 6 if trained.get(part) else 4
        return weights * (operations + (twice if reached else 0))

    talker, predictor = sizes.talker, sizes.predictor
    position = each("talker_layers", talker.layers * talker.layer_matrices, in_talker, again)
    position += each("codec_head", parts["codec_head"], in_talker, 0)
    of_frame = each("predictor_layers", predictor.layers * predictor.layer_matrices, in_predictor, again)
    of_frame += each("predictor_projection", parts["predictor_projection"], in_predictor, 0)
    heads = each("predictor_heads", parts["predictor_heads"], in_predictor, 0)
    share = preset.code_predictor_share
    return positions * position + frames * share * (sizes.codebooks * of_frame + heads)
