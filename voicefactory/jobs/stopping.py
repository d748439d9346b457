"""Cancel a job from the machine's terminal, beside a running app or without one."""

from __future__ import annotations

import time

from voicefactory.jobs import processes
from voicefactory.jobs.presence import app_runs
from voicefactory.jobs.store import Job, Store

_PATIENCE_S = 15.0  #: the app ends a worker that does not listen after 8 s
_KILL_AFTER_S = 8.0
_LOOK_S = 0.1


def cancel_and_wait(store: Store, identifier: str) -> Job:
    """Ask a job to stop and wait until it has; the job as it is then.

    Its worker sees the wish, saves and ends. What does not end by itself, the app ends; without an app, this does.
    """
    store.request_cancel(identifier)
    begun = time.monotonic()
    while (job := store.get(identifier)).active and time.monotonic() - begun < _PATIENCE_S:
        if not app_runs(store.path.parent):
            _end(store, job, kill=time.monotonic() - begun > _KILL_AFTER_S)
        time.sleep(_LOOK_S)
    return job


def _end(store: Store, job: Job, *, kill: bool) -> None:
    if not processes.is_alive(job.pid, job.pid_identity):
        store.move(job.id, "cancelled")
    elif kill:
        processes.signal_tree(job.pid, job.pid_identity, kill=True)
