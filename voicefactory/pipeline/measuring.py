"""What the sound of every clip measures, on all cores, and kept: each audio is measured once.

Leaves analysis/sound.jsonl, a row for each audio (by its SHA-256), appended in batches, so a killed run loses one
batch at most; what belongs to no clip any more goes when a run ends.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from voicefactory import files
from voicefactory.audio.sound_measures import DNSMOS, Sound, measure_sound
from voicefactory.audio.speaker_encoder import Embedding
from voicefactory.errors import Cancelled, VoiceFactoryError
from voicefactory.pipeline.workers import Tell, finished, worker_count
from voicefactory.project import Project
from voicefactory.types import Clip, OnProgress, Progress, ShouldStop

_VERSION = 1  # raise it when the same audio measures something else
_BATCH = 8  # rows between two writes
_WORTH_A_POOL_S = 600.0  # of audio: with less, processes take longer to start than the work takes
_DNSMOS_COSTS = 5  # times as much as everything else
_MOST_WORKERS = 4  # of some 300 MB each, so that all of them and the caller stay below 1.5 GB


@dataclass(frozen=True)
class Measured:
    """What one audio measured."""

    measures: Mapping[str, float]
    missing: Mapping[str, str]  #: measure → why not, a sentence
    embedding: Embedding | None  #: who speaks: a unit vector of shape (256,)
    dnsmos: bool  #: whether that was asked for

    @property
    def readable(self) -> bool:
        return "duration_s" in self.measures


@dataclass(frozen=True)
class Task:
    """One audio to measure, and what of it."""

    audio: str
    sound: bool  #: everything but DNSMOS
    dnsmos: bool


def measured_sounds(
    project: Project, clips: Sequence[Clip], *, dnsmos: bool, on_progress: OnProgress, should_stop: ShouldStop
) -> dict[str, Measured]:
    """SHA-256 of the audio → what it measured, of every clip; what was measured before is taken over.

    A file that cannot be read is in the result with the reason, and is tried again the next time. Raises Cancelled.
    """
    kept = load_sounds(project)
    wanted = {clip.sha256: clip for clip in clips}
    tasks = {
        sha256: Task(str(clip.audio), sha256 not in kept, dnsmos)
        for sha256, clip in wanted.items()
        if sha256 not in kept or (dnsmos and not kept[sha256].dnsmos)
    }
    total, done = len(wanted), len(wanted) - len(tasks)
    on_progress(Progress("analyse", done, total, "Measuring the clips." if tasks else ""))
    waiting: dict[str, Measured] = {}
    try:
        for sha256, sound in _results(tasks, wanted, on_progress, should_stop):
            kept[sha256] = waiting[sha256] = _joined(kept.get(sha256), sound, dnsmos)
            done += 1
            if len(waiting) >= _BATCH:
                _append(project, waiting)
                waiting = {}
            on_progress(Progress("analyse", done, total, f"{done} of {total} clips"))
    finally:
        _append(project, waiting)
    if len(files.read_jsonl(_path(project))) > len(wanted):
        rows = ((sha256, kept[sha256]) for sha256 in wanted)
        files.write_jsonl(_path(project), (_row(sha256, one) for sha256, one in rows if one.readable))
    return {sha256: kept[sha256] for sha256 in wanted}


def load_sounds(project: Project) -> dict[str, Measured]:
    """SHA-256 → what was measured, as far as earlier runs came."""
    return {
        row["sha256"]: Measured(row["measures"], row["missing"], _vector(row["embedding"]), row["dnsmos"])
        for row in files.read_jsonl(_path(project))
        if row["version"] == _VERSION
    }


def _results(
    tasks: dict[str, Task], clips: dict[str, Clip], on_progress: OnProgress, should_stop: ShouldStop
) -> Iterator[tuple[str, Sound]]:
    """Each task's result as it is there; what a broken pool left over is done here, one after the other."""
    left = dict(tasks)
    work_s = sum(clips[sha256].seconds * (_DNSMOS_COSTS * task.dnsmos + task.sound) for sha256, task in tasks.items())
    workers = min(worker_count(len(tasks)), _MOST_WORKERS) if work_s > _WORTH_A_POOL_S else 1
    while left:
        order = list(left)
        try:
            for number, sound in finished(
                _measure,
                [left[sha256] for sha256 in order],
                workers=workers,
                should_stop=should_stop,
                stopped="Stopped while measuring; what was measured is kept.",
            ):
                left.pop(order[number])
                yield order[number], sound
        except Cancelled:
            raise
        except VoiceFactoryError as error:
            if workers == 1:
                raise
            workers = 1
            on_progress(Progress("analyse", message=f"{error} It goes on in one process, slower.", notice=True))


def _measure(task: Task, tell: Tell, should_stop: ShouldStop) -> Sound:
    import torch

    if torch.get_num_threads() > 1:
        torch.set_num_threads(1)  # the other cores measure other clips, and every run sums in the same order
    return measure_sound(Path(task.audio), sound=task.sound, dnsmos=task.dnsmos)


def _joined(before: Measured | None, sound: Sound, dnsmos: bool) -> Measured:
    if before is None:
        vector = None if sound.embedding is None else sound.embedding.astype("<f2").astype(np.float32)  # as on disk
        return Measured(sound.measures, sound.missing, vector, dnsmos)
    measures = {**before.measures, **{name: value for name, value in sound.measures.items() if name == DNSMOS}}
    return replace(before, measures=measures, missing={**before.missing, **sound.missing}, dnsmos=dnsmos)


def _path(project: Project) -> Path:
    return project.root / "analysis" / "sound.jsonl"


def _append(project: Project, rows: dict[str, Measured]) -> None:
    """Add whole rows; half a row that a killed run left goes first."""
    lines = [json.dumps(_row(sha256, row), ensure_ascii=False) + "\n" for sha256, row in rows.items() if row.readable]
    if not lines:
        return
    path = _path(project)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+b") as out:
        out.seek(0)
        out.truncate(out.read().rfind(b"\n") + 1)
        out.write("".join(lines).encode())
        out.flush()
        os.fsync(out.fileno())


def _row(sha256: str, row: Measured) -> dict[str, Any]:
    vector = "" if row.embedding is None else base64.b64encode(row.embedding.astype("<f2").tobytes()).decode()
    return {
        "sha256": sha256,
        "version": _VERSION,
        "measures": dict(row.measures),
        "missing": dict(row.missing),
        "dnsmos": row.dnsmos,
        "embedding": vector,
    }


def _vector(text: str) -> Embedding | None:
    return np.frombuffer(base64.b64decode(text), dtype="<f2").astype(np.float32) if text else None
