"""The reference: 3 to 10 s, the best first, with reasons; and the data set it goes into."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.conftest import GivenClip
from tests.media import encode, tone
from voicefactory import files
from voicefactory.audio.wav import read_wav
from voicefactory.errors import InputError
from voicefactory.pipeline.dataset import make_dataset
from voicefactory.pipeline.ingest import ingest
from voicefactory.pipeline.reference import load_reference, rank_references, reference
from voicefactory.pipeline.segment import load_clips, segment
from voicefactory.pipeline.transcripts import bring_transcripts, load_transcripts
from voicefactory.project import Project
from voicefactory.types import SAMPLE_RATE, Clip, Transcript


@pytest.fixture
def ready(prepared_project: Callable[[Path], Project], tmp_path: Path) -> tuple[Project, list[Clip], list[Transcript]]:
    project = prepared_project(tmp_path / "home")
    return project, load_clips(project), load_transcripts(project)


def project_of(tmp_path: Path, sounds: dict[str, np.ndarray]) -> tuple[Project, list[Clip], list[Transcript]]:
    """A project of recordings with made-up texts."""
    takes = tmp_path / "takes"
    takes.mkdir()
    for name, samples in sounds.items():
        encode(takes / f"{name}.wav", samples, SAMPLE_RATE, "wav")
        (takes / f"{name}.txt").write_text(f"The text of {name}.", encoding="utf-8")
    project = Project.create("Ben", tmp_path / "home")
    recordings, _ = ingest(project, [takes], companions=[takes])
    clips, _ = segment(project, recordings, keep_whole=True)
    transcripts, _ = bring_transcripts(project, clips, takes)
    return project, clips, transcripts


def test_the_best_of_twelve(ready: tuple[Project, list[Clip], list[Transcript]]) -> None:
    project, clips, transcripts = ready
    chosen = reference(project, clips, transcripts)
    ranked = rank_references(clips, transcripts)
    assert chosen == ranked[0] == load_reference(project)
    assert [found.score for found in ranked] == sorted((found.score for found in ranked), reverse=True)
    assert all(3 <= found.seconds <= 10 and 0 <= found.score <= 1 for found in ranked)
    assert len(ranked) == 11  # one of the twelve has 11 s
    assert chosen.text == next(row.text for row in transcripts if row.clip == chosen.clip)
    assert chosen.reasons[0] == f"{chosen.seconds:.1f} s long"
    assert "dB above the pauses" in chosen.reasons[1]
    kept = files.read_json(project.reference_json)["candidates"]
    assert [(row["clip"], row["reasons"]) for row in kept] == [(found.clip, list(found.reasons)) for found in ranked]


def test_noise_doubt_and_drops_lower_the_rank(ready: tuple[Project, list[Clip], list[Transcript]]) -> None:
    _, clips, transcripts = ready
    best, second, third, *_ = rank_references(clips, transcripts)
    noisy = [
        replace(clip, quality=replace(clip.quality, snr_db=12.0, verdicts=("noisy: hiss",)))
        if clip.id == best.clip
        else clip
        for clip in clips
    ]
    ranked = rank_references(noisy, transcripts)
    assert ranked[0].clip == second.clip
    assert ranked[-1].clip == best.clip
    assert "noisy: hiss" in ranked[-1].reasons
    doubtful = [replace(row, confidence=0.3, source="whisper") if row.clip == best.clip else row for row in transcripts]
    ranked = rank_references(clips, doubtful)
    assert ranked[0].clip == second.clip
    assert any("30% sure of the words" in reason for found in ranked for reason in found.reasons)
    dropped = [replace(row, dropped=row.clip in (best.clip, second.clip)) for row in transcripts]
    assert rank_references(clips, dropped)[0].clip == third.clip


def test_a_clip_that_the_person_wants(ready: tuple[Project, list[Clip], list[Transcript]]) -> None:
    project, clips, transcripts = ready
    wanted = rank_references(clips, transcripts)[5].clip
    chosen = reference(project, clips, transcripts, wanted=wanted)
    assert chosen.clip == wanted
    assert chosen.reasons[0] == "chosen by you"
    assert load_reference(project) == chosen
    long = next(clip for clip in clips if clip.seconds > 10)
    chosen = reference(project, clips, transcripts, wanted=long.id)
    assert 3 <= chosen.seconds <= 10
    assert chosen.text == ""


def test_a_file_that_the_person_brings(
    ready: tuple[Project, list[Clip], list[Transcript]], tmp_path: Path, twelve_clips: list[GivenClip]
) -> None:
    project, clips, transcripts = ready
    samples, rate = soundfile.read(twelve_clips[3].path, dtype="float32")
    brought = encode(tmp_path / "me.m4a", samples, rate, "m4a")
    chosen = reference(project, clips, transcripts, wanted=str(brought))
    assert chosen.seconds == pytest.approx(len(samples) / rate, abs=0.1)
    assert (chosen.text, chosen.clip, chosen.reasons[0]) == ("", "", "brought by you")
    assert chosen.audio.is_relative_to(project.root)
    assert soundfile.info(chosen.audio).samplerate == SAMPLE_RATE
    assert load_reference(project) == chosen


def test_a_long_file_is_cut_at_its_last_pause(
    ready: tuple[Project, list[Clip], list[Transcript]], tmp_path: Path, twelve_clips: list[GivenClip]
) -> None:
    project, clips, transcripts = ready
    first, second, third = (soundfile.read(clip.path, dtype="float32")[0] for clip in twelve_clips[:3])
    pause = np.zeros(SAMPLE_RATE // 2, dtype=np.float32)
    seconds = (len(first) + len(pause) + len(second)) / SAMPLE_RATE
    assert seconds > 10  # so the pause before the second is the last one
    brought = encode(tmp_path / "me.flac", np.concatenate([first, pause, second, pause, third]), SAMPLE_RATE, "flac")
    chosen = reference(project, clips, transcripts, wanted=str(brought))
    assert 3 <= chosen.seconds <= 10
    assert "up to a pause" in chosen.reasons[-1]
    heard = read_wav(chosen.audio)
    assert np.abs(heard[-SAMPLE_RATE // 20 :]).max() < 0.01  # it ends in silence
    with pytest.raises(InputError, match=r"2\.0 s long; it needs 3 to 10 s"):
        reference(project, clips, transcripts, wanted=str(encode(tmp_path / "s.wav", tone(2), SAMPLE_RATE, "wav")))


def test_references_that_cannot_be(ready: tuple[Project, list[Clip], list[Transcript]], tmp_path: Path) -> None:
    project, clips, transcripts = ready
    with pytest.raises(InputError, match="neither an audio file nor the id of a clip"):
        reference(project, clips, transcripts, wanted=str(tmp_path / "nothing.wav"))
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    with pytest.raises(InputError, match=r"text\.wav cannot be used\. It is not a recording: it is a text file"):
        reference(project, clips, transcripts, wanted=str(text))


def test_only_short_clips_give_the_longest_and_say_so(tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    samples, _ = soundfile.read(twelve_clips[0].path, dtype="float32")
    sounds = {"a": samples[: SAMPLE_RATE * 2], "b": samples[: round(SAMPLE_RATE * 2.5)]}
    project, clips, transcripts = project_of(tmp_path, sounds)
    chosen = reference(project, clips, transcripts)
    assert chosen.text == "The text of b."
    assert "no clip has the 3 to 10 s that a reference should have" in chosen.reasons


def test_only_long_clips_are_cut_and_say_so(tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    parts = [soundfile.read(clip.path, dtype="float32")[0] for clip in twelve_clips[:3]]
    pause = np.zeros(SAMPLE_RATE // 2, dtype=np.float32)
    project, clips, transcripts = project_of(
        tmp_path, {"a": np.concatenate([parts[0], pause, parts[1], pause, parts[2]])}
    )
    assert clips[0].seconds > 10
    chosen = reference(project, clips, transcripts)
    assert 3 <= chosen.seconds <= 10
    assert chosen.text == ""
    assert f"of {clips[0].seconds:.1f} s, up to a pause" in chosen.reasons[-1]


def test_the_dataset(ready: tuple[Project, list[Clip], list[Transcript]]) -> None:
    project, clips, transcripts = ready
    transcripts[2] = replace(transcripts[2], dropped=True)
    chosen = reference(project, clips, transcripts)
    dataset = make_dataset(project, clips, transcripts[:-1], chosen)
    rows = [json.loads(line) for line in dataset.path.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == len(dataset.samples) == 10
    assert [sample.clip.id for sample in dataset.samples] == [row["clip"] for row in rows]
    for row in rows:
        assert Path(row["audio"]).is_absolute()
        assert Path(row["audio"]).is_file()
        assert row["ref_audio"] == str(chosen.audio)
        assert row["language"] == "english"
        assert row["text"]


def test_the_fingerprint_follows_everything_that_training_sees(
    ready: tuple[Project, list[Clip], list[Transcript]],
) -> None:
    project, clips, transcripts = ready
    first, second, *_ = rank_references(clips, transcripts)

    def fingerprint(clips: list[Clip], transcripts: list[Transcript]) -> str:
        return make_dataset(project, clips, transcripts, first).fingerprint

    same = fingerprint(clips, transcripts)
    assert fingerprint(clips, transcripts) == same
    others = {
        fingerprint(clips[1:], transcripts),
        fingerprint(clips, [replace(transcripts[0], text="Else."), *transcripts[1:]]),
        fingerprint(clips, [replace(transcripts[0], language="german"), *transcripts[1:]]),
        fingerprint([replace(clips[0], sha256="0"), *clips[1:]], transcripts),
        make_dataset(project, clips, transcripts, second).fingerprint,
    }
    assert len(others) == 5
    assert same not in others


def test_no_clip_left(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    takes = tmp_path / "takes"
    takes.mkdir()
    encode(takes / "hiss.wav", 0.1 * generator.standard_normal(SAMPLE_RATE * 3).astype(np.float32), SAMPLE_RATE, "wav")
    encode(takes / "blip.wav", tone(0.1), SAMPLE_RATE, "wav")
    (takes / "notes.wav").write_text("no sound")
    (takes / "empty.wav").touch()
    project = Project.create("Ben", tmp_path / "home")
    recordings, _ = ingest(project, [takes])
    clips, _ = segment(project, recordings)
    with pytest.raises(InputError) as raised:
        reference(project, clips, [])
    assert str(raised.value) == (
        "No usable clip is left: takes/blip.wav: It is too short: 0.1 s. A clip needs at least 1 s. "
        "takes/empty.wav: The file is empty (0 bytes). takes/notes.wav: It is not a recording: it is a text file. "
        "And 1 more."
    )


def test_all_clips_dropped(ready: tuple[Project, list[Clip], list[Transcript]]) -> None:
    project, clips, transcripts = ready
    chosen = reference(project, clips, transcripts)
    dropped = [replace(row, dropped=True) for row in transcripts]
    with pytest.raises(InputError, match="No usable clip is left: all 12 were dropped"):
        reference(project, clips, dropped)
    with pytest.raises(InputError, match="No usable clip is left: all 12 were dropped"):
        make_dataset(project, clips, dropped, chosen)
