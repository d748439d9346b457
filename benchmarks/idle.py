"""What an open page costs the computer that shows it: at rest, and while recordings are prepared.

python benchmarks/idle.py [--seconds 15]

Processor time of Chromium's renderer and compositor, as a share of one core, and how often a second the page asks for
a frame. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import psutil
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.ui import way  # noqa: E402
from tests.ui.conftest import CHROMIUM, Server  # noqa: E402

COUNT_FRAMES = """() => {
  const ask = window.requestAnimationFrame;
  window.frames_asked = 0;
  window.requestAnimationFrame = (callback) => { window.frames_asked += 1; return ask(callback); };
}"""


def browser_seconds() -> float:
    """Processor time so far of the renderers and the compositor of every Chromium that was started here."""
    found = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            if any(kind in " ".join(process.cmdline()) for kind in ("--type=renderer", "--type=gpu-process")):
                times = process.cpu_times()
                found += times.user + times.system
        except psutil.Error:
            continue
    return found


def measure(page: Page, seconds: float) -> tuple[float, float]:
    """Share of a core, and frames asked for a second."""
    page.evaluate("window.frames_asked = 0")
    before = browser_seconds()
    page.wait_for_timeout(seconds * 1000)
    return (browser_seconds() - before) / seconds, page.evaluate("window.frames_asked") / seconds


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=15)
    seconds = parser.parse_args().seconds
    print("| The page | of a core | frames asked for a second |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder) / "home")
        server.start()
        try:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
            page = server.let_in(browser.new_context(viewport={"width": 1280, "height": 900})).new_page()
            way.open_page(page, f"{server.url}/?project=")
            page.evaluate(COUNT_FRAMES)
            page.wait_for_timeout(5000)
            print("| opened, at rest | {:.0%} | {:.0f} |".format(*measure(page, seconds)), flush=True)
            way.create(page, "Bare")
            page.wait_for_timeout(5000)
            print("| an empty voice, at rest | {:.0%} | {:.0f} |".format(*measure(page, seconds)), flush=True)
            page.locator("#samples").click()
            page.wait_for_timeout(3000)
            print("| recordings are prepared | {:.0%} | {:.0f} |".format(*measure(page, seconds)), flush=True)
            browser.close()
        finally:
            server.stop()
            server.end_workers()


if __name__ == "__main__":
    main()
