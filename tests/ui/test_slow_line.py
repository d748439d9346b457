"""A slow line that breaks, a reload at each step, and two tabs that work on the same voice."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.ui import way
from tests.ui.conftest import Server
from voicefactory import files
from voicefactory.project import Project

pytestmark = pytest.mark.slow

#: Milliseconds until an answer begins, and bytes a second: a telephone at the edge of its network.
_SLOW = {"offline": False, "latency": 300, "downloadThroughput": 500_000, "uploadThroughput": 100_000}
_STEPS = {
    "recordings": "#recordings",
    "transcripts": "#transcripts tr[data-clip]",
    "reference": "#reference-pick",
    "train": "#train",
    "listen": "#speak",
    "share": "#hub",
}


@pytest.fixture
def project(server: Server, prepared_project: Callable[[Path], Project], tmp_path: Path) -> Iterator[Project]:
    made = prepared_project(tmp_path)
    project = Project(server.home / "projects" / "far-away")
    shutil.copytree(made.root, project.root)
    files.write_json(project.info_path, {**project.info, "name": "Far away"})
    yield project
    shutil.rmtree(project.root, ignore_errors=True)  # an open page may write there in this moment


@pytest.fixture
def slow(context: BrowserContext, page: Page) -> Page:
    """A page over a slow line."""
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", _SLOW)
    return page


def test_a_reload_at_each_step_over_a_slow_line(server: Server, slow: Page, project: Project) -> None:
    for step, there in _STEPS.items():
        way.open_page(slow, f"{server.url}/?project={project.identifier}&step={step}")
        expect(slow.locator(there).first).to_be_visible()
        slow.reload(wait_until="domcontentloaded")
        expect(slow.locator(there).first).to_be_visible(timeout=120_000)
        expect(way.chosen(slow)).to_have_text("Far away")


def test_two_tabs_agree_and_a_line_that_breaks_loses_nothing(
    server: Server, context: BrowserContext, slow: Page, project: Project
) -> None:
    address = f"{server.url}/?project={project.identifier}&step=transcripts"
    quick = context.new_page()
    for page in (slow, quick):
        way.open_page(page, address)
        expect(page.locator("#transcripts-summary")).to_contain_text("12 of 12")
    way.cell(quick, "#transcripts", 0, 1).click()
    expect(quick.locator("#clip-drop")).to_be_visible()
    quick.locator("#clip-drop").click()
    expect(quick.locator("#transcripts-summary")).to_contain_text("11 of 12")
    expect(slow.locator("#transcripts-summary")).to_contain_text("11 of 12")

    context.set_offline(True)
    quick.locator("#clip-undo").click()
    quick.wait_for_timeout(3_000)  # the clock ticks, and nothing answers
    with quick.expect_event("load"):  # it finds the server again and opens anew
        context.set_offline(False)
    expect(quick.locator("#seen-rest textarea, #seen-rest input")).not_to_have_value("")
    expect(quick.locator("#transcripts-summary")).to_contain_text("11 of 12")
    quick.locator("#clip-undo").click()
    for page in (slow, quick):
        expect(page.locator("#transcripts-summary")).to_contain_text("12 of 12")
