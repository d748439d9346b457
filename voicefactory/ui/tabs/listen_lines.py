"""Part of step 5: many lines at once, each a file, all in one zip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from voicefactory.jobs.store import Job
from voicefactory.pipeline.lines import parse_lines, read_lines
from voicefactory.ui import intake, text, voices
from voicefactory.ui.page import QUIET, Call, Page
from voicefactory.ui.player import ASKED_JS
from voicefactory.ui.speaking import Wish, ask


def build(page: Page, voice: Component, settings: Sequence[Component]) -> Component:
    """The fields; returns the one with the lines, which an earlier entry can be put back into."""
    with gr.Accordion(text.LINES_HEAD, open=False, elem_id="lines-panel"):
        gr.Markdown(text.LINES_HELP, elem_classes="quiet")
        with gr.Row(equal_height=True):
            lines = gr.Textbox(label=text.LINES, lines=6, max_lines=16, elem_id="lines", scale=2, min_width=280)
            file = gr.File(
                label=text.LINES_FILE, file_types=[".txt", ".csv", ".tsv"], height=150, elem_id="lines-file", scale=1
            )
        speak = gr.Button(text.LINES_SPEAK, size="md", elem_id="lines-speak")
    page.on(file.upload, take_file, [file], [lines, file], changes=False)
    speak.click(None, js=ASKED_JS, **QUIET)
    page.on(speak.click, say_lines, [voice, lines, *settings])
    return lines


def take_file(call: Call, path: str | None) -> list[Any]:
    """Show the lines of a file, to be looked through before they are spoken."""
    found = read_lines(Path(path)) if path and call.project else []
    intake.forget([Path(path)] if path else [])
    return [gr.update(value="\n".join(found)), gr.update(value=None)]


def say_lines(
    call: Call,
    voice: str | None,
    lines: str | None,
    language: str | None,
    seed: float | None,
    speaker: str | None,
    form: str | None,
) -> Job:
    """Ask for all lines to be spoken. Raises InputError for what cannot be."""
    name, label, speaker = voices.one_of(call.state(), voice, speaker)
    return ask(call, [name], [label], parse_lines(lines or ""), Wish(language, seed, speaker, form), several=True)
