"""Step 5 in a real browser: heard from the first sentence on, many lines, side by side, and heard again."""

from __future__ import annotations

import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import soundfile
from gradio_client.exceptions import AppError
from playwright.sync_api import Locator, Page, expect

from tests.conftest import MadeOnce
from tests.toy_voice import give_voice
from tests.ui import way
from tests.ui.conftest import Server
from voicefactory import files
from voicefactory.project import Project

NUMBERS = " ".join(f"Number {number} comes now." for number in range(1, 12))
SPOKEN_MS = 180_000  #: for a machine that is busy


@pytest.fixture(scope="module")
def voiced(
    server: Server, made_once: MadeOnce, toy: Path, prepared_project: Callable[[Path], Project]
) -> Iterator[Project]:
    """A project with a voice on the server."""
    made = made_once("voice-project", lambda folder: give_voice(prepared_project(folder), toy))
    project = Project(server.home / "projects" / "heard")
    shutil.copytree(next((made / "projects").iterdir()), project.root)
    files.write_json(project.info_path, {**project.info, "name": "Heard"})
    yield project
    server.end_workers()
    shutil.rmtree(project.root, ignore_errors=True)


@pytest.fixture
def listening(server: Server, page: Page, voiced: Project) -> Page:
    """The step, open."""
    way.open_page(page, f"{server.url}/?project={voiced.identifier}&step=listen")
    expect(page.locator("#speak")).to_be_visible()
    return page


def speak(page: Page, text: str) -> None:
    page.locator("#text textarea").fill(text)
    page.locator("#speak").click()


def player(page: Page) -> Locator:
    return page.locator("#spoken audio")


def playing(page: Page) -> dict[str, float]:
    """What the player is at: place in the pieces, whole or not, seconds heard before this piece."""
    found = page.evaluate(
        "(() => { const show = document.querySelector('#spoken .stage').show;"
        " return {at: show.at, whole: show.from === 'whole', heard: show.heard, pieces: show.pieces.length}; })()"
    )
    return dict(found)


def test_what_cannot_be_said_is_told(listening: Page) -> None:
    page = listening
    for line, sentence in (("  ", "Type a text"), ("...!?", "nothing to say"), ("x" * 20_001, "Speak it in parts")):
        speak(page, line)
        expect(way.notice(page)).to_contain_text(sentence)
        way.dismiss(page)
    page.locator("#lines-panel > button").first.click()
    page.locator("#lines-speak").click()
    expect(way.notice(page)).to_contain_text("no line to speak")
    way.dismiss(page)
    page.locator("#beside-panel > button").first.click()
    expect(page.locator("#beside-who label")).to_have_count(6)  # voice, imitation, checkpoint, three strengths
    expect(page.locator("#beside-who input:checked")).to_have_count(2)
    page.locator("#beside-who input:checked").first.uncheck()
    page.locator("#beside-speak").click()
    expect(way.notice(page)).to_contain_text("at least two")
    way.dismiss(page)
    page.locator("#beside-say-it").click()
    expect(way.notice(page)).to_contain_text("Choose a recording first")


@pytest.mark.slow
def test_the_first_sentence_sounds_while_the_next_are_spoken(listening: Page, voiced: Project) -> None:
    page = listening
    speak(page, "The first sentence. " + " ".join(f"Sentence number {number}." for number in range(2, 9)))
    expect(player(page)).to_be_visible(timeout=SPOKEN_MS)
    assert not list(voiced.root.glob("speech/*/takes.jsonl"))  # it is not finished
    assert playing(page)["whole"] is False
    page.wait_for_function("document.querySelector('#spoken audio').currentTime > 0.2")  # by itself, after the click
    page.wait_for_function("document.querySelector('#spoken .stage').show.at >= 2", timeout=SPOKEN_MS)
    player(page).evaluate("(audio) => { audio.kept = 'the same player'; }")

    page.reload(wait_until="domcontentloaded")
    expect(player(page)).to_be_visible()
    assert playing(page)["pieces"] >= 3 or playing(page)["whole"]
    assert player(page).evaluate("(audio) => audio.paused")  # nobody asked for sound here
    player(page).evaluate("(audio) => { audio.kept = 'the same player'; audio.play(); }")
    expect(page.locator("#spoken-file")).to_be_visible(timeout=SPOKEN_MS)
    page.wait_for_function("document.querySelector('#spoken .stage').show.from === 'whole'", timeout=SPOKEN_MS)
    heard = playing(page)["heard"]
    assert heard > 2
    page.wait_for_function(f"document.querySelector('#spoken audio').currentTime > {heard} - 0.1")  # it went on there
    assert player(page).evaluate("(audio) => audio.kept") == "the same player"
    page.wait_for_function("document.querySelector('#spoken audio').ended", timeout=SPOKEN_MS)
    with page.expect_download() as downloading:
        page.locator("#spoken-file").click()
    assert downloading.value.suggested_filename.endswith(".wav")
    assert soundfile.info(downloading.value.path()).duration > 10


