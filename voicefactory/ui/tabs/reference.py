"""Step 3: choose the clip that tells the model whose voice it is; then what the data set is like as a whole."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import gradio as gr

from voicefactory.engines import registry
from voicefactory.errors import InputError
from voicefactory.jobs.studio_tasks import PreviewRequest
from voicefactory.languages import AUTO
from voicefactory.pipeline.reference import check_brought
from voicefactory.ui import intake, models, text, views
from voicefactory.ui.handout import player_html
from voicefactory.ui.page import HIDDEN, Call, Page, shown
from voicefactory.ui.state import State
from voicefactory.ui.tabs import dataset

_SLOTS = 3
_OWN = "own"


def build(page: Page) -> None:
    """The components of the step, and what they do."""
    gr.Markdown(text.REFERENCE_HELP)
    summary = gr.Markdown(text.NO_REFERENCE, elem_id="reference-summary")
    slots: list[Any] = []
    heard: list[Any] = []
    with gr.Row(equal_height=False):
        for number in range(1, _SLOTS + 1):
            with gr.Column(min_width=260):
                slots.append(gr.HTML(visible=HIDDEN, elem_id=f"candidate-{number}", elem_classes="card"))
                heard.append(gr.HTML(visible=HIDDEN, elem_id=f"preview-{number}", elem_classes="card"))
    pick = gr.Radio([], label=text.REFERENCE_PICK, visible=HIDDEN, elem_id="reference-pick")
    about = gr.Markdown(text.PREVIEW_HELP, visible=HIDDEN, elem_classes="quiet", elem_id="preview-about")
    with gr.Row():
        ask = gr.Button(text.PREVIEW, visible=HIDDEN, size="md", scale=0, min_width=380, elem_id="preview-ask")
        cancel = gr.Button(text.CANCEL, visible=HIDDEN, size="md", scale=0, elem_id="preview-cancel")
    status = gr.HTML(visible=HIDDEN, elem_id="preview-status")
    with gr.Accordion(text.REFERENCE_OWN, open=False), gr.Row():
        own = gr.File(label=text.REFERENCE_FILE, elem_id="reference-file", height=120)
        own_player = gr.HTML(visible=HIDDEN, elem_id="reference-own")
    dataset.build(page)

    page.on(pick.input, choose, [pick])
    page.on(own.upload, bring, [own], [own])
    page.on(ask.click, imitate)
    page.on(cancel.click, stop)
    page.show([summary, *slots], _candidates_key, _candidates)
    page.show(heard, _heard_key, _heard)
    page.show([pick, own_player], lambda state: [list(map(repr, state.references)), _chosen(state)], _choice)
    page.show([about, ask, cancel, status], _status_key, _status, live=True)


def choose(call: Call, clip: str) -> None:
    """Remember the choice. Raises InputError for what is no clip of this project: training would take it for a file."""
    state = call.state()
    if clip != _OWN and clip not in state.clip:
        raise InputError(text.NO_CANDIDATE)
    call.project.update_info(reference=state.remembered("own_reference", "") if clip == _OWN else clip)


def bring(call: Call, path: str | None) -> None:
    """Take a file of the person's own, and choose it. Raises InputError for what is none."""
    if path:
        check_brought(Path(path))
        brought = str(intake.take_in_reference(call.project, path))
        call.project.update_info(own_reference=brought, reference=brought)


def imitate(call: Call) -> None:
    """Let the base model imitate each candidate, without training."""
    state = call.state()
    if not state.references:
        raise InputError(text.NO_CANDIDATE if state.clips else text.NO_REFERENCE)
    if state.active("preview"):
        raise InputError(text.PREVIEW_RUNNING)
    clips = tuple(reference.clip for reference in state.references)
    spoken = [state.transcript[clip].language for clip in clips if clip in state.transcript]
    request = PreviewRequest(clips, registry.DEFAULT, _model(state), next(iter(spoken), AUTO))
    call.scheduler.submit("preview", call.project, call.owner, dataclasses.asdict(request))


def stop(call: Call) -> None:
    """Cancel; finished previews are kept."""
    call.cancel("preview")


