"""Whisper base listens to what tiny.en heard; where they differ, a person is told which words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jiwer
import pytest

from tests.whisper_base import join_whisper_base
from voicefactory.errors import Cancelled, InputError
from voicefactory.pipeline.comparing import Pair, compare
from voicefactory.pipeline.second_opinion import (
    disagreements,
    load_opinions,
    opinions_path,
    second_opinion,
    take_opinion,
)
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.transcripts import load_transcripts, set_transcripts
from voicefactory.project import Project
from voicefactory.types import Progress


@pytest.fixture(scope="session")
def whisper_base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(join_whisper_base(tmp_path_factory.mktemp("whisper") / "base"))


def test_words_that_differ_are_marked() -> None:
    found = compare("Please press 2, twice.", "please — press two or nice!", "english")
    assert found.pairs[:3] == (Pair("Please", "please", True), Pair("press", "press", True), Pair("two,", "two", True))
    assert (found.different, found.first_words, found.second_words) == (2, 4, 5)
    assert (found.word_error, found.disagreement) == (0.5, 0.4)
    assert compare("", "", "english").disagreement == 0
    assert compare("Words.", "", "english").disagreement == 1
    assert compare("今日は。", "今日も", "japanese").disagreement == pytest.approx(1 / 3)
    assert compare("$5, Dr. Lee", "five dollars doctor lee", "english").different == 0


@pytest.mark.parametrize(
    ("first", "second"),
    [("a b c d", "a c d e"), ("a b", "x y z"), ("a b c", ""), ("k a b a b", "a b a b k"), ("a a b c c", "a b c")],
)
def test_as_few_changes_as_an_independent_count(first: str, second: str) -> None:
    assert compare(first, second, "english").word_error == pytest.approx(jiwer.wer(first, second))


def test_another_model_is_asked_once_and_remembered(
    prepared_project: Callable[[Path], Project], tmp_path: Path, whisper_base: str
) -> None:
    project = prepared_project(tmp_path)
    clips, rows = load_clips(project), load_transcripts(project)
    wrong = replace(rows[0], text="That agent sings " + rows[0].text)
    set_transcripts(project, [wrong])
    rows = load_transcripts(project)
    assert load_opinions(project) == {}
    only = [clips[0].id, clips[5].id, "no such clip"]
    seen: list[Progress] = []
    found = second_opinion(project, clips, rows, whisper_base, only=only, on_progress=seen.append)
    assert list(found) == only[:2]
    assert found[only[0]].comparison.different == 3  # the three words that nobody says
    assert found[only[0]].disagreement > found[only[1]].disagreement == 0
    assert found[only[0]].reason == "Whisper base hears 3 words differently"
    assert seen[-1].message == "2 of 2 clips"

    again: list[Progress] = []
    assert second_opinion(project, clips, rows, whisper_base, only=only[:2], on_progress=again.append) == found
    assert again == []  # kept on disk: no model was loaded
    assert load_opinions(project) == found
    assert disagreements(project) == {name: one.disagreement for name, one in found.items()}

    taken = take_opinion(project, only[0])
    assert (taken.text, taken.source, taken.confidence) == (found[only[0]].text, "edited", 1.0)
    assert disagreements(project)[only[0]] == 0  # compared with the text as it is now
    with pytest.raises(InputError, match="There is no second text for this clip"):
        take_opinion(project, clips[1].id)

    with pytest.raises(Cancelled):
        second_opinion(project, clips, rows, whisper_base, only=[clips[1].id], should_stop=lambda: True)
    assert len(opinions_path(project).read_text().splitlines()) == 2


def test_models_that_cannot_help(prepared_project: Callable[[Path], Project], tmp_path: Path) -> None:
    project = prepared_project(tmp_path)
    clips = load_clips(project)
    set_transcripts(project, [replace(load_transcripts(project)[0], language="german")])
    rows = load_transcripts(project)
    with pytest.raises(InputError, match="hears English only, and the language is german"):
        second_opinion(project, clips, rows, "tiny.en", only=[clips[0].id])
    with pytest.raises(InputError, match="There is no Whisper model 'huge'"):
        second_opinion(project, clips, rows, "huge", only=[clips[1].id])
    assert second_opinion(project, clips, rows, "huge", only=[]) == {}
