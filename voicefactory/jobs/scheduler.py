"""The app's background thread: starts workers, watches them, ends them, and finds them again after a restart.

It keeps nothing that matters in memory: a new scheduler on the same table goes on where the last one
was. The one exception is a Hub token that waits for its job, because a token must not be written down.
"""

from __future__ import annotations

import dataclasses
import sqlite3
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import filelock

from voicefactory import quotas
from voicefactory.errors import InputError, VoiceFactoryError
from voicefactory.jobs import processes, retention
from voicefactory.jobs.devices import Look, devices
from voicefactory.jobs.endings import gone
from voicefactory.jobs.needs import needed_bytes
from voicefactory.jobs.placement import Decision, decide, in_turn
from voicefactory.jobs.queue import FAIR_S, served
from voicefactory.jobs.store import RESUMABLE, Job, Kind, Store
from voicefactory.jobs.workers import Workers
from voicefactory.project import Project, projects_root
from voicefactory.settings import settings

_POLL_S = 0.2
_PLACE_S = 1.0  #: between two looks at the devices, while nothing has ended or come
_PLANS = 4  #: made at one look
_SWEEP_S = 3600.0  #: between two looks for projects that nobody uses any more
_TERMINATE_AFTER_S, _KILL_AFTER_S = 6.0, 8.0  #: after Cancel; the worker saves and ends by itself before that


