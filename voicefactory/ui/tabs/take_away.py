"""Texts for other programs: a job writes the file, and a button hands it out."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import gradio as gr

from voicefactory.errors import InputError
from voicefactory.jobs.store import Job
from voicefactory.jobs.studio_tasks import ExportRequest, exported
from voicefactory.ui import english, text, views
from voicefactory.ui.handout import give
from voicefactory.ui.page import HIDDEN, Call, Page, shown
from voicefactory.ui.state import State
from voicefactory.ui.told import told


def build(page: Page) -> None:
    """The panel, and what it does."""
    with gr.Accordion(text.EXPORT, open=False, visible=HIDDEN, elem_id="export") as panel:
        with gr.Row(equal_height=True):
            form = gr.Dropdown(
                list(english.EXPORT_FORMS),
                value="ljspeech",
                label=text.EXPORT_FORM,
                elem_id="export-form",
                scale=2,
            )
            make = gr.Button(text.EXPORT_MAKE, scale=0, min_width=160, size="md", elem_id="export-make")
        status = gr.HTML(visible=HIDDEN, elem_id="export-status")
        download = gr.DownloadButton(visible=HIDDEN, size="md", variant="primary", elem_id="export-download")
    page.once(form, lambda: gr.update(choices=[(words, name) for name, words in text.EXPORT_FORMS.items()]))
    page.on(make.click, write, [form])
    page.show(
        [panel], lambda state: bool(state.transcripts), lambda state: [gr.update(visible=shown(state.transcripts))]
    )
    page.show([status, download, make], _key, _render, live=True)


def _is_there(state: State) -> bool:
    return bool(state.transcripts)


def write(call: Call, form: str) -> None:
    """Have the file written."""
    state = call.state()
    if not any(row.text and not row.dropped for row in state.transcripts):
        raise InputError(text.EXPORT_NOTHING)
    if not state.active("export"):
        request = dataclasses.asdict(ExportRequest(form, call.project.identifier))
        call.scheduler.submit("export", call.project, call.owner, request)


def _job(state: State) -> Job | None:
    return state.last("export")


def _file(state: State) -> Path | None:
    job = _job(state)
    return exported(state.project.root, job.result) if job and state.project and job.state == "succeeded" else None


def _line(state: State) -> str:
    job = _job(state)
    if job is None or job.state != "succeeded":
        return views.job_html(job)
    done = job.result or {}
    lines = [
        text.EXPORT_DONE.format(clips=views.count(done.get("clips", 0), "clip"), left_out=done.get("left_out", 0)),
        *map(told, done.get("notes", ())),
    ]
    return views.note_html(" ".join(lines))


def _key(state: State) -> Any:
    job = _job(state)
    return [job.id if job else "", _line(state), str(_file(state))]


def _render(state: State) -> list[Any]:
    line, path = _line(state), _file(state)
    return [
        gr.update(value=line, visible=shown(line)),
        gr.update(value=give(path), label=text.EXPORT_FILE.format(name=path.name) if path else "", visible=shown(path)),
        gr.update(interactive=state.active("export") is None),
    ]
