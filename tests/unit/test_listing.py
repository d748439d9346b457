"""Which clips the list shows and in which order; what of it reaches the browser as text; figures as pictures."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from voicefactory import files
from voicefactory.jobs.store import Store
from voicefactory.pipeline import review
from voicefactory.pipeline.comparing import compare
from voicefactory.pipeline.second_opinion import Opinion
from voicefactory.pipeline.statistics import LENGTHS_S, SNR_DB, statistics
from voicefactory.pipeline.transcripts import Row, load_rows, update_rows
from voicefactory.project import Project
from voicefactory.ui import cache, data_views, listing, review_views, text
from voicefactory.ui.cache import later
from voicefactory.ui.state import State, read
from voicefactory.ui.view import PAGE, View, keep_view, load_view


@pytest.fixture
def project(prepared_project: Callable[[Path], Project], tmp_path: Path) -> Project:
    """Twelve clips, their doubt rising from the first to the last, with the worklist that an analysis would leave."""
    project = prepared_project(tmp_path)
    names = list(load_rows(project))

    def heard(rows: dict[str, Row]) -> None:
        for place, name in enumerate(names):
            said = replace(rows[name].transcript, source="whisper", confidence=1 - place / 20)
            rows[name] = replace(rows[name], transcript=said)

    update_rows(project, heard)
    analysed = [
        {
            "clip": clip["id"],
            "sha256": clip["sha256"],
            "measures": {"duration_s": clip["seconds"], "voice_distance": 1.4 if clip["id"] == names[0] else 0.5},
            "missing": {},
            "verdicts": [],
        }
        for clip in files.read_jsonl(project.clips_jsonl)
    ]
    files.write_jsonl(project.root / "analysis.jsonl", analysed)
    return project


def seen(project: Project, view: View | None = None) -> State:
    """The state with that view, as after a person has asked for it."""
    if view is not None:
        listing.forget(read(project, Store(project.home / "jobs.db")))
        keep_view(project, view)
    return read(project, Store(project.home / "jobs.db"))


def test_the_riskiest_come_first_and_decisions_move_nothing(project: Project) -> None:
    names = list(load_rows(project))
    before = listing.listed(seen(project))
    assert before[0] == names[0]  # another voice
    assert before[1:4] == tuple(reversed(names[-3:]))  # then what Whisper doubts most
    review.accept(project, [before[0]])
    review.drop(project, [before[1]])
    assert listing.listed(seen(project)) == before
    assert load_view(project) == View()


def test_a_list_keeps_its_rows_until_another_is_asked_for(project: Project) -> None:
    state = seen(project, View("suspicious"))
    first, *others = listing.listed(state)
    assert listing.counts(state)["suspicious"] == len(others) + 1 > 2
    review.accept(project, [first])
    state = seen(project)
    assert listing.listed(state) == (first, *others)
    assert listing.counts(state)["suspicious"] == len(others)
    assert listing.listed(seen(project, View("suspicious"))) == tuple(others)
    assert listing.listed(seen(project, View("checked"))) == (first,)
    review.drop(project, others)
    assert set(listing.listed(seen(project, View("dropped")))) == set(others)


def test_another_voice_and_words_are_found(project: Project) -> None:
    first = next(iter(load_rows(project)))
    assert listing.listed(seen(project, View("foreign"))) == (first,)
    text = load_rows(project)[first].transcript.text
    assert first in listing.listed(seen(project, View("all", text[3:20].upper())))
    assert listing.listed(seen(project, View("all", "no such words"))) == ()
    assert listing.rows(seen(project)) == []


def test_pages_and_neighbours(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 5)
    assert PAGE == 50
    state = seen(project, View(page=2))
    names = listing.listed(state)
    assert listing.page_of(state) == (2, 3)
    assert [row.clip.id for row in listing.rows(state)] == list(names[10:])
    assert listing.page_of(seen(project, View(page=99))) == (2, 3)
    assert listing.neighbour(state, names[4], 1) == names[5]
    assert listing.neighbour(state, names[0], -1) == names[0]
    assert listing.neighbour(state, names[-1], 1) == names[-1]
    assert listing.neighbour(state, "gone", 1) == names[0]
    assert listing.view_with(state, names[7]) == View(page=1, clip=names[7])


def test_what_comes_from_outside_stays_text(project: Project) -> None:
    name = next(iter(load_rows(project)))
    evil = "<img src=x onerror=alert(1)>\"'"
    review.fix(project, name, evil)
    state = seen(project)
    rows = [row for row in listing.rows(state) if row.clip.id == name]
    rows = [replace(row, clip=replace(row.clip, file=evil), reasons=(evil,)) for row in rows]
    said = state.transcript[name]
    opinion = Opinion(name, "base", evil, 0.5, compare("Some words.", evil, "english"))
    shown = [
        review_views.list_html(rows, state.work),
        review_views.list_html([replace(rows[0], transcript=replace(said, source="whisper"))], state.work),
        review_views.clip_html(rows[0].clip, 1, 1, replace(state.work[name], reasons=(evil,)), said),
        review_views.opinion_html(opinion, evil),
    ]
    assert not any("<img" in html for html in shown)
    assert all(html.count("&lt;img") >= 1 for html in shown)
    assert shown[3].count("<mark>") >= 2


def test_measures_are_told_in_words(project: Project) -> None:
    state = seen(project)
    name = next(iter(load_rows(project)))
    line = review_views.measures_line(state.clip[name], state.work[name], state.transcript[name])
    assert "s long, speech is" in line
    assert "may be another voice" in line


def test_lengths_are_a_picture_that_can_be_read_aloud(project: Project) -> None:
    found = statistics(project)
    picture = data_views.histogram_svg(found.lengths, LENGTHS_S, text.DATA_LENGTHS_ALT)
    assert picture.count("<rect") == len(found.lengths) == 8
    assert 'aria-label="Clips by length in seconds: 3–5: 4, 5–8: 5, 8–12: 3."' in picture
    assert "faint" not in picture
    assert "rule of thumb" in data_views.statistics_html(found)
    assert data_views.histogram_svg([0] * 8, LENGTHS_S, "{bars}").count("<rect") == 8
    assert "Clips by how far speech stands out, in dB: " in data_views.statistics_html(found)
    noisy = data_views.histogram_svg([1, 2, 3, 0, 0, 0], SNR_DB, "{bars}", faint_below=20)
    assert noisy.count('class="faint"') == 2
    assert 'aria-label="0–10: 1, 10–20: 2, 20–30: 3"' in noisy


def test_what_takes_long_is_worked_out_behind_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_QUIET_S", 0.05)
    monkeypatch.setattr(cache, "_FIRST_QUIET_S", 0.05)
    source, loaded, go_on = tmp_path / "source", [], threading.Event()
    source.write_text("one")

    def load() -> str:
        loaded.append(source.read_text())
        assert go_on.wait(30)
        return loaded[-1]

    def value(current: bool) -> str | None:
        end = time.monotonic() + 30
        while (known := later("slow", tmp_path, [source], load, now=False)).current is not current:
            assert time.monotonic() < end
            time.sleep(0.01)
        return known.value

    assert value(False) is None  # and the page goes on
    go_on.set()
    assert value(True) == "one"
    files.write_text(source, "two")
    assert value(False) == "one"  # the last one, until there is a new one
    assert value(True) == "two"
    assert loaded == ["one", "two"]
