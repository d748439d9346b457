"""Step 2: the texts, the riskiest first; hear each, and say what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from voicefactory.errors import InputError
from voicefactory.pipeline import review
from voicefactory.pipeline.second_opinion import opinions_path
from voicefactory.ui import english, listing, review_views, text, views
from voicefactory.ui.cache import stamp_of
from voicefactory.ui.handout import player_html
from voicefactory.ui.keyboard import LIST_JS
from voicefactory.ui.page import HIDDEN, Call, Page, Section, shown
from voicefactory.ui.state import State
from voicefactory.ui.tabs import listen_again, take_away
from voicefactory.ui.view import PAGE, View, keep_view


def build(page: Page) -> None:
    """The components of the step, and what they do."""
    gr.Markdown(text.TRANSCRIPTS_HELP)
    summary = gr.Markdown(text.NO_TRANSCRIPTS, elem_id="transcripts-summary")
    show = gr.Radio(list(english.SHOWS), value="all", label=text.SHOW, visible=HIDDEN, elem_id="show")
    with gr.Row(visible=HIDDEN, elem_id="transcripts-panel", equal_height=False) as panel:
        with gr.Column(scale=3, min_width=340):
            search = gr.Textbox(label=text.SEARCH, placeholder=text.SEARCH_HINT, max_lines=1, elem_id="search")
            table = gr.HTML(elem_id="transcripts", js_on_load=LIST_JS, apply_default_css=False)
            with gr.Row(elem_id="pager", equal_height=True):
                before = gr.Button(text.PAGE_PREVIOUS, size="sm", scale=0, min_width=120, elem_id="page-previous")
                where = gr.Markdown(elem_id="page-of")
                after = gr.Button(text.PAGE_NEXT, size="sm", scale=0, min_width=120, elem_id="page-next")
        with gr.Column(scale=2, min_width=300, elem_id="picked"):
            picked = gr.State(["", ""])  # the clip, and its text as it was loaded
            about = gr.HTML(elem_id="clip-about")
            player = gr.HTML(elem_id="clip-audio")
            line = gr.Textbox(label=text.CLIP_TEXT, lines=3, elem_id="clip-text")
            other = gr.HTML(visible=HIDDEN, elem_id="clip-opinion")
            take = gr.Button(text.OPINION_TAKE, size="sm", visible=HIDDEN, elem_id="clip-take")
            with gr.Row():
                accept = gr.Button(text.ACCEPT, variant="primary", min_width=120, elem_id="clip-accept")
                drop = gr.Button(text.DROP, min_width=120, elem_id="clip-drop")
            with gr.Row():
                previous = gr.Button(text.PREVIOUS, size="sm", min_width=90, elem_id="clip-previous")
                following = gr.Button(text.NEXT_CLIP, size="sm", min_width=90, elem_id="clip-next")
            undo = gr.Button(text.UNDO, size="sm", interactive=False, elem_id="clip-undo")
            with gr.Accordion(text.KEYS_HEAD, open=False, elem_id="keys"):
                keys = gr.HTML()
    with gr.Accordion(text.BULK, open=False, visible=HIDDEN, elem_id="bulk") as bulk:
        gr.Markdown(text.BULK_HELP, elem_classes="quiet")
        with gr.Row():
            all_accept = gr.Button(size="md", elem_id="all-accept")
            all_drop = gr.Button(size="md", elem_id="all-drop")
            all_use = gr.Button(size="md", elem_id="all-use")
    listen_again.build(page)
    take_away.build(page)

    editor = [picked, about, player, line, other, take, drop]
    typed = [picked, line]
    page.show([search], lambda state: None, lambda state: [state.view.search])
    # Apart from the rest: what lies in a row is shown anew with it, hidden or not.
    page.show([panel, bulk], _is_there, lambda state: [gr.update(visible=shown(_is_there(state)))] * 2)
    page.show(editor, _is_there, lambda state: _load(state, _start(state), play=False))
    # A second opinion may come while its clip is looked at.
    page.show([other, take], _heard_key, lambda state: _load(state, _start(state), play=False)[4:6])
    head = page.show([summary, show, undo], _head_key, _head)
    rows = page.show([table, before, where, after, all_accept, all_drop, all_use], _rows_key, _rows)
    both = (head, rows)

    page.once(keys, review_views.keys_html)
    page.on(table.select, choose, typed, editor, selects=True, changes=False)
    page.on(table.input, tick, [], [], shows=both, selects=True, changes=False)
    page.on(previous.click, _moving(-1), typed, editor, shows=[rows], changes=False)
    page.on(following.click, _moving(1), typed, editor, shows=[rows], changes=False)
    page.on(accept.click, looks_right, typed, editor, shows=both, changes=False)
    page.on(drop.click, drop_or_use, typed, editor, shows=both, changes=False)
    page.on(take.click, take_other, [picked], editor, shows=both, changes=False)
    page.on(undo.click, take_back, [picked], editor, shows=both, repeats=True, changes=False)
    _lists(page, both, show=show, search=search, before=before, after=after)
    for button, decide in ((all_accept, review.accept), (all_drop, review.drop), (all_use, review.use)):
        page.on(button.click, _deciding(decide), [picked], editor, shows=both, changes=False)


def _lists(
    page: Page,
    both: tuple[Section, Section],
    *,
    show: gr.Radio,
    search: gr.Textbox,
    before: gr.Button,
    after: gr.Button,
) -> None:
    page.on(show.input, change_list, [show, search], shows=both, changes=False)
    page.on(search.submit, change_list, [show, search], shows=both, changes=False)
    page.on(before.click, _turning(-1), shows=both[1:], changes=False)
    page.on(after.click, _turning(1), shows=both[1:], changes=False)


def choose(call: Call, picked: list[str], line: str, row: list[Any]) -> list[Any]:
    """Load the clip of a row. What was typed for the one before is kept."""
    _keep_typed(call, picked, line)
    return _picked(call, str(row[0]))


def tick(call: Call, row: list[Any]) -> None:
    """The tick of a row was set or taken off."""
    decide = review.use if str(row[1]) == "true" else review.drop
    decide(call.project, [str(row[0])])


def looks_right(call: Call, picked: list[str], line: str) -> list[Any]:
    """The text is right as it stands in the field; load the next clip."""
    clip = _known(call, picked)
    if not line.strip():
        raise InputError(text.EMPTY_TEXT)
    if not _keep_typed(call, picked, line):
        review.accept(call.project, [clip])
    return _picked(call, listing.neighbour(call.state(), clip, 1))


def drop_or_use(call: Call, picked: list[str], line: str) -> list[Any]:
    """Leave the clip out and load the next one; or use it again."""
    clip = _known(call, picked)
    if call.state().transcript[clip].dropped:
        review.use(call.project, [clip])
        return _picked(call, clip)
    _keep_typed(call, picked, line)
    review.drop(call.project, [clip])
    return _picked(call, listing.neighbour(call.state(), clip, 1))


def take_other(call: Call, picked: list[str]) -> list[Any]:
    """The other model's text becomes the clip's own."""
    clip = _known(call, picked)
    opinion = call.state().opinions.get(clip)
    if opinion is None:
        raise InputError(text.SELECT_FIRST)
    review.fix(call.project, clip, listen_again.written(call, opinion))
    return _picked(call, clip, play=False)


def take_back(call: Call, picked: list[str]) -> list[Any]:
    """Undo the last decision, and show the clip it was about."""
    _, clips = review.undo(call.project)
    known = call.state().transcript
    return _picked(call, clips[0] if len(clips) == 1 and clips[0] in known else picked[0], play=False)


def change_list(call: Call, show: str, search: str) -> None:
    """Show another list, or the same one sorted anew."""
    state = call.state()
    listing.forget(state)
    keep_view(call.project, View(show if show in text.SHOWS else "all", search, 0, state.view.clip))


def _moving(way: int) -> Callable[..., list[Any]]:
    def move(call: Call, picked: list[str], line: str) -> list[Any]:
        _keep_typed(call, picked, line)
        return _picked(call, listing.neighbour(call.state(), picked[0], way))

    return move


def _turning(way: int) -> Callable[..., None]:
    def turn(call: Call) -> None:
        state = call.state()
        page, pages = listing.page_of(state)
        keep_view(call.project, replace(state.view, page=min(max(0, page + way), pages - 1)))

    return turn


def _deciding(decide: Callable[..., int]) -> Callable[..., list[Any]]:
    def decide_all(call: Call, picked: list[str]) -> list[Any]:
        decide(call.project, listing.listed(call.state()))
        return _picked(call, picked[0], play=False)

    return decide_all


def _known(call: Call, picked: list[str]) -> str:
    if picked[0] not in call.state().transcript:
        raise InputError(text.SELECT_FIRST)
    return picked[0]


def _keep_typed(call: Call, picked: list[str], line: str) -> bool:
    """Keep what was typed, if anything was: leaving a row loses nothing."""
    clip, loaded = picked
    new = " ".join((line or "").split())
    if not new or new == " ".join(loaded.split()) or clip not in call.state().transcript:
        return False
    return bool(review.fix(call.project, clip, new))


def _picked(call: Call, clip: str, *, play: bool = True) -> list[Any]:
    state = call.state()
    if clip in state.transcript:
        keep_view(call.project, listing.view_with(state, clip))
    return _load(state, clip, play=play)


def _heard_key(state: State) -> Any:
    return [stamp_of(opinions_path(state.project))] if state.project else []


def _start(state: State) -> str:
    """The clip that was picked last, or the first of the list."""
    return state.view.clip if state.view.clip in state.transcript else listing.neighbour(state, "", 0)


def _load(state: State, clip: str, *, play: bool) -> list[Any]:
    said, found = state.transcript.get(clip), state.clip.get(clip)
    if said is None or found is None:
        nothing = gr.update(value="", visible=HIDDEN)
        return [
            ["", ""],
            views.note_html(text.CLIP_NOT_CHOSEN),
            None,
            "",
            nothing,
            gr.update(visible=HIDDEN),
            text.DROP,
        ]
    names = listing.listed(state)
    place = names.index(clip) + 1 if clip in names else 0
    about = review_views.clip_html(found, place, len(names), state.work.get(clip), said)
    opinion = state.opinions.get(clip)
    asr = f"Whisper {Path(opinion.asr).name}" if opinion else ""
    compared = review_views.opinion_html(opinion, asr)
    return [
        [clip, said.text],
        about,
        player_html(found.audio, text.CLIP_PLAYER, play=play),
        said.text,
        gr.update(value=compared, visible=shown(compared)),
        gr.update(visible=shown(opinion and opinion.text and opinion.comparison.different)),
        text.USE_AGAIN if said.dropped else text.DROP,
    ]


def _shows(counts: dict[str, int]) -> list[tuple[str, str]]:
    return [(f"{words} ({counts[name]:,})" if counts else words, name) for name, words in text.SHOWS.items()]


def _is_there(state: State) -> bool:
    return bool(state.transcripts)


def _head_key(state: State) -> Any:
    step = state.last_step.path.name if state.last_step else ""
    return [state.texts_stamp, state.view.show, len(state.clips), state.active("prepare") is not None, step]


def _head(state: State) -> list[Any]:
    there = _is_there(state)
    if there:
        counts = listing.counts(state)
        line = views.transcripts_line(state.transcripts, counts["suspicious"])
    else:
        counts = {}
        line = text.TRANSCRIPTS_COMING if state.active("prepare") else text.NO_TRANSCRIPTS
    return [
        line,
        gr.update(choices=_shows(counts), value=state.view.show, visible=shown(there)),
        gr.update(value=listing.step_label(state.last_step), interactive=state.last_step is not None),
    ]


def _rows_key(state: State) -> Any:
    return [state.texts_stamp, state.view.show, state.view.search, state.view.page, len(listing.listed(state))]


def _rows(state: State) -> list[Any]:
    rows, all_of_it = listing.rows(state), len(listing.listed(state))
    page, pages = listing.page_of(state)
    clips = views.count(all_of_it, "clip")
    line = (
        text.PAGE_OF.format(
            first=f"{page * PAGE + 1:,}", last=f"{page * PAGE + len(rows):,}", all=views.count(all_of_it, "clip")
        )
        if rows
        else ""
    )
    content = review_views.list_html(rows, state.work) if rows else views.note_html(_nothing(state))
    return [
        content,
        gr.update(interactive=page > 0),
        line,
        gr.update(interactive=page < pages - 1),
        gr.update(value=text.BULK_ACCEPT.format(clips=clips), interactive=bool(rows)),
        gr.update(value=text.BULK_DROP.format(clips=clips), interactive=bool(rows)),
        gr.update(value=text.BULK_USE.format(clips=clips), interactive=bool(rows)),
    ]


def _nothing(state: State) -> str:
    return text.NOTHING_TO_SHOW["all" if state.view.search else state.view.show]
