"""What was chosen for training is there again after a reload, in the fields, in the plan and in the next job."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.ui import way
from tests.ui.conftest import Server
from voicefactory.engines import registry
from voicefactory.pipeline.request import Request
from voicefactory.project import Project
from voicefactory.types import silent

CHOSEN = ["batch_size=2", "gradient_accumulation_steps=3", "max_steps=37", "learning_rate=3e-05"]


@pytest.mark.slow
def test_changed_numbers_are_restored_even_while_advanced_is_closed(
    server: Server, page: Page, prepared_project: Callable[[Path], Project]
) -> None:
    if not (server.home / "projects" / "anna").exists():
        prepared_project(server.home)
    project = Project.open("anna", server.home)
    registry.get(registry.DEFAULT).resolve_model("toy", server.home, silent)  # its plan is known once it is there
    request = Request(model="toy", overrides=tuple(CHOSEN))
    job = server.store.add("train", "local", "anna", dataclasses.asdict(request))
    assert server.store.move(job.id, "cancelled", origin="queued")
    project.update_info(consent="given before")

    way.open_page(page, f"{server.url}/?project=anna")
    way.go_to(page, "4 Train")
    expect(page.locator("#plan")).to_contain_text("37 steps")
    expect(page.locator("#plan")).to_contain_text("2 clips at a time")
    expect(page.locator("#plan")).to_contain_text("learning rate 3e-05")
    page.locator("#train").click()
    expect(page.locator("#cancel")).to_be_visible()
    started = server.store.jobs(project="anna", kinds=["train"])[-1]
    assert started.id != job.id
    assert sorted(started.request["overrides"]) == sorted(CHOSEN)
    page.locator("#cancel").click()
    expect(page.locator("#train")).to_be_visible()

    way.set_advanced(page, max_steps=38)
    expect(page.locator("#plan")).to_contain_text("38 steps")
