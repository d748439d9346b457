"""Part of step 5: everything that was heard so far. A click plays it again and puts its settings back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from voicefactory.errors import InputError
from voicefactory.pipeline.said import Heard, SpeechRequest, remove_heard
from voicefactory.pipeline.tellers import RECORDING
from voicefactory.ui import said_views, speaking, text, voices
from voicefactory.ui.cache import stamp_of
from voicefactory.ui.page import HIDDEN, Call, Page, shown
from voicefactory.ui.state import State

_PAGE = 12  #: rows


def build(page: Page, fields: Sequence[Component]) -> None:
    """The list. `fields` are where settings are put back: voice, language, seed, speaker, kind of file, text, lines,
    who is compared, the recording, and the note on noise."""
    listed = gr.HTML(visible=HIDDEN, elem_id="history", js_on_load=said_views.HISTORY_JS)
    with gr.Row(visible=True, elem_id="history-pager"):
        previous = gr.Button(text.PAGE_PREVIOUS, visible=HIDDEN, size="sm", scale=0, elem_id="history-previous")
        where = gr.Markdown(visible=HIDDEN, elem_id="history-where", elem_classes="quiet")
        following = gr.Button(text.PAGE_NEXT, visible=HIDDEN, size="sm", scale=0, elem_id="history-next")
    page.on(listed.select, pick, [], fields, selects=True)
    page.on(previous.click, lambda call: turn(call, -1))
    page.on(following.click, lambda call: turn(call, 1))
    page.show([listed, previous, where, following], _key, _list)


def pick(call: Call, row: list[str]) -> list[Any]:
    """Hear an entry again with its settings in the fields, or remove it. Raises InputError if it is gone."""
    what, name = str(row[0]), str(row[1])
    state = call.state()
    if name not in speaking.names_of(state):
        raise InputError(text.HISTORY_GONE)
    if what == "remove":
        _remove(call, state, name)
        return [gr.skip()] * 10
    speaking.show(call, name)
    entry = speaking.heard(state, name)
    return _settings(state, entry.request) if entry else [gr.skip()] * 10


def turn(call: Call, way: int) -> None:
    """Another page of the list."""
    state = call.state()
    at, pages = _page(state)
    call.project.update_info(history_page=min(max(0, at + way), pages - 1))


def _remove(call: Call, state: State, name: str) -> None:
    job = speaking.job_of(state, name)
    if job and job.active:
        raise InputError(text.HISTORY_BUSY)
    remove_heard(call.project, name)


def _settings(state: State, request: SpeechRequest) -> list[Any]:
    """What was asked for, in the fields it came from; what is not offered any more stays as it is."""
    spoke = [name for name in request.tellers if not name.startswith(f"{RECORDING}:")]
    compared = len(request.tellers) > 1
    first = spoke[0]
    alone = not compared and first in {name for _, name in voices.voices(state)}
    offered = {name for _, name in voices.comparable(state)}
    clip = next((name.partition(":")[2] for name in request.tellers if name not in spoke), "")
    known = {one for _, one in voices.recordings(state)}
    speakers = voices.speakers_of(state, first) if alone else []
    return [
        gr.update(value=first) if alone else gr.skip(),
        request.language,
        request.seed,
        gr.update(choices=speakers, value=request.speaker or next(iter(speakers), None), visible=shown(speakers))
        if alone
        else gr.skip(),
        request.form,
        gr.skip() if request.several else request.texts[0],
        "\n".join(request.texts) if request.several else gr.skip(),
        gr.update(value=[name for name in spoke if name in offered]) if compared else gr.skip(),
        gr.update(value=clip if clip in known else "") if compared else gr.skip(),
        gr.update(visible=shown(voices.is_noise(state, first))) if alone else gr.skip(),
    ]


def _page(state: State) -> tuple[int, int]:
    """Which page is looked at, from 0, and how many there are."""
    pages = max(1, -(-len(speaking.names_of(state)) // _PAGE))
    return min(max(0, int(state.remembered("history_page", 0))), pages - 1), pages


def _entries(state: State) -> list[Heard]:
    """Those of the page that is looked at, without what nothing was spoken of yet."""
    at, _ = _page(state)
    names = speaking.names_of(state)[at * _PAGE : (at + 1) * _PAGE]
    return [entry for name in names if (entry := speaking.heard(state, name)) and entry.takes]


def _key(state: State) -> Any:
    names = speaking.names_of(state)
    at, _ = _page(state)
    if state.project is None or not names:
        return []
    takes = [stamp_of(state.project.root / "speech" / name / "takes.jsonl")[0] for name in names[:1]]
    return [names, at, speaking.shown_name(state), takes, [entry.name for entry in _entries(state)]]


def _list(state: State) -> list[Any]:
    at, pages = _page(state)
    content = said_views.history_html(_entries(state), speaking.shown_name(state))
    everything = len(speaking.names_of(state))
    where = text.PAGE_OF.format(first=at * _PAGE + 1, last=min((at + 1) * _PAGE, everything), all=everything)
    several = shown(pages > 1)
    return [
        gr.update(value=content, visible=shown(content)),
        gr.update(visible=several, interactive=at > 0),
        gr.update(value=where, visible=several),
        gr.update(visible=several, interactive=at + 1 < pages),
    ]
