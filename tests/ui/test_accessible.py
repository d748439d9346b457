"""Every step of a finished voice by axe-core, in light and dark: nothing serious that is ours."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.ui import way
from tests.ui.conftest import Server
from voicefactory.project import Project

#: Rule → part of the element's address: what Gradio 6.17 makes and a page cannot change.
UPSTREAM = {
    "aria-hidden-focus": ".tab-container",  # the copy of the tabs by which it measures whether they fit
    "button-name": ".overflow-menu",  # the three dots behind tabs that do not fit
    "aria-prohibited-attr": ".empty",  # the place of a sound that is not there yet
    "scrollable-region-focusable": ".cm-scroller",  # the example's code
}
_OPEN_ALL = """() => document.querySelectorAll('button.label-wrap').forEach((button) => {
  if (button.checkVisibility() && !button.classList.contains('open')) { button.click(); }
})"""
_STEPS = ("recordings", "transcripts", "reference", "train", "listen", "share")


def serious(page: Page) -> list[str]:
    """What axe finds that keeps somebody from using the page, and is not Gradio's."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
        if UPSTREAM.get(one["id"], "\0") not in str(node["target"])
    ]


def look(
    page: Page, server: Server, project: str, step: str, schemes: tuple[str, ...] = ("light", "dark")
) -> list[str]:
    """`serious` of one step with everything opened."""
    way.open_page(page, f"{server.url}/?project={project}&step={step}")
    expect(page.locator(f"#step-{step}-button, #step-{step}").first).to_be_attached()
    expect(page).to_have_title(re.compile("VoiceFactory"), timeout=120_000)
    expect(page.locator("#steps")).to_have_css("opacity", "1")
    page.evaluate(_OPEN_ALL)
    page.wait_for_timeout(1_500)  # what was opened is shown, and shades have come to rest
    found = []
    for scheme in schemes:
        page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", scheme == "dark")
        page.wait_for_timeout(300)
        found += [f"{step}, {scheme}: {one}" for one in serious(page)]
    return found


def test_an_empty_page_can_be_used_by_everybody(server: Server, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    assert look(page, server, "", "recordings", ("light",)) == []


@pytest.mark.slow
def test_every_step_of_a_finished_voice_can_be_used_by_everybody(
    server: Server, page: Page, sample_voice: Project
) -> None:
    page.emulate_media(reduced_motion="reduce")
    assert [one for step in _STEPS for one in look(page, server, sample_voice.identifier, step)] == []


@pytest.mark.slow
def test_on_a_telephone(server: Server, page: Page, sample_voice: Project) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": 390, "height": 844})
    assert [one for step in _STEPS for one in look(page, server, sample_voice.identifier, step)] == []
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, "it must not scroll sideways"
