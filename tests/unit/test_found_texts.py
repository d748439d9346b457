"""Data sets that bring their texts: found in folders and zips, taken as given, and nothing of them lost."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from tests.conftest import GivenClip
from tests.media import encode, tone
from voicefactory.pipeline.found_texts import find_texts, give_found_texts
from voicefactory.pipeline.ingest import ingest
from voicefactory.pipeline.prepare import prepare
from voicefactory.pipeline.refusals import load_refused
from voicefactory.pipeline.request import Request
from voicefactory.pipeline.segment import segment
from voicefactory.pipeline.subtitles import Cue, to_srt, to_vtt
from voicefactory.pipeline.transcripts import load_transcripts, set_transcripts
from voicefactory.project import Project

QUOTED = '"Press 1, or \'star\'" she said, "now'  # as Common Voice writes it: quotes are text


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create("Anna", tmp_path / "home")


@pytest.fixture
def ljspeech(tmp_path: Path, twelve_clips: list[GivenClip]) -> Path:
    """Two clips with a text, one row without audio, one clip without a row."""
    folder = tmp_path / "LJSpeech-1.1"
    (folder / "wavs").mkdir(parents=True)
    for index, clip in enumerate(twelve_clips[:3]):
        shutil.copy(clip.path, folder / "wavs" / f"LJ001-000{index}.wav")
    rows = [f"LJ001-000{index}|{clip.text}|{clip.text}" for index, clip in enumerate(twelve_clips[:2])]
    (folder / "metadata.csv").write_text("\n".join([*rows, "LJ001-0009|Nobody.|Nobody."]) + "\n")
    (folder / "README").write_text("The data set.")
    return folder


@pytest.fixture
def common_voice(tmp_path: Path, twelve_clips: list[GivenClip]) -> Path:
    folder = tmp_path / "cv-corpus" / "en"
    (folder / "clips").mkdir(parents=True)
    for index, clip in enumerate(twelve_clips[:3]):
        samples, rate = soundfile.read(clip.path, dtype="float32")
        encode(folder / "clips" / f"common_voice_en_{index}.mp3", samples, rate, "mp3")
    header = "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccents\tlocale\tsegment"
    lines = [
        f"abc\tcommon_voice_en_{index}.mp3\t{text}\t2\t0\t\t\t\ten\t"
        for index, text in enumerate([QUOTED, twelve_clips[1].text])
    ]
    (folder / "validated.tsv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    (folder / "other.tsv").write_text("\n".join([header, lines[0].replace("_0", "_2")]) + "\n", encoding="utf-8")
    return folder.parent


@pytest.mark.parametrize("packed", [False, True])
def test_ljspeech(packed: bool, ljspeech: Path, project: Project, twelve_clips: list[GivenClip]) -> None:
    path = ljspeech
    if packed:
        path = Path(shutil.make_archive(str(ljspeech.parent / "packed"), "zip", ljspeech.parent, ljspeech.name))
    top = f"{path.name}/LJSpeech-1.1" if packed else "LJSpeech-1.1"
    found = find_texts([path])
    assert {name: row.text for name, row in found.texts.items()} == {
        f"{top}/wavs/LJ001-000{index}.wav": clip.text for index, clip in enumerate(twelve_clips[:2])
    }
    assert found.left_out == {f"{top}/metadata.csv"}
    recordings, refused = ingest(project, [path], left_out=found.left_out)
    assert sorted(row.file for row in recordings) == [f"{top}/wavs/LJ001-000{index}.wav" for index in range(3)]
    assert [row.file for row in refused] == [f"{top}/README"]
    clips, _ = segment(project, recordings, keep_whole=found.recordings_with_text(recordings))
    (without_audio,) = give_found_texts(project, clips, found, "english")
    assert without_audio.file == f"{top}/metadata.csv, LJ001-0009"
    given = load_transcripts(project)
    assert [(row.text, row.source, row.language) for row in given] == [
        (clip.text, "given", "english") for clip in twelve_clips[:2]
    ]
    set_transcripts(project, [replace(given[0], text="Edited.")])
    give_found_texts(project, clips, found, "english")
    assert [row.text for row in load_transcripts(project)] == ["Edited.", twelve_clips[1].text]


def test_common_voice(common_voice: Path, project: Project, twelve_clips: list[GivenClip]) -> None:
    found = find_texts([common_voice])
    assert [row.text for row in found.texts.values()] == [QUOTED, twelve_clips[1].text]
    assert [row.reason for row in found.refused] == [
        "1 of its recordings were not read, because validated.tsv does not name them."
    ]
    recordings, refused = ingest(project, [common_voice], left_out=found.left_out)
    assert (len(recordings), refused) == (2, [])
    clips, _ = segment(project, recordings, keep_whole=found.recordings_with_text(recordings))
    assert give_found_texts(project, clips, found, "auto") == found.refused
    assert [(row.text, row.language) for row in load_transcripts(project)] == [
        (QUOTED, "english"),
        (twelve_clips[1].text, "english"),
    ]


def test_a_table_with_quoted_cells_between_tabs_is_read_as_such(tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    (tmp_path / "a").mkdir()
    shutil.copy(twelve_clips[0].path, tmp_path / "a" / "one.wav")
    with open(tmp_path / "a" / "train.tsv", "w", encoding="utf-8", newline="") as out:
        csv.writer(out, delimiter="\t").writerows([["path", "sentence"], ["one.wav", 'She said "no" to\tme.']])
    assert [row.text for row in find_texts([tmp_path / "a"]).texts.values()] == ['She said "no" to me.']


def test_texts_beside_the_audio_and_tables_that_are_none(tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    folder = tmp_path / "takes"
    folder.mkdir()
    for index in range(3):
        shutil.copy(twelve_clips[index].path, folder / f"{index}.wav")
    (folder / "0.txt").write_text("One sentence,\nin two lines.")
    (folder / "1.txt").write_bytes(b"\xff\xfe\x00")
    (folder / "notes.txt").write_text("Not a text of a recording.")
    (folder / "metadata.csv").write_text("name,price\nlamp,3\n")
    found = find_texts([folder])
    assert {name: row.text for name, row in found.texts.items()} == {"takes/0.wav": "One sentence, in two lines."}
    assert [row.file for row in found.refused] == ["takes/1.txt"]
    assert found.left_out == {"takes/0.txt", "takes/1.txt"}


@pytest.mark.parametrize("packed", [False, True])
def test_subtitles_beside_a_long_recording_are_found(
    packed: bool, tmp_path: Path, project: Project, twelve_clips: list[GivenClip]
) -> None:
    """As video sites name them: talk.en.vtt beside talk.wav. What they do not fit is listened to."""
    folder = tmp_path / "videos"
    folder.mkdir()
    quiet, parts, cues, at = np.zeros(24_000, dtype=np.float32), [], [], 0.0
    longest = sorted(twelve_clips, key=lambda clip: -soundfile.info(clip.path).duration)[:3]  # each a clip by itself
    for clip in longest:
        samples, rate = soundfile.read(clip.path, dtype="float32")
        sound = soxr.resample(samples, rate, 24_000)
        cues.append(Cue(at + 0.05, at + len(sound) / 24_000, clip.text))
        parts += [sound, quiet]
        at += len(sound) / 24_000 + 1.0
    soundfile.write(folder / "talk.wav", np.concatenate(parts), 24_000)
    (folder / "talk.en.vtt").write_text(to_vtt(cues[:2]), encoding="utf-8")
    (folder / "other.srt").write_text(to_srt(cues), encoding="utf-8")  # of nothing that is here
    given = folder
    if packed:
        given = Path(shutil.make_archive(str(tmp_path / "videos"), "zip", folder))

    found = find_texts([given])
    assert [len(texts) for texts in found.cues.values()] == [2]
    recordings, refused = ingest(project, [given], left_out=found.left_out)
    assert not found.recordings_with_text(recordings)  # so it is cut
    assert [Path(row.file).name for row in refused] == ["other.srt"]
    clips, _ = segment(project, recordings)
    assert len(clips) == 3
    told = give_found_texts(project, clips, found, "english")
    assert [(row.text, row.source) for row in load_transcripts(project)] == [
        (clip.text, "given") for clip in longest[:2]
    ]
    assert "fit 2 of 3 clips" in told[0].reason


def test_two_folders_of_one_name_mix_no_texts(tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    for index in range(2):
        folder = tmp_path / str(index) / "set" / "wavs"
        folder.mkdir(parents=True)
        shutil.copy(twelve_clips[index].path, folder / "a.wav")
        shutil.copy(twelve_clips[index].path, folder / f"{index}.wav")
        (folder.parent / "metadata.csv").write_text(f"a|Text {index}.\n{index}|Own {index}.\n")
    found = find_texts([tmp_path / "0" / "set", tmp_path / "1" / "set"])
    assert "set/wavs/a.wav" not in found.texts
    assert any(row.file == "set/wavs/a.wav" and "Two of the given files" in row.reason for row in found.refused)


def test_prepare_takes_found_texts_and_listens_to_the_rest(
    ljspeech: Path, project: Project, twelve_clips: list[GivenClip]
) -> None:
    encode(ljspeech / "wavs" / "tone.wav", tone(3), 24_000, "wav")
    request = Request(asr="tiny.en", language="english", dnsmos=False, clean="highpass")
    for _ in range(2):  # the second time nothing is heard again, and nothing is lost
        prepared = prepare(project, [ljspeech], request)
        assert [row.source for row in prepared.transcripts] == ["given", "given", "whisper"]
        assert "conference number" in prepared.transcripts[2].text
        assert all(clip.original_sha256 for clip in prepared.clips)
        assert [(row.file.split("/")[-1], row.reason[:20]) for row in load_refused(project)] == [
            ("metadata.csv, LJ001-0009", "Its audio is not the"),
            ("README", "It is not a recordin"),
            ("tone.wav", "No speech was heard "),
        ]
