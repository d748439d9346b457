"""Which clips train, which are held out, and in what order: functions of the preset alone, so that a resumed run
needs nothing but its step to go on with the same clips."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from voicefactory.errors import InputError
from voicefactory.presets import Hyperparameters

MIN_CLIPS_TO_HOLD_OUT = 10


def split_held_out(clips: Sequence[str], fraction: float, seed: int) -> tuple[list[int], list[int]]:
    """Indices to train on and to hold out. `clips` are ids "<recording>-<index>"; an id without a recording is a
    text that the model itself has said, which tells nothing about the voice and is never held out.

    Whole recordings are held out where there are enough of them, so that no held-out clip is cut from the
    same file as a training one; below `MIN_CLIPS_TO_HOLD_OUT` clips nothing is held out.
    """
    recorded = [index for index, clip in enumerate(clips) if "-" in clip]
    if len(recorded) < MIN_CLIPS_TO_HOLD_OUT or fraction == 0:
        return list(range(len(clips))), []
    wanted = max(1, round(fraction * len(recorded)))
    by_recording: dict[str, list[int]] = {}
    for index in recorded:
        by_recording.setdefault(clips[index].rpartition("-")[0], []).append(index)
    recordings = sorted(by_recording)
    random.Random(seed).shuffle(recordings)
    held_out: list[int] = []
    for recording in recordings:
        if len(held_out) + len(by_recording[recording]) <= wanted:
            held_out += by_recording[recording]
    if not held_out:  # few, long recordings: single clips are better than no measurement
        held_out = sorted(recorded, key=lambda index: clips[index])[-wanted:]
    chosen = set(held_out)
    return [index for index in range(len(clips)) if index not in chosen], sorted(chosen)


def epochs_of_steps(
    lengths: dict[int, int], preset: Hyperparameters, first_epoch: int = 0
) -> Iterator[list[list[list[int]]]]:
    """Epoch after epoch: its steps, each a list of batches, each a list of indices.

    The order depends on seed and epoch alone. Clips are shuffled, sorted by length within groups of 16
    batches so that a batch holds clips of like length, and the batches are shuffled. The last, shorter
    accumulation of an epoch is a step as well.
    """
    epoch = first_epoch
    while True:
        shuffled = random.Random(f"{preset.seed}/{epoch}")
        order = sorted(lengths)
        shuffled.shuffle(order)
        group = 16 * preset.batch_size
        batches = []
        for start in range(0, len(order), group):
            alike = sorted(order[start : start + group], key=lambda index: lengths[index])
            batches += [alike[at : at + preset.batch_size] for at in range(0, len(alike), preset.batch_size)]
        shuffled.shuffle(batches)
        accumulated = preset.gradient_accumulation_steps
        yield [batches[at : at + accumulated] for at in range(0, len(batches), accumulated)]
        epoch += 1


def steps_from(
    lengths: dict[int, int], preset: Hyperparameters, step: int, total_steps: int
) -> Iterator[tuple[int, list[list[int]]]]:
    """(epoch, batches) of every step after `step`, up to `total_steps`. Epochs count from 1."""
    if not lengths:
        raise InputError("There is no clip left to train on. Add recordings.")
    steps_per_epoch = len(next(epochs_of_steps(lengths, preset)))
    epoch, skip = divmod(step, steps_per_epoch)
    for steps in epochs_of_steps(lengths, preset, epoch):
        epoch += 1
        for batches in steps[skip:]:
            if step == total_steps:
                return
            yield epoch, batches
            step += 1
        skip = 0
