"""What every clip measures, on real recordings that were spoiled on purpose; restart, and texts that change."""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from tests.conftest import CLIPS, GivenClip
from tests.media import encode
from voicefactory import files
from voicefactory.audio.wav import write_wav
from voicefactory.cli import run
from voicefactory.errors import Cancelled
from voicefactory.pipeline.analyse import Analysis, analyse, load_analysis, load_voices
from voicefactory.pipeline.ingest import ingest
from voicefactory.pipeline.risk import risks
from voicefactory.pipeline.segment import load_clips, segment
from voicefactory.pipeline.transcripts import bring_transcripts, load_transcripts, set_transcripts
from voicefactory.project import Project
from voicefactory.types import SAMPLE_RATE, Clip, Progress, Transcript

OTHERS = Path(__file__).parent.parent / "data" / "others"
CLEAN = 8
#: analyses a project and kills itself, without a chance to clean up, after the tenth clip
KILLED = """
import os, signal, sys
from pathlib import Path
from voicefactory.pipeline.analyse import analyse
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.transcripts import load_transcripts
from voicefactory.project import Project
project = Project(Path(sys.argv[1]))
def tell(progress):
    if progress.done == 10:
        os.kill(os.getpid(), signal.SIGKILL)
analyse(project, load_clips(project), load_transcripts(project), dnsmos=False, on_progress=tell)
"""


def spoiled(given: list[GivenClip]) -> dict[str, tuple[np.ndarray, str]]:
    """Name → (samples at 24 kHz, text): eight clean clips, and one of every fault."""
    sounds = [soundfile.read(clip.path, dtype="float32")[0] for clip in given]
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(len(sounds[1])).astype(np.float32) * 0.1 * np.sqrt(np.mean(np.square(sounds[1]))) * 3
    telephone = soxr.resample(soxr.resample(sounds[2], SAMPLE_RATE, 6_800), 6_800, SAMPLE_RATE)
    foreign, rate = soundfile.read(OTHERS / "june_dir-firstlast.flac", dtype="float32")
    clean = {f"clean{index}": (sounds[4 + index], given[4 + index].text) for index in range(CLEAN)}
    return {
        **clean,
        "clipped": (np.clip(sounds[0] * 8, -1, 1), given[0].text),
        "noisy": (sounds[1] + noise, given[1].text),
        "telephone": (telephone, given[2].text),
        "fast": (sounds[3], f"{given[3].text} {given[6].text} {given[3].text}"),
        "foreign": (soxr.resample(foreign, rate, SAMPLE_RATE), "Pour le nom de famille, faites le un."),
    }


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, twelve_clips: list[GivenClip]) -> Project:
    """A project of clean and spoiled clips, with texts, not analysed yet."""
    takes = tmp_path_factory.mktemp("takes")
    for name, (samples, text) in spoiled(twelve_clips).items():
        encode(takes / f"{name}.wav", samples, SAMPLE_RATE, "wav")
        (takes / f"{name}.txt").write_text(text, encoding="utf-8")
    project = Project.create("Ann", tmp_path_factory.mktemp("home"))
    recordings, _ = ingest(project, [takes], companions=[takes])
    clips, refused = segment(project, recordings, keep_whole=True)
    assert not refused
    bring_transcripts(project, clips, takes, language="english")
    return project


def copy_of(project: Project, home: Path) -> Project:
    import shutil

    return Project(Path(shutil.copytree(project.root, home / "projects" / "ann")))


@pytest.fixture(scope="module")
def analysed(
    studio: Project, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, list[Clip], list[Transcript], list[Analysis]]:
    """The same, analysed, with one more clip of silence and one whose file is broken."""
    project = copy_of(studio, tmp_path_factory.mktemp("analysed"))
    clips = load_clips(project)
    silent, broken = project.clips / "silent.wav", project.clips / "broken.wav"
    write_wav(silent, [np.zeros(3 * SAMPLE_RATE, dtype=np.float32)])
    broken.write_bytes(b"RIFF no sound at all")
    for path in (silent, broken):
        row = dataclasses.replace(
            clips[0], id=path.stem, file=path.name, audio=path, seconds=3.0, sha256=files.sha256_of(path)
        )
        clips.append(row)
    transcripts = load_transcripts(project)
    return project, clips, transcripts, analyse(project, clips, transcripts, dnsmos=False)


def by_file(clips: list[Clip], found: list[Analysis]) -> dict[str, Analysis]:
    assert [one.clip for one in found] == [clip.id for clip in clips]
    return {Path(clip.file).stem: one for clip, one in zip(clips, found, strict=True)}


def test_every_fault_is_said_and_only_that(
    analysed: tuple[Project, list[Clip], list[Transcript], list[Analysis]],
) -> None:
    rows = by_file(analysed[1], analysed[3])
    for index in range(CLEAN):
        assert rows[f"clean{index}"].verdicts == ()
    said = {
        "clipped": "clipping: ",
        "noisy": "noisy: speech is only ",
        "telephone": "dull: nothing above 3",
        "fast": "much text: ",
        "foreign": "another voice: ",
    }
    for name, words in said.items():
        assert any(verdict.startswith(words) for verdict in rows[name].verdicts), (name, rows[name])
        others = [other for other in said if other != name]
        for other in others:
            assert not any(verdict.startswith(words) for verdict in rows[other].verdicts), (name, other)