def _model(state: State) -> str:
    """The base model that was trained with last, or the one that is offered first."""
    job = state.latest("train")
    return str(job.request.get("model", "")) if job and job.request.get("model") else models.default(registry.DEFAULT)


def _chosen(state: State) -> str:
    """The clip's id, or "own"; the best one while nothing was chosen."""
    wanted = str(state.remembered("reference", ""))
    if wanted and wanted == state.remembered("own_reference"):
        return _OWN
    candidates = [reference.clip for reference in state.references]
    if wanted in candidates or (state.comparing and wanted in state.clip):
        return wanted
    return next(iter(candidates), "")


def _candidates_key(state: State) -> Any:
    return [list(map(repr, state.references)), bool(state.clips), state.comparing and not state.references]


def _candidates(state: State) -> list[Any]:
    nothing = text.NO_CANDIDATE if state.clips else text.NO_REFERENCE
    if state.comparing and state.clips:
        nothing = text.REFERENCE_COMING
    summary = "" if state.references else nothing
    updates: list[Any] = [gr.update(value=summary, visible=shown(summary))]
    for number in range(1, _SLOTS + 1):
        found = state.references[number - 1] if number <= len(state.references) else None
        if found is None:
            updates.append(gr.update(value="", visible=HIDDEN))
            continue
        name = text.CANDIDATE.format(number=number)
        content = views.candidate_html(name, found, player_html(found.audio, name))
        updates.append(gr.update(value=content, visible=True))
    return updates


def _preview(state: State, clip: str) -> Path | None:
    """The newest finished preview of a candidate that is still there."""
    for job in reversed(state.jobs):
        name = (job.result or {}).get("previews", {}).get(clip) if job.kind == "preview" else None
        path = state.project.root / str(name) if name and state.project else None
        if path is not None and path.is_file():
            return path
    return None


def _heard_key(state: State) -> Any:
    return [str(_preview(state, reference.clip)) for reference in state.references]


def _heard(state: State) -> list[Any]:
    updates = []
    for number in range(1, _SLOTS + 1):
        path = _preview(state, state.references[number - 1].clip) if number <= len(state.references) else None
        name = text.PREVIEW_OF.format(number=number)
        content = views.player_with_name(name, player_html(path, name)) if path else ""
        updates.append(gr.update(value=content, visible=shown(content)))
    return updates


def _choice(state: State) -> list[Any]:
    choices = [
        (text.CANDIDATE.format(number=number), reference.clip) for number, reference in enumerate(state.references, 1)
    ]
    chosen = _chosen(state)
    own = str(state.remembered("own_reference", ""))
    if own:
        choices.append((Path(own).name, _OWN))
    player = player_html(Path(own), Path(own).name) if own else ""
    return [
        gr.update(
            choices=choices, value=chosen if chosen in [value for _, value in choices] else None, visible=shown(choices)
        ),
        gr.update(value=player, visible=shown(player)),
    ]


def _line(state: State) -> str:
    return views.task_html(state.last("preview"), text.PREVIEW_CANCELLED)


def _status_key(state: State) -> Any:
    return [bool(state.references), _line(state), state.active("preview") is not None, _model(state)]


def _status(state: State) -> list[Any]:
    there, active, line = bool(state.references), state.active("preview") is not None, _line(state)
    noise = f" {text.PREVIEW_NOISE}" if models.is_toy(registry.DEFAULT, _model(state)) else ""
    return [
        gr.update(value=f"{text.PREVIEW_HELP}{noise}", visible=shown(there)),
        gr.update(visible=shown(there), interactive=not active),
        gr.update(visible=shown(active)),
        gr.update(value=line, visible=shown(line)),
    ]


def chosen_or_error(state: State) -> str:
    """What training will take. Raises InputError if there is nothing to take."""
    chosen = _chosen(state)
    if not chosen and state.comparing and state.clips:
        return ""  # training picks the best one itself
    if not chosen:
        raise InputError(text.NO_CANDIDATE if state.clips else text.NO_CLIPS)
    return chosen
