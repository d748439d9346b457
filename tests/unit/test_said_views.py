"""What was spoken, as the page shows it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from voicefactory.pipeline.said import Heard, SpeechRequest, Take
from voicefactory.project import Project
from voicefactory.settings import settings
from voicefactory.ui import said_views
from voicefactory.ui.player import Feed, feed_json, row_html

NASTY = '<img src=x onerror="alert(1)">'
REQUEST = SpeechRequest("20260101-000000-00000000", ("voice:a",), (NASTY,), (f"{NASTY} Hello.",), "german", seed=7)


def heard(request: SpeechRequest, *takes: Take) -> Heard:
    return Heard(Path("/speech") / request.name, request, 0.0, takes)


def test_the_history_says_what_who_and_how_and_escapes_it() -> None:
    take = Take(0, 0, "a.wav", 12.0, 7, 1, 1)
    shown = said_views.history_html([heard(REQUEST, take)], REQUEST.name)
    assert "<img" not in shown
    assert "&lt;img" in shown
    assert f'data-row="{REQUEST.name}" aria-current="true"' in shown
    assert f'data-remove="{REQUEST.name}"' in shown
    assert "German, seed 7, wav, 12 s" in shown
    assert said_views.history_html([], "") == ""


def test_several_lines_and_several_voices_have_a_line_of_their_own() -> None:
    lines = dataclasses.replace(REQUEST, texts=("One.", "Two.", "Three."), several=True)
    assert said_views.text_line(lines) == "One. (and 2 more)"
    beside = dataclasses.replace(REQUEST, tellers=("a", "b"), labels=("A", "B"))
    assert said_views.voice_line(beside) == "2 side by side"
    assert said_views.take_title(lines, Take(0, 1, "b.wav", 1, 0, 1, 1)) == "2. Two."
    assert said_views.take_title(beside, Take(1, 0, "b.wav", 1, 0, 1, 1)) == "B"


@pytest.mark.parametrize(
    ("runaway", "pieces", "sentence"),
    [((), 1, ""), ((1,), 1, "did not come to an end by itself"), ((2, 4), 5, "in sentence 2, 4 of 5")],
)
def test_what_was_cut_off_is_told(runaway: tuple[int, ...], pieces: int, sentence: str) -> None:
    take = Take(0, 0, "a.wav", 1.0, 0, pieces, pieces, runaway)
    told = said_views.take_note(take)
    assert sentence in told if sentence else told == ""


def test_the_feed_leaves_out_what_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "page"))
    monkeypatch.setattr(settings(), "home", tmp_path)
    project = Project.create("Anna")
    there, gone = project.root / "a b.wav", project.root / "gone.wav"
    there.write_bytes(b"sound")
    fed = json.loads(feed_json(Feed("name", "Anna", [(there, 1.5), (gone, 2.0)], gone, [("0", "<p>")])))
    ((piece),) = fed["pieces"]
    assert piece["seconds"] == 1.5
    assert piece["src"].startswith("gradio_api/file=")
    assert piece["src"].endswith("a%20b.wav")
    assert (fed["entry"], fed["whole"], fed["rows"]) == ("name", "", [{"id": "0", "html": "<p>"}])
    assert "<img" not in row_html(NASTY, NASTY, there)
