"""Long recordings are cut in pauses and nowhere else; short ones stay whole; everything left out is listed."""

from __future__ import annotations

import itertools
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.conftest import GivenClip
from tests.media import Samples, encode, likeness, tone
from voicefactory import files
from voicefactory.audio.edges import FADE_S, PAD_S
from voicefactory.audio.wav import read_wav
from voicefactory.pipeline.ingest import ingest, load_recordings
from voicefactory.pipeline.refusals import load_refused
from voicefactory.pipeline.segment import load_clips, segment
from voicefactory.project import Project
from voicefactory.types import MAX_CLIP_S, MIN_CLIP_S, SAMPLE_RATE, Clip


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create("Anna", tmp_path / "home")


@dataclass(frozen=True)
class Long:
    """Twelve clips in one recording, and where in it someone speaks (by level alone, not by the VAD)."""

    samples: Samples
    spoken: list[tuple[float, float]]  #: stretches without a quiet moment of 150 ms, seconds
    seconds: float


def spoken_stretches(samples: Samples, pause_s: float = 0.15) -> list[tuple[float, float]]:
    frame = SAMPLE_RATE // 100
    level = np.sqrt(np.square(samples[: len(samples) // frame * frame].reshape(-1, frame)).mean(axis=1))
    loud = np.flatnonzero(level > level.max() * 10 ** (-36 / 20)) / 100
    breaks = np.flatnonzero(np.diff(loud) > pause_s)
    starts, ends = loud[np.r_[0, breaks + 1]], loud[np.r_[breaks, len(loud) - 1]] + 0.01
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def joined(clips: list[GivenClip], pauses_s: list[float], noise: float) -> Long:
    generator = np.random.default_rng(0)
    pieces: list[Samples] = []
    for clip, pause_s in zip(clips, pauses_s, strict=True):
        samples, _ = soundfile.read(clip.path, dtype="float32")
        pieces += [samples, np.zeros(round(pause_s * SAMPLE_RATE), dtype=np.float32)]
    clean = np.concatenate(pieces)
    noisy = clean + noise * generator.standard_normal(len(clean)).astype(np.float32)
    return Long(noisy, spoken_stretches(clean), len(clean) / SAMPLE_RATE)


def cut(project: Project, samples: Samples, folder: Path) -> list[Clip]:
    path = encode(folder / "long.flac", samples, SAMPLE_RATE, "flac")
    recordings, refused = ingest(project, [path])
    assert refused == []
    clips, _ = segment(project, recordings)
    return clips


@pytest.mark.parametrize("noise", [0.0, 0.0005, 0.003], ids=["silent", "-66 dB", "-50 dB"])
@pytest.mark.parametrize("pauses", ["0.4 to 0.8 s", "none"])
def test_no_cut_falls_within_speech(
    noise: float, pauses: str, project: Project, twelve_clips: list[GivenClip], tmp_path: Path
) -> None:
    pauses_s = [0.4 + 0.4 * (index % 5) / 4 if pauses != "none" else 0.0 for index in range(12)]
    long = joined(twelve_clips, pauses_s, noise)
    clips = cut(project, long.samples, tmp_path)
    assert len(clips) > 4
    for clip in clips:
        assert MIN_CLIP_S <= clip.seconds <= MAX_CLIP_S
        assert clip.end_s - clip.start_s <= clip.seconds + 1e-6 <= clip.end_s - clip.start_s + 2 * PAD_S
        for start_s, end_s in long.spoken:
            for at in (clip.start_s, clip.end_s):
                assert not start_s < at < end_s, f"cut at {at:.2f} s in the speech from {start_s:.2f} to {end_s:.2f} s"
    heard = sum(
        min(end_s, clip.end_s) - max(start_s, clip.start_s)
        for clip in clips
        for start_s, end_s in long.spoken
        if clip.start_s < end_s and start_s < clip.end_s
    )
    assert heard == pytest.approx(sum(end_s - start_s for start_s, end_s in long.spoken), abs=0.05)
    assert all(b.start_s >= a.end_s - 1e-6 for a, b in itertools.pairwise(clips))
    assert load_refused(project) == []
    if pauses != "none":
        assert all(2.5 < clip.seconds < 13 for clip in clips)


@pytest.mark.parametrize("pause_s", [0.6, 0.0])
def test_clips_hold_the_recording_between_edges_of_room_quiet(
    pause_s: float, project: Project, twelve_clips: list[GivenClip], tmp_path: Path
) -> None:
    long = joined(twelve_clips[:6], [pause_s] * 6, 0.003)
    clips = cut(project, long.samples, tmp_path)
    recording = next(project.recordings.glob("*.wav"))
    fade = round(FADE_S * SAMPLE_RATE)
    room = []
    for clip in clips:
        own, whole = read_wav(clip.audio), read_wav(recording, clip.start_s, clip.end_s)
        before = int(np.argmax([likeness_at(own, whole, at) for at in range(len(own) - len(whole) + 1)]))
        assert np.abs(own[before + fade :][: len(whole) - 2 * fade] - whole[fade:-fade]).max() < 1e-4
        assert own[0] == own[-1] == 0
        for added in (own[fade:before], own[before + len(whole) : -fade]):
            if len(added) > 0.03 * SAMPLE_RATE:
                room.append(20 * np.log10(np.sqrt(np.square(added).mean())))
        assert clip.quality.snr_db > 20
        assert clip.quality.verdicts == ()
    gain_db = load_recordings(project)[0].gain_db
    assert room == pytest.approx([20 * np.log10(0.003) + gain_db] * len(room), abs=3)  # the noise goes on
    assert room or pause_s


def likeness_at(own: Samples, whole: Samples, at: int) -> float:
    middle = slice(SAMPLE_RATE, 2 * SAMPLE_RATE)
    return -float(np.abs(own[at:][middle] - whole[middle]).max())


def test_at_most_200_ms_of_a_pause_are_kept(project: Project, twelve_clips: list[GivenClip], tmp_path: Path) -> None:
    long = joined(twelve_clips[:6], [3.0] * 6, 0.0)
    clips = cut(project, np.concatenate([np.zeros(SAMPLE_RATE * 5, dtype=np.float32), long.samples]), tmp_path)
    assert len(clips) == 6
    for clip in clips:
        (first, _), *_ = stretches = spoken_stretches(read_wav(clip.audio))
        assert first < 0.4
        assert clip.seconds - stretches[-1][1] < 0.4


def test_a_stretch_without_a_pause_is_refused_with_its_place(
    project: Project, twelve_clips: list[GivenClip], tmp_path: Path
) -> None:
    clip = next(clip for clip in twelve_clips if "getconfno" in clip.path.name)
    samples, _ = soundfile.read(clip.path, dtype="float32")
    breathless = np.tile(samples[round(0.15 * SAMPLE_RATE) : round(3.2 * SAMPLE_RATE)], 9)  # 27 s
    normal, _ = soundfile.read(twelve_clips[0].path, dtype="float32")
    silence = np.zeros(SAMPLE_RATE, dtype=np.float32)
    clips = cut(project, np.concatenate([normal, silence, breathless, silence, normal]), tmp_path)
    assert len(clips) == 2
    (refused,) = load_refused(project)
    assert refused.file == "long.flac"
    assert re.fullmatch(
        r"From 0:0[56]\.\d to 0:3[34]\.\d someone speaks for 2[78] s without a pause, so it could not be cut "
        r"between words\.",
        refused.reason,
    )


def test_short_files_stay_whole(project: Project, twelve_clips: list[GivenClip]) -> None:
    recordings, _ = ingest(project, [clip.path for clip in twelve_clips])
    clips, refused = segment(project, recordings)
    assert refused == []
    assert [clip.file for clip in clips] == [recording.file for recording in recordings]
    for clip, recording in zip(clips, recordings, strict=True):
        assert clip.id == f"{recording.id}-0000"
        assert (clip.start_s, clip.end_s) == (0, pytest.approx(recording.seconds, abs=1e-4))
        assert 0 <= clip.seconds - recording.seconds <= 2 * PAD_S
        assert likeness(read_wav(clip.audio), read_wav(recording.audio)) > 0.999
        assert clip.quality.verdicts == ()
    assert load_clips(project) == clips


def test_what_has_no_usable_speech_is_refused_with_the_reason(
    project: Project, twelve_clips: list[GivenClip], tmp_path: Path
) -> None:
    generator = np.random.default_rng(0)
    speech, _ = soundfile.read(twelve_clips[0].path, dtype="float32")
    faint = 0.001 * speech
    faint[:50] = 0.9  # a click keeps the level down
    sounds = {
        "tone": tone(5),
        "noise": 0.1 * generator.standard_normal(SAMPLE_RATE * 5).astype(np.float32),
        "long noise": 0.1 * generator.standard_normal(SAMPLE_RATE * 40).astype(np.float32),
        "faint": faint,
    }
    for name, samples in sounds.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, SAMPLE_RATE, subtype="FLOAT")
    recordings, refused = ingest(project, [tmp_path / f"{name}.wav" for name in sounds])
    assert refused == []
    clips, refused = segment(project, recordings)
    assert clips == []
    assert [row.file for row in refused] == [f"{name}.wav" for name in sounds]
    assert [row.reason for row in refused[:3]] == ["No speech was heard in it."] * 3
    assert re.match(r"It is too quiet to use|No speech", refused[3].reason)


def test_verdicts_say_what_is_wrong(project: Project, twelve_clips: list[GivenClip], tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    speech, _ = soundfile.read(twelve_clips[0].path, dtype="float32")
    clipped = np.clip(6 * speech, -1, 1)
    noisy = speech + 0.03 * generator.standard_normal(len(speech)).astype(np.float32)
    silence = np.zeros(round(0.45 * SAMPLE_RATE), dtype=np.float32)
    word = speech[round(0.1 * SAMPLE_RATE) : round(0.5 * SAMPLE_RATE)]
    sparse = np.concatenate([silence, word, np.tile(silence, 4), word, silence])
    loud = speech / np.abs(speech).max()  # full scale is reached, nothing is cut off
    for name, samples in {"clipped": clipped, "noisy": noisy, "sparse": sparse, "loud": loud}.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, SAMPLE_RATE)
    recordings, _ = ingest(project, [tmp_path / f"{name}.wav" for name in ("clipped", "noisy", "sparse", "loud")])
    clips, _ = segment(project, recordings)
    first_words = [[verdict.split(":")[0] for verdict in clip.quality.verdicts] for clip in clips]
    assert first_words == [["clipping"], ["noisy"], ["mostly pauses"], []]
    assert clips[0].quality.clipped_share > 0.01


def test_keep_whole_refuses_what_is_too_long(project: Project, twelve_clips: list[GivenClip], tmp_path: Path) -> None:
    path = encode(tmp_path / "long.wav", joined(twelve_clips, [0.5] * 12, 0.0).samples, SAMPLE_RATE, "wav")
    recordings, _ = ingest(project, [path, twelve_clips[0].path])
    clips, refused = segment(project, recordings, keep_whole=True)
    assert [clip.file for clip in clips] == [twelve_clips[0].path.name]
    assert "leave out --transcripts so that Whisper can cut it" in refused[0].reason
    cut_clips, refused = segment(project, recordings)
    assert len(cut_clips) > 5
    assert refused == []


def test_a_second_run_cuts_nothing_and_old_clips_go(
    project: Project, twelve_clips: list[GivenClip], tmp_path: Path
) -> None:
    path = encode(tmp_path / "long.wav", joined(twelve_clips[:6], [0.5] * 6, 0.0).samples, SAMPLE_RATE, "wav")
    recordings, _ = ingest(project, [path, twelve_clips[0].path])
    clips, _ = segment(project, recordings)
    before = {path: path.stat().st_mtime_ns for path in project.clips.glob("*.wav")}
    assert segment(project, recordings) == (clips, [])
    assert {path: path.stat().st_mtime_ns for path in project.clips.glob("*.wav")} == before
    victim = clips[1].audio
    victim.unlink()  # a finished recording whose clips are gone is cut again
    assert segment(project, recordings) == (clips, [])
    assert victim.exists()
    fewer, _ = segment(project, recordings[1:])
    assert {path.stem for path in project.clips.glob("*.wav")} == {clip.id for clip in fewer}


def test_sigkill_while_cutting_loses_nothing_finished(
    project: Project, twelve_clips: list[GivenClip], tmp_path: Path
) -> None:
    for index in range(8):
        takes = joined(twelve_clips[index % 4 :][:6], [0.5 + index / 50] * 6, 0.0)
        encode(tmp_path / f"{index}.flac", takes.samples, SAMPLE_RATE, "flac")
    recordings, _ = ingest(project, [tmp_path / f"{index}.flac" for index in range(8)])
    program = (
        "import sys\nfrom pathlib import Path\nfrom voicefactory.project import Project\n"
        "from voicefactory.pipeline.ingest import load_recordings\n"
        "from voicefactory.pipeline.segment import segment\n"
        "project = Project(Path(sys.argv[1]))\nsegment(project, load_recordings(project))\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", program, str(project.root)])
    deadline = time.monotonic() + 60
    while len(list(project.clips.glob("*.json"))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    finished = {path.stem for path in project.clips.glob("*.json")}
    assert 2 <= len(finished) < 8
    assert not project.clips_jsonl.exists()
    before = {path: path.stat().st_mtime_ns for path in project.clips.glob("*.wav") if path.stem[:16] in finished}
    files.remove_leftovers(project.root, older_than_s=0)
    clips, refused = segment(project, recordings)
    assert refused == []
    assert {clip.recording for clip in clips} == {recording.id for recording in recordings}
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert {clip.audio for clip in clips} == set(project.clips.glob("*.wav"))


@pytest.mark.slow
def test_an_hour_is_cut_in_seconds_and_in_little_memory(
    project: Project, twelve_clips: list[GivenClip], tmp_path: Path
) -> None:
    """Twenty minutes here, so that the test stays short; memory does not depend on the length."""
    long = joined(twelve_clips * 18, [0.6] * 216, 0.0005)
    path = encode(tmp_path / "long.flac", long.samples, SAMPLE_RATE, "flac")
    assert long.seconds > 1200
    program = (
        "import resource, sys\nfrom pathlib import Path\nimport voicefactory.pipeline.segment\n"
        "from faster_whisper.vad import get_vad_model\nget_vad_model()\n"
        "from voicefactory.project import Project\nfrom voicefactory.pipeline.ingest import ingest\n"
        "project = Project(Path(sys.argv[1]))\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "before = peak()\n"
        "recordings, _ = ingest(project, [Path(sys.argv[2])])\n"
        "clips, refused = voicefactory.pipeline.segment.segment(project, recordings)\n"
        "print(len(clips), len(refused), peak() - before)\n"
    )
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program, str(project.root), str(path)], capture_output=True, text=True, check=True
    )
    clips, refused, megabytes = map(int, done.stdout.split())
    assert clips > 120
    assert refused == 0
    assert megabytes < 250
    assert time.monotonic() - started < 900
