"""Step 4: one button, and what it does while it does it."""

from __future__ import annotations

import dataclasses
import functools
import html
import secrets
import time
from collections.abc import Sequence
from typing import Any

import gradio as gr

from voicefactory import hardware
from voicefactory.device_memory import DeviceMemory, device_memory
from voicefactory.engines import registry
from voicefactory.errors import InputError, VoiceFactoryError
from voicefactory.jobs.store import RESUMABLE, Job
from voicefactory.pipeline.plan import RunPlan, plan, planned_clips
from voicefactory.presets import load_preset, preset_files
from voicefactory.ui import choices, memory_views, models, text, views
from voicefactory.ui.page import HIDDEN, Call, Page, shown
from voicefactory.ui.requests import remembered_request
from voicefactory.ui.state import State, cached
from voicefactory.ui.tabs import advanced, course
from voicefactory.ui.tabs.reference import chosen_or_error
from voicefactory.ui.told import told

_DEFAULT_PRESET = "quick"
_LOOK_S = 2.0  #: between two looks at the memory in use


def build(page: Page) -> None:
    """The components of the step, and what they do."""
    gpus = gr.HTML(elem_id="gpus")
    with gr.Row():
        model = gr.Dropdown(
            models.offered(registry.DEFAULT),
            value=models.default(registry.DEFAULT),
            label=text.MODEL,
            info=text.MODEL_HELP,
            allow_custom_value=True,
            elem_id="model",
        )
        preset = gr.Dropdown(_presets(), value=_DEFAULT_PRESET, label=text.PRESET, elem_id="preset")
        engine = gr.Dropdown(
            [(registry.get(name).spec.title, name) for name in registry.names()],
            value=registry.DEFAULT,
            label=text.ENGINE,
            visible=shown(len(registry.names()) > 1),
            elem_id="engine",
        )
    about = gr.Markdown(elem_classes="quiet", elem_id="preset-about")
    toy = gr.Markdown(text.TOY, visible=shown(models.is_toy(registry.DEFAULT, "")), elem_classes="warn", elem_id="toy")
    with gr.Accordion(text.ADVANCED, open=False, elem_id="advanced"):
        gr.Markdown(text.ADVANCED_HELP, elem_classes="quiet")
        fields = advanced.build(load_preset(_DEFAULT_PRESET))
    needs = gr.Markdown(visible=HIDDEN, elem_id="plan", elem_classes="note")
    bar = gr.HTML(visible=HIDDEN, elem_id="plan-bar")
    with gr.Accordion(text.PLAN_TERMS_HEAD, open=False, visible=HIDDEN, elem_id="plan-panel") as panel:
        terms = gr.HTML(elem_id="plan-terms")
    known = gr.Textbox(visible=HIDDEN)  # changes when clips, cards or several fields at once do
    consent = gr.Checkbox(label=text.CONSENT, elem_id="consent")
    missing = gr.Markdown(text.NO_CLIPS, elem_id="train-missing")
    with gr.Row():
        train = gr.Button(text.TRAIN, variant="primary", elem_id="train")
        cancel = gr.Button(text.CANCEL, visible=HIDDEN, elem_id="cancel")
        resume = gr.Button(text.RESUME, visible=HIDDEN, elem_id="resume")
    status = gr.HTML(visible=HIDDEN, elem_id="status")
    course.build(page)

    chosen = [engine, model, preset, consent, *fields]
    page.on(train.click, start, chosen)
    page.on(cancel.click, cancel_training)
    page.on(resume.click, resume_training)
    page.on(preset.input, change_preset, [preset], [about, *fields, known], changes=False)
    page.on(model.input, change_model, [engine, model], [toy], changes=False)
    # A person's changes, and not those of a restored field: their answers would overtake each other.
    edited = [event for field in fields for event in advanced.edits(field)]
    page.on(
        functools.partial(gr.on, [known.change, engine.input, model.input, *edited]),
        show_plan,
        [engine, model, preset, *fields],
        [needs, bar, terms, panel],
        changes=False,
    )
    page.show([gpus], _memory, lambda state: [_memory(state)], live=True)
    page.show([model, toy, preset, about, consent, *fields], _last_choice, _restore)
    # After it: the browser applies what it is sent in order, so that the plan is asked for with what was restored.
    page.once(preset, lambda: gr.update(choices=[(views.preset_title(name), name) for name in _presets()]))
    page.show([known], _plan_key, lambda state: [str(_plan_key(state))])
    page.show([missing], _missing, lambda state: [gr.update(value=_missing(state), visible=shown(_missing(state)))])
    page.show([status, train, cancel, resume], _status_key, _status, live=True)


def _presets() -> list[str]:
    """The presets that come with VoiceFactory, the default first."""
    return sorted(preset_files(), key=lambda name: name != _DEFAULT_PRESET)


def start(call: Call, engine: str, model: str, preset: str, consent: bool, *values: Any) -> None:
    """Begin training with what was chosen in all steps."""
    begin(call, engine, model, preset, consent, advanced.overrides(load_preset(choices.preset(preset)), values))


