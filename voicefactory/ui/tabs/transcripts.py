"""Step 2: read, hear and correct what was written down."""

from __future__ import annotations

import dataclasses
from typing import Any

import gradio as gr

from voicefactory.errors import InputError
from voicefactory.pipeline.transcripts import set_transcripts
from voicefactory.types import Clip, Transcript
from voicefactory.ui import text, views
from voicefactory.ui.handout import give
from voicefactory.ui.page import HIDDEN, Call, Page, shown
from voicefactory.ui.state import State

_USE, _TEXT, _CLIP = 0, 1, -1  #: columns


def build(page: Page) -> None:
    """The components of the step, and what they do."""
    gr.Markdown(text.TRANSCRIPTS_HELP)
    summary = gr.Markdown(text.NO_TRANSCRIPTS, elem_id="transcripts-summary")
    selected = gr.State("")
    table = gr.Dataframe(
        headers=list(text.TRANSCRIPTS_COLUMNS),
        datatype=["bool", "str", "str", "str", "str", "str"],
        type="array",
        interactive=True,
        visible=HIDDEN,
        wrap=True,
        static_columns=[2, 3, 4, 5],
        column_widths=["90px", "44%", "90px", "20%", "20%", "10px"],
        max_height=420,
        show_label=False,
        elem_id="transcripts",
    )
    player = gr.Audio(label=text.CLIP_PLAYER, interactive=False, visible=HIDDEN, elem_id="clip-audio", buttons=[])
    line = gr.Textbox(label=text.CLIP_TEXT, lines=2, visible=HIDDEN, elem_id="clip-text")
    with gr.Row():
        use = gr.Checkbox(label=text.CLIP_USE, visible=HIDDEN, elem_id="clip-use", scale=2)
        save = gr.Button(text.SAVE, visible=HIDDEN, elem_id="clip-save", scale=1)
        save_next = gr.Button(text.SAVE_NEXT, variant="primary", visible=HIDDEN, elem_id="clip-save-next", scale=1)

    chosen = [selected, player, line, use]
    page.show(chosen, lambda state: None, lambda state: ["", None, "", False])  # another project: nothing is selected
    page.show([player, line, use, save, save_next], _is_there, _show_editor)
    rows = page.show([summary, table], _key, _render)
    page.on(table.select, choose_row, [], chosen, selects=True, changes=False)
    page.on(table.input, save_table, [table], settles=rows)
    page.on(save.click, save_one, [selected, line, use])
    page.on(save_next.click, save_and_next, [selected, line, use], chosen)


def choose_row(call: Call, row: list[Any]) -> list[Any]:
    """Load the clip of a row into the player and the editor."""
    return _load(call.state(), str(row[_CLIP]))


def save_table(call: Call, rows: list[list[Any]]) -> None:
    """Keep what was changed in the table."""
    _save(call, {str(row[_CLIP]): (_as_text(row[_TEXT]), _as_bool(row[_USE])) for row in rows})


def save_one(call: Call, clip: str, line: str, use: bool) -> None:
    """Keep what was changed below the table."""
    if not clip:
        raise InputError(text.SELECT_FIRST)
    _save(call, {clip: (_as_text(line), use)})


def save_and_next(call: Call, clip: str, line: str, use: bool) -> list[Any]:
    """Keep it, and load the clip after it."""
    save_one(call, clip, line, use)
    state = call.state()
    order = [row.clip for row in state.transcripts]
    return _load(state, order[(order.index(clip) + 1) % len(order)])


def _save(call: Call, wanted: dict[str, tuple[str, bool]]) -> None:
    changed: list[Transcript] = []
    for row in call.state().transcripts:
        line, use = wanted.get(row.clip, (row.text, not row.dropped))
        if (line, use) != (row.text, not row.dropped):
            if use and not line:
                raise InputError(text.EMPTY_TEXT)
            changed.append(dataclasses.replace(row, text=line, dropped=not use))
    if changed:
        set_transcripts(call.project, changed)


def _load(state: State, clip: str) -> list[Any]:
    transcript = next((row for row in state.transcripts if row.clip == clip), None)
    found = _clip(state, clip)
    if transcript is None or found is None:
        raise InputError(text.SELECT_FIRST)
    return [clip, give(found.audio), transcript.text, not transcript.dropped]


def _clip(state: State, identifier: str) -> Clip | None:
    return next((clip for clip in state.clips if clip.id == identifier), None)


def _as_text(value: Any) -> str:
    return " ".join(str(value or "").split())


def _as_bool(value: Any) -> bool:
    return value if isinstance(value, bool) else str(value).strip().lower() in ("true", "1", "yes")


def _key(state: State) -> Any:
    return [list(map(repr, state.transcripts)), len(state.clips), state.active("prepare") is not None]


def _render(state: State) -> list[Any]:
    rows = views.transcript_rows(state.transcripts, state.clips)
    if rows:
        line = views.transcripts_line(state.transcripts)
    else:
        line = text.TRANSCRIPTS_COMING if state.active("prepare") else text.NO_TRANSCRIPTS
    return [line, gr.update(value=rows, visible=shown(rows))]


def _is_there(state: State) -> bool:
    return bool(state.transcripts)


def _show_editor(state: State) -> list[Any]:
    return [gr.update(visible=shown(_is_there(state)))] * 5
