"""Where nobody pauses, cuts lie between words, where the voice drops, and always in the same places."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.conftest import GivenClip
from voicefactory.audio.wav import read_wav
from voicefactory.pipeline.ingest import ingest
from voicefactory.pipeline.segment import segment
from voicefactory.pipeline.word_cuts import WordEnd, split
from voicefactory.project import Project
from voicefactory.types import SAMPLE_RATE, Progress

FRAME = SAMPLE_RATE // 100


def breathless(clips: list[GivenClip]) -> np.ndarray:
    """The clips one after the other, and of each quiet moment the first 80 ms."""
    samples = np.concatenate([soundfile.read(clip.path, dtype="float32")[0] for clip in clips])
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    level = np.sqrt(np.square(frames).mean(axis=1))
    keep, run = [], 0
    for quiet in level < level.max() * 10 ** (-38 / 20):
        run = run + 1 if quiet else 0
        keep.append(run <= 8)
    return frames[np.array(keep)].reshape(-1)


def test_speech_without_a_pause_is_cut_between_words(tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    project = Project.create("Anna", tmp_path / "home")
    soundfile.write(tmp_path / "long.wav", breathless(twelve_clips[2:7]), SAMPLE_RATE)
    recordings, _ = ingest(project, [tmp_path / "long.wav"])
    _, refused = segment(project, recordings)
    assert "without a pause" in refused[0].reason
    clips, refused = segment(project, recordings, asr="tiny.en", language="english")
    assert refused == []
    assert len(clips) >= 3
    assert all(2 <= clip.seconds <= 13 for clip in clips)
    whole = read_wav(recordings[0].audio)
    power = np.square(whole[: len(whole) // FRAME * FRAME].reshape(-1, FRAME), dtype=np.float64).mean(axis=1)
    for before, after in itertools.pairwise(clips):
        assert after.start_s == pytest.approx(before.end_s, abs=1e-3)  # nothing is lost
        here = power[round(before.end_s * 100)]
        assert 10 * np.log10(np.median(power) / here) > 12
    stamps = {clip.audio: clip.audio.stat().st_mtime_ns for clip in clips}
    for asr in ("tiny.en", "", "auto"):  # who is asked later does not matter: texts belong to these clips
        assert segment(project, recordings, asr=asr, language="english") == (clips, [])
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps


@pytest.mark.slow
def test_the_same_places_every_time(tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    cuts = []
    for home in ("one", "two"):
        project = Project.create("Anna", tmp_path / home)
        soundfile.write(tmp_path / "long.wav", breathless(twelve_clips[2:7]), SAMPLE_RATE)
        recordings, _ = ingest(project, [tmp_path / "long.wav"])
        clips, _ = segment(project, recordings, asr="tiny.en", language="english")
        cuts.append([(clip.start_s, clip.end_s, clip.sha256) for clip in clips])
    assert cuts[0] == cuts[1]


def test_a_model_that_is_not_there_is_told_and_nothing_is_lost(tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    project = Project.create("Anna", tmp_path / "home")
    soundfile.write(tmp_path / "long.wav", breathless(twelve_clips[2:6]), SAMPLE_RATE)
    recordings, _ = ingest(project, [tmp_path / "long.wav"])
    seen: list[Progress] = []
    _, refused = segment(project, recordings, asr="large-v3", on_progress=seen.append)
    assert "without a pause" in refused[0].reason
    assert any("for want of word times" in progress.message for progress in seen if progress.notice)
    seen.clear()
    segment(project, recordings, asr="tiny.en", language="german", on_progress=seen.append)
    assert any("English only" in progress.message for progress in seen if progress.notice)


def test_split_takes_the_cheapest_places_and_says_when_there_are_none() -> None:
    places = [WordEnd(6.0, 2.5), WordEnd(7.0, 0.0), WordEnd(14.0, 0.7), WordEnd(15.0, 3.0)]
    assert split(21.0, places, 19.6) == [7.0, 14.0]
    assert split(21.0, [WordEnd(1.0, 0.0)], 19.6) is None
    assert split(9.0, places, 19.6) == []
    many = [WordEnd(index / 3, 1.0) for index in range(1, 3_000)]
    cuts = split(1_000.0, many, 19.6)
    assert cuts is not None
    assert all(2 <= b - a <= 12 for a, b in itertools.pairwise(cuts))
