"""Part of step 1: read sentences aloud, one at a time; each take is listened to before it is kept.

What is shown follows from the project: kept takes, skipped sentences and the language are remembered, and a take that
waits for a decision lies in reading/ with the job that listened to it. So a reload goes on where it was.
"""

from __future__ import annotations

import dataclasses
import secrets
import shutil
from pathlib import Path
from typing import Any

import gradio as gr

from voicefactory import files
from voicefactory.errors import InputError
from voicefactory.jobs.store import Job
from voicefactory.jobs.tasks import ReadRequest
from voicefactory.languages import AUTO, WHISPER_CODES, parse_language
from voicefactory.pipeline.prompts import Prompt, RecordingProgress, prompt_set, recording_progress
from voicefactory.pipeline.reading import Reading, reading_of
from voicefactory.pipeline.takes import Take, keep_take, load_takes, remove_take
from voicefactory.project import Project
from voicefactory.settings import settings
from voicefactory.ui import intake, reading_views, text, views
from voicefactory.ui.handout import player_html
from voicefactory.ui.page import HIDDEN, Call, Page, shown
from voicefactory.ui.requests import prepare_soon, submit_prepare
from voicefactory.ui.state import State, cached

#: Shows how loud the microphone is while it is open, beside whoever opened it. If the browser cannot, nothing is shown.
_METER = """
const media = navigator.mediaDevices;
const bar = element.querySelector('.bar');
const show = (stream) => {
  const context = new AudioContext();
  const meter = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(meter);
  const samples = new Float32Array(meter.fftSize);
  const draw = () => {
    const live = stream.active && stream.getAudioTracks().some((track) => track.readyState === 'live');
    bar.style.visibility = live ? 'visible' : 'hidden';
    if (!live) { context.close(); return; }
    meter.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    const share = Math.min(Math.max((10 * Math.log10(power + 1e-9) + 60) / 60, 0), 1);
    bar.firstElementChild.style.width = `${(100 * share).toFixed(0)}%`;
    window.setTimeout(draw, 60);
  };
  draw();
};
if (bar && media && media.getUserMedia && window.AudioContext) {
  const open = media.getUserMedia.bind(media);
  media.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    try { if (stream.getAudioTracks().length) { show(stream); } } catch (error) { console.warn(error); }
    return stream;
  };
}
"""


def build(page: Page) -> None:
    """The components, and what they do."""
    gr.Markdown(text.READ_HELP)
    language = gr.Dropdown(list(WHISPER_CODES), label=text.READ_LANGUAGE, elem_id="read-language", value=None)
    progress = gr.HTML(elem_id="read-progress")
    sentence = gr.HTML(elem_id="read-sentence")
    microphone = gr.Audio(
        label=text.READ_MICROPHONE,
        sources=["microphone"],
        type="filepath",
        elem_id="read-microphone",
        visible=HIDDEN,
    )
    meter = gr.HTML(elem_id="read-meter", js_on_load=_METER)
    verdict = gr.HTML(visible=HIDDEN, elem_id="read-verdict")
    take = gr.HTML(visible=HIDDEN, elem_id="read-take")
    with gr.Row():
        keep = gr.Button(text.READ_KEEP, variant="primary", elem_id="read-keep", size="md", visible=HIDDEN)
        anyway = gr.Button(text.READ_ANYWAY, elem_id="read-anyway", size="md", visible=HIDDEN)
        check = gr.Button(text.READ_CHECK, elem_id="read-check", size="md", visible=HIDDEN)
        retake = gr.Button(text.READ_RETAKE, elem_id="read-retake", size="md", visible=HIDDEN)
        skip = gr.Button(text.READ_SKIP, elem_id="read-skip", size="md", visible=HIDDEN)
        unskip = gr.Button(text.READ_UNSKIP, elem_id="read-unskip", size="md", visible=HIDDEN)
    waiting = gr.Markdown(visible=HIDDEN, elem_id="read-waiting", elem_classes="quiet")
    take_in = gr.Button(text.READ_TAKE_IN, elem_id="read-take-in", size="md", visible=HIDDEN, scale=0)
    with gr.Accordion(text.READ_AGAIN, open=False), gr.Row():
        which = gr.Dropdown([], label=text.READ_AGAIN_WHICH, elem_id="read-which", scale=3)
        again = gr.Button(text.READ_AGAIN_BUTTON, elem_id="read-again", scale=1)

    page.once(language, lambda: gr.update(choices=views.language_choices()))
    page.once(meter, reading_views.meter_html)
    page.on(language.input, choose_language, [language])
    page.on(microphone.stop_recording, submit_take, [microphone], [microphone])
    page.on(keep.click, keep_it)
    page.on(anyway.click, keep_it)
    page.on(check.click, check_again)
    page.on(retake.click, throw_away)
    page.on(skip.click, skip_it)
    page.on(unskip.click, unskip_all)
    page.on(take_in.click, submit_prepare)
    page.on(again.click, read_again, [which])
    page.show([language], _language, lambda state: [_language(state)])
    page.show([progress], lambda state: repr(_progress(state)), _render_progress)
    page.show([sentence, microphone], _sentence_key, _render_sentence)
    page.show([verdict, take], _verdict_key, _render_verdict, live=True)
    page.show([keep, anyway, check, retake, skip, unskip], _buttons, _render_buttons, live=True)
    page.show([waiting, take_in], _waiting, _render_waiting)
    page.show([which], lambda state: list(takes_of(state)), _render_which)


