"""What a person does on the page, step by step, for the tests and for the pictures of the README."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

TRAINING = re.compile(r"Training: \d+ of \d+")


def open_page(page: Page, url: str) -> None:
    page.goto(url, wait_until="domcontentloaded")
    expect(page.locator("#create")).to_be_visible(timeout=120_000)
    expect(page.locator("#seen-rest textarea, #seen-rest input")).not_to_have_value("", timeout=120_000)


def go_to(page: Page, step: str) -> None:
    """Open a step; on a narrow screen some lie behind the menu at the end of the row."""
    tab = page.get_by_role("tab", name=step)
    if not tab.is_visible():
        page.locator("#steps .overflow-menu > button").first.click()
        tab = page.locator("#steps .overflow-dropdown").get_by_role("button", name=step)
    tab.click()


def create(page: Page, name: str) -> None:
    page.locator("#new-name").get_by_role("textbox").fill(name)
    page.locator("#create").click()
    expect(chosen(page)).to_contain_text(name)
    page.wait_for_url("**/?project=*")


def chosen(page: Page) -> Locator:
    """The project that is open, in the list at the side."""
    return page.locator("#projects [aria-current] .name")


def upload(page: Page, paths: Sequence[Path]) -> None:
    page.locator("#files input[type=file]").set_input_files(paths)


def notice(page: Page) -> Locator:
    return page.locator("#message .message")


def dismiss(page: Page) -> None:
    """Close the message, so that the next one is a new one."""
    if notice(page).count():
        notice(page).get_by_role("button").click()
    expect(notice(page)).to_have_count(0)


def cell(page: Page, table: str, row: int, column: int) -> Locator:
    return page.locator(table).get_by_test_id(f"cell-{row}-{column}")


def set_advanced(page: Page, **values: float) -> None:
    """Open Advanced and fill in numbers."""
    if not page.locator("#set-batch_size :is(input, textarea)").is_visible():
        page.locator("#advanced").get_by_role("button", name="Advanced").click()
    for key, value in values.items():
        field = page.locator(f"#set-{key} :is(input, textarea)")
        field.fill(str(value))
        field.blur()


def close_advanced(page: Page) -> None:
    page.locator("#advanced").get_by_role("button", name="Advanced").click()
    expect(page.locator("#set-batch_size :is(input, textarea)")).to_be_hidden()


def start_training(page: Page, **values: float) -> None:
    go_to(page, "4 Train")
    set_advanced(page, **values)
    page.locator("#consent input").check()
    page.locator("#train").click()
    expect(page.locator("#cancel")).to_be_visible()


def samples(folder: Path, number: int) -> list[Path]:
    return sorted(folder.glob("wavs/*.wav"))[:number]
