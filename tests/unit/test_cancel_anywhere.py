"""Cancel in any step: the worker and its children are gone soon, and what was finished is kept and gone on with."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.at_work import end_workers, uploaded
from tests.conftest import GivenClip
from voicefactory.jobs.scheduler import Scheduler
from voicefactory.jobs.store import Job, Kind
from voicefactory.jobs.tasks import CleanRequest
from voicefactory.pipeline.judge_case import JudgeRequest
from voicefactory.pipeline.request import Request
from voicefactory.pipeline.said import SpeechRequest, new_name
from voicefactory.project import Project

GONE_S = 60.0  #: 10 s is what we promise, on a machine that is not busy with something else; the figures are printed
PATIENCE_S = 300.0
LONG = "The first sentence is spoken now. Then comes the second. And there is a third one. " * 8
REQUEST = Request(
    model="toy",
    language="english",
    asr="tiny.en",
    device="cpu",
    overrides=("max_steps=30", "batch_size=2", "save_every_steps=2", "eval_every_steps=15"),
)
STEPS: list[tuple[Kind, str]] = [
    ("prepare", "ingest"),
    ("prepare", "segment"),
    ("prepare", "transcribe"),
    ("prepare", "analyse"),
    ("prepare", ""),
    ("clean", "clean"),
    ("clean", ""),
    ("train", "extract"),
    ("train", "finetune"),
    ("train", "synthesize"),
    ("train", "package"),
    ("train", ""),
    ("synthesize", "synthesize"),
    ("judge", "speak"),
    ("judge", "listen"),
]


@pytest.fixture
def scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scheduler]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    scheduler = Scheduler(tmp_path / "home")
    scheduler.start()
    yield scheduler
    scheduler.stop()
    end_workers(scheduler)


def submit(scheduler: Scheduler, project: Project, kind: Kind) -> Job:
    voice = next((path.name for path in project.voices.glob("*") if path.is_dir()), "")
    requests = {
        "clean": CleanRequest(steps=("denoise", "level")),
        "synthesize": SpeechRequest(
            name=new_name(), tellers=(f"voice:{voice}",), labels=("Anna",), texts=(LONG,), language="english"
        ),
        "judge": JudgeRequest(sentences=6, seeds=1, asr="tiny.en", device="cpu"),
    }
    return scheduler.submit(kind, project, "local", dataclasses.asdict(requests.get(kind, REQUEST)))  # type: ignore[call-overload]


def cancelled_in(scheduler: Scheduler, project: Project, kind: Kind, step: str) -> tuple[Job, float]:
    """Cancel when the job is in this step; with an empty one, let it finish. The job, and seconds until all of its
    processes were gone."""
    job = submit(scheduler, project, kind)
    end = time.monotonic() + PATIENCE_S
    while (found := scheduler.store.get(job.id)).active and not (step and found.step == step):
        assert time.monotonic() < end, found
        time.sleep(0.005)
    if not found.active:
        return found, 0.0
    assert found.pid is not None
    worker = psutil.Process(found.pid)
    family = [worker, *worker.children(recursive=True)]
    scheduler.cancel(job.id)
    begun = time.monotonic()
    while any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in family):
        assert time.monotonic() - begun < GONE_S, f"{kind} {step} is still there"
        time.sleep(0.02)
    took = time.monotonic() - begun
    while (found := scheduler.store.get(job.id)).active:
        assert time.monotonic() - begun < GONE_S
        time.sleep(0.02)
    return found, took


@pytest.mark.slow
def test_cancel_in_any_step(scheduler: Scheduler, twelve_clips: list[GivenClip]) -> None:
    project = uploaded(scheduler.home, twelve_clips)
    missed = []
    for kind, step in STEPS:
        job, took = cancelled_in(scheduler, project, kind, step)
        print(f"{kind:<10} {step or '(all of it)':<12} {job.state:<10} gone after {took:.1f} s {job.error}")
        if not step:
            assert job.state == "succeeded", job.error
        elif job.state != "cancelled":
            missed.append((kind, step))  # it was over before the wish came
            assert job.state == "succeeded", job.error
    assert len(missed) <= 3, missed