@pytest.mark.slow
def test_stopped_resumed_heard_again_and_removed(listening: Page, server: Server, voiced: Project) -> None:
    page = listening
    page.locator("#form input[value=mp3]").check()
    page.locator("#seed input").fill("12")
    speak(page, NUMBERS)
    expect(player(page)).to_be_visible(timeout=SPOKEN_MS)
    page.locator("#speak-stop").click()
    expect(page.locator("#speak-status")).to_contain_text("What was spoken is kept", timeout=SPOKEN_MS)
    (entry,) = [path.parent for path in voiced.root.glob("speech/*/asked.json") if "mp3" in path.read_text()]
    (take,) = files.read_jsonl(entry / "takes.jsonl")
    assert 0 < take["pieces"] < take["of"] == 11
    assert soundfile.info(entry / take["file"]).duration == pytest.approx(take["seconds"], abs=0.1)
    page.locator("#speak-on").click()
    expect(page.locator("#speak-stop")).to_be_visible()
    expect(page.locator("#spoken-file")).to_be_visible(timeout=SPOKEN_MS)
    assert [row["pieces"] for row in files.read_jsonl(entry / "takes.jsonl")] == [11]

    page.locator("#form input[value=wav]").check()
    page.locator("#seed input").fill("3")
    speak(page, "Short.")
    rows = page.locator("#history tbody tr")
    expect(rows.first).to_contain_text("Short.", timeout=SPOKEN_MS)
    expect(rows.first).to_have_attribute("aria-current", "true")
    assert len({job.pid for job in server.store.jobs(project=voiced.identifier)}) == 1  # one worker, with its model
    rows.nth(1).get_by_role("button").first.click()
    expect(page.locator("#text textarea")).to_have_value(NUMBERS)
    expect(page.locator("#seed input")).to_have_value("12")
    expect(page.locator("#form input[value=mp3]")).to_be_checked()
    expect(page.locator(f"#spoken .stage[data-entry='{entry.name}']")).to_have_count(1)
    page.wait_for_function("document.querySelector('#spoken audio').currentTime > 0.2")

    rows.nth(1).get_by_role("button", name="Remove").click()
    rows.nth(1).get_by_role("button", name="Remove").click()
    expect(page.locator("#history")).not_to_contain_text("comes now")
    assert not entry.exists()
    expect(rows.first).to_contain_text("Short.")


@pytest.mark.slow
def test_lines_and_side_by_side(listening: Page, tmp_path: Path) -> None:
    page = listening
    table = tmp_path / "lines.csv"
    table.write_text('id,text\n1,"Good morning, you."\n2,<b>Bold</b>\n3,Third.\n', encoding="utf-8")
    page.locator("#lines-panel > button").first.click()
    page.locator("#lines-file input[type=file]").set_input_files(table)
    expect(page.locator("#lines textarea")).to_have_value("Good morning, you.\n<b>Bold</b>\nThird.")
    page.locator("#lines-speak").click()
    expect(page.locator("#spoken .take")).to_have_count(3, timeout=SPOKEN_MS)
    expect(page.locator("#spoken .take").nth(1)).to_contain_text("<b>Bold</b>")
    expect(page.locator("#spoken-file")).to_be_visible(timeout=SPOKEN_MS)
    with page.expect_download() as downloading:
        page.locator("#spoken-file").click()
    with zipfile.ZipFile(downloading.value.path()) as archive:
        assert archive.namelist() == ["lines.csv", "001-good-morning-you.wav", "002-b-bold-b.wav", "003-third.wav"]

    page.locator("#beside-panel > button").first.click()
    page.locator("#beside-recording input").click()
    page.get_by_role("option").nth(1).click()
    page.locator("#beside-say-it").click()
    expect(page.locator("#text textarea")).not_to_have_value("Good morning. This is my new voice.")
    page.locator("#beside-who").get_by_text("strength 0.5").click()
    page.locator("#beside-speak").click()
    takes = page.locator("#spoken .take")
    expect(takes.first).to_contain_text("Recording", timeout=SPOKEN_MS)
    takes.first.locator("audio").evaluate("(audio) => { audio.play(); }")
    expect(takes).to_have_count(4, timeout=SPOKEN_MS)
    assert not takes.first.locator("audio").evaluate("(audio) => audio.paused && audio.currentTime === 0")
    expect(takes.nth(3)).to_contain_text("strength 0.5")


@pytest.mark.slow
def test_scripts_choose_the_kind_of_file(server: Server, voiced: Project) -> None:
    client = server.client()
    job = client.predict(voiced.identifier, "Hello.", form="mp3", api_name="/synthesize")
    end = time.monotonic() + SPOKEN_MS / 1000
    while server.store.get(job).active:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert soundfile.info(client.predict(voiced.identifier, job, api_name="/download")).format == "MP3"
    for more, sentence in (({"form": "ogg"}, "Choose one of wav, flac, mp3"), ({"language": "klingon"}, "klingon")):
        with pytest.raises(AppError, match=sentence):
            client.predict(voiced.identifier, "Hello.", api_name="/synthesize", **more)
