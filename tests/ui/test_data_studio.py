"""A second opinion, files to take away, previews, the data set: each through the page, by real jobs."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.ui import way
from tests.ui.conftest import Server
from tests.whisper_base import join_whisper_base
from voicefactory import files
from voicefactory.pipeline.frozen import list_frozen
from voicefactory.pipeline.transcripts import Row, load_rows, update_rows
from voicefactory.project import Project

PATIENCE_MS = 240_000
WRONG = "That agent sings loudly on. Please enter your agent number followed by the pound key."


@pytest.fixture
def project(server: Server, prepared_project: Callable[[Path], Project], tmp_path: Path) -> Iterator[Project]:
    """Twelve clips as Whisper would have left them; one text is wrong."""
    made = prepared_project(tmp_path)
    project = Project(server.home / "projects" / "studio")
    shutil.copytree(made.root, project.root)
    files.write_json(project.info_path, {**project.info, "name": "Studio"})

    def heard(rows: dict[str, Row]) -> None:
        for name, row in rows.items():
            wrong = row.transcript.text.startswith("That agent is already")
            text = WRONG if wrong else row.transcript.text
            said = replace(row.transcript, source="whisper", confidence=0.2 if wrong else 0.9, text=text)
            rows[name] = replace(row, transcript=said, heard=text)

    update_rows(project, heard)
    assert any(row.transcript.text == WRONG for row in load_rows(project).values())
    yield project
    shutil.rmtree(project.root, ignore_errors=True)  # an open page may write there in this moment


@pytest.mark.slow
def test_another_whisper_is_asked_and_its_text_taken(
    server: Server, page: Page, project: Project, tmp_path: Path
) -> None:
    way.open_page(page, f"{server.url}/?project=studio")
    way.go_to(page, "2 Transcripts")
    expect(page.locator("#clip-text textarea")).to_have_value(WRONG)  # the least certain comes first
    page.locator("#listen-again").get_by_role("button", name="Let Whisper listen again").click()
    expect(page.locator("#asr-sizes")).to_contain_text("tiny.en", timeout=PATIENCE_MS)
    expect(page.locator("#asr-sizes")).to_contain_text("there is no network")  # why not large-v3
    size = page.locator("#asr input")
    size.fill(str(join_whisper_base(tmp_path / "base")))
    size.press("Enter")
    page.locator("#opinion-count input").fill("2")
    page.locator("#opinion-ask").click()
    expect(page.locator("#opinion-status")).to_contain_text(
        "2 clips heard again; 1 with other words", timeout=PATIENCE_MS
    )
    expect(page.locator("#clip-opinion mark").first).to_have_text("sings")  # of the clip that is looked at
    page.locator("#show").get_by_text("Second opinion differs (1)").click()
    way.cell(page, "#transcripts", 0, 1).click()
    expect(page.locator("#clip-opinion mark").first).to_have_text("sings")
    page.locator("#clip-take").click()
    expect(page.locator("#clip-text textarea")).to_have_value(
        "That agent is already logged on. Please enter your agent number followed by the pound key."
    )
    page.locator("#clip-undo").click()
    expect(page.locator("#clip-text textarea")).to_have_value(WRONG)


@pytest.mark.slow
def test_texts_are_taken_away(server: Server, page: Page, project: Project, tmp_path: Path) -> None:
    way.open_page(page, f"{server.url}/?project=studio")
    way.go_to(page, "2 Transcripts")
    page.keyboard.press("d")
    expect(page.locator("#transcripts-summary")).to_contain_text("11 of 12")
    page.locator("#export").get_by_role("button", name="Take the texts with you").click()
    page.locator("#export-make").click()
    expect(page.locator("#export-status")).to_contain_text("11 clips written, 1 left out", timeout=PATIENCE_MS)
    with page.expect_download() as downloading:
        page.locator("#export-download").click()
    downloading.value.save_as(tmp_path / "texts.zip")
    with zipfile.ZipFile(tmp_path / "texts.zip") as archive:
        assert len(archive.read("metadata.csv").decode().splitlines()) == 11
        assert len([name for name in archive.namelist() if name.endswith(".wav")]) == 11


@pytest.mark.slow
def test_candidates_are_imitated_and_the_data_set_is_frozen(server: Server, page: Page, project: Project) -> None:
    way.open_page(page, f"{server.url}/?project=studio")
    way.go_to(page, "3 Reference")
    expect(page.locator("#candidate-3")).to_contain_text("speech is")
    page.locator("#preview-ask").click()
    expect(page.locator("#preview-3")).to_contain_text("imitated without training", timeout=PATIENCE_MS)
    page.wait_for_function("document.querySelector('#preview-3 audio').duration > 0.3")

    expect(page.locator("#data")).to_contain_text("in 12 clips")
    expect(page.locator("#data")).to_contain_text("You have 72 seconds: a try")
    lengths, snr = page.locator("#data .histogram").all()
    expect(lengths.locator("rect")).to_have_count(8)
    expect(snr.locator("rect")).to_have_count(6)
    page.locator("#freeze").click()
    expect(page.locator("#frozen")).to_contain_text("nothing changed", timeout=PATIENCE_MS)
    (frozen,) = list_frozen(project)
    expect(page.locator("#frozen")).to_contain_text(frozen.name)
    way.go_to(page, "2 Transcripts")
    page.keyboard.press("d")
    expect(page.locator("#transcripts-summary")).to_contain_text("11 of 12")
    way.go_to(page, "3 Reference")
    expect(page.locator("#frozen")).to_contain_text("1 clip left out")
    page.reload(wait_until="domcontentloaded")
    expect(page.locator("#seen-rest textarea, #seen-rest input")).not_to_have_value("")
    way.go_to(page, "3 Reference")
    expect(page.locator("#preview-3")).to_contain_text("imitated without training")
