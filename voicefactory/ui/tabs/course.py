"""Part of step 4: how training goes. Loss, learning rate, sentences spoken on the way and at the end, the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pandas as pd

from voicefactory.ui import probe_views, run_views, text, views
from voicefactory.ui.handout import give, player_html
from voicefactory.ui.page import HIDDEN, Page, shown
from voicefactory.ui.state import State, cached, tail

_SAMPLES = 3
_HEARD = 6  #: measurements whose sentence is offered, evenly over the run; the last one is always among them


def build(page: Page) -> None:
    """The components, and what they show."""
    about = gr.Markdown(text.LOSS, visible=HIDDEN, elem_id="loss-about")
    curve = gr.LinePlot(
        x="step",
        y="loss",
        color="curve",
        x_title=" ",
        y_title=" ",
        color_title=" ",
        height=240,
        visible=HIDDEN,
        elem_id="loss",
    )
    probe = gr.HTML(visible=HIDDEN, elem_id="probe", elem_classes="data")
    heard = gr.HTML(visible=HIDDEN, elem_id="heard")
    samples = _build_samples()
    with gr.Accordion(text.LOG, open=False, elem_id="log-panel"):
        rate = gr.LinePlot(x="step", y="rate", x_title=" ", y_title=" ", height=180, visible=HIDDEN, elem_id="rate")
        log = gr.Textbox(show_label=False, lines=12, max_lines=12, interactive=False, elem_id="log")
    page.show([about, curve, rate], _curve_key, _curve, live=True)
    page.show([probe], _probe_key, _probe, live=True)
    page.show([heard], lambda state: [str(path) for _, path in heard_on_the_way(state)], _heard, live=True)
    page.show(samples, lambda state: [str(sample) for sample in _sample_paths(state)], _samples)
    page.show([log], _log, lambda state: [_log(state)], live=True)


def _build_samples() -> list[Any]:
    components: list[Any] = [gr.Markdown(text.SAMPLES, visible=HIDDEN)]
    common: dict[str, Any] = {"interactive": False, "visible": HIDDEN, "show_label": False, "buttons": []}
    with gr.Row():
        for number in range(1, _SAMPLES + 1):
            components.append(gr.Audio(elem_id=f"sample-{number}", min_width=220, **common))
    return components


def _curve_key(state: State) -> Any:
    return [state.run.identifier, len(state.run.metrics), state.run.metrics[-1:]] if state.run else None


def _curve(state: State) -> list[Any]:
    metrics = state.run.metrics if state.run else ()
    points = run_views.loss_points(metrics)
    rates = [(int(row["step"]), float(row["learning_rate"])) for row in metrics if "learning_rate" in row]
    there = shown(len(points) > 1)
    return [
        gr.update(value=f"{text.LOSS} {run_views.best_line(metrics)}".strip(), visible=there),
        gr.update(value=run_views.both_curves(points), color_map=_colours(), x_title=text.STEP, visible=there),
        gr.update(
            value=pd.DataFrame(rates, columns=["step", "rate"]),
            x_title=text.STEP,
            y_title=text.LEARNING_RATE,
            visible=shown(len(rates) > 1),
        ),
    ]


def _colours() -> dict[str, str]:
    """Of the curves, by their names in the reader's language."""
    return {text.LOSS_TRAIN: "#0d9488", text.LOSS_HELD_OUT: "#d97706"}


def _probe_key(state: State) -> Any:
    return (
        [state.run.identifier, len(state.run.readings), state.run.readings[-1:], state.run.probe] if state.run else None
    )


def _probe(state: State) -> list[Any]:
    content = probe_views.probe_html(state.run.readings, state.run.probe) if state.run else ""
    return [gr.update(value=content, visible=shown(content))]


def heard_on_the_way(state: State) -> list[tuple[int, Path]]:
    """(step, file) of the first sentence at some of the measurements of the run that is shown, in their order."""
    if state.project is None or state.run is None:
        return []
    folder = state.project.runs / state.run.identifier / "heard"
    measured = state.run.readings or state.run.metrics
    rows = [(int(row["step"]), row["heard"]) for row in measured if row.get("heard")]
    found = [(step, folder / str(names[0])) for step, names in rows if (folder / str(names[0])).is_file()]
    if len(found) <= _HEARD:
        return found
    return [found[round(place * (len(found) - 1) / (_HEARD - 1))] for place in range(_HEARD)]


def _heard(state: State) -> list[Any]:
    players = [
        f"<div>{views.player_with_name(name, player_html(path, name))}</div>"
        for step, path in heard_on_the_way(state)
        for name in [text.HEARD_AT.format(step=step) if step else text.HEARD_BEFORE]
    ]
    content = f'<p>{text.HEARD}</p><div class="heard">{"".join(players)}</div>' if players else ""
    return [gr.update(value=content, visible=shown(content))]


def _sample_paths(state: State) -> list[Any]:
    trained = next((voice for voice in state.voices if voice.trained), None)
    return list(trained.samples[:_SAMPLES]) if trained else []


def _samples(state: State) -> list[Any]:
    paths = _sample_paths(state)
    players = [
        gr.update(value=give(paths[number]), visible=True) if number < len(paths) else gr.update(visible=HIDDEN)
        for number in range(_SAMPLES)
    ]
    return [gr.update(visible=shown(paths)), *players]


def _log(state: State) -> str:
    """The end of the worker's own log and of the run's."""
    job = state.latest("train")
    if job is None or state.project is None:
        return ""
    path = state.project.root / "jobs" / f"{job.id}.log"
    own = cached("log", path, [path], lambda: tail(path))
    return "\n".join(part for part in (state.run.log if state.run else "", own) if part).strip()
