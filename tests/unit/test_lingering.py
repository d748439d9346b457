"""A worker that has spoken stays for the next text, and makes room for what needs the memory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from voicefactory.jobs import worker
from voicefactory.jobs.lanes import LINGERING, NEEDS_MEMORY
from voicefactory.jobs.store import Job, Kind, Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "jobs.db")


def done(store: Store) -> Job:
    job = store.add("synthesize", "", "anna", {})
    store.move(job.id, "running")
    store.move(job.id, "succeeded")
    return job


def handed(store: Store, owner: str, to: Job) -> Job:
    """A waiting job that the scheduler has given to the worker of another."""
    job = store.add("synthesize", owner, owner, {})
    assert store.place(job.id, handed_to=to.id, device="cpu")
    return job


def test_it_takes_the_text_that_it_is_handed_and_no_other(store: Store) -> None:
    spoken = done(store)
    store.add("synthesize", "", "carl", {})  # its turn has not come
    waiting = handed(store, "ben", spoken)
    taken = worker._next(store, spoken, spoken.id)
    assert taken is not None
    assert taken.id == waiting.id
    assert (store.get(waiting.id).state, store.get(waiting.id).pid) == ("running", os.getpid())


@pytest.mark.parametrize("kind", sorted(NEEDS_MEMORY))
def test_it_ends_for_what_needs_the_memory(kind: Kind, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LINGERING, "synthesize", 5.0)
    spoken = done(store)
    needs = store.add(kind, "", "anna", {})
    assert worker._next(store, spoken, spoken.id) is None
    store.request_cancel(needs.id)
    waiting = handed(store, "ben", spoken)
    taken = worker._next(store, spoken, spoken.id)
    assert taken is not None
    assert taken.id == waiting.id


def test_it_stays_for_what_runs_on_another_device(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LINGERING, "synthesize", 1.0)
    job = store.add("synthesize", "", "anna", {})
    store.move(job.id, "running", device="cuda:0")
    store.move(job.id, "succeeded")
    training = store.add("train", "", "anna", {})
    store.move(training.id, "running", device="cuda:1")
    waiting = handed(store, "ben", job)
    taken = worker._next(store, store.get(job.id), job.id)
    assert taken is not None
    assert taken.id == waiting.id


def test_nobody_comes_for_a_while(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LINGERING, "synthesize", 0.3)
    spoken = done(store)
    assert worker._next(store, spoken, spoken.id) is None
