"""Part of step 5: what is being spoken, or was asked for last. It sounds from the first sentence on."""

from __future__ import annotations

import html
from typing import Any

import gradio as gr

from voicefactory.jobs.store import RESUMABLE
from voicefactory.pipeline.said import Heard
from voicefactory.pipeline.say import pieces_so_far
from voicefactory.ui import said_views, speaking, text, views
from voicefactory.ui.cache import stamp_of
from voicefactory.ui.handout import give
from voicefactory.ui.page import HIDDEN, QUIET, Call, Page, shown
from voicefactory.ui.player import PLAYER_JS, STAGE, Feed, feed_json, row_html
from voicefactory.ui.state import State

_ROWS = 50  #: players of several lines; the others are in the zip


def build(page: Page) -> None:
    """The player, how far it is, and what a person can do meanwhile."""
    status = gr.HTML(visible=HIDDEN, elem_id="speak-status")
    with gr.Column(visible=True, elem_id="spoken-box"):
        about = gr.HTML(visible=HIDDEN, elem_id="spoken-about")
        gr.HTML(STAGE, elem_id="spoken")
    with gr.Row(elem_id="spoken-buttons"):
        stop = gr.Button(text.CANCEL, visible=HIDDEN, size="md", scale=0, elem_id="speak-stop")
        go_on = gr.Button(text.RESUME, visible=HIDDEN, size="md", scale=0, elem_id="speak-on")
        download = gr.DownloadButton(text.DOWNLOAD_SPOKEN, visible=HIDDEN, size="md", scale=0, elem_id="spoken-file")
    feed = gr.Textbox(visible=HIDDEN, elem_id="spoken-feed")
    feed.change(None, [feed], js=PLAYER_JS, **QUIET)
    page.on(stop.click, stop_speaking)
    page.on(go_on.click, go_on_speaking)
    page.show([status, stop, go_on], _status_key, _status, live=True)
    page.show([about, feed, download], _feed_key, _feed, live=True)


def stop_speaking(call: Call) -> None:
    """Stop after the sentence that is being spoken; what was spoken is kept."""
    state = call.state()
    job = speaking.job_of(state, speaking.shown_name(state))
    if job and job.active:
        call.scheduler.cancel(job.id)


def go_on_speaking(call: Call) -> None:
    """Speak what is missing."""
    state = call.state()
    job = speaking.job_of(state, speaking.shown_name(state))
    if job and job.state in RESUMABLE:
        call.scheduler.resume(job.id)


def _status_key(state: State) -> Any:
    name = speaking.shown_name(state)
    job = speaking.job_of(state, name)
    return [name, _line(state), bool(job and job.active), bool(job and job.state in RESUMABLE)]


def _line(state: State) -> str:
    job = speaking.job_of(state, speaking.shown_name(state))
    if job is None or job.state == "succeeded":
        return ""
    return views.note_html(text.SPEAK_STOPPED) if job.state == "cancelled" else views.job_html(job, state.places)


def _status(state: State) -> list[Any]:
    _, line, active, stopped = _status_key(state)
    return [
        gr.update(value=line, visible=shown(line)),
        gr.update(visible=shown(active)),
        gr.update(visible=shown(stopped)),
    ]


def _feed_key(state: State) -> Any:
    """Changes with every sentence that is finished."""
    name = speaking.shown_name(state)
    entry = speaking.heard(state, name)
    if entry is None:
        return [name]
    job = speaking.job_of(state, name)
    return [name, len(entry.takes), stamp_of(entry.folder / "pieces.jsonl"), bool(job and job.active)]


def _feed(state: State) -> list[Any]:
    name = speaking.shown_name(state)
    entry = speaking.heard(state, name)
    if entry is None:
        return [gr.update(value="", visible=HIDDEN), feed_json(Feed(name)), gr.update(value=None, visible=HIDDEN)]
    job = speaking.job_of(state, name)
    file = give(speaking.file_of(entry)) if not (job and job.active) else None
    about = _about(entry)
    return [
        gr.update(value=about, visible=shown(about)),
        feed_json(_feed_of(entry)),
        gr.update(value=file, visible=shown(file)),
    ]


def _feed_of(entry: Heard) -> Feed:
    request = entry.request
    if len(request.tellers) == 1 and not request.several:
        whole = entry.file(entry.takes[0]) if entry.takes else None
        return Feed(entry.name, said_views.voice_line(request), [] if whole else pieces_so_far(entry.folder), whole)
    rows = [
        (
            f"{take.teller}-{take.text}-{take.pieces}",
            row_html(said_views.take_title(request, take), said_views.take_note(take, short=True), entry.file(take)),
        )
        for take in entry.takes[:_ROWS]
    ]
    return Feed(entry.name, rows=rows)


def _about(entry: Heard) -> str:
    """What is heard: the text, who says it and how, and what has to be known of it."""
    request = entry.request
    told = f"<p>{html.escape(said_views.text_line(request))}</p>"
    how = f"{said_views.voice_line(request)}; {said_views.how_line(entry)}"
    if request.several:
        how = f"{how}. {text.LINES_DONE.format(done=len(entry.takes), all=len(request.texts))}"
    told += f'<p class="quiet">{html.escape(how)}</p>'
    if len(entry.takes) == 1 and not request.several and (note := said_views.take_note(entry.takes[0])):
        told += f'<p class="state">{html.escape(note)}</p>'
    if len(entry.takes) > _ROWS:
        told += f'<p class="quiet">{html.escape(text.LINES_MORE.format(shown=_ROWS))}</p>'
    return told
