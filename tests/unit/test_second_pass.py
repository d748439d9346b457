"""What a person did to the texts survives whatever Whisper does later; numbers become words, and digits again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import CLIPS, GivenClip
from voicefactory.errors import InputError
from voicefactory.pipeline.ingest import ingest
from voicefactory.pipeline.segment import load_clips, segment
from voicefactory.pipeline.transcribe import transcribe
from voicefactory.pipeline.transcripts import load_rows, load_transcripts, set_transcripts, write_numbers
from voicefactory.project import Project
from voicefactory.types import Progress, Transcript

WITH_NUMBERS = "allison_vm-opts-full"


@pytest.fixture(scope="session")
def heard_four(tmp_path_factory: pytest.TempPathFactory, twelve_clips: list[GivenClip]) -> Path:
    """Root of a project whose four clips were heard; one says "Press 2 …", "Press 3 …" and "Press 0 …"."""
    project = Project.create("Anna", tmp_path_factory.mktemp("four"))
    chosen = [clip.path for clip in twelve_clips[:3]] + [CLIPS / "wavs" / f"{WITH_NUMBERS}.wav"]
    recordings, _ = ingest(project, chosen)
    clips, _ = segment(project, recordings)
    transcripts, _ = transcribe(project, clips, asr="tiny.en")
    assert all(row.text[0].isupper() and row.text[-1] in ".!?" for row in transcripts)  # punctuation is kept
    return project.root


@pytest.fixture
def project(heard_four: Path, tmp_path: Path) -> Project:
    shutil.copytree(heard_four, tmp_path / "projects" / "anna")
    return Project(tmp_path / "projects" / "anna")


def counting(project: Project) -> Transcript:
    """The row with numbers in it."""
    clip = next(clip for clip in load_clips(project) if WITH_NUMBERS in clip.file)
    return next(row for row in load_transcripts(project) if row.clip == clip.id)


def test_edits_stay_with_another_model_and_another_language(project: Project) -> None:
    clips = load_clips(project)
    first = load_transcripts(project)
    set_transcripts(project, [replace(first[0], text="Typed by me, 5 times."), replace(first[1], dropped=True)])
    seen: list[Progress] = []
    for numbers in ("as written", "in words"):
        transcripts, _ = transcribe(
            project, clips, asr="tiny.en", language="english", numbers=numbers, on_progress=seen.append
        )
        assert (transcripts[0].text, transcripts[0].source) == ("Typed by me, 5 times.", "edited")
        assert transcripts[1] == replace(first[1], dropped=True)
    assert "4 of 4 clips" in [progress.message for progress in seen]  # the other two were heard again
    assert {row.asked for row in load_rows(project).values()} == {("tiny.en", "auto"), ("tiny.en", "english")}


def test_numbers_become_words_and_digits_again_without_listening(project: Project) -> None:
    clips = load_clips(project)
    before = load_transcripts(project)
    assert {"2", "3", "0"} <= set(counting(project).text.replace(".", "").split())
    seen: list[Progress] = []
    after, _ = transcribe(project, clips, asr="tiny.en", numbers="in words", on_progress=seen.append)
    assert [progress.message for progress in seen] == ["4 transcripts"]  # no model was loaded
    said = counting(project)
    assert {"two", "three", "zero"} <= set(said.text.lower().split())
    assert not any(char.isdigit() for char in said.text)
    assert (said.source, said.confidence) == ("whisper", next(r.confidence for r in before if r.clip == said.clip))
    assert [row for row in after if row.clip != said.clip] == [row for row in before if row.clip != said.clip]
    assert write_numbers(project, "as written") == 1
    assert load_transcripts(project) == before
    with pytest.raises(InputError, match="as written, in words"):
        write_numbers(project, "roman")


def test_what_a_person_typed_keeps_its_digits_and_what_was_heard_is_kept(project: Project) -> None:
    heard = counting(project)
    write_numbers(project, "in words")
    set_transcripts(project, [replace(counting(project), text="Press 2, I say.")])
    assert write_numbers(project, "as written") == write_numbers(project, "in words") == 0
    assert counting(project).text == "Press 2, I say."
    assert load_rows(project)[heard.clip].heard == heard.text


def test_numbers_are_words_from_the_first_row_on(project: Project) -> None:
    """Chosen before listening; only the row with numbers is heard anew."""
    identifier = counting(project).clip
    project.transcripts_jsonl.unlink()
    clips = [clip for clip in load_clips(project) if clip.id == identifier]
    transcripts, _ = transcribe(project, clips, asr="tiny.en", numbers="in words")
    assert "two" in transcripts[0].text.lower().split()
    assert "2" in load_rows(project)[identifier].heard
