"""The job table: only legal changes, and only one winner."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path
from typing import get_args

import pytest

from voicefactory.jobs import store as store_module
from voicefactory.jobs.progress import Eta, Reporter
from voicefactory.jobs.redact import redact
from voicefactory.jobs.store import LEGAL, State, Store
from voicefactory.types import Progress

STATES: tuple[State, ...] = get_args(State)
WAY_TO: dict[State, tuple[State, ...]] = {
    "queued": (),
    "running": ("running",),
    "succeeded": ("running", "succeeded"),
    "failed": ("running", "failed"),
    "cancelled": ("cancelled",),
    "interrupted": ("running", "interrupted"),
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "jobs.db")


@pytest.mark.parametrize(("before", "after"), list(itertools.product(STATES, STATES)))
def test_only_legal_changes_are_made(store: Store, before: State, after: State) -> None:
    job = store.add("train", "local", "anna", {"preset": "quick"})
    for state in WAY_TO[before]:
        assert store.move(job.id, state)
    changed = store.move(job.id, after)
    assert changed == (before in LEGAL[after])
    assert store.get(job.id).state == (after if changed else before)


def test_final_states_stay() -> None:
    left = set().union(*LEGAL.values())
    assert left == {"queued", "running"}


def test_one_of_many_takes_the_job(store: Store) -> None:
    job = store.add("train", "local", "anna", {})
    won = []
    barrier = threading.Barrier(8)

    def take(number: int) -> None:
        barrier.wait()
        if store.move(job.id, "running", pid=number):
            won.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(won) == 1
    assert store.get(job.id).pid == won[0]


def test_request_and_result_survive_a_new_store(store: Store) -> None:
    job = store.add("synthesize", "local", "anna", {"text": "Grüße, 'quoted' <b>"})
    store.move(job.id, "running", pid=1, pid_identity="boot:25")
    store.move(job.id, "succeeded", result={"audio": "a.wav"})
    again = Store(store.path).get(job.id)
    assert again.request == {"text": "Grüße, 'quoted' <b>"}
    assert again.result == {"audio": "a.wav"}
    assert again.ended is not None


def test_a_late_report_does_not_touch_a_finished_job(store: Store) -> None:
    job = store.add("train", "local", "anna", {})
    store.move(job.id, "running")
    store.move(job.id, "cancelled")
    store.report(job.id, step="finetune", done=3.0)
    assert store.get(job.id).step == ""


def test_cancel_of_a_waiting_job_is_at_once_and_of_a_running_one_a_wish(store: Store) -> None:
    waiting, running = store.add("train", "local", "a", {}), store.add("train", "local", "b", {})
    store.move(running.id, "running")
    store.request_cancel(waiting.id)
    store.request_cancel(running.id)
    assert store.get(waiting.id).state == "cancelled"
    assert store.get(running.id).state == "running"
    assert store.get(running.id).cancel_requested is not None


def test_unknown_job(store: Store) -> None:
    with pytest.raises(KeyError):
        store.get("nothing")


def test_time_left_is_a_range_around_the_truth() -> None:
    now = 0.0
    eta = Eta(lambda: now)
    ranges = []
    for done in range(0, 90):
        ranges.append(eta.update("finetune", done, 100))
        now += 2.0
    assert ranges[0] is None
    low, high = ranges[50] or (0, 0)
    assert low < 2.0 * 50 < high
    late_low, late_high = ranges[-1] or (0, 0)
    assert (late_high - late_low) / late_high < (high - low) / high  # surer towards the end


def test_time_left_starts_again_with_a_new_step() -> None:
    now = 0.0
    eta = Eta(lambda: now)
    for done in range(10):
        eta.update("transcribe", done, 10)
        now += 100.0
    for done in range(5):
        left = eta.update("finetune", done, 10)
        now += 1.0
    assert left is not None
    assert left[1] < 20


def test_progress_is_written_at_most_every_fifth_of_a_second(store: Store) -> None:
    job = store.add("train", "local", "anna", {})
    store.move(job.id, "running")
    now = 0.0
    report = Reporter(store, job.id, lambda: now)
    seen = set()
    for done in range(100):
        report(Progress("finetune", done, 200))
        seen.add(store.get(job.id).done)
        now += 0.05
    assert 20 <= len(seen) <= 30
    report(Progress("package", 0, 1))
    assert store.get(job.id).step == "package"  # a new step is always written


def test_tokens_are_redacted() -> None:
    line = "401 for hf_AbCdEfGhIjKlMn with Authorization: Bearer s3cret and also opensesame"
    assert redact(line, "opensesame") == "401 for [token] with Authorization: Bearer [token] and also [token]"


def test_what_is_remembered_of_ended_jobs_is_what_is_in_the_table(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_REMEMBERED", 8)
    monkeypatch.setattr(store_module, "_AT_ONCE", 3)
    jobs = [store.add("train", "local", "anna", {"number": number}) for number in range(12)]

    def same() -> bool:
        return store.jobs(project="anna") == Store(store.path).jobs(project="anna")

    assert same()
    for job in jobs[:9]:
        store.move(job.id, "running")
        assert same()
        store.report(job.id, step="finetune", done=3)
        assert same()
        store.move(job.id, "succeeded", result={"number": job.request["number"]})
        assert same()
    store.remove([job.id for job in jobs[:4]])
    assert same()
    assert [job.request["number"] for job in store.jobs()] == list(range(4, 12))


def test_threads_that_read_at_once_all_see_everything(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_REMEMBERED", 3)
    for _ in range(6):
        job = store.add("train", "local", "anna", {})
        store.move(job.id, "running")
        store.move(job.id, "succeeded")
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.extend(len(store.jobs(project="anna")) for _ in range(50)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [6] * 200
