"""The way through: sample recordings to a voice in one click, steps that say how they stand, links, the list."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.ui import way
from tests.ui.conftest import Server
from voicefactory.project import list_projects


def dot(page: Page, step: str) -> str:
    """How a step stands, as its dot tells a screen reader."""
    return str(page.locator(f"#next-step [data-step={step}]").get_attribute("aria-label"))


def test_one_click_makes_a_voice_and_a_link_opens_its_step(server: Server, page: Page) -> None:
    way.open_page(page, f"{server.url}/?project=")
    way.create(page, "Bare")
    expect(page.locator("#next-step")).to_contain_text("1 Recordings")
    assert "can be done now" in dot(page, "recordings")
    assert "not yet" in dot(page, "train")

    page.locator("#samples").click()
    expect(way.chosen(page)).to_contain_text("Sample voice")
    expect(page.locator("#headline")).to_be_visible()  # it works already
    expect(page.locator("#projects [aria-current] .more")).to_contain_text("voice ready", timeout=240_000)
    expect(page.locator("#samples")).to_be_hidden()
    expect(page.locator("#next-step")).to_contain_text("5 Listen")
    assert "done" in dot(page, "train")
    (project,) = [one for one in list_projects(server.home) if one.name.startswith("Sample voice")]
    assert list(project.voices.glob("*.zip"))

    page.locator("#next-step [data-step=listen]").click()
    expect(page.locator("#speak")).to_be_visible()
    expect(page).to_have_url(re.compile(f"project={project.identifier}&step=listen"))
    page.reload(wait_until="domcontentloaded")
    expect(page.locator("#speak")).to_be_visible()
    expect(way.chosen(page)).to_contain_text("Sample voice")

    page.locator("#projects button", has_text="Bare").click()
    expect(way.chosen(page)).to_have_text("Bare")
    expect(page).to_have_url(re.compile("project=bare"))
    expect(page.locator("#samples")).to_be_visible()
