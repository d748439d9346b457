"""Whatever a person does in the wrong order or with the wrong file is answered with a sentence."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Route, expect

from tests.ui import way
from tests.ui.conftest import Server
from voicefactory.owners import HEADER
from voicefactory.project import Project


def test_every_step_says_what_is_missing(server: Server, page: Page, tmp_path: Path) -> None:
    way.open_page(page, f"{server.url}/?project=")
    page.locator("#create").click()
    expect(way.notice(page)).to_contain_text("needs a name with at least one letter")
    way.dismiss(page)
    way.create(page, "Empty")
    for step, selector, sentence in [
        ("1 Recordings", "#recordings-summary", "Nothing here yet"),
        ("2 Transcripts", "#transcripts-summary", "Add recordings in step 1 first"),
        ("3 Reference", "#reference-summary", "Add recordings in step 1 first"),
        ("4 Train", "#train-missing", "Add recordings in step 1 first"),
        ("5 Listen", "#listen-missing", "Train one in step 4 first"),
        ("6 Share", "#share-missing", "Train a voice in step 4 first"),
    ]:
        way.go_to(page, step)
        expect(page.locator(selector)).to_contain_text(sentence)
    expect(page.locator("#download")).to_be_hidden()

    letter = tmp_path / "letter.docx"
    letter.write_bytes(b"PK\x03\x04 a letter")
    way.go_to(page, "3 Reference")
    page.get_by_role("button", name="Use a file of your own").click()
    page.locator("#reference-file input[type=file]").set_input_files(letter)
    expect(way.notice(page)).to_contain_text("The reference letter.docx cannot be used. It is")
    expect(page.locator("#reference-own")).to_be_hidden()
    way.dismiss(page)
    way.go_to(page, "4 Train")
    page.locator("#train").click()
    expect(way.notice(page)).to_contain_text("nothing to train on yet")
    way.dismiss(page)
    way.go_to(page, "5 Listen")
    page.locator("#speak").click()
    expect(way.notice(page)).to_contain_text("no voice to listen to yet")
    way.dismiss(page)
    way.go_to(page, "1 Recordings")
    page.locator("#add-take").click()
    expect(way.notice(page)).to_contain_text("Nothing was recorded")


def test_files_that_are_no_recordings_are_listed_with_their_reason(server: Server, page: Page, tmp_path: Path) -> None:
    way.open_page(page, server.url)
    way.create(page, "Wrong files")
    lies = tmp_path / "<img src=x onerror=alert(1)>.wav"
    lies.write_text("this is a letter, not a sound")
    empty = tmp_path / "empty.mp3"
    empty.write_bytes(b"")
    way.upload(page, [lies, empty])
    refused = page.locator("#refused")
    expect(refused).to_contain_text("empty.mp3", timeout=120_000)
    expect(refused).to_contain_text(".wav")
    expect(page.locator("#refused img")).to_have_count(0)
    expect(page.locator("#refused tbody tr")).to_have_count(2)
    expect(page.locator("#recordings-summary")).to_contain_text("None of your files could be used")


def test_a_wrong_number_is_refused_before_anything_starts(
    server: Server, page: Page, prepared_project: Callable[[Path], Project], clips_dir: Path
) -> None:
    root = server.home / "projects" / "anna"
    if not root.exists():
        prepared_project(server.home)
    way.open_page(page, f"{server.url}/?project=anna")
    way.go_to(page, "4 Train")
    page.locator("#consent input").check()
    way.set_advanced(page, batch_size=0)
    page.locator("#train").click()
    expect(way.notice(page)).to_contain_text("batch_size cannot be 0")
    expect(page.locator("#cancel")).to_be_hidden()


def test_a_take_from_the_microphone_becomes_a_recording(server: Server, page: Page) -> None:
    way.open_page(page, server.url)
    way.create(page, "Microphone")
    page.locator("#microphone button.record-button").click()
    page.wait_for_timeout(2_500)
    page.locator("#microphone button.stop-button").click()
    page.wait_for_timeout(1_000)
    page.locator("#add-take").click()
    # Chromium's fake microphone beeps: it is taken in, and then it is for the checks to judge.
    taken = page.locator("#recordings, #refused").filter(has_text="recorded 1.wav")
    expect(taken.first).to_be_visible(timeout=120_000)


@pytest.mark.parametrize("path", ["https://example.org", "//example.org", "https%3A%2F%2Fexample.org", "ftp:x"])
def test_the_server_sends_nobody_elsewhere(server: Server, path: str) -> None:
    class NoRedirect(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    opener = urllib.request.build_opener(NoRedirect)
    for once in (path, quote(path, safe="")):
        with pytest.raises(urllib.error.HTTPError) as refused:
            opener.open(f"{server.url}/gradio_api/file={once}", timeout=10)
        assert refused.value.code == 404


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_there_is_no_page_for_programs(server: Server, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(server.url + path, timeout=10)
    assert refused.value.code == 404


def test_files_of_a_project_are_not_served(server: Server, prepared_project: Callable[[Path], Project]) -> None:
    root = server.home / "projects" / "anna"
    if not root.exists():
        prepared_project(server.home)
    mine = urllib.request.Request(f"{server.url}/gradio_api/file={root}/clips.jsonl", headers={HEADER: server.key})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(mine, timeout=10)
    assert refused.value.code == 404


def test_a_tick_made_while_the_page_still_loads_is_kept(
    server: Server, page: Page, prepared_project: Callable[[Path], Project]
) -> None:
    if not (server.home / "projects" / "anna").exists():
        prepared_project(server.home)
    config = json.load(urllib.request.urlopen(f"{server.url}/config", timeout=10))
    opening = {one["id"] for one in config["dependencies"] if any(event == "load" for _, event in one["targets"])}
    held: list[Route] = []

    def hold(route: Route) -> None:
        """The answer to the opened page takes its time, as over a slow line."""
        if route.request.post_data_json["fn_index"] in opening:
            held.append(route)
        else:
            route.continue_()

    page.route("**/run/predict*", hold)
    page.goto(f"{server.url}/?project=anna", wait_until="domcontentloaded")
    expect(page.locator("#steps")).to_be_visible(timeout=120_000)
    page.wait_for_timeout(2_500)  # a tick of the page's clock would have asked twice by now
    assert page.locator("#seen-rest textarea, #seen-rest input").input_value() == ""
    assert page.locator("#steps").evaluate("steps => getComputedStyle(steps).pointerEvents") == "none"
    assert held, "nothing was held up"
    for route in held:
        route.continue_()
    way.go_to(page, "4 Train")
    page.locator("#consent input").check()
    page.wait_for_timeout(2_500)
    expect(page.locator("#consent input")).to_be_checked()
