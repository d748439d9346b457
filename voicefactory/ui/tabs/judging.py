"""Part of step 5: how good is the voice, and was training worth it? Measures, a verdict, and a blind test of one's own
ears."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import gradio as gr

from voicefactory import files
from voicefactory.errors import InputError
from voicefactory.jobs.store import Job
from voicefactory.pipeline.blind_test import (
    FEWEST_PAIRS,
    USUAL_PAIRS,
    BlindTest,
    answered,
    blind_test_path,
    load_blind_test,
    new_blind_test,
    outcome,
    save_blind_test,
    sides_of,
)
from voicefactory.pipeline.judge import judgement_path
from voicefactory.pipeline.judge_case import ZERO_SHOT, JudgeRequest
from voicefactory.pipeline.judge_worth import Worth
from voicefactory.pipeline.judgement import worth_of
from voicefactory.pipeline.zero_shot import ZeroShotRequest
from voicefactory.settings import settings
from voicefactory.ui import judging_views, text, views
from voicefactory.ui.handout import give, player_html
from voicefactory.ui.page import HIDDEN, Call, Page, shown
from voicefactory.ui.state import State, cached
from voicefactory.ui.told import told

_SENTENCES = {"quick": (FEWEST_PAIRS + 1, 1), "thorough": (24, 2)}  #: sentences, takes of each


def build(page: Page) -> None:
    """The panel, and what it does."""
    with gr.Accordion(text.JUDGE_HEAD, open=True, visible=HIDDEN, elem_id="judge-panel") as panel:
        gr.Markdown(text.JUDGE_HELP, elem_classes="quiet")
        with gr.Row(equal_height=True):
            depth = gr.Radio(
                ["quick", "thorough"],
                value="quick",
                label=text.JUDGE_DEPTH,
                elem_id="judge-depth",
            )
        with gr.Row():
            ask = gr.Button(text.JUDGE, elem_id="judge", size="md")
            cancel = gr.Button(text.CANCEL, visible=HIDDEN, size="md", elem_id="judge-cancel")
            report = gr.DownloadButton(text.JUDGE_REPORT, visible=HIDDEN, size="md", elem_id="judge-report")
        status = gr.HTML(visible=HIDDEN, elem_id="judge-status")
        found = gr.HTML(visible=HIDDEN, elem_id="judgement", elem_classes="data")
        instead_help = gr.Markdown(text.UNTRAINED_HELP, visible=HIDDEN, elem_classes="quiet")
        instead = gr.Button(text.UNTRAINED_TAKE, visible=HIDDEN, size="md", variant="primary", elem_id="untrained")
        instead_status = gr.HTML(visible=HIDDEN, elem_id="untrained-status")
        begin = gr.Button(text.BLIND_BEGIN, visible=HIDDEN, size="md", elem_id="blind-begin")
        pair = gr.HTML(visible=HIDDEN, elem_id="blind-pair")
        with gr.Row():
            first = gr.Button(text.BLIND_FIRST_BETTER, visible=HIDDEN, size="md", elem_id="blind-first")
            second = gr.Button(text.BLIND_SECOND_BETTER, visible=HIDDEN, size="md", elem_id="blind-second")
            neither = gr.Button(text.BLIND_UNDECIDED, visible=HIDDEN, size="md", elem_id="blind-undecided")
    page.once(depth, lambda: gr.update(choices=[(text.JUDGE_QUICK, "quick"), (text.JUDGE_THOROUGH, "thorough")]))
    page.on(ask.click, judge, [depth])
    page.on(cancel.click, stop)
    page.on(instead.click, take_untrained)
    page.on(begin.click, begin_blind)
    for button, answer in ((first, "first"), (second, "second"), (neither, "undecided")):
        page.on(button.click, _answering(answer))
    page.show([panel], lambda state: bool(state.voices), lambda state: [gr.update(visible=shown(state.voices))])
    page.show([status, ask, cancel], _status_key, _status, live=True)
    page.show([found, report], _found_key, _found)
    page.show([instead_help, instead, instead_status], _instead_key, _instead, live=True)
    page.show([begin, pair, first, second, neither], _blind_key, _blind)


def judge(call: Call, depth: str) -> None:
    """Let everyone say the same sentences, and measure."""
    state = call.state()
    if not state.voices:
        raise InputError(text.NO_VOICE)
    if state.active("judge"):
        raise InputError(text.JUDGE_RUNNING)
    sentences, takes = _SENTENCES.get(depth, _SENTENCES["quick"])
    asr = str(state.remembered("asr", "")) or settings().asr
    request = JudgeRequest(sentences=sentences, seeds=takes, asr=asr, checkpoints=depth == "thorough")
    call.scheduler.submit("judge", call.project, call.owner, dataclasses.asdict(request))


def stop(call: Call) -> None:
    """Cancel; what was said and heard is kept."""
    call.cancel("judge")


def begin_blind(call: Call) -> None:
    """Draw the pairs; an earlier test is replaced."""
    row = _judgement(call.state())
    if row is None:
        raise InputError(text.BLIND_JUDGE_FIRST)
    trained = str(row.get("compared") or row["pick"]["chosen"])
    sides = sides_of(row, trained, ZERO_SHOT)
    save_blind_test(call.project, new_blind_test(trained, ZERO_SHOT, sides, pairs=min(USUAL_PAIRS, len(sides))))


def take_untrained(call: Call) -> None:
    """Package the base model's imitation, for whom training was not worth it."""
    if call.state().active("zero-shot"):
        raise InputError(text.UNTRAINED_RUNNING)
    request = ZeroShotRequest(consent=str(call.project.info.get("consent", "")))
    call.scheduler.submit("zero-shot", call.project, call.owner, dataclasses.asdict(request))


