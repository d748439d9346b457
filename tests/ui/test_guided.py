"""Reading aloud in a real browser, whose microphone plays a human recording; real Whisper listens to it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import GivenClip
from tests.ui import way
from tests.ui.conftest import CHROMIUM, PATIENCE_MS, Server
from voicefactory.pipeline.prompts import prompt_id
from voicefactory.pipeline.takes import load_takes
from voicefactory.pipeline.transcripts import load_transcripts
from voicefactory.project import list_projects


@pytest.fixture
def reading_server(tmp_path: Path, twelve_clips: list[GivenClip]) -> Iterator[Server]:
    """Two sentences to read: the microphone says the second one, whichever is asked for."""
    (tmp_path / "english.txt").write_text(f"{twelve_clips[5].text}\n{twelve_clips[9].text}\n", encoding="utf-8")
    server = Server(tmp_path / "home", VOICEFACTORY_PROMPTS=str(tmp_path))
    server.start()
    yield server
    server.stop()
    server.end_workers()


@pytest.fixture
def reader(reading_server: Server, browser: Browser, twelve_clips: list[GivenClip], tmp_path: Path) -> Iterator[Page]:
    """A browser whose microphone is a recording, from its beginning whenever it is opened."""
    fake = [f"--use-file-for-fake-audio-capture={twelve_clips[9].path}%noloop"]
    speaking = browser.browser_type.launch(executable_path=shutil.which("chromium"), args=[*CHROMIUM, *fake])
    page = speaking.new_context(permissions=["microphone"], viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    speaking.close()


def read_aloud(page: Page, seconds: float) -> None:
    """Record for so long."""
    page.locator("#read-microphone button.record-button").click()
    expect(page.locator("#read-microphone button.stop-button")).to_be_visible()
    page.wait_for_timeout(1000 * seconds)
    page.locator("#read-microphone button.stop-button").click()


@pytest.mark.slow
def test_a_wrong_sentence_and_half_a_one_are_told_a_right_one_is_kept_and_a_reload_goes_on(
    reading_server: Server, reader: Page, twelve_clips: list[GivenClip]
) -> None:
    page, (wrong, right) = reader, (twelve_clips[5].text, twelve_clips[9].text)
    way.open_page(page, reading_server.url)
    way.create(page, "Reader")
    page.get_by_role("tab", name="Read aloud").click()
    expect(page.locator("#read-sentence")).to_contain_text("Choose the language")
    page.locator("#read-language input").click()
    page.get_by_role("option", name="English").click()
    expect(page.locator("#read-sentence .sentence")).to_have_text(wrong)

    # a part of it only: two takes of the whole can come out the same to the bit, and the same content counts once
    read_aloud(page, 4)
    expect(page.locator("#read-verdict")).to_contain_text("Another sentence was heard", timeout=180_000)
    expect(page.locator("#read-sentence mark")).to_have_count(0)
    expect(page.locator("#read-keep")).to_be_hidden()
    page.locator("#read-anyway").click()

    expect(page.locator("#read-sentence .sentence")).to_have_text(right)
    expect(page.locator("#read-progress")).to_contain_text("1 sentence read")
    read_aloud(page, 3)
    expect(page.locator("#read-verdict")).to_contain_text("The end is missing", timeout=180_000)
    expect(page.locator("#read-sentence mark").last).to_have_text("process")
    page.locator("#read-retake").click()
    expect(page.locator("#read-verdict")).to_be_hidden()
    expect(page.locator("#read-sentence mark")).to_have_count(0)
    read_aloud(page, 7)
    expect(page.locator("#read-verdict")).to_contain_text("your sentence was heard", timeout=180_000)
    expect(page.locator("#read-verdict")).to_contain_text("below your voice")

    page.reload(wait_until="domcontentloaded")
    page.get_by_role("tab", name="Read aloud").click()
    expect(page.locator("#read-sentence .sentence")).to_have_text(right)
    expect(page.locator("#read-verdict")).to_contain_text("your sentence was heard")
    page.locator("#read-keep").click()
    expect(page.locator("#read-sentence")).to_contain_text("You have read every sentence")

    project = list_projects(reading_server.home)[0]
    assert list(load_takes(project)) == [prompt_id(text, "english") for text in (wrong, right)]
    assert not list((project.root / "reading").glob("*"))
    expect(page.locator("#recordings-summary")).to_contain_text("2 recordings", timeout=180_000)
    expect(page.locator("#recordings tbody tr")).to_have_count(2)
    expect(page.locator("#recordings")).to_contain_text(f"Read aloud: “{right[:30]}")
    way.go_to(page, "2 Transcripts")
    expect(page.locator("#transcripts-summary")).to_contain_text("2 of 2 clips", timeout=180_000)
    assert {row.text for row in load_transcripts(project) if row.source == "given"} == {wrong, right}
