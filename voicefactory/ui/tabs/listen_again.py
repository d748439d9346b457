"""Whisper once more: a second opinion on the riskiest clips, everything anew, how numbers are written."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import gradio as gr

from voicefactory.errors import InputError
from voicefactory.jobs.store import Job
from voicefactory.jobs.studio_tasks import OpinionRequest
from voicefactory.pipeline.second_opinion import Opinion
from voicefactory.pipeline.spoken_form import AS_WRITTEN, IN_WORDS, parse_numbers, spoken_form
from voicefactory.ui import choices, text, views
from voicefactory.ui.page import HIDDEN, Call, Page, shown
from voicefactory.ui.requests import submit_prepare
from voicefactory.ui.state import State

_COUNT = 25
_OLD_S = 900.0  #: what the machine can run is looked at again after that: memory comes and goes


def build(page: Page) -> None:
    """The panel, and what it does."""
    with gr.Accordion(text.LISTEN_AGAIN, open=False, visible=HIDDEN, elem_id="listen-again") as panel:
        gr.Markdown(text.LISTEN_AGAIN_HELP, elem_classes="quiet")
        sizes = gr.HTML(elem_id="asr-sizes")
        with gr.Row(equal_height=True):
            size = gr.Dropdown(
                [], label=text.ASR_SIZE, info=text.ASR_SIZE_HELP, allow_custom_value=True, elem_id="asr", scale=2
            )
            count = gr.Number(_COUNT, label=text.OPINION_COUNT, precision=0, minimum=1, elem_id="opinion-count")
        with gr.Row():
            ask = gr.Button(text.OPINION_ASK, variant="primary", size="md", elem_id="opinion-ask")
            rewrite = gr.Button(text.REWRITE, size="md", elem_id="rewrite")
            cancel = gr.Button(text.CANCEL, size="md", visible=HIDDEN, elem_id="opinion-cancel")
        status = gr.HTML(visible=HIDDEN, elem_id="opinion-status")
        numbers = gr.Radio(
            [AS_WRITTEN, IN_WORDS],
            value=AS_WRITTEN,
            label=text.NUMBERS,
            info=text.NUMBERS_HELP,
            elem_id="numbers",
        )
    page.once(
        numbers,
        lambda: gr.update(choices=[(text.NUMBERS_AS_WRITTEN, AS_WRITTEN), (text.NUMBERS_IN_WORDS, IN_WORDS)]),
    )
    page.on(panel.expand, look)
    page.on(ask.click, ask_again, [size, count])
    page.on(rewrite.click, write_again, [size])
    page.on(cancel.click, stop)
    page.on(numbers.input, change_numbers, [numbers])
    page.show(
        [panel], lambda state: bool(state.transcripts), lambda state: [gr.update(visible=shown(state.transcripts))]
    )
    page.show([numbers], _numbers, lambda state: [_numbers(state)])
    page.show([sizes, size], _sizes_key, _sizes)
    page.show([status, ask, cancel], _status_key, _status, live=True)


def _is_there(state: State) -> bool:
    return bool(state.transcripts)


def look(call: Call) -> None:
    """Find out what the machine can run, unless that is known."""
    job = call.state().latest("sizes")
    known = job is not None and (job.active or (job.state == "succeeded" and time.time() - job.created < _OLD_S))
    if call.identifier and not known:
        call.scheduler.submit("sizes", call.project, call.owner, {})


def ask_again(call: Call, size: str | None, count: float | None) -> None:
    """Let another size hear the riskiest clips that nobody has decided on."""
    state = call.state()
    size = choices.whisper_size(size, _offered(state), call.owner)
    if state.active("opinion"):
        raise InputError(text.OPINION_RUNNING)
    waiting = [row for row in state.transcripts if row.source != "edited" and not row.dropped]
    risk = {row.clip: state.work[row.clip].score if row.clip in state.work else 1 - row.confidence for row in waiting}
    clips = sorted(risk, key=lambda clip: -risk[clip])[: max(1, int(count or _COUNT))]
    if not clips:
        raise InputError(text.OPINION_NOTHING)
    request = dataclasses.asdict(OpinionRequest(size, tuple(clips)))
    call.scheduler.submit("opinion", call.project, call.owner, request)


def write_again(call: Call, size: str | None) -> None:
    """Let another size write everything down again; what a person decided stays."""
    call.project.update_info(asr=choices.whisper_size(size, _offered(call.state()), call.owner))
    submit_prepare(call)


def stop(call: Call) -> None:
    """Cancel; what was heard is kept."""
    call.cancel("opinion")


def change_numbers(call: Call, numbers: str) -> None:
    """Remember how numbers are written, and write Whisper's texts so."""
    call.project.update_info(numbers=parse_numbers(numbers))
    submit_prepare(call)


def written(call: Call, opinion: Opinion) -> str:
    """Another model's text, with numbers as this project writes them."""
    state = call.state()
    in_words = _numbers(state) == IN_WORDS
    return spoken_form(opinion.text, state.transcript[opinion.clip].language) if in_words else opinion.text


def _numbers(state: State) -> str:
    return str(state.remembered("numbers", AS_WRITTEN))


def _found(state: State) -> list[dict[str, Any]]:
    job = next((job for job in reversed(state.jobs) if job.kind == "sizes" and job.state == "succeeded"), None)
    return list((job.result or {}).get("sizes", [])) if job else []


def _offered(state: State) -> list[str]:
    """The sizes that this machine can run."""
    return [one["name"] for one in _found(state) if not one["why_not"]]


def _sizes_key(state: State) -> Any:
    job = state.latest("sizes")
    return [job.id if job else "", job.state if job else "", len(state.clips)]


def _sizes(state: State) -> list[Any]:
    found = _found(state)
    if not found:
        job = state.latest("sizes")
        return [views.job_html(job) if job else "", gr.skip()]
    seconds = sum(clip.seconds for clip in state.clips)
    part = seconds * min(1.0, _COUNT / max(1, len(state.clips)))
    rows = [list(text.ASR_ROWS), *(_row(one, seconds, part) for one in found)]
    return [views.table_html(rows), gr.update(choices=_offered(state))]


def _row(one: dict[str, Any], seconds: float, part: float) -> list[str]:
    about = text.ASR_HERE if one["on_this_machine"] else text.ASR_DOWNLOAD
    if list(one["languages"]) == ["english"]:
        about = f"{text.ASR_ENGLISH}, {about}"
    return [
        one["name"],
        views.time_range(one["seconds_low"], one["seconds_high"], part) or text.ASR_UNKNOWN_TIME,
        views.time_range(one["seconds_low"], one["seconds_high"], seconds) or text.ASR_UNKNOWN_TIME,
        views.gib(one["memory_bytes"]),
        one["why_not"] or about,
    ]


def _shown_job(state: State) -> Job | None:
    return state.last("opinion")


def _status_key(state: State) -> Any:
    return [_line(state), state.active("opinion") is not None]


def _line(state: State) -> str:
    job = _shown_job(state)
    if job is not None and job.state == "succeeded":
        done = job.result or {}
        return views.note_html(
            text.OPINION_DONE.format(clips=views.count(done.get("clips", 0), "clip"), differ=done.get("differ", 0))
        )
    return views.note_html(text.OPINION_CANCELLED) if job and job.state == "cancelled" else views.job_html(job)


def _status(state: State) -> list[Any]:
    line, active = _line(state), state.active("opinion") is not None
    return [
        gr.update(value=line, visible=shown(line)),
        gr.update(interactive=not active),
        gr.update(visible=shown(active)),
    ]
