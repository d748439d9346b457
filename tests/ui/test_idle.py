"""An open page on which nothing happens leaves the computer in peace: training may run on the same one."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.ui import way
from tests.ui.conftest import Server
from voicefactory.ui.mended_tabs import mended_scripts

#: Of each second that nothing is shown anew; Gradio's loop asked for more than a thousand.
_FRAMES = """() => new Promise((resolve) => {
  const ask = window.requestAnimationFrame;
  let asked = 0;
  window.requestAnimationFrame = (callback) => { asked += 1; return ask(callback); };
  setTimeout(() => { window.requestAnimationFrame = ask; resolve(asked / 2); }, 2000);
})"""


def test_this_gradio_is_mended() -> None:
    assert len(mended_scripts()) == 1, "is it still needed? see voicefactory/ui/mended_tabs.py"


def test_a_page_at_rest_asks_for_few_frames(server: Server, page: Page) -> None:
    way.open_page(page, f"{server.url}/?project=")
    way.go_to(page, "2 Transcripts")
    way.go_to(page, "1 Recordings")  # four steps were never opened
    page.wait_for_timeout(2000)
    assert page.evaluate(_FRAMES) < 100
