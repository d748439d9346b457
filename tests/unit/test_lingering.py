"""A worker that has spoken stays for the next text, and makes room for what needs the memory."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from voicefactory.jobs import worker
from voicefactory.jobs.store import LINGERING, NEEDS_MEMORY, Job, Kind, Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "jobs.db")


def done(store: Store) -> Job:
    job = store.add("synthesize", "", "anna", {})
    store.move(job.id, "running")
    store.move(job.id, "succeeded")
    return job


def test_it_takes_the_next_text(store: Store) -> None:
    spoken, waiting = done(store), store.add("synthesize", "", "ben", {})
    store.add("read", "", "ben", {})
    taken = worker._next(store, spoken, psutil.Process())
    assert taken is not None
    assert taken.id == waiting.id
    assert (store.get(waiting.id).state, store.get(waiting.id).pid) == ("running", psutil.Process().pid)


@pytest.mark.parametrize("kind", sorted(NEEDS_MEMORY))
def test_it_ends_for_what_needs_the_memory(kind: Kind, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LINGERING, "synthesize", 5.0)
    spoken = done(store)
    needs = store.add(kind, "", "anna", {})
    waiting = store.add("synthesize", "", "ben", {})
    assert worker._next(store, spoken, psutil.Process()) is None
    assert store.get(waiting.id).state == "queued"  # another worker's
    store.request_cancel(needs.id)
    taken = worker._next(store, spoken, psutil.Process())
    assert taken is not None


def test_nobody_comes_for_a_while(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LINGERING, "synthesize", 0.3)
    assert worker._next(store, done(store), psutil.Process()) is None
