"""`python -m voicefactory.jobs.worker JOB_ID`: take one job, do it, write down how it ended.

A process of its own, so that a crash or a full GPU cannot take the page down, and so that all memory
is given back by ending. It outlives the page and the app: only the table connects them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import sys
import threading
import time
import traceback
from types import FrameType
from typing import Any

import psutil

from voicefactory.errors import Cancelled, VoiceFactoryError, as_sentence
from voicefactory.jobs import processes, scratch, tasks
from voicefactory.jobs.devices import shortage
from voicefactory.jobs.endings import STOPPED
from voicefactory.jobs.lanes import LINGERING, NEEDS_MEMORY
from voicefactory.jobs.progress import Reporter
from voicefactory.jobs.redact import RedactedStream, redact
from voicefactory.jobs.store import Job, Store
from voicefactory.project import Project
from voicefactory.settings import settings

TOKEN_VARIABLE = "VF_HUB_TOKEN"
NO_ROOM = 75  #: exit code of a worker that found its device full; EX_TEMPFAIL of sysexits.h
_LOOK_S, _HEARTBEAT_S = 0.25, 2.0
_LINGER_LOOK_S = 0.1
_END_S = 60.0  #: in which a job's end can be written


class Watch:
    """A thread that turns the row's cancel flag, or a SIGTERM, into `should_stop`, and sends the heartbeat."""

    def __init__(self, store: Store, job: str) -> None:
        self._store, self._job = store, job
        self._stop, self._over = threading.Event(), threading.Event()
        self.cancelled = False  #: asked for by a person
        self.signalled = False  #: asked for by the system, or by the scheduler when nothing else helped
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)

    def start(self) -> None:
        signal.signal(signal.SIGTERM, self._on_signal)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join(5)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def should_stop(self) -> bool:
        return self._stop.is_set()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.signalled = True
        self._stop.set()

    def _look(self) -> None:
        beaten = 0.0
        while not self._over.wait(_LOOK_S):
            # A busy or full disk must not end the watch: the next look tries again.
            with contextlib.suppress(Exception):
                if self._store.get(self._job).cancel_requested is not None:
                    self.cancelled = True
                    self._stop.set()
                if time.monotonic() - beaten >= _HEARTBEAT_S:
                    self._store.report(self._job)
                    beaten = time.monotonic()


def ending(error: BaseException, *, cancelled: bool, stopped: bool, log: str) -> tuple[str, dict[str, Any]]:
    """The final state and columns for a task that raised `error`."""
    if cancelled:
        return "cancelled", {}
    if isinstance(error, Cancelled) or stopped:
        return "interrupted", {"error": STOPPED}
    if type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError):
        sentence: VoiceFactoryError | None = VoiceFactoryError(
            "There was not enough memory. What was finished is kept: close other programs that use the GPU, "
            "or set a smaller batch size under Advanced, and train again."
        )
    else:
        sentence = as_sentence(error)
    if sentence is not None:
        return "failed", {"error": str(sentence), "error_kind": type(sentence).__name__}
    return "failed", {
        "error": "Something went wrong on our side, not with your recordings. What was finished is kept. "
        f"The details are in the log: {log}.",
        "error_kind": "defect",
    }


def work(store: Store, job: Job, token: str, log: str) -> bool:
    """Do a job that this process has taken, and write its end into its row. `log` is where its output goes.

    Returns whether the process may do another one: False if it was told to stop, or something broke in it.
    """
    whole = True
    watch = Watch(store, job.id)
    watch.start()
    project = Project.open(job.project)
    try:
        context = tasks.Context(project, job, token, Reporter(store, job.id), watch.should_stop)
        result = tasks.run(context)
        _write_end(store, job.id, "succeeded", result=result, eta_low=None, eta_high=None)
    except BaseException as error:  # noqa: BLE001 - also SystemExit: the row must not stay "running"
        traceback.print_exc()
        whole = isinstance(error, VoiceFactoryError)
        cancelled = watch.cancelled or _is_cancelled(store, job.id)
        state, columns = ending(error, cancelled=cancelled, stopped=watch.should_stop(), log=log)
        columns["error"] = redact(columns.get("error", ""), token)
        _write_end(store, job.id, state, **columns)
    finally:
        watch.end()
    return whole and not watch.signalled


def _write_end(store: Store, identifier: str, state: str, **columns: Any) -> None:
    """Write how a job ended. What was done must not be lost because the table is locked or its disk full just now;
    after a while the scheduler will find the process gone, and the job can be resumed."""
    give_up = time.monotonic() + _END_S
    while True:
        try:
            store.move(identifier, state, **columns)  # type: ignore[arg-type]
            return
        except sqlite3.OperationalError:
            if time.monotonic() > give_up:
                raise
            time.sleep(1.0)


def _is_cancelled(store: Store, identifier: str) -> bool:
    try:
        return store.get(identifier).cancel_requested is not None
    except (sqlite3.OperationalError, KeyError):
        return False


def main() -> None:
    """Entry point. Exits silently if the job is not there to be taken (cancelled, or taken by another)."""
    token = os.environ.pop(TOKEN_VARIABLE, "")
    sys.stdout = RedactedStream(sys.stdout, token)  # type: ignore[assignment]
    sys.stderr = RedactedStream(sys.stderr, token)  # type: ignore[assignment]
    store = Store(settings().home.expanduser() / "jobs.db")
    me = psutil.Process()
    identifier = sys.argv[1]
    if not _has_room(store, identifier):
        sys.exit(NO_ROOM)
    if not _take(store, identifier):
        scratch.remove(settings().home.expanduser(), [identifier])
        return
    processes.come_after_others(me)  # the page answers first
    job: Job | None = store.get(identifier)
    while job is not None:
        may_stay = work(store, job, token, f"jobs/{job.id}.log")
        job = _next(store, job, identifier) if may_stay and job.kind in LINGERING else None
        if job is not None:
            _write_to_log_of(job)
    scratch.remove(settings().home.expanduser(), [identifier])


def _write_to_log_of(job: Job) -> None:
    """From now on output goes to this job's log: it may be another person's than the one before."""
    with open(Project.open(job.project).root / "jobs" / f"{job.id}.log", "ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)


def _has_room(store: Store, identifier: str) -> bool:
    """Whether the memory that was planned for the job is still there; if not, its row says so and it waits on."""
    job = store.find(identifier)
    reason = shortage(job.needed_bytes) if job else ""
    return not (reason and store.place(identifier, waits=reason))


def _take(store: Store, identifier: str) -> bool:
    me = os.getpid()
    return store.move(
        identifier, "running", pid=me, pid_identity=processes.identity(me), heartbeat=time.time(), waits=""
    )


def _next(store: Store, done: Job, mine: str) -> Job | None:
    """The next job that is handed to this worker, whose first one was `mine`; None when nobody has come for a while,
    when the app has ended, or when training, judging or previews need the memory."""
    app, end = os.getppid(), time.monotonic() + LINGERING[done.kind]
    while time.monotonic() < end and os.getppid() == app:
        waiting = store.active()
        for job in waiting:
            if job.handed_to == mine and job.state == "queued" and _take(store, job.id):
                return store.get(job.id)
        if any(job.kind in NEEDS_MEMORY and job.device in ("", done.device) for job in waiting):
            return None
        time.sleep(_LINGER_LOOK_S)
    return None


if __name__ == "__main__":
    main()