class Scheduler:
    """Places jobs on devices. `start` it once an app; `submit`, `cancel` and `resume` from any thread."""

    def __init__(self, home: Path, look: Look = devices) -> None:
        self.home = home.expanduser().resolve()
        self.store = Store(self.home / "jobs.db")
        self.looked = time.monotonic()  #: when the last look at the table was finished; for a health check
        self._look_at_devices = look
        self._lock = filelock.FileLock(self.home / "app.lock")
        self._wake, self._over = threading.Event(), threading.Event()
        self._workers = Workers(self.store, self.home)
        self._submitting = threading.Lock()
        self._asked: dict[str, float] = {}  #: job → when its cancelling was seen; not by the clock, which may jump
        self._swept = float("-inf")
        self._held_open: sqlite3.Connection | None = None
        self._needs: dict[str, tuple[Any, int | None]] = {}
        self._placed = (0.0, frozenset[tuple[str, str]]())
        self._thread = threading.Thread(target=self._loop, name="scheduler", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Watch over the table. Raises VoiceFactoryError if another app does so already."""
        try:
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            raise VoiceFactoryError(
                f"VoiceFactory is already running on {self.home}. Use that window, "
                "or set VOICEFACTORY_HOME to another folder to run a second one."
            ) from None
        self._held_open = self.store.hold_open()
        self._look()
        self._thread.start()

    def stop(self, end_workers_s: float | None = None) -> None:
        """Stop watching. Workers go on, and the next scheduler finds them.

        With `end_workers_s` they are asked to save and end, and waited for so many seconds; their jobs can be resumed.
        """
        self._over.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(10)
        if end_workers_s is not None:
            self._workers.end_all(self._running(), end_workers_s)
            for job in self._running():
                self._watch(job)
        if self._held_open is not None:
            self._held_open.close()
        self._lock.release()

    def submit(self, kind: Kind, project: Project, owner: str, request: dict[str, Any], token: str = "") -> Job:
        """Queue a job. A waiting `prepare` is replaced, since each takes in everything that is there.

        Raises InputError if the project is being trained already; see also `quotas.check_job`.
        """
        with self._submitting:  # two clicks at once are two threads
            same = self.store.jobs(project=project.identifier, kinds=[kind], states=["queued", "running"])
            if kind == "train" and same:
                raise InputError("This voice is being trained already. Wait for it, or cancel it first.")
            replaced = [job for job in same if kind == "prepare" and job.state == "queued"]
            if not replaced:
                quotas.check_job(self.store, self.home, owner, kind)
            for job in replaced:
                self.store.move(job.id, "cancelled", origin="queued")
            job = self.store.add(kind, owner, project.identifier, request)
        if token:
            self._workers.keep_token(job.id, token)
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
        self._workers.reap()
        for job in self._running():
            self._watch(job)
        active = self.store.active()
        self._place(active)
        self._forget({job.id for job in active})
        self._sweep()
        self.looked = time.monotonic()

    def _sweep(self) -> None:
        if time.monotonic() - self._swept >= _SWEEP_S:
            self._swept = time.monotonic()
            retention.sweep(self.home, self.store, time.time())

    def _forget(self, active: set[str]) -> None:
        """What was noted of jobs that have ended."""
        self._workers.forget(active)
        self._asked = {job: moment for job, moment in self._asked.items() if job in active}
        self._needs = {job: found for job, found in self._needs.items() if job in active}

    def _running(self) -> list[Job]:
        return [job for job in self.store.active() if job.state == "running"]

    def _place(self, active: Sequence[Job]) -> None:
        now = time.monotonic()
        if self._workers.take_back(active):
            return  # at the next look they wait again
        running = [job for job in active if self._workers.occupy(job)]
        waiting = [job for job in active if not self._workers.occupy(job) and self._workers.may_start(job)]
        mark = frozenset((job.id, job.state) for job in active)
        if not waiting or (mark == self._placed[1] and now - self._placed[0] < _PLACE_S):
            return
        started = served(self.store.started_since(time.time() - FAIR_S))
        waiting = self._with_needs(in_turn(waiting, started))
        decision = decide(
            waiting,
            running,
            self._look_at_devices(running, [process.pid for process in self._workers.idle(running).values()]),
            served=started,
            max_running=settings().max_running_jobs,
            now=time.time(),
        )
        self._tell_why(waiting, decision)
        for start in decision.starts:
            self._workers.begin(start, running)
        self._placed = (now, mark)

    def _with_needs(self, waiting: Sequence[Job]) -> list[Job]:
        """The first of them with the memory they need, by what is in their projects now. A plan takes a moment, so
        only a few are made at a time: the others have their chance at the next look."""
        known, planned = [], 0
        for job in waiting:
            project = Project(projects_root(self.home) / job.project)
            stamp = [
                path.stat().st_mtime_ns if path.exists() else 0
                for path in (project.clips_jsonl, project.transcripts_jsonl, project.voices)
            ]
            if self._needs.get(job.id, (None, None))[0] != stamp:
                if planned == _PLANS:
                    break
                planned += 1
                self._needs[job.id] = (stamp, needed_bytes(job, project))
                self.store.place(job.id, needed_bytes=self._needs[job.id][1])
            known.append(dataclasses.replace(job, needed_bytes=self._needs[job.id][1], device=""))
        return known

    def _tell_why(self, waiting: Sequence[Job], decision: Decision) -> None:
        for job in waiting:
            if decision.waits.get(job.id, "") != job.waits:
                self.store.place(job.id, waits=decision.waits.get(job.id, ""))

    def _watch(self, job: Job) -> None:
        if not processes.is_alive(job.pid, job.pid_identity):
            if self._workers.still_ending(job.pid):
                return  # seen again at the next look
            if job.pid is not None and job.pid_identity is not None:
                processes.kill_orphans(job.pid, job.pid_identity)
            if self.store.get(job.id).cancel_requested is not None:
                self.store.move(job.id, "cancelled")
            else:
                self.store.move(job.id, "interrupted", **gone(self._workers.exit_code(job.pid)))
            self._asked.pop(job.id, None)
        elif job.cancel_requested is not None:
            waited = time.monotonic() - self._asked.setdefault(job.id, time.monotonic())
            if waited > _TERMINATE_AFTER_S:
                processes.signal_tree(job.pid, job.pid_identity, kill=waited > _KILL_AFTER_S)
