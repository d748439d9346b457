"""End all work on a project at once: nothing of it is to be kept, so nobody waits for a checkpoint."""

from __future__ import annotations

import time
from collections.abc import Collection

from voicefactory.errors import VoiceFactoryError
from voicefactory.jobs import processes, scratch
from voicefactory.jobs.store import Job, Store

_PATIENCE_S = 10.0
_LOOK_S = 0.05


def end_jobs(store: Store, projects: Collection[str]) -> None:
    """Cancel the jobs of these projects and kill their workers, with everything those started; also a worker that has
    done its job and stays with a model of the project, unless it does another project's job by now.

    Raises VoiceFactoryError if one does not go.
    """
    for job in store.active():
        if job.project in projects:
            store.request_cancel(job.id)
    jobs = [job for identifier in projects for job in store.jobs(project=identifier)]
    busy = {job.pid for job in store.active() if job.state == "running" and job.project not in projects}
    workers = {job.pid: job for job in jobs if job.pid not in busy and _lives(job)}
    end = time.monotonic() + _PATIENCE_S
    while left := [job for job in workers.values() if _lives(job)]:
        for job in left:
            processes.signal_tree(job.pid, job.pid_identity, kill=True)
        if time.monotonic() > end:
            raise VoiceFactoryError("A worker could not be ended. Restart VoiceFactory, and delete it again.")
        time.sleep(_LOOK_S)
    for job in workers.values():
        processes.kill_orphans(job.pid or 0, job.pid_identity or "")
    scratch.remove(store.path.parent, [job.id for job in jobs if job.pid not in busy])
    for job in jobs:
        store.move(job.id, "cancelled")


def _lives(job: Job) -> bool:
    return processes.is_alive(job.pid, job.pid_identity)
