"""Two people make voices; one deletes everything while a model is trained. Every byte of the home is searched."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, Page, expect

from tests.conftest import GivenClip
from tests.ui import way
from tests.ui.conftest import PATIENCE_MS, Server
from voicefactory import owners
from voicefactory.jobs import processes
from voicefactory.jobs.store import Job
from voicefactory.project import Project, list_projects

SECRET, KEPT = "Quorbleflax", "Zimblewort"  #: in names, texts and names of files of the one, and of the other
_PIECE = 64  #: bytes of sound that are searched for

pytestmark = pytest.mark.slow


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "home", VOICEFACTORY_MAX_OWNER_GB="50", VOICEFACTORY_MAX_OWNER_MINUTES="6000")
    server.start()
    yield server
    server.stop()
    server.end_workers()


def visitor(server: Server, browser: Browser, key: str) -> Page:
    context = server.let_in(browser.new_context(viewport={"width": 1280, "height": 900}), key)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    way.open_page(page, server.url)
    return page


def bring(page: Page, server: Server, key: str, word: str, clips: list[GivenClip], folder: Path) -> Project:
    """Create a voice, upload recordings with texts, all of them with `word` in it, and wait until they are prepared."""
    folder.mkdir()
    lines = ["file|text"]
    for number, clip in enumerate(clips):
        shutil.copyfile(clip.path, folder / f"{word}-{number}.wav")
        lines.append(f"{word}-{number}.wav|{word} says: {clip.text}")
    (folder / "metadata.csv").write_text("\n".join(lines), encoding="utf-8")
    way.create(page, f"The {word} voice")
    way.upload(page, sorted(folder.iterdir()))
    project = list_projects(server.home, owners.owner_of_key(key, server.key))[0]
    expect(page.locator("#recordings")).to_contain_text(f"{word}-0.wav", timeout=180_000)
    eventually(lambda: latest(server, project, "prepare").state == "succeeded", 300)
    assert not list(server.home.glob("page/uploaded/*/*/*")), "the browser's copies go when they were taken in"
    return project


def latest(server: Server, project: Project, kind: str) -> Job:
    return [job for job in server.store.jobs(project=project.identifier) if job.kind == kind][-1]


def eventually(done: Callable[[], object], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.2)


def pieces(root: Path) -> dict[bytes, Path]:
    """Some bytes out of the middle of each sound below `root`: where it is loud, so no other silence."""
    found = {}
    for path in root.rglob("*.wav"):
        if ".aside-" in path.as_posix():
            continue
        samples, _ = soundfile.read(path, dtype="int16")
        if len(samples) > 2 * _PIECE:
            loudest = int(np.abs(samples[_PIECE:-_PIECE]).argmax())
            found[samples[loudest : loudest + _PIECE // 2].tobytes()] = path
    return found


def remains(home: Path, wanted: list[bytes]) -> list[str]:
    """Which file holds which of the wanted bytes, in its name or its content, in whatever case."""
    found = []
    for path in home.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        name = path.relative_to(home).as_posix()
        low_name, low_content = name.lower().encode(), content.lower()
        for one in wanted:
            if one in content or one.lower() in low_name or (one.isascii() and one.lower() in low_content):
                found.append(f"{one[:40]!r} in {name}")
    return found


def test_nothing_of_one_person_is_left_and_all_of_the_other(
    own: Server, browser: Browser, twelve_clips: list[GivenClip], tmp_path: Path
) -> None:
    key, other_key = owners.new_key(), owners.new_key()
    page, others_page = visitor(own, browser, key), visitor(own, browser, other_key)
    mine = bring(page, own, key, SECRET, twelve_clips[:3], tmp_path / "mine")
    others = bring(others_page, own, other_key, KEPT, twelve_clips[3:5], tmp_path / "others")
    for one in (page, others_page):  # look at the texts, so that sound is handed out
        way.go_to(one, "2 Transcripts")
        expect(one.locator("#clip-audio audio")).to_be_visible()

    way.start_training(page, max_steps=6, batch_size=1, save_every_steps=3, eval_every_steps=6)
    eventually(lambda: latest(own, mine, "train").state == "succeeded", 400)
    way.go_to(page, "5 Listen")
    page.locator("#text textarea").fill(f"{SECRET} is said aloud.")
    page.locator("#speak").click()
    eventually(lambda: latest(own, mine, "synthesize").state == "succeeded", 300)
    expect(page.locator("#spoken audio")).to_be_visible()
    way.go_to(page, "4 Train")
    way.set_advanced(page, max_steps=5_000)
    page.locator("#train").click()
    eventually(lambda: latest(own, mine, "train").step == "finetune", 300)

    jobs = own.store.jobs(project=mine.identifier)
    workers = [job for job in jobs if processes.is_alive(job.pid, job.pid_identity)]
    assert workers  # at least that which trains
    sounds = pieces(mine.root)
    assert len(sounds) >= 6
    owner = str(mine.info["owner"])
    wanted = [SECRET.encode(), mine.identifier.encode(), owner.encode(), owners.short_digest(owner).encode(), *sounds]
    before = remains(own.home, wanted)
    assert any("page/given" in one for one in before)
    assert any("jobs.db" in one for one in before)
    theirs = {path: path.read_bytes() for path in others.root.rglob("*") if path.is_file()}
    rows = own.store.jobs(project=others.identifier)

    page.locator("#delete-panel").get_by_role("button").first.click()
    page.locator("#delete-all").click()
    expect(page.locator("#delete-question")).to_contain_text(f"1 voice (The {SECRET} voice) and all your other files")
    expect(page.locator("#delete-question")).to_contain_text("3 recordings")
    expect(page.locator("#delete-question")).to_contain_text("Work on it is stopped.")
    page.locator("#delete-yes").click()
    expect(page.locator("#projects")).to_contain_text("None yet.", timeout=120_000)

    assert not [job.id for job in workers if processes.is_alive(job.pid, job.pid_identity)]
    assert remains(own.home, wanted) == []
    time.sleep(3)  # nothing that was on its way brings it back
    assert remains(own.home, wanted) == []
    assert own.store.jobs(project=mine.identifier) == []
    assert own.store.jobs(project=others.identifier) == rows
    assert {path: path.read_bytes() for path in theirs} == theirs
    assert remains(own.home, list(pieces(others.root))), "the search finds what is there"

    expect(others_page.locator("#projects")).to_contain_text(KEPT)
    way.open_page(others_page, others_page.url)  # at the same step
    others_page.wait_for_function("document.querySelector('#clip-audio audio').duration > 1")
    way.create(page, "Begun anew")
    expect(way.chosen(page)).to_contain_text("Begun anew")
    expect(page.locator("#usage")).to_contain_text("0.0 of 50 GB, 0 of 6,000 minutes")
    for one in (page, others_page):
        one.context.close()
