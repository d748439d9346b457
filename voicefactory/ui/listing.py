"""Which clips the list of transcripts shows: filter, search, pages. A list stays as it is while a person works
through it: what is checked or dropped keeps its place until another list is asked for."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from voicefactory.pipeline.review import Step
from voicefactory.pipeline.worklist import worklist_sources
from voicefactory.types import Clip, Transcript
from voicefactory.ui import text
from voicefactory.ui.state import State, cached, sort_anew
from voicefactory.ui.view import PAGE, View

_KEPT = 50  #: lists

_lists: dict[tuple[Path, str, str], tuple[int, tuple[str, ...]]] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Listed:
    """One row."""

    clip: Clip
    transcript: Transcript
    reasons: tuple[str, ...]


def is_open(state: State, row: Transcript) -> bool:
    """Whether a person should look at it: something speaks against it, and nobody has decided yet."""
    return row.source != "edited" and not row.dropped and bool(reasons(state, row))


def reasons(state: State, row: Transcript) -> tuple[str, ...]:
    """Why to look at a clip, the gravest first; of an analysis, or of cutting where there is none yet."""
    known = state.work.get(row.clip)
    if known is not None:
        return known.reasons
    return state.clip[row.clip].quality.verdicts


def differs(state: State, row: Transcript) -> bool:
    """Whether a second Whisper hears other words, and nobody has decided yet."""
    opinion = state.opinions.get(row.clip)
    return opinion is not None and bool(opinion.comparison.different) and row.source != "edited" and not row.dropped


def fits(state: State, row: Transcript, show: str) -> bool:
    """Whether a row belongs into the list `show`, a key of text.SHOWS."""
    if show == "suspicious":
        return is_open(state, row)
    if show == "foreign":
        return row.clip in state.work and state.work[row.clip].foreign and not row.dropped
    if show == "differs":
        return differs(state, row)
    if show == "checked":
        return row.source == "edited" and not row.dropped
    return row.dropped if show == "dropped" else True


def counts(state: State) -> dict[str, int]:
    """How many clips each list has now."""
    return {show: sum(fits(state, row, show) for row in state.transcripts) for show in text.SHOWS}


def open_count(state: State) -> int:
    """How many clips a person should look at."""
    if state.project is None:
        return 0
    sources = [*worklist_sources(state.project), state.project.transcripts_jsonl]
    rows = state.transcripts
    return cached("open rows", state.project.root, sources, lambda: sum(is_open(state, row) for row in rows))


def listed(state: State) -> tuple[str, ...]:
    """Ids of the clips in the list that is looked at, on all its pages, the riskiest first."""
    if state.project is None:
        return ()
    key = (state.project.root, state.view.show, state.view.search)
    with _lock:
        known = _lists.get(key)
    if known is not None and known[0] == _clips_stamp(state):
        return known[1]
    wanted = state.view.search.casefold().strip()
    found = tuple(
        row.clip
        for row in state.transcripts
        if fits(state, row, state.view.show) and _found(wanted, row.text, state.clip[row.clip].file)
    )
    with _lock:
        _lists.pop(key, None)
        _lists[key] = (_clips_stamp(state), found)
        while len(_lists) > _KEPT:
            del _lists[next(iter(_lists))]
    return found


def forget(state: State) -> None:
    """The next `listed` picks and sorts anew: a person has asked for another list."""
    if state.project is not None:
        sort_anew(state.project)
        forget_project(state.project.root)


def forget_project(root: Path) -> None:
    """Forget every list of the project that lies there."""
    with _lock:
        for key in [key for key in _lists if key[0] == root]:
            del _lists[key]


def page_of(state: State) -> tuple[int, int]:
    """The page that is looked at, from 0, and how many there are; at least one."""
    pages = max(1, -(-len(listed(state)) // PAGE))
    return min(max(0, state.view.page), pages - 1), pages


def rows(state: State) -> list[Listed]:
    """The rows of the page that is looked at."""
    page, _ = page_of(state)
    names = listed(state)[page * PAGE : (page + 1) * PAGE]
    said = state.transcript
    return [Listed(state.clip[name], said[name], reasons(state, said[name])) for name in names if name in said]


def neighbour(state: State, clip: str, way: int) -> str:
    """The clip `way` rows further in the list; the first one if `clip` is not in it; it stays at either end."""
    names = listed(state)
    if clip not in names:
        return names[0] if names else ""
    return names[min(max(0, names.index(clip) + way), len(names) - 1)]


def view_with(state: State, clip: str) -> View:
    """The view that shows `clip`, on whatever page it is."""
    names = listed(state)
    page = names.index(clip) // PAGE if clip in names else state.view.page
    return View(state.view.show, state.view.search, page, clip)


def step_label(step: Step | None) -> str:
    """What Undo would take back."""
    return text.UNDO_STEPS[step.what].format(clips=step.clips) if step else text.UNDO


def _found(wanted: str, *places: str) -> bool:
    return not wanted or any(wanted in place.casefold() for place in places)


def _clips_stamp(state: State) -> int:
    """Another one when clips come or go, or the analysis has put them into another order."""
    return hash(tuple(row.clip for row in state.transcripts))