def choose_language(call: Call, language: str | None) -> None:
    """Sentences of another language; what was read stays."""
    call.project.update_info(reading_language=parse_language(language or ""))


def submit_take(call: Call, path: str | None) -> None:
    """Have a take listened to. It empties the recorder, and takes the place of one that waited."""
    state = call.state()
    prompt = current_prompt(state)
    if prompt is None:
        raise InputError(text.READ_NO_SENTENCE)
    if not path:
        raise InputError(text.READ_EMPTY)
    _forget(call.project)
    with intake.taking(call.project, [path]) as (given,):
        audio = _folder(call.project) / f"{secrets.token_hex(8)}{given.suffix}"
        with files.writing(audio) as aside:
            shutil.copyfile(given, aside)
    request = ReadRequest(call.project.relative(audio), prompt.id, prompt.text, prompt.language, settings().asr)
    call.scheduler.submit("read", call.project, call.owner, dataclasses.asdict(request))


def keep_it(call: Call) -> None:
    """Keep the take that waits, and go on to the next sentence."""
    state = call.state()
    job, reading = _pending(state)
    if job is None or reading is None:
        raise InputError(text.READ_NOTHING_TO_KEEP)
    keep_take(call.project, call.project.root / str(job.request["audio"]), reading)
    _forget(call.project)
    prepare_soon(call)


def check_again(call: Call) -> None:
    """Listen again to a take whose check was stopped."""
    job, _ = _pending(call.state())
    if job is not None and not job.active:
        call.scheduler.submit("read", call.project, call.owner, job.request)


def throw_away(call: Call) -> None:
    """Read the sentence again."""
    _forget(call.project)


def skip_it(call: Call) -> None:
    """Leave a sentence out for now."""
    state = call.state()
    prompt = current_prompt(state)
    if prompt is not None:
        call.project.update_info(reading_skipped=[*_skipped(state), prompt.id])
    _forget(call.project)


def unskip_all(call: Call) -> None:
    """Offer the skipped sentences again."""
    call.project.update_info(reading_skipped=[])


def read_again(call: Call, which: str | None) -> None:
    """Throw a kept take away, so that its sentence is offered again."""
    take = takes_of(call.state()).get(which or "")
    if take is None:
        raise InputError(text.READ_AGAIN_FIRST)
    remove_take(call.project, take.prompt)
    skipped = [one for one in _skipped(call.state()) if one != take.prompt]
    call.project.update_info(reading_language=take.language, reading_skipped=skipped)
    prepare_soon(call)


def current_prompt(state: State) -> Prompt | None:
    """The sentence to read now; None without a language, or when all are read or skipped."""
    language = _language(state)
    if state.project is None or language is None:
        return None
    done = {*takes_of(state), *_skipped(state)}
    return next((prompt for prompt in prompt_set(language) if prompt.id not in done), None)


def sentences(state: State) -> dict[str, str]:
    """Recording id → the sentence that was read in it."""
    return {take.recording: take.text for take in takes_of(state).values()}


def _folder(project: Project) -> Path:
    return project.root / "reading"