def begin(call: Call, engine: str, model: str, preset: str, consent: bool, overrides: Sequence[str]) -> Job:
    """Queue the training, with `overrides` of the preset as key=value. Raises InputError saying what is missing."""
    state = call.state()
    if not state.clips:
        raise InputError(text.STILL_PREPARING if state.active("prepare") else text.NO_CLIPS)
    if state.active("prepare"):
        raise InputError(text.STILL_PREPARING)
    if not consent:
        raise InputError(text.CONSENT_FIRST)
    chosen_or_error(state)
    load_preset(choices.preset(preset), overrides)  # a wrong number is refused here, not in the worker
    given = text.CONSENT_GIVEN.format(owner=call.owner, day=time.strftime("%Y-%m-%d"), statement=text.CONSENT)
    request = remembered_request(
        call,
        engine=engine,
        model=choices.base_model(engine, model, call.owner),
        preset=preset,
        overrides=tuple(overrides),
        consent=given,
    )
    call.project.update_info(consent=given)
    return call.scheduler.submit("train", call.project, call.owner, dataclasses.asdict(request))


def cancel_training(call: Call) -> None:
    """Stop; the run can be resumed."""
    call.cancel("train")


def resume_training(call: Call) -> None:
    """Go on where the last one stopped, with the same choices."""
    job = call.state().latest("train")
    if job:
        call.scheduler.resume(job.id)


def change_preset(call: Call, preset: str) -> list[Any]:
    """Show what the preset stands for, and ask for its plan."""
    loaded = load_preset(choices.preset(preset))
    return [views.preset_about(loaded), *advanced.values_of(loaded), secrets.token_hex(4)]


def change_model(call: Call, engine: str, model: str) -> Any:
    """Say so when the model makes noise."""
    return gr.update(visible=shown(models.is_toy(engine, choices.base_model(engine, model, call.owner))))


def show_plan(call: Call, engine: str, model: str, preset: str, *values: Any) -> list[Any]:
    """What training with these choices needs. A number that is being typed is not scolded: the panel says it."""
    state = call.state() if call.identifier else State()
    clips = planned_clips(state.clips, state.transcripts)
    if state.project is None or not clips:
        return [gr.update(visible=HIDDEN), gr.update(visible=HIDDEN), "", gr.update(visible=HIDDEN)]
    found: RunPlan | None = None
    try:
        chosen = load_preset(preset, advanced.overrides(load_preset(choices.preset(preset)), values))
        wanted = choices.base_model(engine, model, call.owner)
        found = plan(state.project, clips, engine=engine, model=wanted, preset=chosen)
        line = text.PLAN_TOY if found is None and models.is_toy(engine, wanted) else views.plan_text(found)
    except VoiceFactoryError as error:
        line = html.escape(told(str(error)), quote=False)
    return [
        gr.update(value=line, visible=True),
        gr.update(value=memory_views.plan_html(found), visible=shown(found)),
        memory_views.terms_html(found),
        gr.update(visible=shown(found)),
    ]


def _plan_key(state: State) -> Any:
    """What a plan depends on besides a person's choices; free memory in steps of half a GiB."""
    cards = [(card.name, round(2 * card.free_bytes / views.GIB)) for card in hardware.gpus()]
    return [state.project and state.project.identifier, *_amount(state), cards, *_last_run(state)]


def _last_run(state: State) -> list[str]:
    """Also how it ended: a run may have brought the model whose plan is asked for."""
    job = state.latest("train")
    return [job.id, job.state] if job else []


def _amount(state: State) -> tuple[int, float]:
    """Clips that would be trained on, and their seconds."""
    project = state.project
    if project is None:
        return 0, 0.0

    def count() -> tuple[int, float]:
        clips = planned_clips(state.clips, state.transcripts)
        return len(clips), round(sum(clip.seconds for clip in clips), 1)

    return cached("planned clips", project.root, [project.clips_jsonl, project.transcripts_jsonl], count)


def _memory(state: State) -> str:
    return memory_views.devices_html(_devices(state.workers, int(time.monotonic() / _LOOK_S)))


@functools.lru_cache(maxsize=8)
def _devices(workers: tuple[int, ...], moment: int) -> list[DeviceMemory]:
    """Looked at once for all visitors, and no more often than it is worth: `moment` changes when it is time again."""
    return device_memory(workers)


def _last_choice(state: State) -> Any:
    job = state.latest("train")
    return [job.id if job else None, bool(state.remembered("consent"))]


def _restore(state: State) -> list[Any]:
    """The fields as they were when training was last started."""
    job = state.latest("train")
    request = job.request if job else {}
    preset = str(request.get("preset", _DEFAULT_PRESET))
    changed = load_preset(preset, request.get("overrides", ()))
    model = str(request.get("model") or models.default(registry.DEFAULT))
    return [
        model,
        gr.update(visible=shown(models.is_toy(registry.DEFAULT, model))),
        preset,
        views.preset_about(load_preset(preset)),
        bool(state.remembered("consent")),
        *advanced.values_of(changed),
    ]


def _missing(state: State) -> str:
    """What is missing before training can start, and why."""
    if state.active("prepare"):
        return text.STILL_PREPARING
    return "" if state.clips else text.NO_CLIPS


def _status_key(state: State) -> Any:
    return [views.job_html(state.latest("train"), state.places), _buttons(state.latest("train"))]


def _buttons(job: Job | None) -> list[bool]:
    """Whether Train, Cancel and Resume are there."""
    active = job is not None and job.active
    stopping = job is not None and job.cancel_requested is not None
    return [not active, active and not stopping, job is not None and job.state in RESUMABLE]


def _status(state: State) -> list[Any]:
    job = state.latest("train")
    line = views.job_html(job, state.places)
    return [gr.update(value=line, visible=shown(line)), *(gr.update(visible=shown(wanted)) for wanted in _buttons(job))]
