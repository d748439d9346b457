"""The picture of a recording shows its loudest samples where they are, and the cuts where the clips are."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.conftest import GivenClip
from voicefactory.audio.waveform import CutMark, cuts, peaks
from voicefactory.pipeline.ingest import ingest
from voicefactory.pipeline.segment import segment
from voicefactory.project import Project
from voicefactory.types import SAMPLE_RATE


def spikes(path: Path, seconds: float, at_s: list[float]) -> Path:
    samples = np.zeros(round(seconds * SAMPLE_RATE), dtype=np.float32)
    for index, second in enumerate(at_s):
        samples[round(second * SAMPLE_RATE)] = 0.5 if index % 2 else -0.5
    soundfile.write(path, samples, SAMPLE_RATE)
    return path


@pytest.mark.parametrize("seconds", [10, 400])
def test_peaks_are_where_they_are(seconds: float, tmp_path: Path) -> None:
    path = spikes(tmp_path / "a.wav", seconds, [0.1 * seconds + 0.001, 0.805 * seconds])
    for _ in range(2):  # read, then remembered
        shown = peaks(path, 100)
        assert shown.shape == (100, 2)
        assert np.flatnonzero(shown[:, 0] < -0.4).tolist() == [10]
        assert np.flatnonzero(shown[:, 1] > 0.4).tolist() == [80]
    assert (tmp_path / ".peaks" / "a.npz").exists() == (seconds > 30)
    part = peaks(path, 10, 0.8 * seconds, 0.9 * seconds)
    assert np.flatnonzero(part[:, 1] > 0.4).tolist() == [0]


def test_another_file_under_the_name_and_a_damaged_memory_are_noticed(tmp_path: Path) -> None:
    path = spikes(tmp_path / "a.wav", 40, [1])
    peaks(path, 10)
    (tmp_path / ".peaks" / "a.npz").write_bytes(b"PK\x03\x04 cut off")
    assert peaks(path, 10)[:, 0].min() < -0.4
    before = os.stat(path)
    spikes(path, 40, [])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert peaks(path, 10)[:, 0].min() == 0
    assert len(peaks(spikes(tmp_path / "short.wav", 0.05, []), 100)) == 5


def test_cuts_are_those_of_the_clips(tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    project = Project.create("Anna", tmp_path / "home")
    silence = np.zeros(SAMPLE_RATE, dtype=np.float32)
    parts = [part for clip in twelve_clips[:4] for part in (soundfile.read(clip.path, dtype="float32")[0], silence)]
    soundfile.write(tmp_path / "long.wav", np.concatenate(parts), SAMPLE_RATE)
    recordings, _ = ingest(project, [tmp_path / "long.wav"])
    assert cuts(project, recordings[0].id) == []
    clips, _ = segment(project, recordings)
    assert cuts(project, recordings[0].id) == [CutMark(clip.start_s, clip.end_s, clip.id) for clip in clips]
    assert peaks(recordings[0].audio, 50).shape == (50, 2)
    segment(project, recordings)
    ingest(project, [tmp_path / "long.wav"])
