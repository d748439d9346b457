"""Endpoints that do something: make a project, bring recordings, train, cancel, resume. What they start are jobs, as on
the page, and the same limits hold."""

from __future__ import annotations

from typing import Any

import gradio as gr

from voicefactory.engines import registry
from voicefactory.errors import InputError
from voicefactory.jobs.scheduler import Scheduler
from voicefactory.languages import AUTO
from voicefactory.presets import preset_files
from voicefactory.ui import access, text
from voicefactory.ui.handout import own_file
from voicefactory.ui.page import Call
from voicefactory.ui.scripting import call_of, own_job, told
from voicefactory.ui.tabs import recordings, train


def build(scheduler: Scheduler) -> None:
    """Add the endpoints to the page that is being built."""
    _build_for_projects(scheduler)
    _build_for_jobs(scheduler)


def _build_for_projects(scheduler: Scheduler) -> None:
    def create_project(name: str, request: gr.Request) -> str:
        """Make a project, or open yours of that name; its id."""
        return told(lambda: access.create_project(name, access.owner_of(request)).identifier)

    def add_recordings(project: str, files: list[dict], request: gr.Request, language: str = AUTO) -> str:  # type: ignore[type-arg]
        """Bring audio files, zips or texts, each by `handle_file`, and have them cut and listened to; the job's id.
        It may be asked for again and again: a job that waits takes in everything that is there."""
        return told(lambda: _add(call_of(scheduler, project, request), files, language))

    def start_training(
        project: str, consent: bool, request: gr.Request, preset: str = "quick", model: str = "", settings: str = ""
    ) -> str:
        """Begin training; the job's id. `consent`: true if the speaker has agreed, as the page asks. `settings` are
        numbers of the preset to change, as key=value with commas between."""

        def ask() -> str:
            if preset not in preset_files():  # on this machine, a path to a file would do as well
                raise InputError(f"There is no preset {preset!r}. Choose one of: {', '.join(sorted(preset_files()))}.")
            overrides = [pair.strip() for pair in settings.split(",") if pair.strip()]
            call = call_of(scheduler, project, request)
            return train.begin(call, registry.DEFAULT, model, preset, consent, overrides).id

        return told(ask)

    gr.api(create_project, api_name="create_project", queue=False)  # type: ignore[attr-defined]
    gr.api(add_recordings, api_name="add_recordings", queue=False)  # type: ignore[attr-defined]
    gr.api(start_training, api_name="train", queue=False)  # type: ignore[attr-defined]


def _build_for_jobs(scheduler: Scheduler) -> None:
    def cancel(job: str, request: gr.Request) -> str:
        """Stop a job that waits or runs; the state that it is in now. What it has finished is kept."""

        def ask() -> str:
            scheduler.cancel(own_job(scheduler, job, request).id)
            return str(own_job(scheduler, job, request).state)

        return told(ask)

    def resume(job: str, request: gr.Request) -> str:
        """Go on with a job that was interrupted, cancelled or failed; the id of the new job."""
        return told(lambda: scheduler.resume(own_job(scheduler, job, request).id).id)

    gr.api(cancel, api_name="cancel", queue=False)  # type: ignore[attr-defined]
    gr.api(resume, api_name="resume", queue=False)  # type: ignore[attr-defined]


def _add(call: Call, files: list[dict[str, Any]], language: str) -> str:
    paths = [str(one.get("path", "")) if isinstance(one, dict) else "" for one in files]
    if not paths or not all(own_file(call.owner, path) for path in paths):
        raise InputError(text.FILE_GONE)
    recordings.add_files(call, paths, language)
    job = call.state().last("prepare")
    return job.id if job else ""
