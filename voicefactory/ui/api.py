"""For scripts: four named endpoints beside the page, for `gradio_client`. Everything else of the page has no name.

Whoever asks sees only their own projects, as on the page. Errors come back as the sentence that the page would show.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from voicefactory.errors import InputError, VoiceFactoryError
from voicefactory.jobs.scheduler import Scheduler
from voicefactory.ui import access, text
from voicefactory.ui.handout import give
from voicefactory.ui.page import Call
from voicefactory.ui.projects import project_lines
from voicefactory.ui.speaking import spoken_file
from voicefactory.ui.steps import step_states
from voicefactory.ui.tabs import listen

T = TypeVar("T")


def build(scheduler: Scheduler) -> None:
    """Add the endpoints to the page that is being built."""

    def projects(request: gr.Request) -> list[dict[str, Any]]:
        """Your projects, the one touched last first: id, name, state."""
        lines = _told(lambda: project_lines(access.owner_of(request), scheduler.store))
        return [{"id": line.identifier, "name": line.name, "state": line.state} for line in lines]

    def status(project: str, request: gr.Request) -> dict[str, Any]:
        """How a project stands: each step, its voices (the newest first), and its jobs with their progress."""
        state = _told(lambda: _call(scheduler, project, request).state())
        return {
            "steps": {one.step: {"state": one.stand, "why": one.why} for one in step_states(state)},
            "voices": listen.voice_values(state),
            "jobs": [
                {
                    "id": job.id,
                    "kind": job.kind,
                    "state": job.state,
                    "step": job.step,
                    "done": job.done,
                    "total": job.total,
                    "error": job.error,
                }
                for job in state.jobs
            ],
        }

    def synthesize(
        project: str,
        line: str,
        request: gr.Request,
        voice: str = "",
        language: str = "",
        seed: float = 0,
        form: str = "wav",
    ) -> str:
        """Ask for a text to be spoken; the job's id. `voice` is one of `status`' voices; empty = the newest. `form` is
        wav, flac or mp3."""

        def ask() -> str:
            call = _call(scheduler, project, request)
            chosen = voice or next(iter(listen.voice_values(call.state())), None)
            return listen.say(call, chosen, line, language, seed, form=form).id

        return _told(ask)

    def download(project: str, request: gr.Request, job: str = "") -> dict[str, Any]:
        """The newest voice as a zip; or, with the id of a finished `synthesize`, what it spoke."""

        def find() -> dict[str, Any]:
            state = _call(scheduler, project, request).state()
            if job:
                return _file(spoken_file(state, job), text.API_NOT_SPOKEN)
            return _file(give(state.voices[0].zip if state.voices else None), text.NO_VOICE)

        return _told(find)

    gr.api(projects, api_name="projects", queue=False)  # type: ignore[attr-defined]
    gr.api(status, api_name="status", queue=False)  # type: ignore[attr-defined]
    gr.api(synthesize, api_name="synthesize", queue=False)  # type: ignore[attr-defined]
    gr.api(download, api_name="download", queue=False)  # type: ignore[attr-defined]


def _call(scheduler: Scheduler, project: str, request: gr.Request) -> Call:
    call = Call(scheduler, access.owner_of(request), project, request)
    _ = call.project  # theirs, or an error
    return call


def _told(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except VoiceFactoryError as error:
        raise gr.Error(str(error), print_exception=False) from None


def _file(path: str | None, missing: str) -> dict[str, Any]:
    """A file as the client downloads it. Raises InputError, which says what is missing."""
    if path is None:
        raise InputError(missing)
    return dict(gr.FileData(path=path, orig_name=Path(path).name).model_dump())
