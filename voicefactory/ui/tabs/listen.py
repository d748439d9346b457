"""Step 5: any text, any voice of the project, and the base model's imitation beside it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import gradio as gr

from voicefactory.engines import registry
from voicefactory.errors import InputError
from voicefactory.jobs.store import Job
from voicefactory.jobs.tasks import SynthesizeRequest
from voicefactory.languages import WHISPER_CODES
from voicefactory.ui import models, text, views
from voicefactory.ui.handout import give
from voicefactory.ui.page import HIDDEN, Call, Page, shown
from voicefactory.ui.requests import remembered_request
from voicefactory.ui.state import State
from voicefactory.ui.tabs import judging

_BASE = "base:"
_VOICE = "voice:"


def build(page: Page) -> None:
    """The components of the step, and what they do."""
    gr.Markdown(text.LISTEN_HELP)
    missing = gr.Markdown(text.NO_VOICE, elem_id="listen-missing")
    with gr.Row():
        voice = gr.Dropdown([], label=text.VOICE, elem_id="voice", scale=2, min_width=260)
        speaker = gr.Dropdown([], label=text.SPEAKER, elem_id="speaker", visible=HIDDEN, min_width=160)
        language = gr.Dropdown(
            ["", *WHISPER_CODES],
            value="",
            label=text.SPEAK_LANGUAGE,
            elem_id="speak-language",
            min_width=210,
        )
        seed = gr.Number(value=0, precision=0, minimum=0, label=text.SEED, info=text.SEED_HELP, elem_id="seed")
    line = gr.Textbox(label=text.TEXT, value=text.TEXT_EXAMPLE, lines=3, elem_id="text")
    speak = gr.Button(text.SPEAK, variant="primary", elem_id="speak")
    noise = gr.Markdown(text.TOY_VOICE, visible=HIDDEN, elem_classes="warn", elem_id="listen-toy")
    status = gr.HTML(visible=HIDDEN, elem_id="speak-status")
    audio = gr.Audio(label=text.AUDIO, interactive=False, visible=HIDDEN, elem_id="audio", buttons=["download"])
    history = gr.Dataframe(
        headers=list(text.HISTORY_COLUMNS),
        datatype="str",
        label=text.HISTORY,
        interactive=False,
        visible=HIDDEN,
        wrap=True,
        column_widths=["45%", "30%", "25%"],
        buttons=[],
        elem_id="history",
    )

    judging.build(page)

    page.once(language, lambda: gr.update(choices=[(text.SAME_LANGUAGE, ""), *views.language_choices()]))
    page.on(speak.click, say, [voice, line, language, seed, speaker])
    page.on(voice.input, change_voice, [voice], [noise, speaker], changes=False)
    page.on(history.select, hear_again, [], [audio], selects=True, changes=False)
    page.show([missing, voice, noise, speaker], _voices, _offer)
    page.show([status], _status, _show_status, live=True)
    page.show([audio, history], lambda state: [job.id for job in views.spoken(state.jobs)], _results)


def say(call: Call, voice: str | None, line: str, language: str, seed: float | None, speaker: str | None = None) -> Job:
    """Ask for the text to be spoken. Raises InputError for what cannot be."""
    state = call.state()
    offered = {value: label for label, value in _voices(state)}
    if not offered:
        raise InputError(text.NO_VOICE)
    if voice not in offered:
        raise InputError(text.CHOOSE_VOICE)
    if not line.strip():
        raise InputError(text.EMPTY_SPEAK)
    zero_shot = voice.startswith(_BASE)
    source = voice.removeprefix(_BASE) if zero_shot else str(_folder(state, voice))
    speaker = speaker if speaker in _speakers(state, voice) else ""
    request = SynthesizeRequest(
        source=source,
        label=f"{offered[voice]}, {speaker}" if speaker else offered[voice],
        text=line.strip(),
        language=language,
        speaker=speaker,
        seed=int(seed or 0),
        zero_shot=zero_shot,
        reference=remembered_request(call).reference if zero_shot else "",
        engine=_engine(state),
    )
    return call.scheduler.submit("synthesize", call.project, call.owner, dataclasses.asdict(request))


def voice_values(state: State) -> list[str]:
    """What can speak, as `say` takes it: the finished voices, the newest first, then a base model as an imitation."""
    return [value for _, value in _voices(state)]


def change_voice(call: Call, voice: str | None) -> list[Any]:
    """Say so when the voice makes noise, and offer its speakers."""
    state = call.state()
    return [_noise(state, voice), _who(state, voice)]


def hear_again(call: Call, row: list[Any]) -> Any:
    """Play one of the earlier results."""
    state = call.state()
    rows = views.history_rows(state.jobs)
    wanted = [str(cell) for cell in row]
    if wanted not in rows:
        return gr.skip()
    return gr.update(value=_result(views.spoken(state.jobs)[rows.index(wanted)]), visible=True)


def _voices(state: State) -> list[tuple[str, str]]:
    """(shown, value): the finished voices, the newest first, then base models that can imitate the reference."""
    if state.project is None:
        return []
    voices = [(voice.title, f"{_VOICE}{voice.identifier}") for voice in state.voices]
    if not state.references and not state.remembered("own_reference"):
        return voices
    job = state.latest("train")
    model = str(job.request["model"]) if job else models.default(registry.DEFAULT)
    return [*voices, (text.ZERO_SHOT.format(model=model), f"{_BASE}{model}")]


def _folder(state: State, voice: str) -> Path:
    wanted = voice.removeprefix(_VOICE)
    found = next((one.folder for one in state.voices if one.identifier == wanted), None)
    if found is None:
        raise InputError(text.CHOOSE_VOICE)
    return found


def _engine(state: State) -> str:
    job = state.latest("train")
    return str(job.request["engine"]) if job else registry.DEFAULT


def _offer(state: State) -> list[Any]:
    voices = _voices(state)
    first = voices[0][1] if voices else None
    return [
        gr.update(visible=shown(not voices)),
        gr.update(choices=voices, value=first),
        _noise(state, first),
        _who(state, first),
    ]


def _who(state: State, voice: str | None) -> Any:
    """The choice of a speaker: hidden where there is none."""
    names = _speakers(state, voice)
    return gr.update(choices=names, value=names[0] if names else None, visible=shown(names))


def _speakers(state: State, voice: str | None) -> list[str]:
    """Who a voice can speak as, the newest first; nobody if there is nothing to choose."""
    if not voice or voice.startswith(_BASE):
        return []
    names = models.speakers(_engine(state), str(_folder(state, voice)))
    return names if len(names) > 1 else []


def _noise(state: State, voice: str | None) -> Any:
    if not voice:
        return gr.update(visible=HIDDEN)
    source = voice.removeprefix(_BASE) if voice.startswith(_BASE) else str(_folder(state, voice))
    return gr.update(visible=shown(models.is_toy(_engine(state), source)))


def _status(state: State) -> str:
    job = state.active("synthesize") or state.latest("synthesize")
    if job is None:
        return ""
    if job.state == "succeeded":
        return views.note_html(text.RUNAWAY) if (job.result or {}).get("runaway") else ""
    return views.job_html(job, state.ahead)


def _show_status(state: State) -> list[Any]:
    return [gr.update(value=_status(state), visible=shown(_status(state)))]


def _results(state: State) -> list[Any]:
    spoken = views.spoken(state.jobs)
    rows = views.history_rows(state.jobs)
    newest = _result(spoken[0]) if spoken else None
    return [gr.update(value=newest, visible=shown(newest is not None)), gr.update(value=rows, visible=shown(rows))]


def spoken_file(state: State, job: str) -> str | None:
    """What a finished job spoke, as a browser may fetch it."""
    done = next((one for one in views.spoken(state.jobs) if one.id == job), None)
    return _result(done) if done else None


def _result(job: Job) -> str | None:
    return give(Path(str((job.result or {}).get("audio", ""))))
