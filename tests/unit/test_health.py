"""The health route: well while jobs are looked after, down when the scheduler is dead, hangs, or has lost its table."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from voicefactory import __version__
from voicefactory.jobs.devices import devices
from voicefactory.jobs.scheduler import Scheduler
from voicefactory.project import Project
from voicefactory.ui import health
from voicefactory.ui.health import HEALTH_PATH, Health


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[Scheduler]:
    scheduler = Scheduler(tmp_path)
    scheduler.start()
    yield scheduler
    scheduler.stop()


def client(scheduler: Scheduler) -> TestClient:
    page = Route("/", lambda request: PlainTextResponse("the page"))
    return TestClient(Starlette(routes=[page], middleware=[Middleware(Health, scheduler=scheduler)]))


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_well_with_counts_and_nothing_of_anybody(scheduler: Scheduler) -> None:
    running = scheduler.store.add("train", "anna-s-owner", "anna-s-project", {"text": "anna's text"})
    scheduler.store.move(running.id, "running")
    scheduler.store.move(running.id, "interrupted")
    answer = client(scheduler).get(HEALTH_PATH)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["status"], told["version"], told["scheduler"]["alive"]) == ("ok", __version__, True)
    assert told["jobs"] == {"running": 0, "queued": 0}
    assert told["free_disk_gb"] > 0
    assert "anna" not in answer.text
    assert str(scheduler.home) not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert client(scheduler).get("/").text == "the page"
    assert client(scheduler).post(HEALTH_PATH).status_code == 404


def test_down_when_the_thread_has_ended(scheduler: Scheduler) -> None:
    scheduler.stop()
    answer = client(scheduler).get(HEALTH_PATH)
    assert answer.status_code == 503
    assert answer.json()["scheduler"]["alive"] is False


def test_down_when_the_thread_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that never answers is what hangs in practice."""
    stuck, go_on = threading.Event(), threading.Event()

    def never(*asked: object) -> object:
        stuck.set()
        go_on.wait()
        return devices(*asked)  # type: ignore[arg-type]

    scheduler = Scheduler(tmp_path, look=never)  # type: ignore[arg-type]
    scheduler.start()
    try:
        Project.create("Anna", tmp_path)
        job = scheduler.store.add("freeze", "local", "anna", {})
        assert stuck.wait(60)
        monkeypatch.setattr(health, "HANGS_S", 0.5)
        until(lambda: client(scheduler).get(HEALTH_PATH).status_code == 503)
        assert client(scheduler).get(HEALTH_PATH).json()["scheduler"]["alive"] is True
        scheduler.store.request_cancel(job.id)
        go_on.set()
        monkeypatch.setattr(health, "HANGS_S", 30.0)
        until(lambda: client(scheduler).get(HEALTH_PATH).json()["scheduler"]["looked_s_ago"] < 0.5)
    finally:
        go_on.set()
        scheduler.stop()


def test_down_when_the_table_cannot_be_read(scheduler: Scheduler) -> None:
    for path in scheduler.home.glob("jobs.db*"):
        path.unlink()
    scheduler.store.path.write_bytes(b"not a table" * 1000)
    answer = client(scheduler).get(HEALTH_PATH)
    assert answer.status_code == 503
    assert answer.json()["error"] == "DatabaseError"
