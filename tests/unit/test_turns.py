"""Many owners at one app: everybody's first before anybody's second, one at a time in a lane, none twice."""

from __future__ import annotations

import collections
import json
import time
from pathlib import Path

import pytest

from tests.at_work import end_workers
from voicefactory.jobs import log
from voicefactory.jobs.scheduler import Scheduler
from voicefactory.project import Project


@pytest.mark.slow
def test_everybody_has_a_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    scheduler = Scheduler(tmp_path / "home")
    scheduler.start()
    asked = ["anna", "anna", "anna", "ben", "carl", "ben", "carl", "carl"]
    jobs = []
    try:
        for number, owner in enumerate(asked):
            project = Project.create(f"{owner} {number}", scheduler.home, owner=owner)
            jobs.append(scheduler.submit("ingest", project, owner, {}))
        end = time.monotonic() + 300
        while scheduler.store.active():
            assert time.monotonic() < end
            time.sleep(0.1)
    finally:
        scheduler.stop()
        end_workers(scheduler)
    events = [json.loads(line) for line in log.log_file(scheduler.home).read_text().splitlines()]
    begun = [one["job"] for one in events if one["event"] == "job" and one["state"] == "running"]
    order = [asked[[job.id for job in jobs].index(identifier)] for identifier in begun]
    assert sorted(begun) == sorted(job.id for job in jobs)  # each once
    assert order == ["anna", "ben", "carl", "anna", "ben", "carl", "anna", "carl"]
    at_once = collections.Counter[str]()
    for one in (one for one in events if one["event"] == "job" and one["state"] != "queued"):
        at_once["now"] += 1 if one["state"] == "running" else -1
        assert 0 <= at_once["now"] <= 1
