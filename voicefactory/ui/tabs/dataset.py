"""Your data: how much it is, what it holds, whether it is enough; and what was frozen of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import gradio as gr

from voicefactory.errors import InputError
from voicefactory.ui import data_views, text, views
from voicefactory.ui.page import HIDDEN, Call, Page, shown
from voicefactory.ui.requests import remembered_request
from voicefactory.ui.state import State


def build(page: Page) -> None:
    """The panel, and what it does."""
    gr.Markdown(f"## {text.DATA}", elem_id="data-head")
    figures = gr.HTML(elem_id="data", elem_classes="data")
    help_line = gr.Markdown(text.FREEZE_HELP, visible=HIDDEN, elem_classes="quiet")
    freeze_button = gr.Button(text.FREEZE, visible=HIDDEN, size="md", scale=0, min_width=220, elem_id="freeze")
    status = gr.HTML(visible=HIDDEN, elem_id="freeze-status")
    frozen = gr.HTML(visible=HIDDEN, elem_id="frozen", elem_classes="data")
    page.on(freeze_button.click, freeze)
    page.show([figures, help_line, freeze_button, frozen], _key, _render)
    page.show([status, freeze_button], _status_key, _status, live=True)


def freeze(call: Call) -> None:
    """Keep what training would see now."""
    state = call.state()
    if state.active("freeze"):
        raise InputError(text.FREEZE_RUNNING)
    if state.active("prepare"):
        raise InputError(text.STILL_PREPARING)
    if not state.transcripts:
        raise InputError(text.NO_DATA)
    request = dataclasses.asdict(remembered_request(call))
    call.scheduler.submit("freeze", call.project, call.owner, request)


def _key(state: State) -> Any:
    return [repr(state.data), bool(state.transcripts)]


def _render(state: State) -> list[Any]:
    there = bool(state.transcripts)
    if not there:
        content, frozen = views.note_html(text.NO_DATA), ""
    elif state.data is None:
        content, frozen = views.note_html(text.DATA_COMING), ""
    else:
        content = data_views.statistics_html(state.data.statistics)
        frozen = data_views.frozen_html(state.data.frozen)
    return [
        content,
        gr.update(visible=shown(there)),
        gr.update(visible=shown(there)),
        gr.update(value=frozen, visible=shown(frozen)),
    ]


def _line(state: State) -> str:
    return views.task_html(state.last("freeze"), text.FREEZE_CANCELLED)


def _status_key(state: State) -> Any:
    return [_line(state), state.active("freeze") is not None]


def _status(state: State) -> list[Any]:
    line = _line(state)
    return [
        gr.update(value=line, visible=shown(line)),
        gr.update(interactive=state.active("freeze") is None),
    ]
