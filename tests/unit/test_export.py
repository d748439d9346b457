"""Texts out and in again: LJSpeech, JSONL, SRT, WebVTT."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.conftest import GivenClip
from voicefactory import files
from voicefactory.errors import InputError
from voicefactory.pipeline.export import export
from voicefactory.pipeline.ingest import ingest
from voicefactory.pipeline.reference import reference
from voicefactory.pipeline.segment import load_clips, segment
from voicefactory.pipeline.subtitles import Cue, are_subtitles, parse_subtitles, to_srt, to_vtt
from voicefactory.pipeline.transcripts import bring_transcripts, load_transcripts, read_transcripts, set_transcripts
from voicefactory.project import Project
from voicefactory.types import SAMPLE_RATE, Clip, Transcript

ODD = "Grüße, “quoted” & <b>bold</b> — 2 → 3, 日本語 | bar."


@pytest.fixture
def project(prepared_project: Callable[[Path], Project], tmp_path: Path) -> Project:
    """Twelve clips with texts: one odd, one in German by Ben, one dropped."""
    project = prepared_project(tmp_path)
    rows = load_transcripts(project)
    set_transcripts(
        project, [replace(rows[0], text=ODD), replace(rows[1], language="german"), replace(rows[2], dropped=True)]
    )
    return project


def kept(project: Project) -> list[tuple[str, str]]:
    """(id, text) of what is used."""
    return [(row.clip, row.text) for row in load_transcripts(project) if not row.dropped]


def unpacked(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    return folder


def brought_anew(home: Path, folder: Path, texts: Path) -> list[tuple[str, str, str]]:
    """(name without extension, text, language) in a new project made of an exported data set."""
    other = Project.create("Other", home)
    recordings, _ = ingest(other, [folder / "wavs"])
    clips, _ = segment(other, recordings, keep_whole=True)
    transcripts, refused = bring_transcripts(other, clips, texts)
    assert refused == []
    names = {clip.id: Path(clip.file).stem for clip in clips}
    return sorted((names[row.clip], row.text, row.language) for row in transcripts)


def test_ljspeech_out_and_in(project: Project, tmp_path: Path) -> None:
    done = export(project, "ljspeech", tmp_path / "anna.zip")
    assert (done.clips, done.left_out) == (11, 1)
    assert done.notes == ("In 1 texts the sign | was left out: it separates the columns.",)
    folder = unpacked(done.path, tmp_path / "lj")
    lines = (folder / "metadata.csv").read_text(encoding="utf-8").splitlines()
    assert [line.count("|") for line in lines] == [2] * 11
    expected = [(clip, text.replace(" |", "")) for clip, text in kept(project)]
    assert [(row.file, row.text) for row in read_transcripts(folder)] == expected
    back = brought_anew(tmp_path / "anew", folder, folder / "metadata.csv")
    assert [(name, text) for name, text, _ in back] == sorted(expected)
    clip = load_clips(project)[0]
    assert (folder / "wavs" / f"{clip.id}.wav").read_bytes() == clip.audio.read_bytes()


def test_jsonl_out_and_in(project: Project, tmp_path: Path) -> None:
    done = export(project, "jsonl", tmp_path / "anna.jsonl")
    assert done.notes == ("No reference is chosen yet, so the rows have no ref_audio.",)
    chosen = reference(project, load_clips(project), load_transcripts(project))
    assert export(project, "jsonl", tmp_path / "anna.jsonl").notes == ()
    rows = [json.loads(line) for line in (tmp_path / "anna.jsonl").read_text(encoding="utf-8").splitlines()]
    assert all(set(row) == {"audio", "text", "ref_audio", "language"} for row in rows)
    assert {row["ref_audio"] for row in rows} == {str(chosen.audio)}
    assert all(Path(row["audio"]).is_file() for row in rows)
    assert [(Path(row["audio"]).stem, row["text"]) for row in rows] == kept(project)

    folder = unpacked(export(project, "jsonl", tmp_path / "anna.zip").path, tmp_path / "js")
    assert (folder / "reference.wav").read_bytes() == chosen.audio.read_bytes()
    languages = {row.clip: row.language for row in load_transcripts(project)}
    back = brought_anew(tmp_path / "anew", folder, folder)
    assert back == sorted((clip, text, languages[clip]) for clip, text in kept(project))


@pytest.fixture(scope="session")
def long_recording(tmp_path_factory: pytest.TempPathFactory, twelve_clips: list[GivenClip]) -> Path:
    """Six recordings joined, 1 s of silence after each: about 30 s, cut into several clips."""
    path = tmp_path_factory.mktemp("long") / "talk.wav"
    pieces = []
    for clip in twelve_clips[:6]:
        pieces += [soundfile.read(clip.path, dtype="float32")[0], np.zeros(SAMPLE_RATE, dtype=np.float32)]
    soundfile.write(path, np.concatenate(pieces), SAMPLE_RATE)
    return path


def cut(home: Path, recording: Path) -> tuple[Project, list[Clip]]:
    project = Project.create("Anna", home)
    clips, _ = segment(project, ingest(project, [recording])[0])
    assert len(clips) > 1
    return project, clips


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_subtitles_of_a_long_recording_out_and_in(form: str, long_recording: Path, tmp_path: Path) -> None:
    project, clips = cut(tmp_path, long_recording)
    texts = [ODD.replace("<b>bold</b>", "x") if number == 0 else f"Text {number}." for number in range(len(clips))]
    set_transcripts(
        project, [Transcript(clip.id, text, "english", 1, "edited") for clip, text in zip(clips, texts, strict=True)]
    )
    done = export(project, form, tmp_path / f"talk.{form}")
    cues = parse_subtitles(done.path.read_text(encoding="utf-8"))
    assert [cue.text for cue in cues] == texts
    assert [(cue.start_s, cue.end_s) for cue in cues] == [
        (pytest.approx(clip.start_s, abs=1e-3), pytest.approx(clip.end_s, abs=1e-3)) for clip in clips
    ]
    project.transcripts_jsonl.unlink()
    transcripts, refused = bring_transcripts(project, clips, done.path, language="en")
    assert refused == []
    assert [(row.clip, row.text, row.source) for row in transcripts] == [
        (clip.id, text, "given") for clip, text in zip(clips, texts, strict=True)
    ]


def test_subtitles_that_do_not_fit_the_cuts(long_recording: Path, tmp_path: Path) -> None:
    """Several in one clip are joined; one across a cut, one beyond the end and speech without one are told."""
    project, clips = cut(tmp_path, long_recording)
    first, second, third = clips[:3]
    middle = (first.start_s + first.end_s) / 2
    cues = [
        Cue(first.start_s, middle, "One"),
        Cue(middle, first.end_s, "two."),
        Cue(second.start_s, second.start_s + 0.6, "Hardly any."),
        Cue(third.end_s - 1, third.end_s + 2, "Across."),
        Cue(5000, 5001, "Nowhere."),
    ]  # fmt: skip
    path = tmp_path / "talk.en.srt"
    path.write_text(to_srt(cues), encoding="utf-8")
    (tmp_path / "talk.srt").write_text(to_srt(cues), encoding="utf-8")
    transcripts, refused = bring_transcripts(project, clips, tmp_path / "talk.srt")
    assert [(row.clip, row.text) for row in transcripts] == [(first.id, "One two.")]
    reasons = {row.file: row.reason for row in refused}
    assert "without a subtitle" in reasons[f"talk.wav, {second.start_s:.0f} s"]
    assert "goes on beyond its cut" in reasons[f"talk.wav, {third.start_s:.0f} s"]
    assert "lies in none of its clips: Nowhere." in reasons["talk"]
    assert len([row for row in refused if row.file.startswith("talk.wav")]) == len(clips) - 1  # each of them once


def test_several_recordings_are_a_zip_of_subtitles(project: Project, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There are 11 recordings, and each gets its own subtitles"):
        export(project, "vtt", tmp_path / "anna.vtt")
    folder = unpacked(export(project, "vtt", tmp_path / "anna.zip").path, tmp_path / "vtt")
    other = Project(project.root)
    other.transcripts_jsonl.rename(tmp_path / "before.jsonl")
    transcripts, refused = bring_transcripts(other, load_clips(other), folder)
    assert len(refused) == 1  # the dropped one has no text now
    before = {row["clip"]: row["text"] for row in files.read_jsonl(tmp_path / "before.jsonl") if not row["dropped"]}
    assert {row.clip: row.text for row in transcripts} == before


def test_subtitles_as_people_have_them() -> None:
    srt = (
        "1\n00:00:01,500 --> 00:00:04,000 X1:1\n{\\an8}<i>Hello</i>,\n"
        '<font color="red">you</font> 2 < 3.\n\n\n2\n0:00:05.0 --> 0:00:04.0\nx\n'
    )
    assert are_subtitles(srt)
    first, second = parse_subtitles(srt)
    assert first == Cue(1.5, 4.0, "Hello, you 2 < 3.")
    assert second.problem == "The subtitle at 00:00:05.000 ends before it begins."
    vtt = (
        "WEBVTT - title\n\nNOTE\n00:01.000 --> 00:02.000\nnot said\n\nSTYLE\n::cue {}\n\n"
        "intro\n00:01.000 --> 01:00:02.500 align:start\n<v.loud Anna B>Tom &amp; <00:01.500><c.x>Jerry</c></v>\n"
    )
    assert parse_subtitles(vtt) == [Cue(1.0, 3602.5, "Tom & Jerry", "Anna B")]
    assert not are_subtitles("a|b\n")
    assert not are_subtitles("WEBVTTX|text")
    odd = [Cue(0, 1.25, "a --> b & <i>", "Anna <x>")]
    assert parse_subtitles(to_vtt(odd)) == odd


def test_what_cannot_be_written(project: Project, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Choose one of: ljspeech, jsonl, srt, vtt"):
        export(project, "doc", tmp_path / "x.doc")
    with pytest.raises(InputError, match=r"ljspeech is written as a \.zip file\. Call it x\.zip"):
        export(project, "ljspeech", tmp_path / "x.csv")
    with pytest.raises(InputError, match="is a folder"):
        export(project, "jsonl", tmp_path)
    with pytest.raises(InputError, match="has no texts to write yet"):
        export(Project.create("Empty", tmp_path / "e"), "jsonl", tmp_path / "x.jsonl")


def test_no_cell_begins_a_formula(project: Project, tmp_path: Path) -> None:
    """A spreadsheet runs what begins with = + - or @; each row begins with the clip's id, and a text ends its row."""
    rows = load_transcripts(project)
    set_transcripts(project, [replace(row, text=f"=cmd()|{row.text}\n@2") for row in rows])
    export(project, "ljspeech", tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        lines = archive.read("metadata.csv").decode().splitlines()
    assert len(lines) == len(kept(project))
    assert all(line[0].isalnum() and line.count("|") == 2 for line in lines)
