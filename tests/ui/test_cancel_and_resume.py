"""Training that is cancelled, resumed, and outlives the app; and a page that answers while it runs."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.ui import way
from tests.ui.conftest import Server
from voicefactory.jobs import processes
from voicefactory.jobs.store import Job
from voicefactory.project import Project

FROZEN_S = 15.0  #: how quick the page is, the printed figures say; this only tells whether it stands still
GONE_S = 60.0  #: likewise: 10 s is what we promise, on a machine that is not busy with something else


@pytest.fixture
def project(server: Server, prepared_project: Callable[[Path], Project]) -> Iterator[Project]:
    shutil.rmtree(server.home / "projects" / "anna", ignore_errors=True)  # of a test before
    yield prepared_project(server.home)
    server.end_workers()


def _steps(page: Page) -> int:
    line = page.locator("#status").inner_text()
    found = re.search(r"Training: (\d+) of", line)
    assert found, line
    return int(found.group(1))


def _latest(server: Server, project: Project) -> Job:
    return server.store.jobs(project=project.identifier, kinds=["train"])[-1]


@pytest.mark.slow
def test_cancel_resume_and_a_restart_of_the_app(server: Server, page: Page, project: Project) -> None:
    way.open_page(page, f"{server.url}/?project={project.identifier}")
    expect(way.chosen(page)).to_have_text("Anna")
    way.start_training(page, max_steps=2000, batch_size=1, save_every_steps=2)
    expect(page.locator("#status")).to_contain_text(re.compile(r"Training: \d\d+ of 2000"), timeout=180_000)

    # the page answers while it trains
    way.go_to(page, "2 Transcripts")
    waited = [_time_to_answer(page, row) for row in (0, 1, 2, 3, 4, 0, 1, 2)]
    print(f"answers while training: {[f'{one * 1000:.0f} ms' for one in waited]}")
    assert max(waited) < FROZEN_S

    # the app ends, training goes on, the next app finds it
    worker = _latest(server, project)
    page.goto("about:blank")
    server.stop()
    assert processes.is_alive(worker.pid, worker.pid_identity)
    server.start()
    way.open_page(page, f"{server.url}/?project={project.identifier}")
    way.go_to(page, "4 Train")
    expect(page.locator("#status")).to_contain_text(way.TRAINING)
    assert _latest(server, project).pid == worker.pid

    # cancel
    done = _steps(page)
    begun = time.monotonic()
    page.locator("#cancel").click()
    expect(page.locator("#status")).to_contain_text("Cancelled")
    while processes.is_alive(worker.pid, worker.pid_identity):
        assert time.monotonic() - begun < GONE_S
        time.sleep(0.1)
    print(f"cancelled in {time.monotonic() - begun:.1f} s")

    # resume
    page.locator("#resume").click()
    expect(page.locator("#status")).to_contain_text(way.TRAINING, timeout=120_000)
    assert _steps(page) >= done - 2  # from the last checkpoint, not from the beginning
    assert len([run for run in project.runs.iterdir() if run.is_dir()]) == 1
    page.locator("#cancel").click()
    expect(page.locator("#status")).to_contain_text("Cancelled")


def _time_to_answer(page: Page, row: int) -> float:
    """Seconds from a click on a row to its text in the editor, measured in the browser."""
    text = way.cell(page, "#transcripts", row, 1).inner_text()
    if page.locator("#clip-text textarea").input_value() == text:
        way.cell(page, "#transcripts", row + 1, 2).click()
        expect(page.locator("#clip-text textarea")).not_to_have_value(text)
    waiting = page.evaluate_handle(
        """(text) => ({answer: new Promise(done => {
            const field = document.querySelector("#clip-text textarea");
            let begun = null;
            document.addEventListener("mousedown", () => { begun = performance.now(); }, {once: true, capture: true});
            const look = () => begun && field.value === text
                ? done((performance.now() - begun) / 1000) : requestAnimationFrame(look);
            look();
        })})""",
        text,
    )
    way.cell(page, "#transcripts", row, 2).click()
    return float(waiting.evaluate("(waiting) => waiting.answer"))
