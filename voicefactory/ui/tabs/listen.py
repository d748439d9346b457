"""Step 5: any text by any voice of the project, many lines at once, side by side, and what was heard so far."""

from __future__ import annotations

from typing import Any

import gradio as gr

from voicefactory.errors import InputError
from voicefactory.jobs.store import Job
from voicefactory.languages import WHISPER_CODES
from voicefactory.pipeline.lines import check_text
from voicefactory.pipeline.speech_files import FORMS
from voicefactory.ui import text, views, voices
from voicefactory.ui.page import HIDDEN, QUIET, Call, Page, shown
from voicefactory.ui.player import ASKED_JS
from voicefactory.ui.speaking import Wish, ask
from voicefactory.ui.state import State
from voicefactory.ui.tabs import judging, listen_beside, listen_history, listen_lines, listen_now


def build(page: Page) -> None:
    """The components of the step, and what they do."""
    gr.Markdown(text.LISTEN_HELP)
    missing = gr.Markdown(text.NO_VOICE, elem_id="listen-missing")
    with gr.Row():
        voice = gr.Dropdown([], label=text.VOICE, elem_id="voice", scale=2, min_width=260)
        speaker = gr.Dropdown([], label=text.SPEAKER, elem_id="speaker", visible=HIDDEN, min_width=160)
        language = gr.Dropdown(
            ["", *WHISPER_CODES], value="", label=text.SPEAK_LANGUAGE, elem_id="speak-language", min_width=210
        )
    line = gr.Textbox(label=text.TEXT, value=text.TEXT_EXAMPLE, lines=3, max_lines=16, elem_id="text")
    with gr.Row(equal_height=True):
        seed = gr.Number(value=0, precision=0, minimum=0, label=text.SEED, info=text.SEED_HELP, elem_id="seed")
        form = gr.Radio(list(FORMS), value="wav", label=text.FORM, info=text.FORM_HELP, elem_id="form")
    speak = gr.Button(text.SPEAK, variant="primary", elem_id="speak")
    noise = gr.Markdown(text.TOY_VOICE, visible=HIDDEN, elem_classes="warn", elem_id="listen-toy")
    listen_now.build(page)
    settings = [language, seed, speaker, form]
    lines = listen_lines.build(page, voice, settings)
    who, recording = listen_beside.build(page, line, settings)
    listen_history.build(page, [voice, *settings, line, lines, who, recording, noise])
    judging.build(page)

    page.once(language, lambda: gr.update(choices=[(text.SAME_LANGUAGE, ""), *views.language_choices()]))
    speak.click(None, js=ASKED_JS, **QUIET)
    page.on(speak.click, say, [voice, line, *settings])
    page.on(voice.input, change_voice, [voice], [noise, speaker], changes=False)
    page.show([missing, voice, noise, speaker], voices.voices, _offer)


def say(
    call: Call,
    voice: str | None,
    line: str,
    language: str,
    seed: float | None,
    speaker: str | None = None,
    form: str = "wav",
) -> Job:
    """Ask for the text to be spoken. Raises InputError for what cannot be."""
    name, label, speaker = voices.one_of(call.state(), voice, speaker)
    if not line.strip():
        raise InputError(text.EMPTY_SPEAK)
    check_text(line)
    return ask(call, [name], [label], [line.strip()], Wish(language, seed, speaker, form))


def voice_values(state: State) -> list[str]:
    """What can speak, as `say` takes it: the finished voices, the newest first, then a base model as an imitation."""
    return [value for _, value in voices.voices(state)]


def change_voice(call: Call, voice: str | None) -> list[Any]:
    """Say so when the voice makes noise, and offer its speakers."""
    state = call.state()
    return [gr.update(visible=shown(voices.is_noise(state, voice))), who_speaks(state, voice)]


def who_speaks(state: State, voice: str | None) -> Any:
    """The choice of a speaker: hidden where there is none."""
    names = voices.speakers_of(state, voice)
    return gr.update(choices=names, value=names[0] if names else None, visible=shown(names))


def _offer(state: State) -> list[Any]:
    offered = voices.voices(state)
    first = offered[0][1] if offered else None
    return [
        gr.update(visible=shown(not offered)),
        gr.update(choices=offered, value=first),
        gr.update(visible=shown(voices.is_noise(state, first))),
        who_speaks(state, first),
    ]
