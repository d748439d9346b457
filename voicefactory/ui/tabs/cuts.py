"""Part of step 1: the recording that was picked, as a waveform with its cuts, and to hear."""

from __future__ import annotations

import html
from typing import Any

import gradio as gr

from voicefactory.audio.waveform import peaks
from voicefactory.pipeline.clip_rows import refused_stretches
from voicefactory.types import Clip, Recording
from voicefactory.ui import pictures, text, views
from voicefactory.ui.handout import player_html
from voicefactory.ui.page import HIDDEN, Call, Page, shown
from voicefactory.ui.pictures import Span
from voicefactory.ui.state import State
from voicefactory.ui.told import told

PART_S = 60  #: shown at a time
_WHOLE_S = 90  #: up to this a recording is shown whole


def build(page: Page, table: gr.HTML) -> None:
    """The panel; a row of `table` that is picked, by the recording's id, is what it shows."""
    with gr.Column(elem_id="cuts", elem_classes="panel"):
        picture = gr.HTML(visible=HIDDEN, elem_id="waveform")
        part = gr.Slider(1, 2, step=1, label=text.PART, visible=HIDDEN, elem_id="waveform-part")
        player = gr.HTML(visible=HIDDEN, elem_id="recording-player")
    page.on(table.select, choose_recording, selects=True)
    page.on(part.release, choose_part, [part])
    page.show([picture, part], _key, _render)
    page.show([player], lambda state: repr(chosen(state)), _player)


def choose_recording(call: Call, row: list[Any]) -> None:
    """Show another recording, from its beginning."""
    call.project.update_info(shown_recording=str(row[-1]), shown_part=1, shown_clip="")


def choose_part(call: Call, part: float) -> None:
    """Show another minute of a long one."""
    call.project.update_info(shown_part=int(part))


def chosen(state: State) -> Recording | None:
    """The recording that is shown: the one that was picked, or the first."""
    wanted = state.remembered("shown_recording")
    picked = next((row for row in state.recordings if row.id == wanted), None)
    return picked or min(state.recordings, key=lambda row: row.file.casefold(), default=None)


def clips_of(state: State, recording: Recording | None) -> list[Clip]:
    """Its clips, as they follow each other."""
    own = [clip for clip in state.clips if recording is not None and clip.recording == recording.id]
    return sorted(own, key=lambda clip: clip.start_s)


def shown_clips(state: State) -> list[Clip]:
    """Those of its clips that are in the picture."""
    recording = chosen(state)
    if recording is None:
        return []
    _, start_s, end_s = _window(state, recording)
    return [clip for clip in clips_of(state, recording) if clip.start_s < end_s and clip.end_s > start_s]


def texts_of(state: State, clips: list[Clip]) -> dict[str, str]:
    """Clip id → what is said in it."""
    wanted = {clip.id for clip in clips}
    return {row.clip: row.text for row in state.transcripts if row.clip in wanted}


def _key(state: State) -> Any:
    recording, clips = chosen(state), shown_clips(state)
    said = texts_of(state, clips)
    rows = [[clip.id, clip.start_s, clip.end_s, said.get(clip.id, "")] for clip in clips]
    refused = [[row.file, row.reason] for row in state.refused]
    return [recording and recording.id, _part(state), rows, refused]


def _part(state: State) -> int:
    return max(1, int(state.remembered("shown_part", 1)))


def _window(state: State, recording: Recording) -> tuple[int, float, float]:
    """How many parts it is shown in, and from when to when it is shown now, seconds."""
    if recording.seconds <= _WHOLE_S:
        return 1, 0.0, recording.seconds
    parts = -int(-recording.seconds // PART_S)
    part = min(_part(state), parts)
    return parts, (part - 1) * PART_S, min(part * PART_S, recording.seconds)


def _render(state: State) -> list[Any]:
    recording = chosen(state)
    if recording is None or state.project is None or not recording.audio.is_file():
        return [gr.update(value="", visible=HIDDEN), gr.update(visible=HIDDEN)]
    clips = shown_clips(state)
    said = texts_of(state, clips)
    spans = [Span(clip.start_s, clip.end_s, "clip", _title(clip, said.get(clip.id, ""))) for clip in clips]
    parts, start_s, end_s = _window(state, recording)
    refused = [row for row in refused_stretches(state.project, recording.id) if row[0] < end_s and row[1] > start_s]
    spans += [Span(since_s, until_s, "refused", reason) for since_s, until_s, reason in refused]
    found = peaks(recording.audio, pictures.COLUMNS, start_s, end_s).tolist()
    picture = pictures.waveform_svg(found, start_s, end_s, spans, name=recording.file)
    head = f"<h3>{html.escape(recording.file)}, {views.length(recording.seconds)}</h3>"
    legend = pictures.legend_html(any(span.kind == "refused" for span in spans))
    reasons = "".join(f'<p class="state">{html.escape(told(reason))}</p>' for _, _, reason in refused[:5])
    return [
        gr.update(value=f"{head}{picture}{legend}{reasons}", visible=True),
        gr.update(maximum=max(parts, 2), value=min(_part(state), parts), visible=shown(parts > 1)),
    ]


def _title(clip: Clip, said: str) -> str:
    return f"{pictures.clock(clip.start_s)}, {views.length(clip.seconds)}: {said}".rstrip(": ")


def _player(state: State) -> list[Any]:
    recording = chosen(state)
    line = player_html(recording.audio, recording.file) if recording else ""
    return [gr.update(value=line, visible=shown(line))]
