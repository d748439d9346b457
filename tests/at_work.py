"""Jobs at work, for tests: recordings as they are uploaded, what is asked for, and waiting for what becomes of it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.conftest import GivenClip
from voicefactory import files
from voicefactory.jobs import processes
from voicefactory.jobs.scheduler import Scheduler
from voicefactory.jobs.store import Job, State
from voicefactory.pipeline.request import Request
from voicefactory.project import Project

TOY_TRAINING = ("batch_size=1", "save_every_steps=2", "eval_fraction=0")


def uploaded(home: Path, clips: Sequence[GivenClip], name: str = "Anna") -> Project:
    """A project with recordings and their texts, not yet looked at."""
    project = Project.create(name, home)
    for number, clip in enumerate(clips):
        target = project.uploads / str(number) / clip.path.name
        target.parent.mkdir(parents=True)
        target.write_bytes(clip.path.read_bytes())
    rows = [{"audio": clip.path.name, "text": clip.text} for clip in clips]
    files.write_jsonl(project.root / "texts" / "texts.jsonl", rows)
    return project


def end_workers(scheduler: Scheduler) -> None:
    """Kill what still runs."""
    for job in scheduler.store.jobs(states=["running"]):
        processes.signal_tree(job.pid, job.pid_identity, kill=True)


def prepare(scheduler: Scheduler, project: Project) -> Job:
    request = Request(language="english", transcripts=str(project.root / "texts" / "texts.jsonl"))
    return scheduler.submit("prepare", project, "local", dataclasses.asdict(request))


def take_in(scheduler: Scheduler, project: Project) -> Job:
    """The shortest real work: recordings are decoded. For tests of what happens to any job."""
    return scheduler.submit("ingest", project, "local", {})


def listen(scheduler: Scheduler, project: Project) -> Job:
    """Not the job of `prepare`, so that both can be asked for: Whisper is loaded and listens."""
    request = Request(language="english", asr="tiny.en")
    return scheduler.submit("prepare", project, "local", dataclasses.asdict(request))


def train(scheduler: Scheduler, project: Project, max_steps: int = 400, **values: Any) -> Job:
    overrides = (*TOY_TRAINING, f"max_steps={max_steps}")
    request = Request(model="toy", language="english", overrides=overrides, device="cpu", **values)
    return scheduler.submit("train", project, "local", dataclasses.asdict(request))


def wait(scheduler: Scheduler, job: Job, until: Callable[[Job], bool], seconds: float) -> Job:
    end = time.monotonic() + seconds
    while not until(found := scheduler.store.get(job.id)):
        assert time.monotonic() < end, f"still {found} after {seconds} s"
        time.sleep(0.05)
    return found


def wait_for(scheduler: Scheduler, job: Job, state: State, seconds: float = 60) -> Job:
    return wait(scheduler, job, lambda found: found.state == state or not found.active, seconds)


def running(job: Job) -> bool:
    return job.state == "running"


def training(job: Job) -> bool:
    assert job.active, job
    return job.step == "finetune" and job.done >= 4
