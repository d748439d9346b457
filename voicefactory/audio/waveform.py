"""A recording as a picture: the lowest and highest sample of each of many stretches, and where it was cut.

The file is read in blocks, once: what one pass finds lies in .peaks/ beside it, in steps of 10 ms, and any width
of a page is made from that. A recording of an hour takes a second or two at first, and a few milliseconds later.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from voicefactory import files
from voicefactory.project import Project

Peaks = npt.NDArray[np.float32]  #: (buckets, 2): lowest and highest sample, full scale 1.0

_STEP_S = 0.01
_BLOCK_STEPS = 3000
_KEPT_FROM_S = 30.0  # shorter files are read each time


@dataclass(frozen=True)
class CutMark:
    """A clip as a stretch of its recording, seconds."""

    start_s: float
    end_s: float
    clip: str  #: Clip.id


def peaks(path: Path, buckets: int, start_s: float = 0.0, end_s: float | None = None) -> Peaks:
    """(buckets, 2) of a recording or a part of it; fewer rows if it has fewer steps of 10 ms.

    Raises OSError if there is no such file.
    """
    steps = _steps(path)
    first = max(0, int(start_s / _STEP_S))
    last = len(steps) if end_s is None else min(len(steps), max(first + 1, round(end_s / _STEP_S)))
    part = steps[first:last]
    count = min(max(1, buckets), len(part))
    if not count:
        return np.zeros((0, 2), dtype=np.float32)
    edges = np.linspace(0, len(part), count + 1).astype(int)[:-1]
    lowest, highest = np.minimum.reduceat(part[:, 0], edges), np.maximum.reduceat(part[:, 1], edges)
    return np.asarray(np.stack([lowest, highest], axis=1) / 32768, dtype=np.float32)


def cuts(project: Project, recording_id: str) -> list[CutMark]:
    """Where a recording was cut, in order; empty if it was not, or gave no clip."""
    sidecar = project.clips / f"{recording_id}.json"
    if not sidecar.exists():
        return []
    return [CutMark(row["start_s"], row["end_s"], row["id"]) for row in files.read_json(sidecar)["clips"]]


def _steps(path: Path) -> npt.NDArray[np.int16]:
    """(steps of 10 ms, 2) as 16-bit samples, from .peaks/ if they are of this very file."""
    about = path.stat()
    kept = path.parent / ".peaks" / f"{path.stem}.npz"
    version = [about.st_size, about.st_mtime_ns]
    if kept.exists():
        try:
            with np.load(kept) as found:
                if found["version"].tolist() == version:
                    return np.asarray(found["steps"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            pass  # not ours, or cut off: made anew
    steps, seconds = _read(path)
    if seconds >= _KEPT_FROM_S:
        with files.writing(kept) as aside:
            np.savez(aside, version=np.array(version), steps=steps)
    return steps


def _read(path: Path) -> tuple[npt.NDArray[np.int16], float]:
    found = []
    with soundfile.SoundFile(path) as file:
        step = max(1, round(_STEP_S * file.samplerate))
        while len(block := file.read(step * _BLOCK_STEPS, dtype="int16", always_2d=True)):
            mono = block[:, 0]
            short = -len(mono) % step
            rows = np.pad(mono, (0, short), mode="edge").reshape(-1, step)
            found.append(np.stack([rows.min(axis=1), rows.max(axis=1)], axis=1))
        seconds = file.frames / file.samplerate
    return (np.concatenate(found) if found else np.zeros((0, 2), dtype=np.int16)), seconds