def _forget(project: Project) -> None:
    """Delete takes that nobody decided on."""
    for path in _folder(project).glob("*"):
        path.unlink(missing_ok=True)


def _language(state: State) -> str | None:
    chosen = str(state.remembered("reading_language") or state.remembered("language", AUTO))
    return chosen if chosen in WHISPER_CODES else None


def _skipped(state: State) -> list[str]:
    return [str(one) for one in state.remembered("reading_skipped", [])]


def takes_of(state: State) -> dict[str, Take]:
    """Prompt id → its kept take."""
    project = state.project
    if project is None:
        return {}
    return cached("takes", project.root, _sources(project), lambda: load_takes(project))


def _sources(project: Project) -> list[Path]:
    return [project.root / "readings.jsonl", project.uploads]


def _pending(state: State) -> tuple[Job | None, Reading | None]:
    """The take of the current sentence that waits for a decision, and what was found out about it so far."""
    prompt, job = current_prompt(state), state.latest("read")
    if state.project is None or prompt is None or job is None or job.request["prompt"] != prompt.id:
        return None, None
    if not (state.project.root / str(job.request["audio"])).is_file():
        return None, None
    return job, reading_of(job.result) if job.state == "succeeded" and job.result else None


def _progress(state: State) -> RecordingProgress | None:
    project, language = state.project, _language(state)
    if project is None or language is None:
        return None
    name = f"reading {language}"
    return cached(name, project.root, _sources(project), lambda: recording_progress(project, language))


def _render_progress(state: State) -> list[Any]:
    found = _progress(state)
    return [reading_views.progress_html(found) if found else ""]


def _sentence_key(state: State) -> Any:
    prompt, (job, reading) = current_prompt(state), _pending(state)
    return [prompt and prompt.id, _language(state), bool(_skipped(state)), bool(job and job.active), repr(reading)]


def _render_sentence(state: State) -> list[Any]:
    prompt, (_, reading) = current_prompt(state), _pending(state)
    if prompt is None:
        if _language(state) is None:
            line = text.READ_CHOOSE
        else:
            line = text.READ_ONLY_SKIPPED if _skipped(state) else text.READ_ALL
        return [views.note_html(line), gr.update(visible=HIDDEN)]
    return [reading_views.sentence_html(prompt, reading), gr.update(visible=True)]


def _verdict_key(state: State) -> Any:
    job, reading = _pending(state)
    return [job and [job.id, job.state, job.step, job.error], repr(reading)]


def _render_verdict(state: State) -> list[Any]:
    job, reading = _pending(state)
    if job is None or state.project is None:
        return [gr.update(value="", visible=HIDDEN)] * 2
    line = reading_views.verdict_html(reading) if reading else views.job_html(job)
    player = player_html(state.project.root / str(job.request["audio"]), text.READ_TAKE)
    return [gr.update(value=line, visible=True), gr.update(value=player, visible=shown(player))]


def _buttons(state: State) -> list[bool]:
    """Which of Keep, Keep anyway, Check again, Retake, Skip, and Show skipped make sense."""
    prompt, (job, reading) = current_prompt(state), _pending(state)
    usable = reading is not None and reading.seconds > 0
    return [
        usable and reading is not None and reading.ok,
        usable and reading is not None and not reading.ok,
        job is not None and not job.active and reading is None,
        job is not None and not job.active,
        prompt is not None,
        prompt is None and bool(_skipped(state)),
    ]


def _render_buttons(state: State) -> list[Any]:
    return [gr.update(visible=shown(wanted)) for wanted in _buttons(state)]


def _waiting(state: State) -> int:
    """Kept takes that are not among the recordings yet, while nothing takes them in."""
    known = {recording.id for recording in state.recordings}
    left = sum(take.recording not in known for take in takes_of(state).values())
    return 0 if state.active("prepare") else left


def _render_waiting(state: State) -> list[Any]:
    left = _waiting(state)
    line = text.READ_WAITING.format(sentences=views.count(left, "sentence"))
    return [gr.update(value=line, visible=shown(left)), gr.update(visible=shown(left))]


def _render_which(state: State) -> list[Any]:
    choices = [(take.text, prompt) for prompt, take in reversed(takes_of(state).items())]
    return [gr.update(choices=choices, value=None)]
