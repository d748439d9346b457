"""A voice and everything of a person go after a question; an admin sees everybody's jobs, and nobody else anything."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui import way
from tests.ui.conftest import Server
from voicefactory import owners
from voicefactory.jobs import processes
from voicefactory.project import Project, list_projects

SECRET = "quorbleflax"  #: in what is to go: a name, a text, the name of a file
KEPT = "zimblewort"  #: in what is to stay


def ask(page: Page, what: str) -> None:
    """Press one of the two buttons that ask before they delete."""
    if not page.locator("#delete-all").is_visible():
        page.locator("#delete-panel").get_by_role("button").first.click()
    page.locator(what).click()


def test_a_voice_goes_after_a_question_and_only_that_one(server: Server, page: Page) -> None:
    way.open_page(page, f"{server.url}/?project=")
    way.create(page, "Staying")
    way.create(page, "Going <b>now</b>")
    going = next(one for one in list_projects(server.home) if one.name.startswith("Going"))
    ask(page, "#delete-one")
    expect(page.locator("#delete-question")).to_contain_text("“Going <b>now</b>” goes for ever: 0.0 MB.")
    page.locator("#delete-no").click()
    expect(page.locator("#delete-question")).to_be_hidden()
    assert going.root.is_dir()

    ask(page, "#delete-one")
    expect(page.locator("#delete-yes")).to_be_visible()
    page.locator("#projects button", has_text="Staying").click()
    expect(page.locator("#delete-yes")).to_be_hidden()  # it was about another voice

    page.locator("#projects button", has_text="Going").click()
    expect(way.chosen(page)).to_contain_text("Going")
    other = page.context.new_page()  # has it open, too
    way.open_page(other, f"{server.url}/?project={going.identifier}")
    expect(way.chosen(other)).to_contain_text("Going")
    ask(page, "#delete-one")
    page.locator("#delete-yes").click()
    for one in (page, other):
        expect(one.locator("#projects")).not_to_contain_text("Going")
        expect(one.locator("#projects")).to_contain_text("Staying")
        expect(way.chosen(one)).to_have_count(0)
    expect(page).not_to_have_url(re.compile("project=going"))
    assert not going.root.exists()
    page.reload(wait_until="domcontentloaded")
    expect(way.chosen(page)).to_be_visible()  # the one that was touched last
    expect(page.locator("#delete-question")).to_be_hidden()
    other.close()


def raw(server: Server, element: str, event: str, data: list[Any], *, key: str, chosen: Any = None) -> dict[str, Any]:
    """What the server answers to a request that no page of ours sends: a function by its number."""
    headers = {owners.HEADER: key, "Content-Type": "application/json"}
    with urllib.request.urlopen(f"{server.url}/config", timeout=60) as answer:
        config = json.load(answer)
    component = next(one["id"] for one in config["components"] if one["props"].get("elem_id") == element)
    number = next(one["id"] for one in config["dependencies"] if [component, event] in one["targets"])
    body = {"data": data, "fn_index": number, "session_hash": "forged", "event_data": {"row_value": chosen}}
    request = urllib.request.Request(f"{server.url}/gradio_api/run/predict", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return dict(json.load(answer))


@pytest.fixture
def job(server: Server) -> Iterator[str]:
    """Somebody's job that runs, full of what is nobody else's business."""
    project = Project.create(SECRET, server.home, owner="v-someone")
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    made = server.store.add("train", "v-someone", project.identifier, {"text": SECRET, "path": f"/x/{SECRET}.wav"})
    running = {"pid": process.pid, "pid_identity": processes.identity(process.pid), "device": "cpu"}
    server.store.move(made.id, "running", needed_bytes=3 << 30, **running)
    server.store.report(made.id, message=SECRET)
    failed = server.store.add("prepare", "v-someone", project.identifier, {})
    server.store.move(failed.id, "failed", error=f"{SECRET} is not there", error_kind="InputError")
    yield made.id
    process.kill()
    process.wait()


def test_an_admin_sees_jobs_without_their_content_and_others_see_nothing(
    server: Server, page: Page, browser: Browser, job: str
) -> None:
    way.open_page(page, server.url)
    page.locator("#everybody summary").click()
    row = page.locator("#everybody tr", has_text=job)
    expect(row).to_contain_text(re.compile(r"Training\s*v-someone\s*running\s*cpu\s*3\.0 GiB"))
    expect(page.locator("#everybody")).to_contain_text("InputError")
    assert SECRET not in page.locator("#everybody").inner_html().lower()

    stranger = owners.new_key()
    context = server.let_in(browser.new_context(), stranger)
    theirs = context.new_page()
    way.open_page(theirs, server.url)
    expect(theirs.locator("#everybody")).to_be_hidden()
    assert theirs.locator("#everybody details").count() == 0
    assert job not in theirs.content()
    context.close()

    mine = raw(server, "everybody", "select", ["", ""], key=server.key, chosen=["list"])
    assert job in json.dumps(mine)  # so the request is the right one
    for chosen in (["list"], ["cancel", job], None):
        answer = json.dumps(raw(server, "everybody", "select", ["", ""], key=stranger, chosen=chosen))
        assert "Only whoever runs this page may see that." in answer
        assert job not in answer
        assert "v-someone" not in answer
    assert server.store.get(job).cancel_requested is None

    row.get_by_role("button", name="Cancel").click()
    expect(row.get_by_role("button")).to_have_count(0)
    end = time.monotonic() + 60
    while server.store.get(job).active:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert server.store.get(job).state == "cancelled"


def test_nobody_deletes_what_is_somebody_elses(server: Server) -> None:
    project = Project.create("Not yours", server.home, owner="v-other")
    for asked in (project.identifier, f"../projects/{project.identifier}", "", "*"):
        raw(server, "delete-yes", "click", [project.identifier, "", asked], key=owners.new_key())
        assert project.info_path.is_file()
    answer = raw(server, "delete-one", "click", [project.identifier, ""], key=owners.new_key())
    assert "Not yours" not in json.dumps(answer)
    mine = Project.create("Mine", server.home)
    raw(server, "delete-yes", "click", ["", "", mine.identifier], key=server.key)
    assert not mine.root.exists()  # so the requests were the right ones
