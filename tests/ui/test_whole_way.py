"""The whole way in a real browser: recordings in, a voice out, with a reload and a second tab in the middle."""

from __future__ import annotations

import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from tests.ui import way
from tests.ui.conftest import Server
from voicefactory import files
from voicefactory.pipeline.transcripts import load_transcripts
from voicefactory.project import list_projects

EDITED = "Please enter your agent number, and then press the pound key."


def test_from_recordings_to_a_downloaded_voice(
    server: Server, context: BrowserContext, page: Page, clips_dir: Path, tmp_path: Path
) -> None:
    # 1 recordings
    way.open_page(page, server.url)
    way.create(page, "Anna <b>Ünïcode</b>")
    project = list_projects(server.home)[0]
    way.upload(page, way.samples(clips_dir, 4))
    expect(page.locator("#recordings")).to_contain_text(way.samples(clips_dir, 1)[0].name, timeout=120_000)
    expect(page.locator("#recordings-summary")).to_contain_text("4 recordings", timeout=120_000)
    assert len(list(project.uploads.glob("*/*.wav"))) == 4

    # 2 transcripts: real Whisper has listened; one text is changed in the table, one below it
    way.go_to(page, "2 Transcripts")
    expect(page.locator("#transcripts-summary")).to_contain_text("4 of 4 clips will be used", timeout=180_000)
    expect(page.locator("#headline")).to_be_hidden(timeout=120_000)
    expect(page.locator("#clip-about")).to_contain_text("Clip 1 of 4")
    page.locator("#clip-text textarea").fill(EDITED)
    page.locator("#clip-accept").click()
    expect(page.locator("#clip-about")).to_contain_text("Clip 2 of 4")
    _eventually(lambda: EDITED in {row.text for row in load_transcripts(project) if row.source == "edited"})
    expect(page.locator("#clip-text textarea")).not_to_have_value(EDITED)
    page.wait_for_function("document.querySelector('#clip-audio audio').duration > 1")  # the player has loaded it
    page.locator("#clip-drop").click()
    expect(page.locator("#transcripts-summary")).to_contain_text("3 of 4 clips will be used")
    expect(way.cell(page, "#transcripts", 0, 1)).to_contain_text(EDITED)  # the order has stayed
    page.locator("#clip-undo").click()
    expect(page.locator("#transcripts-summary")).to_contain_text("4 of 4 clips will be used")

    # 3 reference
    way.go_to(page, "3 Reference")
    expect(page.locator("#reference-pick").get_by_label("Clip 1")).to_be_checked()
    page.locator("#reference-pick").get_by_label("Clip 2").check()
    if not _soon(lambda: bool(project.info.get("reference"))):
        # Seen twice in some hundred runs, on a busy machine: a choice made while the step appears is not sent.
        print("the first choice of a reference did not arrive")
        page.locator("#reference-pick").get_by_label("Clip 1").check()
        page.locator("#reference-pick").get_by_label("Clip 2").check()
    _eventually(lambda: bool(project.info.get("reference")))

    # 4 train, with a reload and a second tab in the middle
    way.go_to(page, "4 Train")
    expect(page.locator("#toy")).to_contain_text("noise, not speech")
    expect(page.locator("#gpus")).to_contain_text("GPU")
    page.locator("#train").click()
    expect(way.notice(page)).to_contain_text("Confirm that you may use this voice")
    way.start_training(page, max_steps=80, batch_size=1, save_every_steps=25, eval_every_steps=40)
    expect(page.locator("#status")).to_contain_text(way.TRAINING, timeout=180_000)

    page.reload(wait_until="domcontentloaded")
    _shows_training(page, "after a reload")
    expect(way.chosen(page)).to_have_text("Anna <b>Ünïcode</b>")
    second = context.new_page()
    second.goto(page.url, wait_until="domcontentloaded")
    _shows_training(second, "in a second tab")
    second.close()

    way.go_to(page, "4 Train")
    expect(page.locator("#consent input")).to_be_checked()
    expect(page.locator("#status")).to_contain_text("Your voice is ready", timeout=180_000)
    expect(page.locator("#loss")).to_be_visible()
    expect(page.locator("#sample-1")).to_contain_text(re.compile(r"0:\d\d"))
    rows = files.read_jsonl(next(project.runs.glob("*/metrics.jsonl")))
    assert rows[-1]["step"] == 80
    assert any(row["text"] == EDITED for row in files.read_jsonl(next(project.codes.glob("*/codes.jsonl"))))

    # 5 listen
    way.go_to(page, "5 Listen")
    expect(page.locator("#listen-toy")).to_contain_text("noise, not speech")
    page.locator("#text textarea").fill("Hello, <script>alert(1)</script> this is a test.")
    page.locator("#speak").click()
    expect(page.locator("#spoken audio")).to_be_visible(timeout=180_000)
    expect(page.locator("#history")).to_contain_text("<script>alert(1)</script>")
    assert list(project.root.glob("speech/*/*.wav"))

    # 6 share
    way.go_to(page, "6 Share")
    expect(page.locator("#example")).to_contain_text("from_pretrained")
    with page.expect_download() as downloading:
        page.locator("#download").click()
    zipped = tmp_path / "voice.zip"
    downloading.value.save_as(zipped)
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(tmp_path / "unpacked")
    (voice,) = (tmp_path / "unpacked").iterdir()
    (made,) = (
        path for path in project.voices.iterdir() if path.is_dir()
    )  # it spoke in a clean process, or the job failed
    parts = {path.relative_to(made) for path in made.rglob("*") if path.is_file()}
    assert Path("model.safetensors") in parts
    assert parts == {path.relative_to(voice) for path in voice.rglob("*") if path.is_file()}
    assert all((made / part).read_bytes() == (voice / part).read_bytes() for part in parts)

    # and pushing says what is missing
    page.locator("#hub").get_by_role("button").first.click()
    page.locator("#push").click()
    expect(way.notice(page)).to_contain_text("Write where to put it")
    page.locator("#repo").get_by_role("textbox").fill("anna/voice")
    page.locator("#token input").fill("hf_thisIsOnlyATest12345")
    page.locator("#push").click()
    expect(page.locator("#push-status")).to_contain_text("HF_HUB_OFFLINE is set", timeout=120_000)
    expect(page.locator("#token input")).to_have_value("")
    everything = b"".join(path.read_bytes() for path in server.home.rglob("*") if path.is_file())
    assert b"hf_thisIsOnlyATest12345" not in everything


def _shows_training(page: Page, where: str) -> None:
    """The page shows that training goes on; how soon is printed."""
    expect(page.locator("#create")).to_be_visible(timeout=120_000)
    begun = time.monotonic()
    expect(page.locator("#headline")).to_contain_text(way.TRAINING)
    print(f"state was there {time.monotonic() - begun:.2f} s after the page was visible, {where}")


def _soon(condition: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    return condition()


def _eventually(condition: object, seconds: float = 60) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)
