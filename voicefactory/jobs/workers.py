"""The worker processes of one app: started, handed more work, tried again, ended.

What is kept here is about processes, which end or are found again through the table; nothing of a job is lost with it.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from voicefactory.errors import VoiceFactoryError, as_sentence
from voicefactory.jobs import processes
from voicefactory.jobs.endings import not_started
from voicefactory.jobs.lanes import LINGERING
from voicefactory.jobs.placement import Start
from voicefactory.jobs.spawn import spawn
from voicefactory.jobs.store import Job, Store
from voicefactory.jobs.worker import NO_ROOM
from voicefactory.project import Project

_AGAIN_S = 5.0  #: before a worker is tried again that found no room, or was killed before it began
_TRIES = 3
_GRACE_S = 10.0  #: for a worker that stayed: it takes the next job or ends, unless it hangs


class Workers:
    """Used by the scheduler's thread alone, except for `keep_token`."""

    def __init__(self, store: Store, home: Path) -> None:
        self._store, self._home = store, home
        self._started: dict[str, subprocess.Popen[bytes]] = {}  #: by the first job of each
        self._codes: dict[int, int] = {}  #: exit codes of ended workers, by process id
        self._tokens: dict[str, str] = {}
        self._tries: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._handed: dict[str, float] = {}

    def keep_token(self, job: str, token: str) -> None:
        """A Hub token for a job, which must not be written down."""
        self._tokens[job] = token

    def exit_code(self, pid: int | None) -> int | None:
        """Of an ended worker, as in subprocess; None where this app did not start it."""
        for process in self._started.values():
            if process.pid == pid and (code := process.poll()) is not None:  # it ended since the last `reap`
                return code
        return None if pid is None else self._codes.get(pid)

    def still_ending(self, pid: int | None) -> bool:
        """Whether a worker of this app has threads left, which hold its memory, and no exit code yet.

        While a process of many threads dies, its first thread may already look like a zombie.
        """
        return any(process.pid == pid and process.poll() is None for process in self._started.values())

    def occupy(self, job: Job) -> bool:
        """Whether the job has a place already: it runs, or a worker is about to take it."""
        return job.state == "running" or job.id in self._started or bool(job.handed_to)

    def may_start(self, job: Job) -> bool:
        """False for a moment after a worker came back without having begun."""
        return self._not_before.get(job.id, 0.0) <= time.monotonic()

    def reap(self) -> None:
        """Workers that have ended: those that had not begun their first job are tried again, or that job has failed."""
        for identifier, process in list(self._started.items()):
            code = process.poll()  # reaps it, too
            if code is None:
                continue
            self._codes[process.pid] = code
            job = self._store.find(identifier)
            if job is not None and job.state == "queued":
                self._try_again(job, code)
            del self._started[identifier]  # last: until then it counts as about to start

    def take_back(self, active: Sequence[Job]) -> bool:
        """Jobs that were handed to a worker that has just ended, or hangs; whether there were any."""
        found = False
        for job in active:
            if job.state == "queued" and job.handed_to:
                gave_up = time.monotonic() - self._handed.get(job.id, 0.0) > _GRACE_S
                if job.handed_to not in self._started or gave_up:
                    found = self._store.place(job.id, handed_to="", device="") or found
        return found

    def begin(self, start: Start, running: Sequence[Job]) -> None:
        """Hand the job to a worker that stayed on that device with its model loaded, or start one."""
        job = start.job
        idle = self._idle_for(job, start.device, running)
        if not self._store.place(job.id, device=start.device, handed_to=idle, waits=""):
            return  # cancelled in this moment
        if idle:
            self._handed[job.id] = time.monotonic()
            return
        try:
            token = self._tokens.get(job.id, "")
            self._started[job.id] = spawn(job, Project.open(job.project, self._home), start.device, token)
        except (VoiceFactoryError, OSError) as error:
            sentence = as_sentence(error) or VoiceFactoryError(f"The worker could not start: {error}.")
            self._store.move(job.id, "failed", origin="queued", error=str(sentence), error_kind=type(sentence).__name__)

    def idle(self, running: Sequence[Job]) -> dict[str, subprocess.Popen[bytes]]:
        """First job → worker that has done its work and waits for more, or is about to end."""
        busy = {job.pid for job in running}
        starting = {job.id for job in running if job.state == "queued"} | {job.handed_to for job in running}
        return {
            identifier: process
            for identifier, process in self._started.items()
            if process.pid not in busy and identifier not in starting
        }

    def end_all(self, running: Sequence[Job], seconds: float) -> None:
        """Ask each worker to save and end, wait so long, and end those that have not."""
        workers = [(job.pid, job.pid_identity) for job in running]
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

    def forget(self, active: set[str]) -> None:
        """What was noted of jobs that have ended."""
        noted: tuple[dict[str, object], ...] = (self._tokens, self._tries, self._not_before, self._handed)  # type: ignore[assignment]
        for one in noted:
            for identifier in one.keys() - active:
                one.pop(identifier, None)

    def _try_again(self, job: Job, code: int) -> None:
        tries = self._tries.get(job.id, 0) + (code != NO_ROOM)
        if code != NO_ROOM and (code >= 0 or tries >= _TRIES):
            self._store.move(job.id, "failed", origin="queued", **not_started(job))
        else:
            self._tries[job.id] = tries
            self._not_before[job.id] = time.monotonic() + _AGAIN_S
            self._store.place(job.id, device="")

    def _idle_for(self, job: Job, device: str, running: Sequence[Job]) -> str:
        """The first job of a worker that did this kind on this device and has stayed; empty if there is none."""
        for identifier in self.idle(running) if job.kind in LINGERING else ():
            first = self._store.find(identifier)
            if first and (first.kind, first.device) == (job.kind, device):
                return identifier
        return ""