def test_measures_have_the_right_size(
    analysed: tuple[Project, list[Clip], list[Transcript], list[Analysis]],
) -> None:
    rows = by_file(analysed[1], analysed[3])
    clean = rows["clean0"].measures
    assert clean["duration_s"] == pytest.approx(6.58, abs=0.6)
    assert clean["loudness_lufs"] == pytest.approx(-20, abs=0.5)  # what ingest levels to
    assert -12 < clean["peak_dbfs"] <= -1
    assert clean["noise_floor_dbfs"] < -60 < rows["noisy"].measures["noise_floor_dbfs"]
    assert 0 <= clean["silence_share"] < 0.4
    assert 7_500 < clean["bandwidth_hz"] < 9_500  # recorded at 16 kHz
    assert rows["telephone"].measures["bandwidth_hz"] == pytest.approx(3_400, abs=250)
    assert clean["voice_distance"] < 0.7 < 1 < rows["foreign"].measures["voice_distance"]
    assert 8 < clean["chars_per_s"] < 20
    assert rows["fast"].measures["chars_per_s"] > 30
    assert 1.5 < clean["words_per_s"] < 5
    assert rows["clean0"].missing["confidence"] == "A person gave the text, not Whisper."
    assert "left out" in rows["clean0"].missing["dnsmos"]


def test_a_clip_that_breaks_a_measure_says_so_and_the_rest_goes_on(
    analysed: tuple[Project, list[Clip], list[Transcript], list[Analysis]],
) -> None:
    project, clips, transcripts, found = analysed
    rows = by_file(clips, found)
    silent, broken = rows["silent"], rows["broken"]
    assert silent.measures["duration_s"] == 3.0
    assert silent.measures["silence_share"] == 1.0
    assert {"loudness_lufs", "peak_dbfs", "bandwidth_hz", "voice_distance"} <= silent.missing.keys()
    assert "only silence" in silent.missing["voice_distance"]
    assert broken.measures == {}
    assert "cannot be read" in broken.missing["duration_s"]
    ranked = risks(clips, transcripts, {one.clip: one for one in found})
    assert next(iter(ranked)) == "broken"
    assert ranked["broken"].score == 1.0
    assert "cannot be read" in ranked["broken"].reasons[0]
    assert any("not everything could be measured" in reason for reason in ranked["silent"].reasons)
    assert "noise or clipping hides who speaks" in rows["noisy"].missing["voice_distance"]
    write_wav(clips[-1].audio, [np.zeros(SAMPLE_RATE, dtype=np.float32)])  # the file is repaired
    again = by_file(clips, analyse(project, clips, transcripts, dnsmos=False))
    assert again["broken"].measures["duration_s"] == 1.0
    assert again["silent"] == silent


def test_the_worst_first(analysed: tuple[Project, list[Clip], list[Transcript], list[Analysis]]) -> None:
    _, clips, transcripts, found = analysed
    names = {clip.id: Path(clip.file).stem for clip in clips}
    ranked = list(risks(clips, transcripts, {one.clip: one for one in found}).values())
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)
    assert all(0 <= one.score <= 1 for one in ranked)
    order = [names[one.clip] for one in ranked]
    assert all(name.startswith("clean") for name in order[-CLEAN:]), order
    for one in ranked:
        assert bool(one.reasons) == (not names[one.clip].startswith("clean")), one


def test_what_is_on_disk_is_what_was_found(
    analysed: tuple[Project, list[Clip], list[Transcript], list[Analysis]], tmp_path: Path
) -> None:
    project, clips, _, found = analysed
    kept = load_analysis(project)
    current = {clip.id for clip in load_clips(project)}
    assert kept == {one.clip: one for one in found if one.clip in current}
    (heard,) = load_voices(project)
    assert [Path(clip.file).stem for clip in clips if clip.id in heard.foreign] == ["foreign"]
    assert heard.sentence == "1 of 11 clips may be of another speaker. Listen to them first."


def test_a_changed_text_measures_only_the_text(studio: Project, tmp_path: Path) -> None:
    project = copy_of(studio, tmp_path)
    clips, transcripts = load_clips(project), load_transcripts(project)
    before = {one.clip: one for one in analyse(project, clips, transcripts, dnsmos=False)}
    sound = project.root / "analysis" / "sound.jsonl"
    stamp, content = sound.stat().st_mtime_ns, sound.read_bytes()
    first = transcripts[0]
    set_transcripts(project, [dataclasses.replace(first, text=f"{first.text} {first.text}")])
    now = load_analysis(project)
    pace = before[first.clip].measures["chars_per_s"]
    assert now[first.clip].measures["chars_per_s"] == pytest.approx(2 * pace, 0.01)
    assert {**now, first.clip: None} == {**before, first.clip: None}
    told: list[Progress] = []
    again = analyse(project, clips, load_transcripts(project), dnsmos=False, on_progress=told.append)
    assert {one.clip: one for one in again} == now
    assert told[0].done == told[0].total == len(clips)
    assert (sound.stat().st_mtime_ns, sound.read_bytes()) == (stamp, content)


