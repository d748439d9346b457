"""Texts are checked on the page: with the mouse and with the keys, one by one and many at once, and back again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.ui import way
from tests.ui.conftest import Server
from voicefactory import files
from voicefactory.pipeline.analyse import analyse
from voicefactory.pipeline.review import steps
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.transcripts import Row, load_rows, load_transcripts, update_rows
from voicefactory.project import Project


@pytest.fixture
def project(server: Server, prepared_project: Callable[[Path], Project], tmp_path: Path) -> Iterator[Project]:
    """Twelve clips, analysed; three of their texts as a doubtful Whisper would have left them, one with markup."""
    made = prepared_project(tmp_path)
    project = Project(server.home / "projects" / "review")
    shutil.copytree(made.root, project.root)
    files.write_json(project.info_path, {**project.info, "name": "Review"})
    doubtful = dict(zip(list(load_rows(project))[:3], (0.3, 0.2, 0.1), strict=True))

    def doubt(rows: dict[str, Row]) -> None:
        for name, confidence in doubtful.items():
            said = replace(rows[name].transcript, source="whisper", confidence=confidence)
            rows[name] = replace(rows[name], transcript=said)
        last = list(rows)[-1]
        said = replace(rows[last].transcript, text="<img src=x onerror=alert(1)> {{this}} ${alert(1)}")
        rows[last] = replace(rows[last], transcript=said)

    update_rows(project, doubt)
    analyse(project, load_clips(project), load_transcripts(project), dnsmos=False)
    yield project
    shutil.rmtree(project.root, ignore_errors=True)  # an open page may write there in this moment


def test_checking_texts_with_mouse_and_keys_and_taking_it_back(server: Server, page: Page, project: Project) -> None:
    ids = list(load_rows(project))
    way.open_page(page, f"{server.url}/?project=review")
    way.go_to(page, "2 Transcripts")

    # the riskiest first, with the reason; what came from outside stays text
    expect(way.cell(page, "#transcripts", 0, 3)).to_contain_text("Whisper was only 10% sure")
    expect(page.locator("#transcripts tr[data-clip]")).to_have_count(12)
    expect(page.locator("#transcripts")).to_contain_text("<img src=x onerror=alert(1)> {{this}} ${alert(1)}")
    expect(page.locator("#transcripts img")).to_have_count(0)
    expect(page.locator("#clip-about")).to_contain_text("Clip 1 of 12")
    expect(page.locator("#clip-about")).to_contain_text("above the background")

    # keys: next, accept, drop, undo; none of them while typing
    page.keyboard.press("a")
    expect(page.locator("#clip-about")).to_contain_text("Clip 2 of 12")
    assert _row(project, ids[2]).transcript.source == "edited"
    expect(way.cell(page, "#transcripts", 0, 3)).to_contain_text("checked by you")
    page.keyboard.press("d")
    expect(page.locator("#clip-about")).to_contain_text("Clip 3 of 12")
    assert _row(project, ids[1]).transcript.dropped
    expect(page.locator("#transcripts-summary")).to_contain_text("11 of 12 clips will be used")
    expect(page.locator("#clip-undo")).to_have_text("Undo: drop (1)")
    page.keyboard.press("e")
    expect(page.locator("#clip-text textarea")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Judy and a dad: jukebox.")
    assert not _row(project, ids[0]).transcript.dropped
    page.keyboard.press("Enter")
    expect(page.locator("#clip-about")).to_contain_text("Clip 4 of 12")
    assert _row(project, ids[0]).transcript.text == "Judy and a dad: jukebox."

    # a reload: the same clip, and the way back is still known
    page.reload(wait_until="domcontentloaded")
    expect(page.locator("#seen-rest textarea, #seen-rest input")).not_to_have_value("")
    way.go_to(page, "2 Transcripts")
    expect(page.locator("#clip-about")).to_contain_text("Clip 4 of 12")
    page.wait_for_function("document.querySelector('#clip-audio audio').duration > 1")
    assert page.locator("#clip-audio audio").evaluate("player => player.paused")  # only a pick plays
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('#clip-audio audio').currentTime > 0.2")
    for clip in ("Clip 3 of 12", "Clip 2 of 12", "Clip 1 of 12"):
        page.keyboard.press("u")
        expect(page.locator("#clip-about")).to_contain_text(clip)
    assert not steps(project)
    assert {name: _row(project, name).transcript.source for name in ids[:3]} == dict.fromkeys(ids[:3], "whisper")

    # only what needs a look; many at once; and back
    page.locator("#show").get_by_text("To look at (3)").click()
    expect(page.locator("#transcripts tr[data-clip]")).to_have_count(3)
    page.locator("#bulk").get_by_role("button", name="Many at once").click()
    page.get_by_role("button", name="Drop all 3 clips shown").click()
    expect(page.locator("#transcripts-summary")).to_contain_text("9 of 12 clips will be used")
    expect(page.locator("#transcripts tr.dropped")).to_have_count(3)  # they stay where they are
    page.locator("#clip-undo").click()
    expect(page.locator("#transcripts-summary")).to_contain_text("12 of 12 clips will be used")

    # what was typed is not lost when another row is picked
    way.cell(page, "#transcripts", 2, 1).click()
    expect(page.locator("#clip-about")).to_contain_text("Clip 3 of 3")
    page.locator("#clip-text textarea").fill("Typed, and not saved.")
    way.cell(page, "#transcripts", 0, 1).click()
    expect(page.locator("#clip-about")).to_contain_text("Clip 1 of 3")
    expect(page.locator("#transcripts")).to_contain_text("Typed, and not saved.")


def _row(project: Project, name: str) -> Row:
    return load_rows(project)[name]
