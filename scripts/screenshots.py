"""Make the pictures of the documents from the running page: real recordings, real jobs, a real browser.

python scripts/screenshots.py            docs/images/*.png, as the README and the guide show them
python scripts/screenshots.py --all DIR  every step, wide and narrow, light and dark, to be looked at
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.ui import way  # noqa: E402
from tests.ui.conftest import CHROMIUM, Server  # noqa: E402

CLIPS = ROOT / "tests" / "data" / "clips"
STEPS = ("1 Recordings", "2 Transcripts", "3 Reference", "4 Train", "5 Listen", "6 Share")
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", type=Path, metavar="DIR", help="write every step in every look to DIR")
    wanted: Path | None = parser.parse_args().all
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        server = Server(Path(home))
        server.start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        try:
            if wanted:
                take_all(browser, server, wanted)
            else:
                take_few(browser, server, ROOT / "docs" / "images")
        finally:
            browser.close()
            server.stop()
            server.end_workers()


def take_few(browser: Browser, server: Server, out: Path) -> None:
    """The page while it trains, and all other steps of the finished voice."""
    page = make_a_voice(browser, server, out / "page.png")
    for step in STEPS[:3] + STEPS[4:]:
        picture(page, step, out / f"{step.split()[1].lower()}.png")


def take_all(browser: Browser, server: Server, out: Path) -> None:
    """Every step: empty and finished, wide and narrow, light and dark."""
    for size, viewport in (("wide", WIDE), ("narrow", NARROW)):
        page = server.let_in(browser.new_context(viewport=viewport)).new_page()
        way.open_page(page, f"{server.url}/?project=")
        for step in STEPS:
            picture(page, step, out / f"{size}-empty-{step[0]}.png")
        page.close()
    url = make_a_voice(browser, server, out / "wide-training.png").url
    for size, viewport in (("wide", WIDE), ("narrow", NARROW)):
        for look in ("light", "dark"):
            page = server.let_in(browser.new_context(viewport=viewport, color_scheme=look)).new_page()
            way.open_page(page, url)
            for step in STEPS:
                picture(page, step, out / f"{size}-{look}-{step[0]}.png")
            way.go_to(page, "4 Train")
            way.set_advanced(page)
            picture(page, "4 Train", out / f"{size}-{look}-4-advanced.png")
            page.close()


def make_a_voice(browser: Browser, server: Server, training: Path) -> Page:
    """Go the whole way once; a picture is taken while it trains."""
    page = server.let_in(browser.new_context(viewport=WIDE, color_scheme="light")).new_page()
    way.open_page(page, server.url)
    way.create(page, "Allison")
    way.upload(page, way.samples(CLIPS, 12))
    way.go_to(page, "2 Transcripts")
    expect(page.locator("#transcripts-summary")).to_contain_text("12 of 12", timeout=120_000)
    expect(page.locator("#headline")).to_be_hidden(timeout=60_000)
    way.cell(page, "#transcripts", 0, 2).click()
    way.start_training(page, max_steps=60, batch_size=2, eval_every_steps=5, eval_fraction=0.2, learning_rate=0.001)
    expect(page.locator("#status")).to_contain_text(re.compile(r"Training: [3-5]\d of"), timeout=120_000)
    way.close_advanced(page)
    picture(page, "4 Train", training)
    expect(page.locator("#status")).to_contain_text("Your voice is ready", timeout=240_000)
    way.go_to(page, "5 Listen")
    page.locator("#speak").click()
    expect(page.locator("#spoken-file")).to_be_visible(timeout=120_000)
    return page


def picture(page: Page, step: str, out: Path) -> None:
    way.go_to(page, step)
    page.wait_for_timeout(1_500)  # players draw their waves
    out.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=out, full_page=True)


if __name__ == "__main__":
    main()
