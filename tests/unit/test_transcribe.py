"""Real Whisper (tiny.en) on real recordings."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jiwer
import numpy as np
import pytest
import soundfile

from tests.conftest import CLIPS, GivenClip
from tests.media import encode, tone
from voicefactory import files
from voicefactory.audio.wav import write_wav
from voicefactory.errors import Cancelled, InputError, ModelUnavailableError
from voicefactory.pipeline.asr import gpu_count, resolve_asr
from voicefactory.pipeline.ingest import ingest
from voicefactory.pipeline.refusals import load_refused
from voicefactory.pipeline.segment import load_clips, segment
from voicefactory.pipeline.transcribe import transcribe
from voicefactory.pipeline.transcripts import bring_transcripts, load_transcripts, set_transcripts
from voicefactory.pipeline.windows import GAP_S, pack
from voicefactory.project import Project
from voicefactory.types import SAMPLE_RATE, Clip, Progress, Transcript

DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def normalised(text: str) -> str:
    spelled = re.sub(r"\d", lambda digit: f" {DIGITS[int(digit[0])]} ", text.lower())
    return " ".join(re.sub(r"[^a-z' ]", " ", spelled).split())


def listen_to_twelve(root: Path) -> tuple[Project, list[Clip]]:
    project = Project.create("Anna", root)
    recordings, _ = ingest(project, [CLIPS / "wavs"])
    clips, _ = segment(project, recordings)
    return project, clips


@pytest.fixture(scope="session")
def heard(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, list[Clip], list[Transcript], list[Progress]]:
    """The twelve clips as Whisper hears them. Read only."""
    project, clips = listen_to_twelve(tmp_path_factory.mktemp("heard"))
    seen: list[Progress] = []
    transcripts, refused = transcribe(project, clips, asr="tiny.en", on_progress=seen.append)
    assert refused == []
    return project, clips, transcripts, seen


def test_twelve_clips_with_few_wrong_words(
    heard: tuple[Project, list[Clip], list[Transcript], list[Progress]], twelve_clips: list[GivenClip]
) -> None:
    project, clips, transcripts, seen = heard
    texts = {clip.path.name: normalised(clip.text) for clip in twelve_clips}
    assert [row.clip for row in transcripts] == [clip.id for clip in clips]
    said = [texts[Path(clip.file).name] for clip in clips]
    understood = [normalised(row.text) for row in transcripts]
    assert jiwer.wer(said, understood) < 0.15
    assert all(jiwer.wer(a, b) < 0.5 for a, b in zip(said, understood, strict=True))  # no words in the next clip
    assert all(0.6 < row.confidence <= 1 and row.language == "english" for row in transcripts)
    assert all(row.source == "whisper" and not row.dropped for row in transcripts)
    assert load_transcripts(project) == transcripts
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)
    assert (seen[-1].done, seen[-1].total) == (12, 12)


def test_a_second_run_hears_nothing_again(
    heard: tuple[Project, list[Clip], list[Transcript], list[Progress]],
) -> None:
    project, clips, transcripts, _ = heard
    seen: list[Progress] = []
    assert transcribe(project, clips, asr="tiny.en", on_progress=seen.append) == (transcripts, [])
    assert [progress.message for progress in seen] == ["12 transcripts"]  # the model was not even loaded


def test_words_of_a_person_stay(prepared_project: Callable[[Path], Project], tmp_path: Path) -> None:
    project = prepared_project(tmp_path)
    clips = load_clips(project)
    given = load_transcripts(project)
    edited = replace(given[0], text="  What I really\nsaid. ")
    dropped = replace(given[1], dropped=True)
    set_transcripts(project, [edited, dropped])
    transcripts, refused = transcribe(project, clips, asr="tiny.en")
    assert refused == []
    assert (transcripts[0].text, transcripts[0].source) == ("What I really said.", "edited")
    assert transcripts[1] == dropped
    assert transcripts[2:] == given[2:]


def test_only_new_clips_are_heard_and_rows_of_gone_clips_go(tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    project = Project.create("Anna", tmp_path)
    recordings, _ = ingest(project, [clip.path for clip in twelve_clips[:2]])
    clips, _ = segment(project, recordings)
    transcribe(project, clips, asr="tiny.en")
    set_transcripts(project, [replace(load_transcripts(project)[1], text="Mine.")])
    recordings, _ = ingest(project, [clip.path for clip in twelve_clips[1:3]])
    clips, _ = segment(project, recordings)
    seen: list[Progress] = []
    transcripts, _ = transcribe(project, clips, asr="tiny.en", on_progress=seen.append)
    assert [(row.text == "Mine.", row.source) for row in transcripts] == [(True, "edited"), (False, "whisper")]
    assert "2 of 2 clips" in [progress.message for progress in seen]
    assert {row["clip"] for row in files.read_jsonl(project.transcripts_jsonl)} == {clip.id for clip in clips}


def test_sigkill_while_listening_keeps_what_was_heard(tmp_path: Path) -> None:
    project, clips = listen_to_twelve(tmp_path)
    program = (
        "import sys\nfrom pathlib import Path\nfrom voicefactory.project import Project\n"
        "from voicefactory.pipeline.segment import load_clips\n"
        "from voicefactory.pipeline.transcribe import transcribe\n"
        "project = Project(Path(sys.argv[1]))\ntranscribe(project, load_clips(project), asr='tiny.en')\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", program, str(project.root)])
    deadline = time.monotonic() + 120
    while not project.transcripts_jsonl.exists():
        assert worker.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    kept = load_transcripts(project)
    assert 0 < len(kept) < len(clips)
    seen: list[Progress] = []
    transcripts, _ = transcribe(project, clips, asr="tiny.en", on_progress=seen.append)
    assert len(transcripts) == 12
    assert transcripts[: len(kept)] == kept
    assert min(progress.done for progress in seen if " of 12 clips" in progress.message) > len(kept)


def test_cancel_and_then_the_rest(tmp_path: Path) -> None:
    project, clips = listen_to_twelve(tmp_path)
    with pytest.raises(Cancelled):
        transcribe(project, clips, asr="tiny.en", should_stop=project.transcripts_jsonl.exists)
    kept = load_transcripts(project)
    assert 0 < len(kept) < 12
    set_transcripts(project, [replace(kept[0], text="Typed while Whisper was away.")])
    transcripts, _ = transcribe(project, clips, asr="tiny.en")
    assert len(transcripts) == 12
    assert transcripts[0].text == "Typed while Whisper was away."


def test_sound_without_speech_gets_no_words(tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    """Whisper likes to hear "Thank you" in silence; such clips are refused instead."""
    project, clips = listen_to_twelve(tmp_path)
    generator = np.random.default_rng(0)
    sounds = {
        "silence": np.zeros(SAMPLE_RATE * 4, dtype=np.float32),
        "noise": 0.05 * generator.standard_normal(SAMPLE_RATE * 6).astype(np.float32),
        "tone": tone(5),
        "clicks": (generator.random(SAMPLE_RATE * 5) > 0.9995).astype(np.float32) * 0.5,
    }
    mute = []
    for name, samples in sounds.items():
        audio = tmp_path / f"{name}.wav"
        write_wav(audio, [samples])
        seconds = len(samples) / SAMPLE_RATE
        mute.append(replace(clips[0], id=f"{name}-0000", file=f"{name}.wav", audio=audio, seconds=seconds, sha256=name))
    mixed = [clips[0], mute[0], mute[1], clips[1], mute[2], mute[3]]
    transcripts, refused = transcribe(project, mixed, asr="tiny.en")
    assert [row.clip for row in transcripts] == [clips[0].id, clips[1].id]
    assert [row.file for row in refused] == ["silence.wav", "noise.wav", "tone.wav", "clicks.wav"]
    assert "understood nothing" in refused[0].reason
    assert load_refused(project) == refused


def test_words_of_a_long_recording_survive_the_cutting(tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    """Cut at pauses of 0.5 s and at none, packed, heard, and still the whole text."""
    pieces = []
    for clip in twelve_clips[:6]:
        samples, _ = soundfile.read(clip.path, dtype="float32")
        pieces += [samples, np.zeros(SAMPLE_RATE // 2, dtype=np.float32)]
    path = encode(tmp_path / "long.mp3", np.concatenate(pieces), SAMPLE_RATE, "mp3")
    project = Project.create("Anna", tmp_path)
    recordings, _ = ingest(project, [path])
    clips, _ = segment(project, recordings)
    transcripts, _ = transcribe(project, clips, asr="tiny.en")
    said = " ".join(normalised(clip.text) for clip in twelve_clips[:6])
    assert jiwer.wer(said, " ".join(normalised(row.text) for row in transcripts)) < 0.1


def test_windows_are_full_and_map_times_back(prepared_project: Callable[[Path], Project], tmp_path: Path) -> None:
    clips = load_clips(prepared_project(tmp_path)) * 5
    windows = list(pack(clips))
    assert [clip for window in windows for clip in window.clips] == clips
    assert len(windows) <= np.ceil(sum(clip.seconds + GAP_S for clip in clips) / 20)
    for window in windows:
        assert window.seconds <= 30
        loaded = window.load()
        assert len(loaded.samples) == pytest.approx(window.seconds * 16_000, abs=1)
        for clip, start_s in zip(window.clips, window.starts_s, strict=True):
            assert loaded.clip_of(start_s + 0.3, start_s + 0.5) is clip
            assert loaded.clip_of(start_s + clip.seconds - 0.3, start_s + clip.seconds + GAP_S) is clip
            after = loaded.samples[round((start_s + clip.seconds) * 16_000) + 50 :][: round((GAP_S - 0.01) * 16_000)]
            assert not after.any()


def test_languages_and_models_that_do_not_go_together(tmp_path: Path) -> None:
    project, clips = listen_to_twelve(tmp_path)
    with pytest.raises(InputError, match="'klingon' is not a language"):
        transcribe(project, clips, language="klingon", asr="tiny.en")
    with pytest.raises(InputError, match=r"tiny\.en hears English only, and the language is french"):
        transcribe(project, clips, language="fr", asr="tiny.en")
    with pytest.raises(InputError, match="'abacus' is not a device"):
        transcribe(project, clips, asr="tiny.en", device="abacus")
    assert load_transcripts(project) == []


def test_models_that_cannot_be_had(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match=r"--asr DIR.*--transcripts FILE"):
        resolve_asr("large-v3")
    with pytest.raises(InputError, match=r"There is no Whisper model 'enormous'\. Choose one of: tiny\.en"):
        resolve_asr("enormous")
    with pytest.raises(InputError, match=r"model\.bin, config\.json, tokenizer\.json is missing"):
        resolve_asr(str(tmp_path))
    with pytest.raises(InputError, match="the directory does not exist"):
        resolve_asr(str(tmp_path / "nothing"))
    broken = tmp_path / "broken"
    broken.mkdir()
    good = resolve_asr("tiny.en").path
    for file in good.iterdir():
        (broken / file.name).write_bytes(file.read_bytes()[:1000])
    project, clips = listen_to_twelve(tmp_path)
    with pytest.raises(InputError, match="cannot be loaded: "):
        transcribe(project, clips, asr=str(broken), device="cpu")


def test_auto_takes_what_is_on_this_machine_and_says_so(
    heard: tuple[Project, list[Clip], list[Transcript], list[Progress]], tmp_path: Path
) -> None:
    """Here there is no network (HF_HUB_OFFLINE) and an empty cache; a directory works as well as a name."""
    found = resolve_asr("auto")
    assert found.name == "tiny.en"
    assert "on this machine" in found.notice
    assert "English only" in found.notice
    assert resolve_asr(str(found.path)).path == found.path


def test_a_gpu_that_cannot_be_used_is_left_out_with_a_notice(tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    if gpu_count():
        pytest.skip("this machine has a GPU")
    project = Project.create("Anna", tmp_path)
    recordings, _ = ingest(project, [twelve_clips[0].path])
    clips, _ = segment(project, recordings)
    seen: list[Progress] = []
    transcripts, _ = transcribe(project, clips, asr="tiny.en", device="cuda:0", on_progress=seen.append)
    assert len(transcripts) == 1
    assert any(progress.message.startswith("Whisper cannot use the GPU here") for progress in seen)


def test_no_network_does_not_hang() -> None:
    """A Hub that takes the connection and never answers."""
    program = (
        "from voicefactory.pipeline.asr import gpu_count, resolve_asr\n"
        "from voicefactory.errors import ModelUnavailableError\n"
        "try:\n    resolve_asr('small')\nexcept ModelUnavailableError:\n    print('unavailable')\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as silent_hub:
        address = f"http://127.0.0.1:{silent_hub.getsockname()[1]}"
        environment = {**os.environ, "HF_HUB_OFFLINE": "0", "HF_ENDPOINT": address}
        started = time.monotonic()
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == "unavailable", done.stderr
    assert time.monotonic() - started < 200


def test_brought_texts_are_not_heard(tmp_path: Path) -> None:
    project, clips = listen_to_twelve(tmp_path)
    transcripts, refused = bring_transcripts(project, clips, CLIPS / "metadata.csv", language="English")
    assert refused == []
    assert transcribe(project, clips, asr="large-v3") == (transcripts, [])  # a model that is not there is not asked for
