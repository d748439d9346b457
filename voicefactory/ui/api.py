"""For scripts: named endpoints beside the page, for `gradio_client`. Everything else of the page has no name.

Whoever asks sees only their own projects, as on the page. Errors come back as the sentence that the page would show.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from voicefactory.jobs.scheduler import Scheduler
from voicefactory.ui import access, api_work, text
from voicefactory.ui.handout import give
from voicefactory.ui.projects import project_lines
from voicefactory.ui.scripting import call_of, file_data, job_row, told
from voicefactory.ui.speaking import spoken_file
from voicefactory.ui.steps import step_states
from voicefactory.ui.tabs import listen


def build(scheduler: Scheduler) -> None:
    """Add the endpoints to the page that is being built."""
    _build_for_looking(scheduler)
    _build_for_speech(scheduler)
    api_work.build(scheduler)


def _build_for_looking(scheduler: Scheduler) -> None:
    def projects(request: gr.Request) -> list[dict[str, Any]]:
        """Your projects, the one touched last first: id, name, state."""
        lines = told(lambda: project_lines(access.owner_of(request), scheduler.store))
        return [{"id": line.identifier, "name": line.name, "state": line.state} for line in lines]

    def status(project: str, request: gr.Request) -> dict[str, Any]:
        """How a project stands: each step, its voices (the newest first), and its jobs with their progress."""
        state = told(lambda: call_of(scheduler, project, request).state())
        return {
            "steps": {one.step: {"state": one.stand, "why": one.why} for one in step_states(state)},
            "voices": listen.voice_values(state),
            "jobs": [job_row(job) for job in state.jobs],
        }

    def jobs(request: gr.Request) -> list[dict[str, Any]]:
        """All your jobs, the oldest first."""
        return [job_row(job) for job in told(lambda: scheduler.store.jobs(owner=access.owner_of(request)))]

    gr.api(projects, api_name="projects", queue=False)  # type: ignore[attr-defined]
    gr.api(status, api_name="status", queue=False)  # type: ignore[attr-defined]
    gr.api(jobs, api_name="jobs", queue=False)  # type: ignore[attr-defined]


def _build_for_speech(scheduler: Scheduler) -> None:
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
            call = call_of(scheduler, project, request)
            chosen = voice or next(iter(listen.voice_values(call.state())), None)
            return listen.say(call, chosen, line, language, seed, form=form).id

        return told(ask)

    def download(project: str, request: gr.Request, job: str = "") -> dict[str, Any]:
        """The newest voice as a zip; or, with the id of a finished `synthesize`, what it spoke."""

        def find() -> dict[str, Any]:
            state = call_of(scheduler, project, request).state()
            if job:
                return file_data(spoken_file(state, job), text.API_NOT_SPOKEN)
            return file_data(give(state.voices[0].zip if state.voices else None), text.NO_VOICE)

        return told(find)

    gr.api(synthesize, api_name="synthesize", queue=False)  # type: ignore[attr-defined]
    gr.api(download, api_name="download", queue=False)  # type: ignore[attr-defined]
