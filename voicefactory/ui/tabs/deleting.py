"""At the side: delete the voice that is open, or everything, after it was said what goes, and confirmed."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import gradio as gr

from voicefactory.errors import InputError
from voicefactory.jobs import deletion
from voicefactory.jobs.store import Store
from voicefactory.project import Project
from voicefactory.ui import access, text, views
from voicefactory.ui.cache import cached
from voicefactory.ui.page import HIDDEN, Call, Page, shown
from voicefactory.usage import bytes_of, projects_of, seconds_of

_EVERYTHING = "*"  #: no project is called so
_NAMED = 8  #: in the question; the others are counted


def build(page: Page) -> None:
    """Two buttons, the question, and its two answers."""
    with gr.Accordion(text.DELETE_HEAD, open=False, elem_id="delete-panel"):
        one = gr.Button(text.DELETE_ONE, elem_id="delete-one", size="sm", visible=HIDDEN)
        everything = gr.Button(text.DELETE_ALL, elem_id="delete-all", size="sm")
        question = gr.HTML(visible=HIDDEN, elem_id="delete-question")
        yes = gr.Button(text.DELETE_ONE_YES, variant="stop", elem_id="delete-yes", size="sm", visible=HIDDEN)
        no = gr.Button(text.DELETE_NO, elem_id="delete-no", size="sm", visible=HIDDEN)
        asked = gr.Textbox(visible=HIDDEN, elem_id="delete-asked")
    confirming = [question, yes, no, asked]
    page.on(one.click, ask_one, [], confirming, changes=False)
    page.on(everything.click, ask_everything, [], confirming, changes=False)
    page.on(no.click, lambda call: _closed(), [], confirming, changes=False)
    page.on(yes.click, delete, [asked], [page.current, *confirming])
    page.show(
        [one, *confirming],
        lambda state: "",  # of another project, the question is closed
        lambda state: [gr.update(visible=shown(state.project)), *_closed()],
    )


def ask_one(call: Call) -> list[Any]:
    """Say what goes with the voice that is open."""
    project = call.project
    what = _what([project])
    line = text.DELETE_ONE_QUESTION.format(name=project.name, what=what) + _stopped(call.scheduler.store, [project])
    return _asking(line, text.DELETE_ONE_YES, project.identifier)


def ask_everything(call: Call) -> list[Any]:
    """Say what goes with everything. Raises InputError if there is nothing."""
    mine = sorted(projects_of(call.owner, call.scheduler.home), key=lambda project: project.name)
    if not mine and not call.scheduler.store.jobs(owner=call.owner):
        raise InputError(text.DELETE_NOTHING)
    names = ", ".join(project.name for project in mine[:_NAMED]) + (", …" if len(mine) > _NAMED else "")
    line = text.DELETE_ALL_QUESTION.format(voices=views.count(len(mine), "voice"), names=names, what=_what(mine))
    return _asking(line + _stopped(call.scheduler.store, mine), text.DELETE_ALL_YES, _EVERYTHING)


def delete(call: Call, asked: str | None) -> list[Any]:
    """Delete what was asked about, which may not be what is open by now; then nothing is open."""
    home, store = call.scheduler.home, call.scheduler.store
    if asked == _EVERYTHING:
        deletion.delete_everything(home, store, call.owner)
    else:
        deletion.delete_project(home, store, access.open_project(asked or "", call.owner))
    return ["", *_closed()]


def _asking(line: str, answer: str, asked: str) -> list[Any]:
    return [
        gr.update(value=f'<p role="alert">{html.escape(line)}</p>', visible=True),
        gr.update(value=answer, visible=True),
        gr.update(visible=True),
        asked,
    ]


def _closed() -> list[Any]:
    return [gr.update(value="", visible=HIDDEN), gr.update(visible=HIDDEN), gr.update(visible=HIDDEN), ""]


def _what(projects: Sequence[Project]) -> str:
    """Recordings and how long they are, finished voices, megabytes; without what there is none of."""
    voices = sum(len(list(project.voices.glob("*.zip"))) for project in projects)
    recordings = sum(
        cached("recording count", one.root, [one.recordings_jsonl], lambda one=one: _lines(one))  # type: ignore[misc]
        for one in projects
    )
    parts = [text.SIZE_MB.format(size=sum(map(bytes_of, projects)) / 1e6)]
    if voices:
        parts.insert(0, views.count(voices, "finished voice"))
    if recordings:
        parts[:0] = [views.count(recordings, "recording"), views.length(sum(map(seconds_of, projects)))]
    return ", ".join(parts)


def _stopped(store: Store, projects: Sequence[Project]) -> str:
    """That work on them is stopped, if there is some."""
    mine = {project.identifier for project in projects}
    return f" {text.DELETE_JOBS}" if any(job.project in mine for job in store.active()) else ""


def _lines(project: Project) -> int:
    if not project.recordings_jsonl.exists():
        return 0
    return project.recordings_jsonl.read_bytes().count(b"\n")
