"""What the endpoints for scripts share: whose project it is, errors as sentences, files as the client takes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from voicefactory.errors import InputError, VoiceFactoryError
from voicefactory.jobs.scheduler import Scheduler
from voicefactory.jobs.store import Job
from voicefactory.ui import access, text
from voicefactory.ui.page import Call

T = TypeVar("T")


def told(ask: Callable[[], T]) -> T:
    """What `ask` gives; its errors as the client shows them."""
    try:
        return ask()
    except VoiceFactoryError as error:
        raise gr.Error(str(error), print_exception=False) from None


def call_of(scheduler: Scheduler, project: str, request: gr.Request) -> Call:
    """Whoever asks, in a project of theirs. Raises InputError for every other."""
    call = Call(scheduler, access.owner_of(request), project, request)
    _ = call.project  # theirs, or an error
    return call


def own_job(scheduler: Scheduler, identifier: str, request: gr.Request) -> Job:
    """The job, if it belongs to whoever asks. Raises InputError as if it did not exist otherwise."""
    job = scheduler.store.find(identifier)
    if job is None or job.owner != access.owner_of(request):
        raise InputError(text.API_NO_JOB)
    return job


def job_row(job: Job) -> dict[str, Any]:
    """A job as scripts see it."""
    kept = ("id", "kind", "project", "state", "step", "done", "total", "device", "waits", "error")
    return {name: getattr(job, name) for name in kept}


def file_data(path: str | None, missing: str) -> dict[str, Any]:
    """A file as the client downloads it. Raises InputError, which says what is missing."""
    if path is None:
        raise InputError(missing)
    return dict(gr.FileData(path=path, orig_name=Path(path).name).model_dump())
