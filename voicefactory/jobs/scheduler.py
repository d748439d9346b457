"""The app's background thread: starts workers, watches them, ends them, and finds them again after a restart.

It keeps nothing that matters in memory: a new scheduler on the same table goes on where the last one
was. The one exception is a Hub token that waits for its job, because a token must not be written down.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import filelock

from voicefactory.errors import InputError, VoiceFactoryError, as_sentence
from voicefactory.jobs import processes
from voicefactory.jobs.store import LANES, LINGERING, RESUMABLE, Job, Kind, Lane, Store
from voicefactory.jobs.worker import TOKEN_VARIABLE
from voicefactory.project import Project

_POLL_S = 0.2
_GRACE_S = 10.0  #: for a worker that stayed: it takes the next job or ends, unless it hangs
_TERMINATE_AFTER_S, _KILL_AFTER_S = 6.0, 8.0  #: after Cancel; the worker saves and ends by itself before that
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]

GONE = (
    "This was stopped from outside, perhaps because the memory ran out or the computer was restarted. "
    "What was finished is kept: press Resume to go on."
)


class Scheduler:
    """Three lanes, one running job in each. `start` it once an app; `submit`, `cancel` and `resume` from any thread."""

    def __init__(self, home: Path) -> None:
        self.home = home.expanduser().resolve()
        self.store = Store(self.home / "jobs.db")
        self._lock = filelock.FileLock(self.home / "app.lock")
        self._wake, self._over = threading.Event(), threading.Event()
        self._started: dict[str, subprocess.Popen[bytes]] = {}
        self._tokens: dict[str, str] = {}
        self._thread = threading.Thread(target=self._loop, name="scheduler", daemon=True)

    def start(self) -> None:
        """Watch over the table. Raises VoiceFactoryError if another app does so already."""
        try:
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            raise VoiceFactoryError(
                f"VoiceFactory is already running on {self.home}. Use that window, "
                "or set VOICEFACTORY_HOME to another folder to run a second one."
            ) from None
        self._look()
        self._thread.start()

    def stop(self) -> None:
        """Stop watching. Workers go on, and the next scheduler finds them."""
        self._over.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(10)
        self._lock.release()

    def submit(self, kind: Kind, project: Project, owner: str, request: dict[str, Any], token: str = "") -> Job:
        """Queue a job. A waiting `prepare` is replaced, since each takes in everything that is there.

        Raises InputError if the project is being trained already.
        """
        for job in self.store.jobs(project=project.identifier, kinds=[kind], states=["queued", "running"]):
            if kind == "train":
                raise InputError("This voice is being trained already. Wait for it, or cancel it first.")
            if kind == "prepare" and job.state == "queued":
                self.store.move(job.id, "cancelled", origin="queued")
        job = self.store.add(kind, owner, project.identifier, request)
        if token:
            self._tokens[job.id] = token
        self._wake.set()
        return job

    def cancel(self, identifier: str) -> None:
        """Ask a job to stop; its worker is gone within 10 s, whatever it does."""
        self.store.request_cancel(identifier)
        self._wake.set()

    def resume(self, identifier: str) -> Job:
        """Queue the same work again: finished steps are skipped, and training goes on from its last checkpoint.

        Raises InputError if the job cannot be resumed.
        """
        job = self.store.get(identifier)
        if job.state not in RESUMABLE or job.kind == "publish":
            raise InputError("There is nothing to resume here.")
        return self.submit(job.kind, Project.open(job.project, self.home), job.owner, job.request)

    def _loop(self) -> None:
        while not self._over.is_set():
            try:
                self._look()
            except Exception as error:  # noqa: BLE001 - a full disk, a locked table: say so and look again
                print(f"scheduler: {error}", file=sys.stderr)
            self._wake.wait(_POLL_S)
            self._wake.clear()

    def _look(self) -> None:
        for identifier, process in list(self._started.items()):
            if process.poll() is not None:  # reaps it, too
                del self._started[identifier]
                sentence = f"The worker could not start. The details are in the log: jobs/{identifier}.log."
                self.store.move(identifier, "failed", origin="queued", error=sentence, error_kind="defect")
        for job in self.store.jobs(states=["running"]):
            self._watch(job)
        active = self.store.jobs(states=["queued", "running"])
        lanes: tuple[Lane, ...] = ("work", "preview", "listen")
        for lane in lanes:
            mine = [job for job in active if LANES[job.kind] == lane]
            waiting = [job for job in mine if job.state == "queued"]
            free = len(waiting) == len(mine) and not any(job.id in self._started for job in waiting)
            if waiting and free and not self._is_taken_by_another(waiting[0]):
                self._start(waiting[0])

    def _is_taken_by_another(self, job: Job) -> bool:
        """Whether a worker that is still there, with its model loaded, will take this job in a moment."""
        if job.kind not in LINGERING or time.time() - job.created > _GRACE_S:
            return False
        return any(self.store.get(started).kind == job.kind for started in self._started)

    def _watch(self, job: Job) -> None:
        if not processes.is_alive(job.pid, job.pid_created):
            if job.pid is not None and job.pid_created is not None:
                processes.kill_orphans(job.pid, job.pid_created)
            if self.store.get(job.id).cancel_requested is not None:
                self.store.move(job.id, "cancelled")
            else:
                self.store.move(job.id, "interrupted", error=GONE)
        elif job.cancel_requested is not None:
            waited = time.time() - job.cancel_requested
            if waited > _TERMINATE_AFTER_S:
                processes.signal_tree(job.pid or 0, job.pid_created or 0.0, kill=waited > _KILL_AFTER_S)

    def _start(self, job: Job) -> None:
        try:
            self._spawn(job, Project.open(job.project, self.home))
        except (VoiceFactoryError, OSError) as error:
            sentence = as_sentence(error) or VoiceFactoryError(f"The worker could not start: {error}.")
            self.store.move(job.id, "failed", origin="queued", error=str(sentence), error_kind=type(sentence).__name__)

    def _spawn(self, job: Job, project: Project) -> None:
        log = project.root / "jobs" / f"{job.id}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        path = os.pathsep.join(filter(None, [str(_PACKAGE_ROOT), os.environ.get("PYTHONPATH", "")]))
        env = {
            **os.environ,
            "VOICEFACTORY_HOME": str(self.home),
            "PYTHONPATH": path,
            "PYTHONUNBUFFERED": "1",
            "PYTHONIOENCODING": "utf-8",
        }
        if job.kind == "publish":
            env.pop("HF_TOKEN", None)  # with the visitor's token or not at all
            env[TOKEN_VARIABLE] = self._tokens.pop(job.id, "")
        with open(log, "ab") as out:
            self._started[job.id] = subprocess.Popen(
                [sys.executable, "-m", "voicefactory.jobs.worker", job.id],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=env,
                start_new_session=True,
            )
