"""The app's background thread: starts workers, watches them, ends them, and finds them again after a restart.

It keeps nothing that matters in memory: a new scheduler on the same table goes on where the last one
was. The one exception is a Hub token that waits for its job, because a token must not be written down.
"""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import filelock

from voicefactory import quotas
from voicefactory.errors import InputError, VoiceFactoryError, as_sentence
from voicefactory.jobs import processes, retention
from voicefactory.jobs.devices import Look, devices
from voicefactory.jobs.endings import gone, not_started
from voicefactory.jobs.lanes import LINGERING
from voicefactory.jobs.needs import needed_bytes
from voicefactory.jobs.placement import Decision, Start, decide, in_turn
from voicefactory.jobs.queue import FAIR_S, served
from voicefactory.jobs.spawn import spawn
from voicefactory.jobs.store import RESUMABLE, Job, Kind, Store
from voicefactory.jobs.worker import NO_ROOM
from voicefactory.project import Project, projects_root
from voicefactory.settings import settings

_POLL_S = 0.2
_PLACE_S = 1.0  #: between two looks at the devices, while nothing has ended or come
_AGAIN_S = 5.0  #: before a worker is tried again that found no room, or was killed before it began
_TRIES = 3
_PLANS = 4  #: made at one look
_SWEEP_S = 3600.0  #: between two looks for projects that nobody uses any more
_GRACE_S = 10.0  #: for a worker that stayed: it takes the next job or ends, unless it hangs
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
        self._started: dict[str, subprocess.Popen[bytes]] = {}
        self._tokens: dict[str, str] = {}
        self._asked: dict[str, float] = {}  #: job → when its cancelling was seen; not by the clock, which may jump
        self._tries: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._handed: dict[str, float] = {}
        self._codes: dict[int, int] = {}  #: exit codes of ended workers, by process id
        self._swept = float("-inf")
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
            self._end_workers(end_workers_s)
        self._lock.release()

    def submit(self, kind: Kind, project: Project, owner: str, request: dict[str, Any], token: str = "") -> Job:
        """Queue a job. A waiting `prepare` is replaced, since each takes in everything that is there.

        Raises InputError if the project is being trained already; see also `quotas.check_job`.
        """
        for job in self.store.jobs(project=project.identifier, kinds=[kind], states=["queued", "running"]):
            if kind == "train":
                raise InputError("This voice is being trained already. Wait for it, or cancel it first.")
            if kind == "prepare" and job.state == "queued":
                self.store.move(job.id, "cancelled", origin="queued")
        quotas.check_job(self.store, self.home, owner, kind)
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
        self._reap()
        active = self.store.active()
        for job in active:
            if job.state == "running":
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
        for noted in (self._asked, self._tries, self._not_before, self._handed, self._needs, self._tokens):
            for identifier in [one for one in noted if one not in active]:
                noted.pop(identifier, None)  # type: ignore[attr-defined]

    def _reap(self) -> None:
        """Workers that have ended: those that had not begun their first job are tried again, or that job has failed."""
        for identifier, process in list(self._started.items()):
            code = process.poll()  # reaps it, too
            if code is None:
                continue
            self._codes[process.pid] = code
            job = self.store.find(identifier)
            if job is None or job.state != "queued":
                del self._started[identifier]
                continue
            tries = self._tries.get(identifier, 0) + (code != NO_ROOM)
            if code != NO_ROOM and (code >= 0 or tries >= _TRIES):
                self.store.move(identifier, "failed", origin="queued", **not_started(job))
            else:
                self._tries[identifier] = tries
                self._not_before[identifier] = time.monotonic() + _AGAIN_S
                self.store.place(identifier, device="")
            del self._started[identifier]  # last: until then it counts as about to start

    def _place(self, active: Sequence[Job]) -> None:
        now = time.monotonic()
        self._give_back_handed(active, now)
        running = [job for job in active if job.state == "running" or job.id in self._started or job.handed_to]
        known = {job.id for job in running}
        waiting = [job for job in active if job.id not in known and self._not_before.get(job.id, 0.0) <= now]
        mark = frozenset((job.id, job.state) for job in active)
        if not waiting or (mark == self._placed[1] and now - self._placed[0] < _PLACE_S):
            return
        started = served(self.store.started_since(time.time() - FAIR_S))
        waiting = self._with_needs(in_turn(waiting, started))
        decision = decide(
            waiting,
            running,
            self._look_at_devices(running, [process.pid for process in self._idle(running).values()]),
            served=started,
            max_running=settings().max_running_jobs,
            now=time.time(),
        )
        self._tell_why(waiting, decision)
        for start in decision.starts:
            self._begin(start, running)
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

    def _begin(self, start: Start, running: Sequence[Job]) -> None:
        """Hand the job to a worker that stayed on that device with its model loaded, or start one."""
        job = start.job
        idle = self._idle_worker(job, start.device, running)
        if not self.store.place(job.id, device=start.device, handed_to=idle, waits=""):
            return  # cancelled in this moment
        if idle:
            self._handed[job.id] = time.monotonic()
            return
        try:
            token = self._tokens.pop(job.id, "")
            self._started[job.id] = spawn(job, Project.open(job.project, self.home), start.device, token)
        except (VoiceFactoryError, OSError) as error:
            sentence = as_sentence(error) or VoiceFactoryError(f"The worker could not start: {error}.")
            self.store.move(job.id, "failed", origin="queued", error=str(sentence), error_kind=type(sentence).__name__)

    def _idle_worker(self, job: Job, device: str, running: Sequence[Job]) -> str:
        """The first job of a worker that did this kind on this device and has stayed; empty if there is none."""
        for identifier in self._idle(running) if job.kind in LINGERING else ():
            first = self.store.find(identifier)
            if first and (first.kind, first.device) == (job.kind, device):
                return identifier
        return ""

    def _idle(self, running: Sequence[Job]) -> dict[str, subprocess.Popen[bytes]]:
        """First job → worker that has done its work and waits for more, or is about to end."""
        busy = {job.pid for job in running}
        starting = {job.id for job in running if job.state == "queued"} | {job.handed_to for job in running}
        return {
            identifier: process
            for identifier, process in self._started.items()
            if process.pid not in busy and identifier not in starting
        }

    def _give_back_handed(self, active: Sequence[Job], now: float) -> None:
        """A worker that stayed takes what it is handed at once, unless it has just ended or hangs."""
        for job in active:
            if job.state != "queued" or not job.handed_to:
                continue
            gave_up = now - self._handed.get(job.id, 0.0) > _GRACE_S
            if (job.handed_to not in self._started or gave_up) and self.store.place(job.id, handed_to="", device=""):
                self._handed.pop(job.id, None)
                self._placed = (0.0, frozenset())

    def _watch(self, job: Job) -> None:
        if not processes.is_alive(job.pid, job.pid_identity):
            if job.pid is not None and job.pid_identity is not None:
                processes.kill_orphans(job.pid, job.pid_identity)
            if self.store.get(job.id).cancel_requested is not None:
                self.store.move(job.id, "cancelled")
            else:
                self.store.move(job.id, "interrupted", **gone(self._codes.get(job.pid or 0)))
            self._asked.pop(job.id, None)
        elif job.cancel_requested is not None:
            waited = time.monotonic() - self._asked.setdefault(job.id, time.monotonic())
            if waited > _TERMINATE_AFTER_S:
                processes.signal_tree(job.pid, job.pid_identity, kill=waited > _KILL_AFTER_S)

    def _end_workers(self, seconds: float) -> None:
        """Ask each worker to save and end; the last look says how it went."""
        workers = [(job.pid, job.pid_identity) for job in self.store.active() if job.state == "running"]
        workers += [(process.pid, processes.identity(process.pid)) for process in self._started.values()]
        for pid, known in workers:
            processes.ask_to_end(pid, known)
        end = time.monotonic() + seconds
        while any(processes.is_alive(*worker) for worker in workers) and time.monotonic() < end:
            time.sleep(0.1)
        for pid, known in workers:
            processes.signal_tree(pid, known, kill=True)
        for process in self._started.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._codes[process.pid] = process.wait(5)
        for job in self.store.active():
            if job.state == "running":
                self._watch(job)
