"""Cleaning changes the sound and nothing else: not the time, not the ids, not the texts; and it can be taken back."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.conftest import GivenClip
from tests.media import tone
from voicefactory.audio import cleaning
from voicefactory.audio.wav import read_wav
from voicefactory.errors import Cancelled, InputError
from voicefactory.pipeline.clean import before_and_after, clean, parse_steps, restore, steps_of
from voicefactory.pipeline.ingest import ingest
from voicefactory.pipeline.segment import load_clips, segment
from voicefactory.pipeline.transcripts import bring_transcripts, load_transcripts, set_transcripts
from voicefactory.project import Project
from voicefactory.types import SAMPLE_RATE, Clip, Progress

RATE = SAMPLE_RATE


def speech(clip: GivenClip) -> np.ndarray:
    return soundfile.read(clip.path, dtype="float32")[0]


def noisy(clean_speech: np.ndarray, level: float = 0.02) -> np.ndarray:
    noise = level * np.random.default_rng(0).standard_normal(len(clean_speech))
    return (clean_speech + noise).astype(np.float32)


def snr_db(wanted: np.ndarray, heard: np.ndarray) -> float:
    gain = float(np.dot(wanted, heard) / np.dot(wanted, wanted))
    return float(10 * np.log10(np.square(gain * wanted).sum() / np.square(heard - gain * wanted).sum()))


def test_denoised_speech_is_cleaner_and_in_its_place(twelve_clips: list[GivenClip]) -> None:
    wanted = speech(twelve_clips[8])[: 2 * RATE]
    heard = noisy(wanted)
    cleaned = cleaning.denoise(heard)
    assert len(cleaned) == len(heard)
    assert snr_db(wanted, cleaned) > snr_db(wanted, heard) + 5  # would be far below if it came 30 ms late
    late = [snr_db(wanted[960:-960], cleaned[960 + shift : len(cleaned) - 960 + shift]) for shift in range(-48, 49, 6)]
    assert int(np.argmax(late)) == 8
    assert np.array_equal(cleaning.denoise(heard), cleaned)


def test_highpass_takes_rumble_and_leaves_the_voice() -> None:
    rumble, voice = tone(2, hertz=30), tone(2, hertz=150)
    passed = cleaning.highpass(rumble + voice)
    middle = slice(RATE // 2, -RATE // 2)
    assert np.abs(passed - voice)[middle].max() < 0.02
    assert np.abs(cleaning.highpass(rumble))[middle].max() < 0.01


@pytest.mark.parametrize("gain", [0.02, 0.3, 1.0])
def test_level_reaches_the_target_without_a_peak_over_the_ceiling(gain: float, twelve_clips: list[GivenClip]) -> None:
    leveled = cleaning.level((gain * speech(twelve_clips[0])).astype(np.float32))
    loudness = cleaning.loudness_of(leveled)
    assert loudness is not None
    assert cleaning.LOWEST_LUFS <= loudness <= cleaning.LEVEL_LUFS + 0.1
    assert cleaning.true_peak_dbfs(leveled) <= cleaning.TRUE_PEAK_DBFS + 0.01


def test_level_guards_the_true_peak_and_leaves_silence_alone(twelve_clips: list[GivenClip]) -> None:
    spiky = speech(twelve_clips[0]) * 0.1
    spiky[RATE] = 0.9
    assert cleaning.true_peak_dbfs(cleaning.level(spiky)) <= cleaning.TRUE_PEAK_DBFS + 0.01
    silence = np.zeros(RATE, dtype=np.float32)
    assert np.array_equal(cleaning.level(silence), silence)
    assert np.array_equal(cleaning.denoise(silence), silence)


@pytest.fixture
def project(tmp_path: Path, twelve_clips: list[GivenClip]) -> Project:
    """Three clips with noise, one text given and one edited."""
    project = Project.create("Anna", tmp_path / "home")
    for clip in twelve_clips[:3]:
        soundfile.write(tmp_path / clip.path.name, noisy(speech(clip)[: 2 * RATE]), RATE)
    (tmp_path / "texts.csv").write_text("\n".join(f"{clip.path.stem}|{clip.text}" for clip in twelve_clips[:3]))
    recordings, _ = ingest(project, [tmp_path / clip.path.name for clip in twelve_clips[:3]])
    clips, _ = segment(project, recordings, keep_whole=True)
    bring_transcripts(project, clips, tmp_path / "texts.csv", language="english")
    first = load_transcripts(project)[0]
    set_transcripts(project, [replace(first, text="Said by a person.")])
    return project


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.wav")}


def test_cleaned_clips_keep_ids_times_and_texts_and_the_originals(project: Project) -> None:
    before, texts, as_cut = load_clips(project), load_transcripts(project), files_in(project.clips)
    after = clean(project, before, denoise=True, level=True, highpass=True)
    assert load_clips(project) == after
    assert files_in(project.clips) == as_cut
    assert load_transcripts(project) == texts
    for old, new in zip(before, after, strict=True):
        assert (new.id, new.start_s, new.end_s, new.file) == (old.id, old.start_s, old.end_s, old.file)
        assert new.seconds == pytest.approx(old.seconds)
        assert new.sha256 != old.sha256 == new.original_sha256 == new.said_sha256
        assert new.quality.snr_db > old.quality.snr_db + 10
        assert before_and_after(project, new) == (old.audio, new.audio)
        assert steps_of(new) == ("highpass", "denoise", "level")
    assert restore(project) == before == load_clips(project)
    assert load_transcripts(project) == texts
    assert files_in(project.root / "cleaned") == {}


def test_one_clip_cutting_again_and_other_steps(project: Project, tmp_path: Path) -> None:
    before = load_clips(project)
    after = clean(project, before[1:2], highpass=True)
    assert [clip.original_sha256 != "" for clip in after] == [False, True, False]
    recordings, _ = ingest(project, sorted(tmp_path.glob("*.wav")))
    again, _ = segment(project, recordings, keep_whole=True)
    assert sorted(again, key=lambda clip: clip.id) == sorted(after, key=lambda clip: clip.id)  # still cleaned
    louder = clean(project, again, level=True)
    assert all(steps_of(clip) == ("level",) for clip in louder)
    assert len(files_in(project.root / "cleaned")) == 3
    segment(project, recordings[:1], keep_whole=True)
    assert len(files_in(project.root / "cleaned")) == 1
    assert len(load_clips(project)) == 1


def test_a_stopped_run_goes_on_where_it_was(project: Project) -> None:
    clips = load_clips(project)
    finished: list[Progress] = []
    with pytest.raises(Cancelled):
        clean(project, clips, level=True, on_progress=finished.append, should_stop=lambda: len(finished) > 1)
    assert load_clips(project) == clips
    done = {path: path.stat().st_mtime_ns for path in (project.root / "cleaned").glob("*.wav")}
    assert len(done) == 1
    clean(project, clips, level=True)
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert len(files_in(project.root / "cleaned")) == 3


def test_what_was_cut_off_stays_known(project: Project, tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    soundfile.write(tmp_path / "clipped.wav", np.clip(8 * speech(twelve_clips[0]), -1, 1), RATE)
    recordings, _ = ingest(project, [tmp_path / "clipped.wav"])
    clips, _ = segment(project, recordings)
    (cleaned,) = clean(project, clips, level=True)
    assert cleaned.quality.clipped_share == clips[0].quality.clipped_share > 0.001


def test_mistakes_are_sentences(project: Project) -> None:
    assert parse_steps("level, Denoise") == {"highpass": False, "denoise": True, "level": True}
    with pytest.raises(InputError, match="'reverb' is no way to clean a clip"):
        parse_steps("level,reverb")
    gone: Clip = replace(load_clips(project)[0], id="0123456789abcdef-0000")
    with pytest.raises(InputError, match="There is no clip"):
        clean(project, [gone], level=True)


def test_the_command(project: Project) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "voicefactory", "clean", "Anna", "--home", str(project.home), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=300)

    first = load_clips(project)[0].id
    done = run("--highpass", "--clips", first, "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["clips"]
    assert (row["clip"], row["steps"]) == (first, ["highpass"])
    assert len(read_wav(Path(row["audio"]))) == len(read_wav(Path(row["original"])))
    nothing = run()
    assert (nothing.returncode, "Say what to do" in nothing.stderr) == (2, True)