def _answering(answer: str) -> Any:
    def give_answer(call: Call) -> None:
        test = load_blind_test(call.project)
        if test is not None and test.next is not None:
            save_blind_test(call.project, answered(test, test.next, answer))

    return give_answer


def _judgement(state: State) -> dict[str, Any] | None:
    """The newest judgement of the project, as it was written down."""
    if state.project is None:
        return None
    path = judgement_path(state.project, "")
    if not path.is_file():
        return None
    return cached("judgement", path, [path], lambda: dict(files.read_json(path)))


def _job(state: State) -> Job | None:
    return state.last("judge")


def _line(state: State) -> str:
    return views.task_html(_job(state), text.JUDGE_CANCELLED, state.places)


def _status_key(state: State) -> Any:
    return [_line(state), state.active("judge") is not None]


def _status(state: State) -> list[Any]:
    line, active = _line(state), state.active("judge") is not None
    return [
        gr.update(value=line, visible=shown(line)),
        gr.update(interactive=not active),
        gr.update(visible=shown(active)),
    ]


def _found_key(state: State) -> Any:
    job, test = state.latest("judge"), _test(state)
    heard = outcome(test).sentence if test is not None and test.next is None else ""
    return [[job.id, job.state] if job else [], heard]


def _found(state: State) -> list[Any]:
    row = _judgement(state)
    content = judging_views.judgement_html(row, _worth(state), state.project.root) if row and state.project else ""
    written = give(_report(state)) if row else None
    return [
        gr.update(value=content, visible=shown(content)),
        gr.update(value=written, visible=shown(written)),
    ]


def _worth(state: State) -> Worth | None:
    """The verdict, with the blind test if one was finished."""
    row = _judgement(state)
    return worth_of(row, _test(state)) if row else None


def _instead_key(state: State) -> Any:
    worth = _worth(state)
    return [worth is not None and worth.verdict == "no", _instead_line(state), state.active("zero-shot") is not None]


def _instead(state: State) -> list[Any]:
    offered, line, _ = _instead_key(state)
    return [
        gr.update(visible=shown(offered)),
        gr.update(visible=shown(offered), interactive=state.active("zero-shot") is None),
        gr.update(value=line, visible=shown(line)),
    ]


def _instead_line(state: State) -> str:
    job = state.last("zero-shot")
    if job is not None and job.state == "succeeded":
        known = any(Path(str((job.result or {}).get("zip", ""))) == one.zip for one in state.voices)
        return views.note_html(text.UNTRAINED_READY) if known else ""
    return views.job_html(job, state.places)


def _report(state: State) -> Path | None:
    return judgement_path(state.project, "").with_suffix(".html") if state.project else None


def _test(state: State) -> BlindTest | None:
    if state.project is None:
        return None
    path = blind_test_path(state.project)
    project = state.project
    return cached("blind test", path, [path], lambda: load_blind_test(project))


def _blind_key(state: State) -> Any:
    return [_found_key(state), _judgement(state) is not None, repr(_test(state))]


def _blind(state: State) -> list[Any]:
    test, there = _test(state), _judgement(state) is not None
    hidden = [gr.update(visible=HIDDEN)] * 3
    if test is None or state.project is None or not there:
        return [gr.update(value=text.BLIND_BEGIN, visible=shown(there)), gr.update(value="", visible=HIDDEN), *hidden]
    if test.next is None:
        content = views.note_html(told(outcome(test).sentence))
        return [gr.update(value=text.BLIND_AGAIN, visible=True), gr.update(value=content, visible=True), *hidden]
    asked = test.pairs[test.next]
    a, b = (player_html(state.project.root / audio, text.BLIND_SOUND) for audio in asked.audio)
    where = text.BLIND_WHERE.format(number=test.next + 1, all=len(test.pairs))
    content = views.note_html(where) + judging_views.pair_html(a, b, asked.sides.text)
    visible = [gr.update(visible=True)] * 3
    return [gr.update(visible=HIDDEN), gr.update(value=content, visible=True), *visible]
