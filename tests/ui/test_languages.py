"""The page in the language that a browser asks for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.ui import way
from tests.ui.conftest import Server
from voicefactory import files
from voicefactory.project import Project
from voicefactory.ui import text

_STEPS = ("recordings", "transcripts", "reference", "train", "listen", "share")
#: What a person can read or be read, and whether a mark of Gradio's was left in it.
_SHOWN = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (!['STYLE', 'SCRIPT'].includes(parent.tagName)) { found.push(walker.currentNode.textContent); }
  }
  document.querySelectorAll('[placeholder], [aria-label], [title]').forEach((element) => {
    for (const name of ['placeholder', 'aria-label', 'title']) { found.push(element.getAttribute(name) || ''); }
  });
  return found;
}"""


@pytest.fixture
def german(server: Server, prepared_project: Callable[[Path], Project], tmp_path: Path) -> Project:
    made = prepared_project(tmp_path)
    project = Project(server.home / "projects" / "deutsch")
    shutil.copytree(made.root, project.root, dirs_exist_ok=True)
    files.write_json(project.info_path, {**project.info, "name": "Deutsch"})
    return project


def test_every_step_speaks_german_to_a_german_browser(server: Server, browser: Browser, german: Project) -> None:
    words = json.loads((Path(text.__file__).parent / "translations" / "de.json").read_text(encoding="utf-8"))
    context = server.let_in(browser.new_context(locale="de-DE"))
    page = context.new_page()
    way.open_page(page, f"{server.url}/?project={german.identifier}")
    for step in _STEPS:
        page.get_by_role("tab", name=words["STEPS"][step]).first.click()
        expect(page.get_by_role("button", name=words["NEXT"].get(step, words["HUB"])).first).to_be_visible()
        marks = [shown for shown in page.evaluate(_SHOWN) if "__i18n__" in shown]
        assert marks == [], step
    expect(page.locator("#next-step")).to_contain_text(words["STEPS"]["train"])
    page.get_by_role("button", name=words["HUB"]).first.click()
    page.locator("#push").click()
    expect(way.notice(page)).to_contain_text(words["NO_SHARE"])
    context.close()
    assert "Traceback" not in server.log
