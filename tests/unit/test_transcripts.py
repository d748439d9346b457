"""Texts that a person brings, in every format, and what happens to rows that do not fit."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from tests.conftest import CLIPS, GivenClip
from voicefactory import files
from voicefactory.errors import InputError
from voicefactory.pipeline.ingest import ingest
from voicefactory.pipeline.refusals import load_refused
from voicefactory.pipeline.segment import segment
from voicefactory.pipeline.transcripts import (
    GivenText,
    bring_transcripts,
    load_transcripts,
    read_transcripts,
    set_transcripts,
)
from voicefactory.project import Project
from voicefactory.types import Clip, Refused, Transcript


def written(tmp_path: Path, content: str | bytes, name: str = "metadata.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def pairs(rows: list[GivenText]) -> list[tuple[str, str]]:
    assert all(not row.problem for row in rows)
    return [(row.file, row.text) for row in rows]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("LJ001-0001|Hello there.\nLJ001-0002|Bye.\n", [("LJ001-0001", "Hello there."), ("LJ001-0002", "Bye.")]),
        ("a|In 1999.|In nineteen ninety nine.\nb|Bye.|\n", [("a", "In nineteen ninety nine."), ("b", "Bye.")]),
        (
            'a|"Quoted" and 6\' tall\nb|"open quote\nc|x\n',
            [("a", '"Quoted" and 6\' tall'), ("b", '"open quote'), ("c", "x")],
        ),
        ("\ufeffwavs/a.wav|Grüße\r\n\r\nwavs/b.wav|日本語\r\n", [("wavs/a.wav", "Grüße"), ("wavs/b.wav", "日本語")]),
        ("file|text\na.wav|A.\n", [("a.wav", "A.")]),
        ("seconds|Text|speaker|FILE\n1.0|A.|x|a.wav\n", [("a.wav", "A.")]),
        ('file,text\na.wav,"Hello, ""you""."\n', [("a.wav", 'Hello, "you".')]),
        ("text\tfile_name\nHello, you\ta.wav\n", [("a.wav", "Hello, you")]),
        ('{"audio": "a.wav", "text": "A"}\n\n{"file": "b", "text": "B"}\n', [("a.wav", "A"), ("b", "B")]),
        ('{"audio_filepath": "x/a.wav", "text": "A", "duration": 1.0}\n', [("x/a.wav", "A")]),
        ('{"file_name": "a.wav", "text": "  two\\n lines "}', [("a.wav", "two lines")]),
        ("a|no newline at the end", [("a", "no newline at the end")]),
    ],
)
def test_formats(content: str, expected: list[tuple[str, str]], tmp_path: Path) -> None:
    assert pairs(read_transcripts(written(tmp_path, content))) == expected
    assert pairs(read_transcripts(written(tmp_path, content, "under another name.txt"))) == expected


def test_utf16_and_language(tmp_path: Path) -> None:
    assert pairs(read_transcripts(written(tmp_path, "file|text\na|Grüße\n".encode("utf-16")))) == [("a", "Grüße")]
    row = json.dumps({"audio": "a", "text": "Hallo", "language": "de"})
    assert read_transcripts(written(tmp_path, row)) == [GivenText("a", "Hallo", "de")]
    assert read_transcripts(written(tmp_path, "file|language|text\na|German|Hallo\n"))[0].language == "German"


def test_txt_beside_the_audio(tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    (folder / "two").mkdir(parents=True)
    (folder / "one.txt").write_text("First\nline.\n", encoding="utf-8")
    (folder / "two" / "deep.txt").write_bytes(b"\xef\xbb\xbfSecond.")
    (folder / "bad.txt").write_bytes(b"\xff\xfe\x00\xd8")
    rows = read_transcripts(folder)
    assert [(row.file, row.text) for row in rows] == [("bad", ""), ("one", "First line."), ("two/deep", "Second.")]
    assert "not UTF-8" in rows[0].problem
    assert pairs(read_transcripts(folder / "one.txt")) == [("one", "First line.")]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("metadata.csv", b"", "is empty"),
        ("metadata.csv", b" \r\n\n", "is empty"),
        ("metadata.csv", b"just some words\nand more\n", "no format of transcripts that is known"),
        ("metadata.csv", b"a,b,c\n1,2,3\n", "no format of transcripts that is known"),
        ("metadata.csv", b"\x00\x01\x02\xff", "is not UTF-8 text"),
        ("metadata.csv", "Grüße|x".encode("latin-1"), "is not UTF-8 text"),
        ("rows.jsonl", b'{"audio": "a", "text": "A"}\n{"audio": "b"', "Line 2 of rows.jsonl is not JSON"),
        ("rows.jsonl", b'{"sound": "a", "text": "A"}\n', "Line 1 of rows.jsonl does not name its audio"),
        ("rows.jsonl", b'{"audio": "a", "text": "A"}\n[1]\n', "Line 2 of rows.jsonl does not name its audio"),
    ],
)
def test_what_is_no_transcript_file(name: str, content: bytes, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=sentence):
        read_transcripts(written(tmp_path, content, name))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no transcript file"):
        read_transcripts(tmp_path / "nothing.csv")
    with pytest.raises(InputError, match=r"There are no \.txt files"):
        read_transcripts(tmp_path)
    shutil.copy(CLIPS / "wavs" / "allison_agent-user.wav", tmp_path / "metadata.csv")
    with pytest.raises(InputError, match="is not UTF-8 text"):
        read_transcripts(tmp_path / "metadata.csv")


@pytest.fixture
def three(tmp_path: Path, twelve_clips: list[GivenClip]) -> tuple[Project, list[Clip]]:
    """A project with takes/one.wav, takes/two.flac and "takes/three.of four.wav"."""
    folder = tmp_path / "takes"
    folder.mkdir()
    samples, rate = soundfile.read(twelve_clips[1].path)
    shutil.copy(twelve_clips[0].path, folder / "one.wav")
    soundfile.write(folder / "two.flac", samples, rate)
    shutil.copy(twelve_clips[2].path, folder / "three.of four.wav")
    project = Project.create("Anna", tmp_path / "home")
    recordings, _ = ingest(project, [folder])
    clips, _ = segment(project, recordings, keep_whole=True)
    return project, clips


def by_file(clips: list[Clip], transcripts: list[Transcript]) -> dict[str, str]:
    names = {clip.id: clip.file for clip in clips}
    return {names[row.clip]: row.text for row in transcripts}


@pytest.mark.parametrize("one", ["one", "one.wav", "takes/one", "wavs/one.wav", "C:\\data\\one.wav", "./one.flac"])
@pytest.mark.parametrize("two", ["two", "two.wav", "takes/two.flac"])
@pytest.mark.parametrize("three_", ["three.of four", "three.of four.wav"])
def test_names_with_and_without_folder_and_extension(
    one: str, two: str, three_: str, three: tuple[Project, list[Clip]], tmp_path: Path
) -> None:
    project, clips = three
    path = written(tmp_path, f"{one}|1\n{two}|2\n{three_}|3\n")
    transcripts, refused = bring_transcripts(project, clips, path, language="en")
    assert refused == []
    assert by_file(clips, transcripts) == {"takes/one.wav": "1", "takes/two.flac": "2", "takes/three.of four.wav": "3"}
    assert {(row.language, row.confidence, row.source) for row in transcripts} == {("english", 1.0, "given")}
    assert load_transcripts(project) == transcripts


def test_nothing_disappears(three: tuple[Project, list[Clip]], tmp_path: Path) -> None:
    project, clips = three
    path = written(tmp_path, "gone.wav|Lost.\none|\ntwo|A.\ntwo.wav|B.\ntwo|A.\nx|1|2|3|4\nno bar\n")
    transcripts, refused = bring_transcripts(project, clips, path)
    assert by_file(clips, transcripts) == {"takes/two.flac": "A."}
    assert transcripts[0].language == "auto"
    reasons = {row.file: row.reason for row in refused}
    assert reasons == {
        "gone.wav": "It names audio that is not among the recordings that were taken.",
        "one": "Its text is empty.",
        "two.wav": "It has a second, different text; the first one was taken.",
        "x": "Line 6 has 5 columns between `|`; it should be id|text or id|text|normalized.",
        "no bar": "Line 7 has 1 columns between `|`; it should be id|text or id|text|normalized.",
        "takes/one.wav": "There is no text for it in metadata.csv.",
        "takes/three.of four.wav": "There is no text for it in metadata.csv.",
    }
    assert load_refused(project) == refused


def test_ambiguous_names_are_refused_unless_the_folder_tells(tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    for folder, clip in zip(("day1", "day2"), twelve_clips, strict=False):
        (tmp_path / "takes" / folder).mkdir(parents=True)
        shutil.copy(clip.path, tmp_path / "takes" / folder / "one.wav")
    project = Project.create("Anna", tmp_path / "home")
    recordings, _ = ingest(project, [tmp_path / "takes"])
    clips, _ = segment(project, recordings, keep_whole=True)
    transcripts, refused = bring_transcripts(project, clips, written(tmp_path, "one.wav|Which?\n"))
    assert transcripts == []
    assert refused[0].reason.startswith("It could mean several recordings (takes/day1/one.wav, takes/day2/one.wav).")
    transcripts, refused = bring_transcripts(project, clips, written(tmp_path, "day2/one.wav|B\nday1/one|A\n"))
    assert by_file(clips, transcripts) == {"takes/day1/one.wav": "A", "takes/day2/one.wav": "B"}
    assert refused == []


def test_an_unknown_language_in_a_row(three: tuple[Project, list[Clip]], tmp_path: Path) -> None:
    project, clips = three
    rows = [{"audio": "one", "text": "A", "language": "klingon"}, {"audio": "two", "text": "B", "language": "fr"}]
    path = written(tmp_path, "\n".join(map(json.dumps, rows)))
    transcripts, refused = bring_transcripts(project, clips, path)
    assert [(row.text, row.language) for row in transcripts] == [("B", "french")]
    assert "'klingon' is not a language" in refused[0].reason
    with pytest.raises(InputError, match="'elvish' is not a language"):
        bring_transcripts(project, clips, path, language="elvish")


def test_bringing_again_replaces_given_texts_but_not_edited_ones(
    three: tuple[Project, list[Clip]], tmp_path: Path
) -> None:
    project, clips = three
    transcripts, _ = bring_transcripts(project, clips, written(tmp_path, "one|1\ntwo|2\nthree.of four|3\n"))
    set_transcripts(project, [replace(transcripts[0], text="one!"), replace(transcripts[1], dropped=True)])
    transcripts, _ = bring_transcripts(project, clips, written(tmp_path, "one|1b\ntwo|2b\nthree.of four|3b\n"))
    assert {row.text: (row.source, row.dropped) for row in transcripts} == {
        "one!": ("edited", False),
        "3": ("given", True),
        "2b": ("given", False),
    }


def test_what_the_page_saves(prepared_project: Callable[[Path], Project], tmp_path: Path) -> None:
    project = prepared_project(tmp_path)
    before = load_transcripts(project)
    set_transcripts(
        project,
        [
            replace(before[0], text="<script>alert(1)</script>"),
            replace(before[1], text=" "),  # emptied: dropped, and the old text can come back
            replace(before[2], language="german"),
            before[3],
            Transcript("no such clip", "x", "auto", 1, "edited"),
        ],
    )
    after = load_transcripts(project)
    assert after[0] == replace(before[0], text="<script>alert(1)</script>", source="edited", confidence=1.0)
    assert after[1] == replace(before[1], dropped=True)
    assert after[2] == replace(before[2], language="german")
    assert after[3:] == before[3:]
    set_transcripts(project, [replace(after[1], dropped=False)])
    assert load_transcripts(project)[1] == before[1]


def test_two_writers_lose_nothing(prepared_project: Callable[[Path], Project], tmp_path: Path) -> None:
    project = prepared_project(tmp_path)
    rows = load_transcripts(project)

    def edit(row: Transcript) -> None:
        set_transcripts(project, [replace(row, text=f"edited {row.clip}")])

    threads = [threading.Thread(target=edit, args=(row,)) for row in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row.text for row in load_transcripts(project)] == [f"edited {row.clip}" for row in rows]


def test_rows_about_other_audio_are_not_used(prepared_project: Callable[[Path], Project], tmp_path: Path) -> None:
    """The same clip id after another cut is another clip."""
    project = prepared_project(tmp_path)
    rows = files.read_jsonl(project.clips_jsonl)
    rows[0]["sha256"] = "0" * 64
    files.write_jsonl(project.clips_jsonl, rows)
    assert [row.clip for row in load_transcripts(project)] == [row["id"] for row in rows[1:]]


def test_refused_rows_are_text(tmp_path: Path, three: tuple[Project, list[Clip]]) -> None:
    project, clips = three
    name = "<img src=x onerror=alert(1)>\u2028🎙️"
    path = written(tmp_path, json.dumps({"audio": name + "\ud800", "text": "x"}))
    _, refused = bring_transcripts(project, clips, path)
    assert refused[0] == Refused(name + "?", "It names audio that is not among the recordings that were taken.")
    assert load_refused(project)[0] == refused[0]
