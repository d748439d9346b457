"""Step 3: choose the clip that tells the model whose voice it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from voicefactory.errors import InputError
from voicefactory.ui import intake, text, views
from voicefactory.ui.handout import give
from voicefactory.ui.page import HIDDEN, Call, Page, shown
from voicefactory.ui.state import State

_SLOTS = 3
_OWN = "own"


def build(page: Page) -> None:
    """The components of the step, and what they do."""
    gr.Markdown(text.REFERENCE_HELP)
    summary = gr.Markdown(text.NO_REFERENCE, elem_id="reference-summary")
    slots: list[Any] = []
    with gr.Row():
        for number in range(1, _SLOTS + 1):
            with gr.Column(min_width=260):
                slots += [
                    gr.Audio(
                        label=text.CANDIDATE.format(number=number),
                        interactive=False,
                        visible=HIDDEN,
                        elem_id=f"reference-audio-{number}",
                        buttons=[],
                    ),
                    gr.Textbox(show_label=False, container=False, interactive=False, lines=2, visible=HIDDEN),
                    gr.Markdown(elem_classes="quiet", visible=HIDDEN),
                ]
    pick = gr.Radio([], label=text.REFERENCE_PICK, visible=HIDDEN, elem_id="reference-pick")
    with gr.Accordion(text.REFERENCE_OWN, open=False), gr.Row():
        own = gr.File(label=text.REFERENCE_FILE, elem_id="reference-file", height=120)
        own_player = gr.Audio(interactive=False, visible=HIDDEN, elem_id="reference-own", buttons=[])

    page.on(pick.input, choose, [pick])
    page.on(own.upload, bring, [own], [own])
    page.show([summary, *slots], lambda state: [list(map(repr, state.references)), len(state.clips)], _candidates)
    page.show([pick, own_player], lambda state: [list(map(repr, state.references)), _chosen(state)], _choice)


def choose(call: Call, clip: str) -> None:
    """Remember the choice."""
    remembered = call.project.info.get("own_reference", "")
    call.project.update_info(reference=remembered if clip == _OWN else clip)


def bring(call: Call, path: str | None) -> None:
    """Take a file of the person's own, and choose it."""
    if path:
        brought = str(intake.take_in_reference(call.project, path))
        call.project.update_info(own_reference=brought, reference=brought)


def _chosen(state: State) -> str:
    """The clip's id, or "own"; the best one while nothing was chosen."""
    wanted = str(state.remembered("reference", ""))
    if wanted and wanted == state.remembered("own_reference"):
        return _OWN
    candidates = [reference.clip for reference in state.references]
    return wanted if wanted in candidates else next(iter(candidates), "")


def _candidates(state: State) -> list[Any]:
    nothing = text.NO_CANDIDATE if state.clips else text.NO_REFERENCE
    summary = "" if state.references else nothing
    updates: list[Any] = [gr.update(value=summary, visible=shown(summary))]
    for number in range(_SLOTS):
        if number < len(state.references):
            reference = state.references[number]
            values = [give(reference.audio), reference.text, views.reference_line(reference)]
            updates += [gr.update(value=value, visible=True) for value in values]
        else:
            updates += [gr.update(value=None, visible=HIDDEN)] * 3
    return updates


def _choice(state: State) -> list[Any]:
    choices = [
        (text.CANDIDATE.format(number=number), reference.clip) for number, reference in enumerate(state.references, 1)
    ]
    own = str(state.remembered("own_reference", ""))
    if own:
        choices.append((Path(own).name, _OWN))
    return [
        gr.update(choices=choices, value=_chosen(state) or None, visible=shown(choices)),
        gr.update(value=give(Path(own)) if own else None, visible=shown(own)),
    ]


def chosen_or_error(state: State) -> str:
    """What training will take. Raises InputError if there is nothing to take."""
    chosen = _chosen(state)
    if not chosen:
        raise InputError(text.NO_CANDIDATE if state.clips else text.NO_CLIPS)
    return chosen
