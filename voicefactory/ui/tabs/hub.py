"""Part of step 1: a data set of the Hub by its name."""

from __future__ import annotations

import html
from typing import Any

import gradio as gr

from voicefactory.errors import InputError
from voicefactory.ui import intake, text
from voicefactory.ui.page import HIDDEN, Call, Page, shown
from voicefactory.ui.requests import submit_prepare
from voicefactory.ui.state import State


def build(page: Page) -> None:
    """A field, a button, and what was added."""
    gr.Markdown(text.HUB_DATA_HELP)
    with gr.Row():
        name = gr.Textbox(label=text.HUB_DATA, placeholder=text.HUB_DATA_EXAMPLE, elem_id="hub-data", scale=3)
        add = gr.Button(text.HUB_DATA_ADD, elem_id="hub-data-add", scale=0, min_width=110, size="md")
    taken = gr.HTML(visible=HIDDEN, elem_id="hub-data-taken")
    page.on(add.click, add_data_set, [name], [name])
    page.on(name.submit, add_data_set, [name], [name])
    page.show([taken], _names, _render)


def add_data_set(call: Call, name: str) -> str:
    """Note it, and fetch it as a job. Empties the field, since the list below shows it."""
    if not name.strip():
        raise InputError(text.HUB_DATA_FIRST)
    intake.take_in_hub_name(call.project, name)
    submit_prepare(call)
    return ""


def _names(state: State) -> list[str]:
    return intake.hub_names(state.project) if state.project else []


def _render(state: State) -> list[Any]:
    items = "".join(f"<li>{html.escape(name)}</li>" for name in _names(state))
    value = f'<p class="state">{text.HUB_DATA_NAMES}</p><ul>{items}</ul>' if items else ""
    return [gr.update(value=value, visible=shown(items))]
