"""The page: assembles the tabs and says how it is served. What a step shows and does is in `ui/tabs`."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from voicefactory.errors import InputError, VoiceFactoryError
from voicefactory.jobs.lanes import LANES
from voicefactory.jobs.scheduler import Scheduler
from voicefactory.settings import settings

# Gradio reads both when it is imported: nothing is sent home, and its files lie with ours.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("GRADIO_TEMP_DIR", str(settings().home.expanduser().resolve() / "page"))
if settings().on_space:  # read by huggingface_hub: visitors look up models as anybody could, not as the Space's owner
    os.environ["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"

import gradio as gr

from voicefactory.ui import (
    access,
    api,
    ending,
    english,
    forgetting,
    handout,
    other_browser,
    projects,
    steps,
    text,
    views,
)
from voicefactory.ui.account import usage_html
from voicefactory.ui.launching import launch_settings, serving
from voicefactory.ui.page import HIDDEN, QUIET, Call, Page, shown
from voicefactory.ui.projects import project_lines
from voicefactory.ui.samples import start_samples
from voicefactory.ui.sessions import keep_small
from voicefactory.ui.state import State
from voicefactory.ui.tabs import deleting, everybody, listen, recordings, reference, share, train, transcripts

_TABS = {
    "recordings": recordings,
    "transcripts": transcripts,
    "reference": reference,
    "train": train,
    "listen": listen,
    "share": share,
}
#: Between two looks of the page for what is new: while a job of the voice runs or waits, and otherwise. Gradio writes
#: to every component at each of them, which is a tenth of a second and more of work for the browser.
_REFRESH_S, _REST_S = 1.0, 3.0
_DAY_S = 86_400
_TO_ADDRESS = """(project) => {
  const url = new URL(window.location);
  const step = url.searchParams.get("step");
  url.searchParams.delete("step");
  if (project) { url.searchParams.set("project", project); } else { url.searchParams.delete("project"); }
  if (step) { url.searchParams.set("step", step); }
  window.history.replaceState({}, "", url);
}"""
_TO_TITLE = """(line) => {
  document.title = line && !line.includes("**") && !line.includes("__i18n__") ? `${line} | TITLE` : "TITLE";
}"""
_STEP_TO_ADDRESS = """() => {
  const url = new URL(window.location);
  url.searchParams.set("step", "STEP");
  window.history.replaceState({}, "", url);
}"""


def build_app(scheduler: Scheduler) -> gr.Blocks:
    """The page over the projects and jobs of `scheduler.home`. Start the scheduler yourself."""
    with (
        text.building(),
        gr.Blocks(title=english.TITLE, analytics_enabled=False, delete_cache=(3600, _DAY_S)) as demo,
    ):
        current = gr.BrowserState("", storage_key="voicefactory-project", secret="voicefactory")
        page = Page(scheduler, current)
        with gr.Row(equal_height=False, elem_id="all"):
            with gr.Column(scale=1, min_width=220, elem_id="side"):
                _build_side(page)
            with gr.Column(scale=4, min_width=320, elem_id="main"):
                opened = _build_steps(page)
                everybody.build(page)
        # Nothing is shown, and nothing can be filled in, before it is known which project: a tick of the
        # clock in between would show none, and the right one would then replace what a quick hand did.
        clock = gr.Timer(_REFRESH_S, active=False)
        page.show([clock], _pace, lambda state: [gr.Timer(_pace(state), active=True)], live=True)
        page.connect()
        api.build(scheduler)
        current.change(None, [current], None, js=_TO_ADDRESS, **QUIET)
        demo.load(_opening(page), [current], [current, opened, *page.outputs], **QUIET)
        page.check_on(clock.tick)
    demo.queue(default_concurrency_limit=16, api_open=False)
    assert isinstance(demo, gr.Blocks)
    return demo


def _build_side(page: Page) -> None:
    """What it is, whose voices there are, and how to begin a new one."""
    gr.Markdown(f"# {english.TITLE}\n{text.LEAD}", elem_id="title")
    if settings().on_space:
        gr.LoginButton(scale=0)
    name = gr.Textbox(label=text.NEW_NAME, placeholder=text.NEW_NAME_EXAMPLE, elem_id="new-name")
    create = gr.Button(text.CREATE, elem_id="create", size="md")
    samples = gr.Button(text.SAMPLES_BUTTON, elem_id="samples", size="sm", variant="secondary")
    gr.Markdown(f"## {text.PROJECT}", elem_id="projects-head")
    listed = gr.HTML(elem_id="projects", js_on_load=projects.LIST_JS)
    other_browser.build(page)
    used = gr.HTML(visible=HIDDEN, elem_id="usage")
    deleting.build(page)
    page.on(listed.select, _choose, [], [page.current], selects=True)
    page.on(create.click, _create, [name], [page.current, name])
    page.on(name.submit, _create, [name], [page.current, name])
    page.on(samples.click, _try_samples, [], [page.current])
    page.show([listed], _listed, lambda state: [projects.projects_html(state.projects, _identifier(state))])
    page.show([used], lambda state: repr(usage_html(state.account)), _show_usage)
    page.show([samples], _is_bare, lambda state: [gr.update(visible=shown(_is_bare(state)))])


def _build_steps(page: Page) -> gr.Tabs:
    headline = gr.Markdown(text.WELCOME, elem_id="headline", elem_classes="note")
    headline.change(None, [headline], js=_TO_TITLE.replace("TITLE", english.TITLE), **QUIET)
    upcoming = gr.HTML(visible=HIDDEN, elem_id="next-step", js_on_load=steps.DOTS_JS)
    following = dict(zip(_TABS, list(_TABS)[1:], strict=False))
    shown_steps = gr.Tabs(elem_id="steps")
    with shown_steps:
        for step, tab in _TABS.items():
            with gr.Tab(text.STEPS[step], id=step, elem_id=f"step-{step}", render_children=True) as opened:
                gr.Markdown(f"## {text.STEPS[step]}", elem_classes="step-name")  # where the tabs do not fit
                tab.build(page)
                if step in following:
                    forward = gr.Button(text.NEXT[step], elem_id=f"next-{step}", elem_classes="forward", size="md")
                    forward.click(_forward_to(following[step]), None, [shown_steps], **QUIET)
            opened.select(None, js=_STEP_TO_ADDRESS.replace("STEP", step), **QUIET)
    page.show(
        [headline],
        _headline,
        lambda state: [gr.update(value=_headline(state), visible=shown(_headline(state)))],
        live=True,
    )
    page.on(upcoming.select, lambda call, row: gr.Tabs(selected=row[0]), [], [shown_steps], selects=True, changes=False)
    page.show([upcoming], _standing, _show_standing)
    return shown_steps


def _pace(state: State) -> float:
    return _REFRESH_S if state.active() else _REST_S


def _identifier(state: State) -> str:
    return state.project.identifier if state.project else ""


def _is_bare(state: State) -> bool:
    return not state.recordings and not state.uploads


def _listed(state: State) -> Any:
    return [_identifier(state), *(f"{line} {projects.day(line.touched)}" for line in state.projects)]


def _show_usage(state: State) -> list[Any]:
    line = usage_html(state.account)
    return [gr.update(value=line, visible=shown(line))]


def _standing(state: State) -> Any:
    return [repr(one) for one in steps.step_states(state)] if state.project else []


def _show_standing(state: State) -> list[Any]:
    line = steps.next_html(steps.step_states(state)) if state.project else ""
    return [gr.update(value=line, visible=shown(line))]


def _forward_to(step: str) -> Any:
    return lambda: gr.Tabs(selected=step)


def _headline(state: State) -> str:
    """What runs now, at the top of every step; what takes a moment is told where it was asked for."""
    if state.project is None:
        return text.WELCOME
    return views.headline(state.active(*(kind for kind in LANES if LANES[kind] != "listen")), state.places)


def _choose(call: Call, row: list[Any]) -> str:
    return access.open_project(str(row[0]), call.owner).identifier


def _create(call: Call, name: str) -> list[Any]:
    project = access.create_project(name, call.owner)
    return [project.identifier, ""]


def _try_samples(call: Call) -> str:
    return start_samples(call).identifier


def _opening(page: Page) -> Callable[..., list[Any]]:
    def opened(remembered: str, request: gr.Request) -> list[Any]:
        """What a page starts with: the project and the step of its address, or the last project of this browser, or
        the one touched last."""
        text.speak(text.language_of(request.headers))
        known: list[str] = []
        with contextlib.suppress(InputError):  # not logged in: nothing to choose from
            known = [line.identifier for line in project_lines(access.owner_of(request), page.scheduler.store)]
        asked = request.query_params
        wanted = [str(asked.get("project") or ""), str(remembered or ""), *known[:1]]
        chosen = next((identifier for identifier in wanted if identifier in known), "")
        step = str(asked.get("step") or "")
        start = [chosen, gr.Tabs(selected=step) if step in _TABS else gr.skip()]
        return [*start, *page.everything(chosen, request)]

    return opened


def serve(host: str | None = None, port: int | None = None) -> None:
    """Serve the page until it is interrupted. Workers go on after that; the next start finds them.

    SIGTERM, as `docker stop` and systemd send it, is for the workers, too: they save and end, and their jobs can be
    resumed. Raises VoiceFactoryError if another app serves the same home already, or another program has the port.
    """
    warnings.filterwarnings("ignore", message=".*HTTP_422")  # between Gradio and Starlette, at every click
    host = host or os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if settings().on_space else "127.0.0.1")
    port = port or int(os.environ.get("GRADIO_SERVER_PORT") or os.environ.get("PORT") or 7860)
    terminated = ending.on_sigterm()
    forgetting.listen()  # before the first look, which finishes what was being deleted
    scheduler = Scheduler(settings().home)
    scheduler.start()
    try:
        Path(os.environ["GRADIO_TEMP_DIR"]).mkdir(parents=True, exist_ok=True)
        handout.keep_swept()
        demo = build_app(scheduler)
        _, address, _ = demo.launch(**launch_settings(host, port, scheduler), quiet=True, prevent_thread_lock=True)
        keep_small(demo)
        print(serving(address, scheduler.home), flush=True)
        ending.wait_for_the_end(demo, terminated)
    except OSError as error:
        if "port" not in str(error):
            raise
        raise VoiceFactoryError(text.PORT_TAKEN.format(port=port)) from None
    finally:
        scheduler.stop(settings().stop_grace_seconds if terminated.is_set() else None)
