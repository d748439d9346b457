"""Whatever is typed, sent or read is text: HTML in every name and field makes no element, and no script runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.ui import way
from tests.ui.conftest import Server
from voicefactory import files
from voicefactory.project import Project

HOSTILE = "<img src=x onerror=window.hit=1><b class=hit>"
FIELDS = ("#new-name", "#hub-data", "#search", "#clip-text", "#text", "#repo", "#token")


def hostile_project(server: Server, made: Project) -> Project:
    """The name of the voice, all texts, files, reasons and errors are HTML."""
    project = Project(server.home / "projects" / "hostile")
    shutil.copytree(made.root, project.root)
    files.write_json(project.info_path, {**made.info, "name": HOSTILE, "language": HOSTILE, "paths": [f"hf:{HOSTILE}"]})
    for path, keys in (
        (project.transcripts_jsonl, ("text", "heard", "speaker")),
        (project.recordings_jsonl, ("file",)),
    ):
        rows = [
            {**row, **{key: f"{HOSTILE} {row.get(key)}" for key in keys if row.get(key)}}
            for row in files.read_jsonl(path)
        ]
        files.write_jsonl(path, rows)
    files.write_jsonl(project.refused_jsonl("ingest"), [{"file": f"{HOSTILE}.wav", "reason": HOSTILE}])
    (project.uploads / "0").mkdir(parents=True)
    (project.uploads / "0" / f"{HOSTILE.replace('/', '')}.wav").write_bytes(b"")
    for kind in ("prepare", "train", "synthesize", "publish", "judge", "export", "clean", "opinion"):
        job = server.store.add(
            kind, "local", project.identifier, {"preset": "quick", "model": HOSTILE, "engine": "qwen3-tts"}
        )
        server.store.move(job.id, "running", step=HOSTILE, message=HOSTILE)
        server.store.move(job.id, "failed", error=HOSTILE)
    return project


@pytest.mark.slow
def test_html_everywhere_stays_text(
    server: Server, page: Page, prepared_project: Callable[[Path], Project], tmp_path: Path
) -> None:
    hostile_project(server, prepared_project(tmp_path))
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
    way.open_page(page, f"{server.url}/?project=hostile")
    expect(way.chosen(page)).to_have_text(HOSTILE)

    def nothing_came_of_it() -> None:
        assert page.locator("img[src=x], .hit").count() == 0
        assert page.evaluate("window.hit") is None

    shown = 0
    for step in ("1 Recordings", "2 Transcripts", "3 Reference", "4 Train", "5 Listen", "6 Share"):
        way.go_to(page, step)
        page.wait_for_timeout(1_000)
        for panel in page.locator("#steps .label-wrap:visible").all():
            panel.click()
        page.wait_for_timeout(1_000)
        nothing_came_of_it()
        shown += page.get_by_text(HOSTILE).count()
        for field in FIELDS:
            box = page.locator(field).locator("textarea, input").first
            if box.is_visible() and field != "#new-name":
                box.fill(HOSTILE)
                box.press("Enter")
                page.wait_for_timeout(500)
                nothing_came_of_it()
    assert shown > 5, "the texts are not on the page at all"
    way.go_to(page, "2 Transcripts")
    way.cell(page, "#transcripts", 0, 2).click()
    page.locator("#clip-text textarea").fill(HOSTILE)
    page.locator("#clip-accept").click()
    expect(page.locator("#clip-undo")).to_be_enabled()
    nothing_came_of_it()
    way.create(page, f"{HOSTILE} 2")
    nothing_came_of_it()
    page.reload(wait_until="domcontentloaded")
    expect(way.chosen(page)).to_have_text(f"{HOSTILE} 2")
    nothing_came_of_it()
    assert refused == []  # nothing was left for the policy to stop
