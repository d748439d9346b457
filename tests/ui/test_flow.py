"""The way through: sample recordings to a voice in one click, how steps stand, links, the list, scripts."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import soundfile
from gradio_client.exceptions import AppError
from playwright.sync_api import Page, expect

from tests.ui import way
from tests.ui.conftest import ROOT, Server
from voicefactory import files
from voicefactory.pipeline.blind_test import load_blind_test
from voicefactory.pipeline.judge import judgement_path
from voicefactory.project import Project


@pytest.fixture
def project(server: Server, prepared_project: Callable[[Path], Project], tmp_path: Path) -> Iterator[Project]:
    made = prepared_project(tmp_path)
    project = Project(server.home / "projects" / "flow")
    shutil.copytree(made.root, project.root)
    files.write_json(project.info_path, {**project.info, "name": "Flow"})
    yield project
    shutil.rmtree(project.root, ignore_errors=True)  # an open page may write there in this moment


def dot(page: Page, step: str) -> str:
    """How a step stands, as its dot tells a screen reader."""
    return str(page.locator(f"#next-step [data-step={step}]").get_attribute("aria-label"))


def test_steps_say_how_they_stand_and_a_link_opens_one(server: Server, page: Page, project: Project) -> None:
    way.open_page(page, f"{server.url}/?project=flow&step=train")
    expect(page.locator("#train")).to_be_visible()
    assert "can be done now" in dot(page, "train")
    assert "not yet" in dot(page, "listen")
    way.create(page, "Bare")
    expect(page.locator("#next-step")).to_contain_text("1 Recordings")
    assert "not yet" in dot(page, "train")
    expect(page.locator("#samples")).to_be_visible()
    page.locator("#next-step [data-step=listen]").click()
    expect(page.locator("#listen-missing")).to_be_visible()
    expect(page).to_have_url(re.compile("project=bare&step=listen"))
    page.locator("#projects button", has_text="Flow").click()
    expect(way.chosen(page)).to_have_text("Flow")
    page.reload(wait_until="domcontentloaded")
    expect(way.chosen(page)).to_have_text("Flow")
    expect(page.locator("#speak")).to_be_visible()


def test_endpoints_are_few_and_say_what_is_wrong(server: Server, project: Project) -> None:
    client = server.client()
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]  # type: ignore[index]
    scripts = (ROOT / "docs" / "scripts.md").read_text(encoding="utf-8")
    assert set(named) == set(re.findall(r"^\| `(/\w+)` ", scripts, re.MULTILINE))
    assert project.identifier in [one["id"] for one in client.predict(api_name="/projects")]
    assert client.predict(project.identifier, api_name="/status")["steps"]["recordings"]["state"] == "done"
    for wrong, sentence in (("../x", "no project"), ("nobody", "no project")):
        with pytest.raises(AppError, match=sentence):
            client.predict(wrong, api_name="/status")


@pytest.mark.slow
def test_one_click_makes_a_voice(server: Server, page: Page, sample_voice: Project) -> None:
    assert list(sample_voice.voices.glob("*.zip"))
    way.open_page(page, f"{server.url}/?project=bare")
    expect(page.locator("#next-step")).to_contain_text("1 Recordings")
    assert "can be done now" in dot(page, "recordings")
    assert "not yet" in dot(page, "train")
    expect(page.locator("#samples")).to_be_visible()

    page.locator("#projects button", has_text="Sample voice").click()
    expect(way.chosen(page)).to_contain_text("Sample voice")
    expect(page.locator("#next-step")).to_contain_text("5 Listen")
    assert "done" in dot(page, "train")
    way.go_to(page, "4 Train")
    expect(page.locator("#heard audio")).to_have_count(3)  # before training, at steps 20 and 40
    expect(page.locator("#probe svg")).to_have_count(3)
    expect(page.locator("#probe circle")).not_to_have_count(0)
    page.locator("#next-step [data-step=listen]").click()
    expect(page.locator("#speak")).to_be_visible()
    expect(page).to_have_url(re.compile(f"project={sample_voice.identifier}&step=listen"))
    page.reload(wait_until="domcontentloaded")
    expect(page.locator("#speak")).to_be_visible()
    expect(way.chosen(page)).to_contain_text("Sample voice")


@pytest.mark.slow
def test_scripts_use_the_named_endpoints(server: Server, sample_voice: Project, tmp_path: Path) -> None:
    example = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "scripts.md").read_text(), re.DOTALL)[0]
    script = tmp_path / "example.py"
    script.write_text(example.replace("http://127.0.0.1:7860", server.url).replace("YOUR KEY", server.key))
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=240, check=False)
    assert ran.returncode == 0, ran.stderr
    state, path = ran.stdout.strip().splitlines()[-1].split(" ", 1)
    assert state == "succeeded"
    assert soundfile.info(path).duration > 0.1

    client = server.client()
    told = client.predict(sample_voice.identifier, api_name="/status")
    assert told["steps"]["train"]["state"] == "done"
    assert {job["kind"] for job in told["jobs"]} >= {"prepare", "train"}
    assert "synthesize" in {job["kind"] for job in client.predict(api_name="/jobs")}  # of the voice touched last
    with zipfile.ZipFile(client.predict(sample_voice.identifier, api_name="/download")) as voice:
        assert any(name.endswith("voice.json") for name in voice.namelist())
    for asked, sentence in (
        (("../x", "Hello."), "no project"),
        (("bare", "Hello."), "Train one in step 4 first"),
        ((sample_voice.identifier, " "), "Type a text"),
        ((sample_voice.identifier, "Hello.", "voice:../../etc"), "Choose a voice"),
    ):
        with pytest.raises(AppError, match=sentence):
            client.predict(*asked, api_name="/synthesize")
    with pytest.raises(AppError, match="nothing to hear"):
        client.predict(sample_voice.identifier, "20990101-000000-00000000", api_name="/download")


@pytest.mark.slow
def test_the_voice_is_judged_and_heard_blind(server: Server, page: Page, sample_voice: Project) -> None:
    way.open_page(page, f"{server.url}/?project={sample_voice.identifier}&step=listen")
    page.locator("#judge").click()
    expect(page.locator("#judge-cancel")).to_be_visible()
    found = page.locator("#judgement")
    expect(found).to_contain_text("Likeness", timeout=600_000)
    expect(found).to_contain_text("Whether training was worth it cannot be told")  # of noise
    expect(found.get_by_role("columnheader")).to_contain_text(["", "Recordings", "Zero-shot clone", "Voice"])
    found.get_by_text("Hear them side by side").click()
    assert found.locator("audio").count() >= 8
    with page.expect_download() as downloading:
        page.locator("#judge-report").click()
    assert downloading.value.suggested_filename.endswith(".html")

    page.locator("#blind-begin").click()
    for number in range(1, 7):
        expect(page.locator("#blind-pair")).to_contain_text(f"Pair {number} of 6")
        expect(page.locator("#blind-pair audio")).to_have_count(2)
        assert "voice" not in page.locator("#blind-pair").inner_html().lower()  # nothing tells which is which
        if number == 3:  # it goes on where it was
            page.reload(wait_until="domcontentloaded")
            expect(page.locator("#blind-pair")).to_contain_text("Pair 3 of 6")
        page.locator("#blind-undecided" if number == 6 else "#blind-first").click()
    expect(page.locator("#blind-pair")).to_contain_text("of 5 pairs, 1 undecided")
    expect(page.locator("#blind-begin")).to_have_text("Test again")


@pytest.mark.slow
def test_who_prefers_the_imitation_takes_the_untrained_voice(server: Server, page: Page, sample_voice: Project) -> None:
    """The ears decide: they choose the imitation six times of six."""
    way.open_page(page, f"{server.url}/?project={sample_voice.identifier}&step=listen")
    found = page.locator("#judgement")
    if not judgement_path(sample_voice, "").is_file():  # this test alone
        page.locator("#judge").click()
    expect(found).to_contain_text("Likeness", timeout=600_000)
    expect(page.locator("#untrained")).to_be_hidden()  # nobody can tell yet
    page.locator("#blind-begin").click()
    for number in range(1, 7):
        expect(page.locator("#blind-pair")).to_contain_text(f"Pair {number} of 6")
        test = load_blind_test(sample_voice)
        assert test is not None
        page.locator("#blind-second" if test.pairs[number - 1].trained_first else "#blind-first").click()
    expect(found).to_contain_text("Training was not worth it: take the imitation without training.")
    expect(found).to_contain_text("You preferred the trained voice in 0 of 6 pairs")
    page.reload(wait_until="domcontentloaded")
    expect(found).to_contain_text("0 of 6 pairs")

    page.locator("#untrained").click()
    expect(page.locator("#untrained-status")).to_contain_text("The untrained voice is ready", timeout=300_000)
    page.locator("#voice input").click()
    page.get_by_role("option", name="not trained").filter(has_text="Sample voice").click()
    page.locator("#speak").click()
    expect(page.locator("#history")).to_contain_text("not trained", timeout=300_000)
    way.go_to(page, "6 Share")
    expect(page.locator("#example")).to_contain_text("generate_voice_clone")  # the newest is offered first
    with page.expect_download() as downloading:
        page.locator("#download").click()
    with zipfile.ZipFile(downloading.value.path()) as archive:
        names = {name.split("/", 1)[1] for name in archive.namelist()}
        (card,) = [archive.read(name).decode() for name in archive.namelist() if name.endswith("/README.md")]
    assert {"reference/reference.wav", "voice.json", "model.safetensors", "example.py"} <= names
    assert "Training was tried and was not worth it: You preferred the trained voice in 0 of 6 pairs" in card
