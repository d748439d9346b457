"""A home of its own for a test, with its job table and an app's scheduler."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.at_work import end_workers
from voicefactory.jobs.scheduler import Scheduler
from voicefactory.jobs.store import Store
from voicefactory.settings import settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder, which is also the home of the settings; workers compute with one thread."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("VOICEFACTORY_HOME", str(home))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    settings.cache_clear()
    yield home
    settings.cache_clear()


@pytest.fixture
def store(home: Path) -> Store:
    """Its job table."""
    return Store(home / "jobs.db")


@pytest.fixture
def scheduler(home: Path) -> Iterator[Scheduler]:
    """A running one; what it has started is ended after the test."""
    scheduler = Scheduler(home)
    scheduler.start()
    yield scheduler
    scheduler.stop()
    end_workers(scheduler)
