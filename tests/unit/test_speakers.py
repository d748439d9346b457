"""Several speakers, instructions and texts without audio, from what a person brings to the data set."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import CLIPS, GivenClip
from voicefactory import files
from voicefactory.errors import InputError
from voicefactory.pipeline.create import check_request, create
from voicefactory.pipeline.dataset import make_dataset
from voicefactory.pipeline.extra_texts import MOST_LETTERS, read_extra_texts
from voicefactory.pipeline.ingest import ingest
from voicefactory.pipeline.reference import load_reference, rank_references, reference, references
from voicefactory.pipeline.refusals import load_refused
from voicefactory.pipeline.request import Request
from voicefactory.pipeline.segment import load_clips, segment
from voicefactory.pipeline.speakers import check_folders, folder_speaker, parse_speakers, who_says
from voicefactory.pipeline.synthesize import synthesize
from voicefactory.pipeline.transcripts import (
    GivenText,
    bring_transcripts,
    load_transcripts,
    read_transcripts,
    set_transcripts,
)
from voicefactory.project import Project
from voicefactory.types import Clip, ExtraText, Transcript

Prepared = tuple[Project, list[Clip], list[Transcript]]


def prepared(tmp_path: Path, places: dict[str, GivenClip], told: dict[str, dict[str, str]] | None = None) -> Prepared:
    """A project "Duo" of real clips at these places below takes/, with their texts; `told` adds keys to a row."""
    folder = tmp_path / "takes"
    rows = []
    for place, clip in places.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip.path, folder / place)
        rows.append({"audio": f"takes/{place}", "text": clip.text} | (told or {}).get(place, {}))
    given = tmp_path / "rows.jsonl"
    given.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    project = Project.create("Duo", tmp_path / "home")
    recordings, _ = ingest(project, [folder])
    clips, _ = segment(project, recordings, keep_whole=True)
    transcripts, _ = bring_transcripts(project, clips, given, language="english")
    return project, clips, transcripts


@pytest.fixture
def duo(tmp_path: Path, twelve_clips: list[GivenClip]) -> Prepared:
    """Anna says three clips, Bøb two, one lies outside; one is said slowly."""
    names = ["Anna/1.wav", "Anna/more/2.wav", "Anna/3.wav", "Bøb/1.wav", "Bøb/2.wav", "outside.wav"]
    places = dict(zip(names, twelve_clips, strict=False))
    return prepared(tmp_path, places, {"Bøb/2.wav": {"instruct": "Speak  slowly.", "language": "de"}})


@pytest.mark.parametrize(
    ("file", "speaker"),
    [
        ("takes/Anna/one.wav", "anna"),
        ("takes/ Bea  Böck /deep/one.wav", "bea böck"),
        ("takes.zip/Anna/one.wav", "anna"),
        ("takes/anna.zip/one.wav", "anna"),
        ("takes/one.wav", ""),
        ("one.wav", ""),
    ],
)
def test_a_folder_names_its_speaker(file: str, speaker: str) -> None:
    assert folder_speaker(file) == speaker


def test_folders_give_each_speaker_their_own_clips_and_reference(duo: Prepared) -> None:
    project, clips, transcripts = duo
    taken, speakers = who_says(project, clips, transcripts, "folders")
    assert {clip.file: speakers[clip.id] for clip in taken} == {
        "takes/Anna/1.wav": "anna",
        "takes/Anna/more/2.wav": "anna",
        "takes/Anna/3.wav": "anna",
        "takes/Bøb/1.wav": "bøb",
        "takes/Bøb/2.wav": "bøb",
    }
    assert [(one.file, "no speaker's folder" in one.reason) for one in load_refused(project)] == [
        ("takes/outside.wav", True)
    ]
    chosen = references(project, taken, transcripts, speakers)
    assert list(chosen) == ["anna", "bøb"]
    for speaker, found in chosen.items():
        own = [clip for clip in taken if speakers[clip.id] == speaker]
        assert found == rank_references(own, transcripts)[0]
    assert load_reference(project) == chosen["anna"]
    dataset = make_dataset(project, taken, transcripts, chosen["anna"], speakers=speakers, references=chosen)
    rows = files.read_jsonl(project.dataset_jsonl)
    assert len(rows) == 5
    for row, clip in zip(rows, taken, strict=True):
        assert row["clip"] == clip.id
        assert row["speaker"] == speakers[clip.id]
        assert row["ref_audio"] == str(chosen[row["speaker"]].audio)
    assert [(row["instruct"], row["language"]) for row in rows if "instruct" in row] == [("Speak slowly.", "german")]
    assert dataset.reference_of("bøb") == chosen["bøb"]


def test_a_column_names_the_speakers_and_goes_before_the_folder(tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    places = dict(zip(["a/1.wav", "a/2.wav", "b/3.wav", "4.wav"], twelve_clips, strict=False))
    told = {"a/2.wav": {"speaker": "Cid"}, "4.wav": {"speaker": " CID "}}
    project, clips, transcripts = prepared(tmp_path, places, told)
    files_of = {clip.id: clip.file.removeprefix("takes/") for clip in clips}
    _, by_column = who_says(project, clips, transcripts)
    assert {files_of[clip]: speaker for clip, speaker in by_column.items()} == {
        "4.wav": "cid",
        "a/1.wav": "duo",
        "a/2.wav": "cid",
        "b/3.wav": "duo",
    }
    _, by_both = who_says(project, clips, transcripts, "folders")
    assert {files_of[clip]: speaker for clip, speaker in by_both.items()} == {
        "4.wav": "cid",
        "a/1.wav": "a",
        "a/2.wav": "cid",
        "b/3.wav": "b",
    }
    assert load_refused(project) == []


def test_one_speaker_is_called_after_the_project_and_leaves_the_files_of_before(
    tmp_path: Path, twelve_clips: list[GivenClip]
) -> None:
    places = dict(zip(["1.wav", "2.wav"], twelve_clips, strict=False))
    project, clips, transcripts = prepared(tmp_path, places, {place: {"speaker": "x"} for place in places})
    taken, speakers = who_says(project, clips, transcripts)
    assert (taken, speakers) == (clips, {})
    chosen = reference(project, clips, transcripts)
    dataset = make_dataset(project, clips, transcripts, chosen, speakers=speakers)
    assert [list(row) for row in files.read_jsonl(project.dataset_jsonl)] == [
        ["audio", "text", "ref_audio", "language", "clip"]
    ] * 2
    assert dataset.fingerprint == files.fingerprint(
        {
            "samples": [[one.clip.sha256, one.text, one.language] for one in dataset.samples],
            "reference": files.sha256_of(chosen.audio),
        }
    )


def test_the_fingerprint_follows_speakers_instructions_references_and_extra_texts(duo: Prepared) -> None:
    project, clips, transcripts = duo
    taken, speakers = who_says(project, clips, transcripts, "folders")
    chosen = references(project, taken, transcripts, speakers)
    first = chosen["anna"]

    def fingerprint(**changed: object) -> str:
        values = {"transcripts": transcripts, "speakers": speakers, "references": chosen, "extra_texts": []} | changed
        told = values.pop("transcripts")
        return make_dataset(project, taken, told, first, **values).fingerprint  # type: ignore[arg-type]

    same = fingerprint()
    assert fingerprint() == same
    own = [clip for clip in taken if speakers[clip.id] == "bøb"]
    second = rank_references(own, transcripts)[1]
    others = {
        fingerprint(speakers={**speakers, taken[0].id: "bøb"}),
        fingerprint(transcripts=[*transcripts[:-1], replace(transcripts[-1], instruct="Whisper.")]),
        fingerprint(references={**chosen, "bøb": second}),
        fingerprint(extra_texts=[ExtraText("text:1", "More.", "english", "anna")]),
    }
    assert len(others) == 4
    assert same not in others


def test_a_speaker_without_a_clip_is_refused_by_name_unless_a_person_dropped_them(duo: Prepared) -> None:
    project, clips, transcripts = duo
    of_bob = {clip.id for clip in clips if "Bøb" in clip.file}
    without = [row for row in transcripts if row.clip not in of_bob]
    with pytest.raises(
        InputError, match=r"The speaker 'bøb' has no clip .*Add 3 to 10 s .*or take their recordings out"
    ):
        who_says(project, clips, without, "folders")
    with pytest.raises(InputError, match="The speaker 'bøb' has no clip"):  # refused when it was cut, say
        who_says(project, [clip for clip in clips if clip.id not in of_bob], without, "folders")
    dropped = [replace(row, dropped=row.clip in of_bob) for row in transcripts]
    taken, speakers = who_says(project, clips, dropped, "folders")
    assert speakers == {}
    assert len(taken) == 5


def test_what_a_person_edited_still_learns_who_says_it(tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    places = dict(zip(["1.wav", "2.wav"], twelve_clips, strict=False))
    project, clips, transcripts = prepared(tmp_path, places)
    set_transcripts(project, [replace(transcripts[0], text="Edited.")])
    given = tmp_path / "again.csv"
    given.write_text("file|text|speaker|instruct\n1.wav|New.|Ann|Softly.\n2.wav|New.|Ben|\n", encoding="utf-8")
    bring_transcripts(project, clips, given)
    rows = load_transcripts(project)
    assert [(row.text, row.speaker, row.instruct) for row in rows] == [
        ("Edited.", "ann", "Softly."),
        ("New.", "ben", ""),
    ]
    set_transcripts(project, [replace(rows[1], text="By hand.")])
    assert load_transcripts(project)[1].speaker == "ben"
    assert [clip.id for clip in load_clips(project)] == [row.clip for row in rows]


def test_speakers_that_cannot_be_named_and_folders_that_are_none(tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    places = dict(zip(["1.wav", "2.wav"], twelve_clips, strict=False))
    project, _, transcripts = prepared(tmp_path, places, {"1.wav": {"speaker": "?!"}})
    assert len(transcripts) == 1
    (refused,) = load_refused(project)
    assert refused.file == "takes/1.wav"
    assert "speaker '?!' cannot be used" in refused.reason
    recordings, _ = ingest(project, [tmp_path / "takes"])
    with pytest.raises(InputError, match=r"No recording lies in a speaker's folder: takes/1\.wav does not"):
        check_folders(recordings)
    with pytest.raises(InputError, match="Choose one of: one, folders"):
        parse_speakers("many")


def test_rows_tell_speaker_and_instruction(tmp_path: Path) -> None:
    expected = [GivenText("a", "Hi.", "", "Ann", "Say it sadly."), GivenText("b", "Ho.", "de")]
    table = tmp_path / "t.csv"
    table.write_text('instruct,file,language,text,speaker\n"Say it  sadly.",a,,Hi.,Ann\n,b,de,Ho.,\n', encoding="utf-8")
    assert read_transcripts(table) == expected
    lines = tmp_path / "t.jsonl"
    lines.write_text(
        '{"audio": "a", "text": "Hi.", "speaker": "Ann", "instruct": "Say it sadly."}\n'
        '{"audio": "b", "text": "Ho.", "language": "de", "speaker": null}\n',
        encoding="utf-8",
    )
    assert read_transcripts(lines) == expected


def test_extra_texts_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "more.txt"
    path.write_text(f"\ufeffOne  more.\n\nTwo.\r\nOne more.\n???\n{'long ' * 70}\nThree.", encoding="utf-8")
    taken, refused = read_extra_texts(path, "english", ["ann", "ben"])
    assert [(one.text, one.speaker, one.place) for one in taken] == [
        ("One more.", "ann", "more.txt, line 1"),
        ("Two.", "ben", "more.txt, line 3"),
        ("Three.", "ann", "more.txt, line 7"),
    ]
    assert len({one.id for one in taken}) == 3
    assert all("-" not in one.id for one in taken)  # so that none is ever held out
    assert [one.file for one in refused] == ["more.txt, line 4", "more.txt, line 5", "more.txt, line 6"]
    assert f"at most {MOST_LETTERS}" in refused[2].reason
    path.write_text("?\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"no usable sentence in more\.txt\. more\.txt, line 1: It is not a sentence"):
        read_extra_texts(path, "english")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        read_extra_texts(path, "english")
    with pytest.raises(InputError, match="There is no file with extra texts"):
        read_extra_texts(tmp_path / "none.txt", "english")


def test_extra_texts_only_where_nothing_but_the_text_embedding_trains(tmp_path: Path) -> None:
    path = tmp_path / "more.txt"
    path.write_text("One more.\n", encoding="utf-8")
    check_request(Request(preset="text-embedding-only", extra_texts=str(path)))
    for preset, overrides in (("quick", ()), ("text-embedding-only", ("train_codec_embedding=true",))):
        with pytest.raises(InputError, match="choose the preset text-embedding-only"):
            check_request(Request(preset=preset, overrides=overrides, extra_texts=str(path)))
    with pytest.raises(InputError, match="no file with extra texts"):
        check_request(Request(preset="text-embedding-only", extra_texts=str(tmp_path / "none.txt")))
    with pytest.raises(InputError, match="one, folders"):
        check_request(Request(speakers="column"))


@pytest.mark.slow
def test_the_whole_way_with_two_speakers_and_extra_texts(tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    takes = tmp_path / "takes"
    for index, clip in enumerate(twelve_clips[:4]):
        place = takes / ("Anna", "Ben")[index % 2] / clip.path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip.path, place)
    (tmp_path / "more.txt").write_text("Hi.\nOh no.\n", encoding="utf-8")
    request = Request(
        model="toy",
        preset="text-embedding-only",
        overrides=("max_steps=1", "speak_at_evaluations=false"),
        language="english",
        transcripts=str(CLIPS / "metadata.csv"),
        speakers="folders",
        extra_texts=str(tmp_path / "more.txt"),
    )
    created = create(Project.create("Duo", tmp_path / "home"), [takes], request)
    result = created.to_json()
    assert list(result["references"]) == ["anna", "ben"]
    assert [Path(sample).name for sample in result["samples"]] == ["1-anna.wav", "2-ben.wav"]
    assert result["clips"] == 4
    card = (created.voice.path / "README.md").read_text(encoding="utf-8")
    assert "anna, ben" in card
    said = [row for row in files.read_jsonl(created.codes) if row.get("spoken_by") == "model"]
    unsaid = [one for one in created.refused if one.file.startswith("more.txt")]
    assert len(said) + len(unsaid) == 2
    assert (f"Texts without audio | {len(said)}," in card) == bool(said)
    out = tmp_path / "ben.wav"
    speech = synthesize(created.voice.path, "Hi.", out, speaker="Ben")
    assert len(speech.samples)
    with pytest.raises(InputError, match=r"no speaker 'duo'\. It has: anna, ben"):
        synthesize(created.voice.path, "Hi.", out, speaker="duo")
