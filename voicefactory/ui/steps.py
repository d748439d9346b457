"""The six steps: which are done, which can be done now, what is missing for the others and why."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from voicefactory.ui import listing, text, views
from voicefactory.ui.state import State

Stand = Literal["done", "now", "running", "missing"]

#: A click on a dot opens its step: on a narrow screen most tabs lie behind a menu.
DOTS_JS = """
element.addEventListener('click', (event) => {
  const dot = event.target.closest('button[data-step]');
  if (dot) { trigger('select', {row_value: [dot.dataset.step]}); }
});
"""

_SIGNS: dict[Stand, str] = {"done": "✓", "now": "●", "running": "…", "missing": "○"}


@dataclass(frozen=True)
class StepState:
    """One step."""

    step: str  #: a key of text.STEPS
    stand: Stand
    why: str  #: what is there, or what is missing; a few words


def step_states(state: State) -> list[StepState]:
    """How each step stands, in their order."""
    return [_recordings(state), _transcripts(state), _reference(state), _train(state), _listen(state), _share(state)]


def next_html(states: Sequence[StepState]) -> str:
    """One line for all of them: a dot each, and the first thing to do."""
    dots = "".join(_dot_html(one) for one in states)
    wanted = next((one for one in states if one.stand in ("now", "running")), None)
    line = f"<b>{html.escape(text.STEPS[wanted.step])}</b> {html.escape(wanted.why)}" if wanted else text.ALL_DONE
    return f'<ol class="dots">{dots}</ol><p>{line}</p>'


def _dot_html(one: StepState) -> str:
    title = html.escape(f"{text.STEPS[one.step]}: {text.STANDS[one.stand]}. {one.why}", quote=True)
    about = f'data-step="{one.step}" title="{title}" aria-label="{title}"'
    return f'<li class="{one.stand}"><button type="button" {about}>{_SIGNS[one.stand]}</button></li>'


def _recordings(state: State) -> StepState:
    if state.active("prepare"):
        return StepState("recordings", "running", text.WHY_PREPARING)
    if state.recordings:
        return StepState("recordings", "done", views.count(len(state.recordings), "recording") + ".")
    return StepState("recordings", "now", text.WHY_RECORDINGS)


def _transcripts(state: State) -> StepState:
    if not state.transcripts:
        return StepState("transcripts", "missing", text.WHY_NO_RECORDINGS if not state.clips else text.WHY_PREPARING)
    to_look_at = listing.open_count(state)
    if to_look_at:
        return StepState("transcripts", "now", text.WHY_LOOK.format(clips=views.count(to_look_at, "clip")))
    return StepState("transcripts", "done", text.WHY_LOOKED)


def _reference(state: State) -> StepState:
    if not state.transcripts:
        return StepState("reference", "missing", text.WHY_NO_RECORDINGS)
    if state.remembered("reference"):
        return StepState("reference", "done", text.WHY_CHOSEN)
    if state.references:
        return StepState("reference", "done", text.WHY_BEST)
    return StepState("reference", "running" if state.comparing else "now", text.WHY_COMPARING)


def _train(state: State) -> StepState:
    if state.active("train"):
        return StepState("train", "running", text.WHY_TRAINING)
    if state.voices:
        return StepState("train", "done", text.WHY_TRAINED)
    if state.clips and not state.active("prepare"):
        return StepState("train", "now", text.WHY_TRAIN)
    return StepState("train", "missing", text.WHY_NO_RECORDINGS)


def _listen(state: State) -> StepState:
    if not state.voices:
        return StepState("listen", "missing", text.WHY_NO_VOICE)
    heard = any(job.kind == "synthesize" and job.state == "succeeded" for job in state.jobs)
    return StepState("listen", "done" if heard else "now", text.WHY_HEARD if heard else text.WHY_HEAR)


def _share(state: State) -> StepState:
    if not state.voices:
        return StepState("share", "missing", text.WHY_NO_VOICE)
    pushed = any(job.kind == "publish" and job.state == "succeeded" for job in state.jobs)
    return StepState("share", "done" if pushed else "now", text.WHY_SHARED if pushed else text.WHY_SHARE)
