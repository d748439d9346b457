"""Guided recording with real Whisper: was the sentence read, is the take kept with its text, and only once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from tests.conftest import GivenClip
from tests.media import encode
from voicefactory import files
from voicefactory.audio.wav import read_wav
from voicefactory.pipeline import takes
from voicefactory.pipeline.ingest import ingest, load_recordings
from voicefactory.pipeline.prompts import Prompt, next_prompt, prompt_id, prompt_set, recording_progress
from voicefactory.pipeline.reading import Reading, check_reading, listener
from voicefactory.pipeline.segment import segment
from voicefactory.pipeline.takes import give_texts, keep_take, load_takes, remove_take
from voicefactory.pipeline.transcribe import transcribe
from voicefactory.pipeline.transcripts import set_transcripts
from voicefactory.pipeline.wording import compare
from voicefactory.project import Project
from voicefactory.types import SAMPLE_RATE

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

Sound = np.ndarray


@pytest.fixture(scope="module")
def model() -> WhisperModel:
    return listener("tiny.en", "cpu")[1]


def prompt_of(text: str, language: str = "english") -> Prompt:
    return Prompt(prompt_id(text, language), text, language)


def sound_of(clip: GivenClip) -> Sound:
    samples, rate = soundfile.read(clip.path, dtype="float32")
    assert rate == SAMPLE_RATE
    return samples


def test_the_right_sentence(model: WhisperModel, twelve_clips: list[GivenClip]) -> None:
    for clip in (twelve_clips[1], twelve_clips[8]):  # one of them in words that Whisper spells otherwise
        found = check_reading(clip.path, prompt_of(clip.text), model)
        assert found.ok, found.reasons
        assert found.error_rate is not None
        assert found.error_rate < 0.2
        assert found.heard
        assert found.quality is not None
        assert found.quality.snr_db > 30
        assert found.seconds == pytest.approx(soundfile.info(clip.path).duration, abs=0.7)


def test_another_sentence(model: WhisperModel, twelve_clips: list[GivenClip]) -> None:
    found = check_reading(twelve_clips[8].path, prompt_of(twelve_clips[5].text), model)
    assert not found.ok
    assert found.reasons == (f"Another sentence was heard: “{found.heard}”.",)
    assert "message" in found.heard


def test_half_of_the_sentence(model: WhisperModel, twelve_clips: list[GivenClip], tmp_path: Path) -> None:
    clip = twelve_clips[9]
    samples = sound_of(clip)
    prompt = prompt_of(clip.text)
    first = check_reading(encode(tmp_path / "a.wav", samples[: len(samples) // 2], SAMPLE_RATE, "wav"), prompt, model)
    assert not first.ok
    assert first.reasons[0].startswith("The end is missing: “")
    assert "setup process" in first.reasons[0]
    assert {"Welcome", "to"} <= {word.text for word in first.words if word.said}
    last = check_reading(encode(tmp_path / "b.wav", samples[len(samples) // 2 :], SAMPLE_RATE, "wav"), prompt, model)
    assert not last.ok
    assert "was not heard: “Welcome" in last.reasons[0]


def test_nothing_to_hear(model: WhisperModel, tmp_path: Path) -> None:
    hiss = 0.01 * np.random.default_rng(0).standard_normal(SAMPLE_RATE * 3).astype(np.float32)
    sounds = {"silence": np.zeros(SAMPLE_RATE * 3, dtype=np.float32), "hiss": hiss}
    said = {
        name: check_reading(encode(tmp_path / f"{name}.wav", samples, SAMPLE_RATE, "wav"), prompt_of("Hello."), model)
        for name, samples in sounds.items()
    }
    assert not any(found.ok or found.heard or found.seconds for found in said.values())
    assert "silent" in said["silence"].reasons[0]
    assert "No speech was heard" in said["hiss"].reasons[0]
    broken = tmp_path / "broken.webm"
    broken.write_bytes(b"no sound at all")
    assert "Record it again." in check_reading(broken, prompt_of("Hello."), model).reasons[0]


def test_level_noise_and_clipping_are_heard_in_the_take_itself(
    model: WhisperModel, twelve_clips: list[GivenClip], tmp_path: Path
) -> None:
    clip = twelve_clips[8]
    samples, prompt = sound_of(clip), prompt_of(clip.text)
    noise = np.random.default_rng(0).standard_normal(len(samples)).astype(np.float32)
    takes = {
        "too quiet": samples * 0.008,
        "too noisy": samples + 0.05 * noise,
        "too loud": np.clip(samples * 12, -1, 1),
    }
    for word, take in takes.items():
        found = check_reading(encode(tmp_path / f"{word}.wav", take, SAMPLE_RATE, "wav"), prompt, model)
        assert not found.ok
        assert any(word in reason for reason in found.reasons), (word, found.reasons)


def test_a_model_that_hears_english_only_says_that_it_cannot_check(
    model: WhisperModel, twelve_clips: list[GivenClip]
) -> None:
    found = check_reading(twelve_clips[8].path, prompt_of("Guten Morgen.", "german"), model)
    assert found.ok
    assert found.error_rate is None
    assert "hears English only" in found.notes[0]


@pytest.mark.parametrize(
    ("wanted", "heard", "language", "missing"),
    [
        ("The colour is grey.", "the color is GREY", "english", ()),
        ("I have twenty one cats.", "I have 21 cats.", "english", ()),
        ("Peut-être l'été.", "peut être l’été", "french", ()),
        ("Всё ещё здесь.", "Все еще здесь", "russian", ()),
        ("他们在那里。", "她們在那裡", "chinese", ()),
        ("カメラです。", "かめらです", "japanese", ()),
        ("안녕 하세요.", "안녕하세요", "korean", ()),
        ("One two three four.", "One two four.", "english", ("three",)),
        ("One two.", "", "english", ("One", "two")),
    ],
)
def test_texts_are_compared_as_they_are_spoken(
    wanted: str, heard: str, language: str, missing: tuple[str, ...]
) -> None:
    found = compare(wanted, heard, language)
    assert found.missing == missing
    assert (found.error_rate == 0) == (not missing)


@pytest.fixture
def checked(twelve_clips: list[GivenClip]) -> Callable[[GivenClip, Prompt], Reading]:
    """A reading as `check_reading` gives it, without listening once more."""

    def reading(clip: GivenClip, prompt: Prompt) -> Reading:
        seconds = soundfile.info(clip.path).duration
        return Reading(prompt, True, (), (), prompt.text, 0.0, (), seconds, 0.3, seconds - 0.3, -20.0, None)

    return reading


def test_a_take_is_a_recording_with_its_text(
    model: WhisperModel, twelve_clips: list[GivenClip], tmp_path: Path, checked: Callable[[GivenClip, Prompt], Reading]
) -> None:
    project = Project.create("Ann", tmp_path)
    first, second, third, *_ = prompt_set("english")
    keep_take(project, twelve_clips[0].path, checked(twelve_clips[0], first))
    keep_take(project, twelve_clips[8].path, checked(twelve_clips[8], third))
    assert next_prompt(project, "english") == second
    assert list(load_takes(project)) == [first.id, third.id]
    recordings, refused = ingest(project, sorted(project.uploads.glob("*/*")))
    assert not refused
    assert {take.recording for take in load_takes(project).values()} == {one.id for one in recordings}
    clips, _ = segment(project, recordings)
    given = give_texts(project, clips)
    assert {row.text for row in given} == {first.text, third.text}
    assert all((row.source, row.language, row.confidence) == ("given", "english", 1.0) for row in given)
    transcripts, refused = transcribe(project, clips, asr="tiny.en", device="cpu")  # would hear something else
    assert transcripts == [row for clip in clips for row in given if row.clip == clip.id]
    assert not refused
    edited = given[0].__class__(**{**vars(given[0]), "text": "What I really said."})
    set_transcripts(project, [edited])
    assert "What I really said." in {row.text for row in give_texts(project, clips)}
    progress = recording_progress(project, "english")
    assert progress.takes == 2
    assert progress.seconds == pytest.approx(sum(one.seconds for one in recordings), abs=0.01)
    assert 0 < progress.toward[30] < progress.toward[10] < 1


def test_the_take_keeps_its_level_and_loses_what_lies_around_the_speech(
    twelve_clips: list[GivenClip], tmp_path: Path, model: WhisperModel
) -> None:
    clip = twelve_clips[8]
    quiet = np.zeros(SAMPLE_RATE * 2, dtype=np.float32)
    quiet[: SAMPLE_RATE // 10] = 0.3 * (-1) ** np.arange(SAMPLE_RATE // 10)  # the click of a mouse
    take = encode(tmp_path / "t.wav", np.concatenate([quiet, 0.3 * sound_of(clip), quiet[::-1]]), SAMPLE_RATE, "wav")
    found = check_reading(take, prompt_of(clip.text), model)
    assert found.ok, found.reasons
    kept = keep_take(Project.create("Ann", tmp_path), take, found)
    samples = read_wav(tmp_path / "projects" / "ann" / kept.audio)
    assert kept.seconds == pytest.approx(found.seconds, abs=0.1)
    assert kept.seconds < soundfile.info(clip.path).duration + 0.6
    assert np.abs(samples).max() == pytest.approx(0.3 * np.abs(sound_of(clip)).max(), rel=0.05)


def test_another_take_replaces_the_first_and_a_kill_loses_neither(
    twelve_clips: list[GivenClip],
    tmp_path: Path,
    checked: Callable[[GivenClip, Prompt], Reading],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = Project.create("Ann", tmp_path)
    prompt = prompt_set("english")[0]
    first = keep_take(project, twelve_clips[0].path, checked(twelve_clips[0], prompt))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(takes.os, "replace", _only_for_lists(killed))
        with pytest.raises(KeyboardInterrupt):
            keep_take(project, twelve_clips[1].path, checked(twelve_clips[1], prompt))
    assert load_takes(project) == {prompt.id: first}
    second = keep_take(project, twelve_clips[1].path, checked(twelve_clips[1], prompt))
    assert load_takes(project) == {prompt.id: second}
    assert [path.relative_to(project.root).as_posix() for path in project.uploads.glob("*/*")] == [second.audio]
    assert len(files.read_jsonl(project.root / "readings.jsonl")) == 1
    remove_take(project, prompt.id)
    assert not load_takes(project)
    assert not list(project.uploads.glob("*"))
    assert next_prompt(project, "english") == prompt
    assert not load_recordings(project)


def _only_for_lists(instead: Callable[..., None]) -> Callable[..., None]:
    """os.replace that lets our own files through and stops at the take's audio."""
    real = os.replace

    def replace(source: object, target: object) -> None:
        (instead if Path(str(target)).name.startswith("reading-") else real)(source, target)  # type: ignore[arg-type]

    return replace
