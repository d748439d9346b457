"""Part of step 5: the same text and seed by several, side by side: a recording, the imitation without training, the
voices, other weights of their runs, adapters at several strengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from voicefactory.errors import InputError
from voicefactory.jobs.store import Job
from voicefactory.pipeline.lines import check_text
from voicefactory.pipeline.tellers import RECORDING
from voicefactory.ui import text, voices
from voicefactory.ui.page import HIDDEN, QUIET, Call, Page, shown
from voicefactory.ui.player import ASKED_JS
from voicefactory.ui.speaking import Wish, ask
from voicefactory.ui.state import State

_MOST = 12  #: at once


def build(page: Page, line: Component, settings: Sequence[Component]) -> tuple[Component, Component]:
    """The fields; returns those that an earlier entry can be put back into: who, and the recording."""
    with gr.Accordion(text.BESIDE_HEAD, open=False, visible=HIDDEN, elem_id="beside-panel") as panel:
        gr.Markdown(text.BESIDE_HELP, elem_classes="quiet")
        who = gr.CheckboxGroup([], label=text.BESIDE_WHO, elem_id="beside-who")
        with gr.Row(equal_height=True):
            recording = gr.Dropdown([], label=text.BESIDE_RECORDING, elem_id="beside-recording", scale=3, min_width=260)
            say_it = gr.Button(text.BESIDE_SAY_IT, size="md", elem_id="beside-say-it", scale=1)
        speak = gr.Button(text.BESIDE_SPEAK, size="md", elem_id="beside-speak")
    page.on(say_it.click, words_of, [recording], [line], changes=False)
    speak.click(None, js=ASKED_JS, **QUIET)
    page.on(speak.click, say_beside, [who, recording, line, *settings])
    page.show([panel, who, recording], _key, _offer)
    return who, recording


def words_of(call: Call, recording: str | None) -> str:
    """What the recording says, for the others to say."""
    if not recording:
        raise InputError(text.BESIDE_RECORDING_FIRST)
    return voices.said_in(call.state(), recording)


def say_beside(
    call: Call,
    who: list[str] | None,
    recording: str | None,
    line: str,
    language: str | None,
    seed: float | None,
    speaker: str | None,
    form: str | None,
) -> Job:
    """Ask for the text by all of them. Raises InputError for what cannot be."""
    state = call.state()
    offered = voices.comparable(state)
    names = list(who or [])
    labels = [voices.label(offered, name) for name in names]
    if not names or len(names) + bool(recording) < 2:
        raise InputError(text.BESIDE_FIRST)
    if len(names) > _MOST:
        raise InputError(text.BESIDE_MOST.format(most=_MOST))
    if not line.strip():
        raise InputError(text.EMPTY_SPEAK)
    check_text(line)
    if recording:
        same = voices.said_in(state, recording).split() == line.split()
        labels = [text.BESIDE_RECORDED if same else text.BESIDE_OTHER_WORDS, *labels]
        names = [f"{RECORDING}:{recording}", *names]
    known = {name for one in names for name in voices.speakers_of(state, one)}
    return ask(call, names, labels, [line.strip()], Wish(language, seed, speaker if speaker in known else "", form))


def _key(state: State) -> Any:
    return [voices.comparable(state), voices.recordings(state)]


def _offer(state: State) -> list[Any]:
    offered = voices.comparable(state)
    speak = [name for _, name in voices.voices(state)]
    first = list(dict.fromkeys([*speak[:1], *speak[-1:]]))  # the newest voice, and the imitation without training
    return [
        gr.update(visible=shown(len(offered) > 1)),
        gr.update(choices=offered, value=first),
        gr.update(choices=[(text.BESIDE_NO_RECORDING, ""), *voices.recordings(state)], value=""),
    ]
