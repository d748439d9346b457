"""Part of step 1: take noise or rumble out of the clips, hear before and after, take it back."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import gradio as gr

from voicefactory.errors import InputError
from voicefactory.jobs.store import Job
from voicefactory.jobs.tasks import CleanRequest
from voicefactory.pipeline.clean import STEPS, before_and_after, steps_of
from voicefactory.pipeline.clip_rows import originals
from voicefactory.types import Clip
from voicefactory.ui import english, pictures, text, views
from voicefactory.ui.handout import give
from voicefactory.ui.page import HIDDEN, Call, Page, shown
from voicefactory.ui.state import State
from voicefactory.ui.tabs.cuts import chosen, clips_of, shown_clips, texts_of

_ALL, _RECORDING, _CLIP = "all", "recording", "clip"
_SAID = 60  #: letters of a clip's text in the list


def build(page: Page) -> None:
    """The panel, and what it does."""
    with gr.Accordion(text.CLEAN, open=False, elem_id="cleaning"):
        gr.Markdown(text.CLEAN_HELP)
        steps = gr.CheckboxGroup(list(STEPS), label=text.CLEAN_WHAT, elem_id="clean-steps")
        scope = gr.Radio(
            list(english.CLEAN_SCOPES),
            label=text.CLEAN_SCOPE,
            value=_ALL,
            elem_id="clean-scope",
        )
        clip = gr.Dropdown([], label=text.CLEAN_CLIP, elem_id="clean-clip")
        with gr.Row():
            start = gr.Button(text.CLEAN_START, variant="primary", elem_id="clean-start", size="md")
            undo = gr.Button(text.CLEAN_UNDO, elem_id="clean-undo", size="md")
            cancel = gr.Button(text.CANCEL, elem_id="clean-cancel", size="md", visible=HIDDEN)
        job = gr.HTML(elem_id="clean-job")
        with gr.Row():
            before = gr.Audio(label=text.BEFORE, interactive=False, elem_id="clean-before", buttons=[], min_width=260)
            after = gr.Audio(
                label=text.AFTER, interactive=False, elem_id="clean-after", buttons=[], min_width=260, visible=HIDDEN
            )
        found = gr.Markdown(elem_id="clean-found", elem_classes="quiet")

    page.once(steps, lambda: gr.update(choices=[(text.CLEAN_STEPS[step], step) for step in STEPS]))
    page.once(scope, lambda: gr.update(choices=[(words, name) for name, words in text.CLEAN_SCOPES.items()]))
    page.on(steps.input, remember_steps, [steps])
    page.on(scope.input, remember_scope, [scope])
    page.on(clip.input, choose_clip, [clip])
    page.on(start.click, start_cleaning, [steps, scope])
    page.on(undo.click, take_back, [scope])
    page.on(cancel.click, cancel_cleaning)
    page.show([steps], _steps, lambda state: [_steps(state)])
    page.show([scope], _scope, lambda state: [_scope(state)])
    page.show([clip], _choices, _render_choices)
    page.show([job, cancel], lambda state: [_line(state), _can_cancel(state)], _progress, live=True)
    page.show([before, after, found], lambda state: repr(_clip(state)), _render)


def remember_steps(call: Call, steps: list[str]) -> None:
    """What was ticked stays ticked."""
    call.project.update_info(clean_steps=[step for step in STEPS if step in steps])


def remember_scope(call: Call, scope: str) -> None:
    """All, the recording, or the clip."""
    call.project.update_info(clean_scope=scope)


def choose_clip(call: Call, clip: str | None) -> None:
    """Another clip to hear."""
    call.project.update_info(shown_clip=str(clip or ""))


def start_cleaning(call: Call, steps: list[str], scope: str) -> None:
    """Clean, as a job."""
    if not steps:
        raise InputError(text.CLEAN_TICK_FIRST)
    _submit(call, CleanRequest(tuple(step for step in STEPS if step in steps), _wanted(call.state(), scope)))


def take_back(call: Call, scope: str) -> None:
    """Bring the clips back as they were cut, as a job too: it must not cross one that cuts."""
    state = call.state()
    wanted = _wanted(state, scope)
    if not any(clip.original_sha256 for clip in state.clips if not wanted or clip.id in wanted):
        raise InputError(text.CLEAN_NOTHING_TO_UNDO)
    _submit(call, CleanRequest((), wanted))


def cancel_cleaning(call: Call) -> None:
    """Stop; the clips stay as they were."""
    call.cancel("clean")


def _submit(call: Call, request: CleanRequest) -> None:
    state = call.state()
    if not state.clips:
        raise InputError(text.CLEAN_NO_CLIPS)
    if state.active("clean"):
        raise InputError(text.CLEAN_RUNNING)
    call.scheduler.submit("clean", call.project, call.owner, dataclasses.asdict(request))


def _wanted(state: State, scope: str) -> tuple[str, ...]:
    """The clips that are meant; nothing = all. Raises InputError if there is none."""
    if scope == _ALL:
        return ()
    clip = _clip(state)
    one = [clip] if clip else []
    found = one if scope == _CLIP else clips_of(state, chosen(state))
    if not found:
        raise InputError(text.CLEAN_NONE_HERE if state.clips else text.CLEAN_NO_CLIPS)
    return tuple(wanted.id for wanted in found)


def _steps(state: State) -> list[str]:
    return [str(step) for step in state.remembered("clean_steps", [])]


def _scope(state: State) -> str:
    return str(state.remembered("clean_scope", _ALL))


def _clip(state: State) -> Clip | None:
    """The clip that is heard: the one that was picked, or the first of the shown part of the recording."""
    clips = shown_clips(state)
    wanted = state.remembered("shown_clip")
    return next((clip for clip in clips if clip.id == wanted), clips[0] if clips else None)


def _choices(state: State) -> list[Any]:
    clips = shown_clips(state)
    said = texts_of(state, clips)
    picked = _clip(state)
    return [[[_name(clip, said.get(clip.id, "")), clip.id] for clip in clips], picked.id if picked else None]


def _name(clip: Clip, said: str) -> str:
    short = views.shortened(said, _SAID)
    done = f" ({text.CLEANED})" if clip.original_sha256 else ""
    return f"{pictures.clock(clip.start_s)} {short}{done}"


def _render_choices(state: State) -> list[Any]:
    choices, value = _choices(state)
    return [gr.update(choices=[tuple(choice) for choice in choices], value=value)]


def _job(state: State) -> Job | None:
    job = state.last("clean")
    return None if job is None or job.state == "succeeded" else job


def _line(state: State) -> str:
    job = _job(state)
    if job is not None and job.state == "cancelled":
        return views.note_html(text.CLEAN_CANCELLED)
    if job is not None:
        return views.job_html(job, state.places)
    cleaned = sum(bool(clip.original_sha256) for clip in state.clips)
    return views.note_html(text.CLEAN_COUNT.format(done=cleaned, all=views.count(len(state.clips), "clip")))


def _can_cancel(state: State) -> bool:
    job = state.active("clean")
    return job is not None and job.cancel_requested is None


def _progress(state: State) -> list[Any]:
    return [_line(state), gr.update(visible=shown(_can_cancel(state)))]


def _render(state: State) -> list[Any]:
    clip = _clip(state)
    if clip is None or state.project is None:
        return [None, _player(None), text.CLEAN_NONE_HERE if state.clips else text.CLEAN_NO_CLIPS]
    before, after = before_and_after(state.project, clip)
    if after is None:
        return [give(before), _player(None), text.CLEAN_NOT_YET]
    done = ", ".join(text.CLEAN_STEPS[step] for step in steps_of(clip) if step in text.CLEAN_STEPS)
    cut = originals(state.project, [clip]).get(clip.id, clip)
    snr = {"before": f"{cut.quality.snr_db:.0f}", "after": f"{clip.quality.snr_db:.0f}"}
    return [give(before), _player(after), text.CLEAN_DONE.format(steps=done, **snr)]


def _player(path: Path | None) -> Any:
    return gr.update(value=give(path), visible=shown(path))