def test_a_kill_costs_one_batch_and_changes_nothing(studio: Project, tmp_path: Path) -> None:
    killed, whole = copy_of(studio, tmp_path / "killed"), copy_of(studio, tmp_path / "whole")
    process = subprocess.run([sys.executable, "-c", KILLED, str(killed.root)], capture_output=True, timeout=300)
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()[-2000:]
    sound = killed.root / "analysis" / "sound.jsonl"
    assert len(files.read_jsonl(sound)) == 8
    assert not load_analysis(killed)
    with open(sound, "ab") as out:
        out.write(b'{"sha256": "half a row')
    told: list[Progress] = []
    for project in (killed, whole):
        analyse(project, load_clips(project), load_transcripts(project), dnsmos=False, on_progress=told.append)
    assert told[0].done == 8
    for name in ("analysis.jsonl", "analysis/sound.jsonl", "analysis/voices.json"):
        assert (killed.root / name).read_bytes() == (whole.root / name).read_bytes(), name


def test_stopping_keeps_what_was_measured(studio: Project, tmp_path: Path) -> None:
    project = copy_of(studio, tmp_path)
    told: list[Progress] = []
    with pytest.raises(Cancelled, match="what was measured is kept"):
        analyse(
            project,
            load_clips(project),
            load_transcripts(project),
            dnsmos=False,
            on_progress=told.append,
            should_stop=lambda: len(told) > 3,
        )
    assert len(files.read_jsonl(project.root / "analysis" / "sound.jsonl")) == 3


def test_listeners_would_like_noise_less(studio: Project, tmp_path: Path) -> None:
    """DNSMOS comes later, for what has it not; the other measures are not taken again."""
    project = copy_of(studio, tmp_path)
    names = ("clean0", "noisy")
    clips = [clip for clip in load_clips(project) if Path(clip.file).stem in names]
    transcripts = load_transcripts(project)
    before = by_file(clips, analyse(project, clips, transcripts, dnsmos=False))
    rows = by_file(clips, analyse(project, clips, transcripts))
    assert rows["clean0"].measures["dnsmos"] > 3
    assert rows["noisy"].measures["dnsmos"] < rows["clean0"].measures["dnsmos"] - 0.4
    for name in names:
        assert {**rows[name].measures, "dnsmos": 0} == {**before[name].measures, "dnsmos": 0}
    assert "fewer than 5 clips" in rows["clean0"].missing["voice_distance"]
    assert rows == by_file(clips, analyse(project, clips, transcripts, dnsmos=False))  # kept when not asked for


@pytest.mark.slow
def test_several_processes_find_the_same(tmp_path: Path) -> None:
    """Enough audio for a pool: the same bytes as one clip after the other, and each clip once."""
    from voicefactory.pipeline import measuring

    takes = tmp_path / "takes"
    takes.mkdir()
    for path in sorted((CLIPS / "wavs").glob("*.wav")):
        samples, rate = soundfile.read(path, dtype="float32")
        for index in range(10):  # another level is another file
            soundfile.write(takes / f"{path.stem}-{index}.wav", samples * (1 - index / 20), rate)
    project = Project.create("Ann", tmp_path / "home")
    clips, _ = segment(project, ingest(project, [takes])[0])
    assert sum(clip.seconds for clip in clips) > measuring._WORTH_A_POOL_S
    alone = Project.create("Ben", tmp_path / "home")
    analyse(project, clips, [], dnsmos=False)
    for start in range(0, len(clips), 40):
        analyse(alone, clips[: start + 40], [], dnsmos=False)
    assert files.read_jsonl(alone.root / "analysis.jsonl") == files.read_jsonl(project.root / "analysis.jsonl")


def test_the_command_shows_the_worst_first(studio: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = copy_of(studio, tmp_path)
    command = ["analyse", "Ann", "--home", str(tmp_path), "--no-dnsmos"]
    assert run([*command, "--json", "--worst", "5"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["clips"], found["flagged"], len(found["rows"])) == (CLEAN + 5, 5, 5)
    worst = {Path(row["file"]).stem for row in found["rows"]}
    assert worst == {"clipped", "noisy", "telephone", "fast", "foreign"}
    assert found["rows"][0]["risk"] >= found["rows"][-1]["risk"] > 0
    assert "Measuring the clips" in err
    assert run([*command, "--worst", "1"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("1 of 11 clips may be of another speaker")
    assert found["rows"][0]["reasons"][0] in told[3]
    assert run(["analyse", "Nobody", "--home", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "There is no project called" in err
    assert load_analysis(project)
