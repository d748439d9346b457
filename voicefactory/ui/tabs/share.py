"""Step 6: take the voice away as a zip, or put it on the Hub."""

from __future__ import annotations

import dataclasses
from typing import Any

import gradio as gr

from voicefactory.errors import InputError
from voicefactory.jobs.tasks import PublishRequest
from voicefactory.pipeline.publish import parse_repo_id
from voicefactory.settings import settings
from voicefactory.ui import access, text, views, voices
from voicefactory.ui.handout import give
from voicefactory.ui.page import HIDDEN, Call, Page, shown
from voicefactory.ui.state import FinishedVoice, State


def build(page: Page) -> None:
    """The components of the step, and what they do."""
    gr.Markdown(text.SHARE_HELP)
    missing = gr.Markdown(text.NO_SHARE, elem_id="share-missing")
    voice = gr.Dropdown([], label=text.VOICE, visible=HIDDEN, elem_id="share-voice")
    download = gr.DownloadButton(text.DOWNLOAD, variant="primary", visible=HIDDEN, elem_id="download")
    example = gr.Code(label=text.EXAMPLE, language="python", interactive=False, visible=HIDDEN, elem_id="example")
    with gr.Accordion(text.HUB, open=False, elem_id="hub"):
        with gr.Row():
            repo = gr.Textbox(label=text.REPO, placeholder=text.REPO_EXAMPLE, info=text.REPO_HELP, elem_id="repo")
            token = gr.Textbox(
                label=text.TOKEN,
                info=text.TOKEN_HELP,
                type="password",
                elem_id="token",
                visible=shown(not settings().on_space),
            )
        private = gr.Checkbox(value=True, label=text.PRIVATE, elem_id="private")
        push = gr.Button(text.PUSH, elem_id="push")
        status = gr.HTML(elem_id="push-status")

    page.on(voice.input, choose, [voice], [download, example], changes=False)
    page.on(push.click, upload, [voice, repo, token, private], [token])
    page.show(
        [missing, voice, download, example],
        lambda state: [[one.identifier, one.stamp] for one in state.voices],
        _render,
    )
    page.show([status], _status, lambda state: [_status(state)], live=True)


def choose(call: Call, voice: str) -> list[Any]:
    """Offer another voice."""
    return _offer(_voice(call.state(), voice))


def upload(call: Call, voice: str, repo: str, token: str, private: bool) -> str:
    """Put it on the Hub with the visitor's own token. Empties the token field: it is not kept."""
    chosen = _voice(call.state(), voice)
    if not repo.strip():
        raise InputError(text.REPO_FIRST)
    repo_id = parse_repo_id(repo)
    token = access.token_of(call.request) or token.strip()
    if not token:
        raise InputError(text.LOG_IN if settings().on_space else text.TOKEN_FIRST)
    request = PublishRequest(voice=str(chosen.folder), repo_id=repo_id, public=not private)
    call.scheduler.submit("publish", call.project, call.owner, dataclasses.asdict(request), token=token)
    return ""


def _voice(state: State, identifier: str | None) -> FinishedVoice:
    found = next((one for one in state.voices if one.identifier == identifier), None)
    if found is None:
        raise InputError(text.CHOOSE_VOICE if state.voices else text.NO_SHARE)
    return found


def _offer(voice: FinishedVoice) -> list[Any]:
    return [gr.update(value=give(voice.zip), visible=True), gr.update(value=voice.example, visible=True)]


def _render(state: State) -> list[Any]:
    there = bool(state.voices)
    choices = [(voices.title_of(voice), voice.identifier) for voice in state.voices]
    chosen = state.voices[0].identifier if there else None
    offer = _offer(state.voices[0]) if there else [gr.update(value=None, visible=HIDDEN)] * 2
    return [
        gr.update(visible=shown(not there)),
        gr.update(choices=choices, value=chosen, visible=shown(len(choices) > 1)),
        *offer,
    ]


def _status(state: State) -> str:
    job = state.last("publish")
    if job is not None and job.state == "succeeded":
        return views.note_html(text.PUSHED.format(url=(job.result or {}).get("url", "")))
    return views.job_html(job, state.places)
