"""Fifty kills at random moments over a full run, of workers and of the app: the voice still comes out.

After each kill every file is whole, the table is whole, no job is lost, and none has run twice.
"""

from __future__ import annotations

import collections
import dataclasses
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import soundfile
from safetensors import safe_open

from tests.at_work import uploaded
from tests.conftest import GivenClip
from voicefactory import files
from voicefactory.jobs import log, processes
from voicefactory.jobs.scheduler import Scheduler
from voicefactory.jobs.store import Job, Store
from voicefactory.pipeline.request import Request
from voicefactory.project import Project
from voicefactory.settings import settings

KILLS = 50
PATIENCE_S = 240.0
APP = """
import sys
from pathlib import Path
from voicefactory.jobs.scheduler import Scheduler
scheduler = Scheduler(Path(sys.argv[1]))
scheduler.start()
print("ready", flush=True)
sys.stdin.read()
"""


class Run:
    """An app, its workers, and whoever presses the buttons."""

    def __init__(self, home: Path, project: Project) -> None:
        self.home, self.project, self.store = home, project, Store(home / "jobs.db")
        self.hand = Scheduler(home)  # asks only: it is not started
        self.draw = random.Random(7)
        self.asked: list[str] = []
        self.where: collections.Counter[str] = collections.Counter()
        self.start_app()

    def start_app(self) -> None:
        arguments = [sys.executable, "-c", APP, str(self.home)]
        self.app = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.app.stdout is not None
        assert self.app.stdout.readline() == b"ready\n"

    def submit(self, kind: str, seed: int) -> Job:
        request = Request(
            model="toy",
            language="english",
            asr="tiny.en",
            device="cpu",
            overrides=("max_steps=60", "batch_size=2", "save_every_steps=5", "eval_every_steps=20", f"seed={seed}"),
        )
        job = self.hand.submit(kind, self.project, "local", dataclasses.asdict(request))  # type: ignore[arg-type]
        self.asked.append(job.id)
        return job

    def undisturbed(self, clips: list[GivenClip]) -> dict[str, float]:
        """How many seconds each kind takes here and now, when nobody kills it."""
        self.project, mine = uploaded(self.home, clips, "Ben"), self.project
        took = {}
        for kind in ("prepare", "train"):
            begun = time.monotonic()
            job = self.until_over(self.submit(kind, 0))
            assert job.state == "succeeded", job.error
            took[kind] = time.monotonic() - begun
        self.project = mine
        return took

    def resume(self, job: Job) -> Job:
        again = self.hand.resume(job.id)
        self.asked.append(again.id)
        return again

    def until_running(self, job: Job) -> Job:
        end = time.monotonic() + PATIENCE_S
        while (found := self.store.get(job.id)).state == "queued":
            assert time.monotonic() < end, found
            time.sleep(0.02)
        return found

    def until_over(self, job: Job) -> Job:
        end = time.monotonic() + PATIENCE_S
        while (found := self.store.get(job.id)).active:
            assert time.monotonic() < end, found
            time.sleep(0.02)
        return found

    def kill(self, job: Job) -> None:
        """The worker, its whole family, or the app, which is started again."""
        victim = self.draw.choices(["worker", "family", "app", "both"], [5, 2, 2, 1])[0]
        now = self.store.get(job.id)
        self.where[f"{now.kind} {now.step or 'starting'}: {victim}"] += 1
        if victim in ("worker", "family", "both") and processes.is_alive(now.pid, now.pid_identity):
            assert now.pid is not None
            family = [now.pid, *(child.pid for child in psutil.Process(now.pid).children(recursive=True))]
            for pid in family if victim == "family" else family[:1]:
                os.kill(pid, signal.SIGKILL)
        if victim in ("app", "both"):
            self.app.kill()
            self.app.wait()
            self.start_app()

    def check(self) -> None:
        """Everything that can be read now is whole."""
        with sqlite3.connect(self.store.path) as db:
            assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            assert {row[0] for row in db.execute("SELECT id FROM jobs")} == set(self.asked)
        for path in self.project.root.rglob("*"):
            if path.is_file() and not any(part.startswith(".aside-") for part in path.parts):
                self._check_file(path)

    def _check_file(self, path: Path) -> None:
        try:
            if path.suffix == ".json":
                files.read_json(path)
            elif path.suffix == ".jsonl":
                files.read_jsonl(path)
            elif path.suffix == ".safetensors":
                with safe_open(path, "pt") as weights:
                    assert list(weights.keys())
            elif path.suffix in (".wav", ".flac"):
                with soundfile.SoundFile(path) as sound:
                    assert len(sound.read()) == sound.frames > 0
        except FileNotFoundError:
            return  # a worker that goes on took it away in this moment

    def times_begun(self) -> collections.Counter[str]:
        events = [json.loads(line) for line in log.log_file(self.home).read_text().splitlines()]
        return collections.Counter(one["job"] for one in events if one["event"] == "job" and one["state"] == "running")


@pytest.mark.slow
def test_fifty_kills(tmp_path: Path, twelve_clips: list[GivenClip], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("VOICEFACTORY_MAX_QUEUED_JOBS", "0")
    settings.cache_clear()
    home = tmp_path / "home"
    run = Run(home, uploaded(home, twelve_clips))
    kills, seed, voices = 0, 0, 0
    try:
        usual = run.undisturbed(twelve_clips)
        job = run.submit("prepare", seed)
        while kills < KILLS:
            run.until_running(job)
            time.sleep(run.draw.expovariate(1 / (0.6 * usual[job.kind])))  # mostly soon, now and then late
            if run.store.get(job.id).active:
                run.kill(job)
                kills += 1
            else:
                run.until_over(job)
            run.check()
            # After the app alone was killed its worker works on: that is not the end of the job.
            over = run.store.get(job.id)
            if over.state == "interrupted" or (over.active and not processes.is_alive(over.pid, over.pid_identity)):
                over = run.until_over(job)
            if over.state == "interrupted":
                job = run.resume(over)
            elif over.state == "succeeded":
                seed += 1
                voices += over.kind == "train"
                job = run.submit("train", seed)
            else:
                assert over.active, over
        for _ in range(20):
            over = run.until_over(job)
            if over.state == "succeeded" and over.kind == "train":
                break
            job = run.resume(over) if over.state == "interrupted" else run.submit("train", seed + 1)
        run.check()
        assert over.state == "succeeded", over
        assert over.result is not None
        assert Path(over.result["zip"]).is_file()  # it is written after the voice has spoken in a clean process
        begun = run.times_begun()
        print(f"{kills} kills, {voices + 1} voices, {len(run.asked)} jobs; killed at:")
        for place, count in sorted(run.where.items()):
            print(f"  {place}: {count}")
        assert set(begun) <= set(run.asked)
        assert set(begun.values()) == {1}
    finally:
        run.app.kill()
        run.app.wait()
        for left in run.store.jobs(states=["running"]):
            processes.signal_tree(left.pid, left.pid_identity, kill=True)
        settings.cache_clear()
