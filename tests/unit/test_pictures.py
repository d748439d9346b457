"""The waveform and the guided recording as text of a page: places, words for screen readers, nothing from outside."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from voicefactory.errors import InputError
from voicefactory.pipeline.prompts import Prompt, RecordingProgress
from voicefactory.pipeline.reading import Reading
from voicefactory.pipeline.wording import Said
from voicefactory.project import Project
from voicefactory.types import Quality
from voicefactory.ui import intake, pictures, reading_views
from voicefactory.ui.pictures import Span

PEAKS = [[-0.5, 0.5], [-0.1, 0.2], [0.0, 0.0]]


def boxes(svg: str) -> list[tuple[str, float, float]]:
    """(kind, left, width) of what lies behind the wave."""
    found = re.findall(r'<rect class="(clip|refused)" x="([\d.]+)" y="0" width="([\d.]+)"', svg)
    return [(kind, float(left), float(width)) for kind, left, width in found]


def test_cuts_lie_where_the_clips_are() -> None:
    spans = [Span(0, 2, "clip", "one"), Span(4, 5, "refused", "too short"), Span(8, 12, "clip", "two")]
    svg = pictures.waveform_svg(PEAKS, 0, 10, spans, name="a.wav")
    assert boxes(svg) == [("clip", 0, 200), ("refused", 400, 100), ("clip", 800, 200)]
    part = pictures.waveform_svg(PEAKS, 4, 8, spans, name="a.wav")
    assert boxes(part) == [("refused", 0, 250)]  # what ends or begins at the edge is not in it
    assert 'aria-label="Waveform of a.wav from 0:00 to 0:10: 2 clips. 1 part not used."' in svg
    assert svg.count("<title>") == 3


def test_the_wave_reaches_from_edge_to_edge() -> None:
    svg = pictures.waveform_svg(PEAKS, 0, 3, [], name="a.wav")
    outline = re.search(r'class="sound" d="M(.*?) Z"', svg)
    assert outline is not None
    points = [tuple(map(float, point.split())) for point in outline[1].split(" L")]
    assert (min(x for x, _ in points), max(x for x, _ in points)) == (0, pictures.WIDTH)
    middle = pictures.HEIGHT / 2
    assert min(y for _, y in points) == pytest.approx(0.06 * middle, abs=0.1)  # the loudest sample, whatever it is
    assert pictures.waveform_svg([], 0, 0, [], name="empty.wav").count('d=""') == 1


def test_names_and_texts_from_outside_are_only_text() -> None:
    evil = '"><script>alert(1)</script>'
    svg = pictures.waveform_svg(PEAKS, 0, 1, [Span(0, 1, "clip", evil)], name=evil)
    assert "<script>" not in svg
    assert "<script>" not in pictures.bar_html(0.5, evil)
    assert 'aria-label="Waveform of &quot;&gt;&lt;script' in svg


@pytest.mark.parametrize(("seconds", "shown"), [(7.9, "0:07"), (750, "12:30"), (3723, "1:02:03")])
def test_times(seconds: float, shown: str) -> None:
    assert pictures.clock(seconds) == shown


def reading(*words: tuple[str, bool], ok: bool = False, **values: object) -> Reading:
    said = tuple(Said(*word) for word in words)
    prompt = Prompt("en-1", "Put 3 eggs <b> & milk in, please.", "english")
    told = {"reasons": (), "notes": (), "heard": "", "quality": Quality(-3, -20, 34, 0), **values}
    return Reading(prompt, ok, error_rate=0.5, words=said, seconds=3, start_s=0, end_s=3, level_dbfs=-20, **told)  # type: ignore[arg-type]


def test_words_that_were_not_heard_are_marked_in_the_sentence() -> None:
    found = reading(("Put", True), ("three", False), ("eggs", True), ("milk", False), ("in", True), ("please", False))
    shown = reading_views.sentence_html(found.prompt, found)
    assert re.findall(r"<mark [^>]*>(\w+)</mark>", shown) == ["milk", "please"]  # "three" is written otherwise
    assert "&lt;b&gt; &amp; " in shown
    assert "</mark>." in shown


def test_of_another_sentence_no_word_is_marked() -> None:
    other = reading(("Put", False), ("eggs", False), ("milk", False), ("in", False), ("please", False))
    assert "<mark" not in reading_views.sentence_html(other.prompt, other)
    assert "<mark" not in reading_views.sentence_html(other.prompt)


def test_a_verdict_says_what_was_heard_once() -> None:
    good = reading_views.verdict_html(reading(ok=True, heard="Put <three> eggs"))
    assert "Heard: Put &lt;three&gt; eggs" in good
    assert "34 dB below your voice" in good
    wrong = reading_views.verdict_html(reading(heard="Hello.", reasons=("Another sentence was heard: “Hello.”.",)))
    assert wrong.count("Hello.") == 1
    assert "was heard." not in wrong
    nothing = reading_views.verdict_html(reading(reasons=("No speech was heard in it.",), quality=None))
    assert "below your voice" not in nothing


def test_progress_counts_toward_both_goals() -> None:
    shown = reading_views.progress_html(RecordingProgress(1, 300, 65))
    assert "1 sentence read, 65 to go" in shown
    assert re.findall(r'aria-valuenow="(\d+)"', shown) == ["50", "17"]


@pytest.mark.parametrize(
    "typed", ["owner/name", " hf:owner/name ", "https://huggingface.co/datasets/owner/name", "owner/name/"]
)
def test_a_data_set_is_noted_however_it_is_written(tmp_path: Path, typed: str) -> None:
    project = Project.create("Anna", tmp_path)
    project.update_info(paths=["/from/a/command"])
    assert intake.take_in_hub_name(project, typed) == "hf:owner/name"
    intake.take_in_hub_name(project, typed)
    assert intake.hub_names(project) == ["hf:owner/name"]
    assert intake.is_there(project)
    intake.remove_hub_name(project, "hf:owner/name")
    assert project.info["paths"] == ["/from/a/command"]
    assert not intake.is_there(project)


@pytest.mark.parametrize("typed", ["nonsense", "a/b/c", "../../etc", "owner/..", "-a/b", "hf:/x", "a b/c"])
def test_what_is_no_data_set_is_refused_in_a_sentence(tmp_path: Path, typed: str) -> None:
    project = Project.create("Anna", tmp_path)
    with pytest.raises(InputError, match="is not a data set's name"):
        intake.take_in_hub_name(project, typed)
    assert not intake.is_there(project)
