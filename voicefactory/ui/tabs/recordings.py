"""Step 1: add recordings, see what was taken and what was not, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from voicefactory.errors import InputError
from voicefactory.jobs.store import Job
from voicefactory.languages import AUTO, WHISPER_CODES, parse_language
from voicefactory.project import Project
from voicefactory.ui import intake, text, views
from voicefactory.ui.page import HIDDEN, Call, Page, shown
from voicefactory.ui.requests import submit_prepare
from voicefactory.ui.state import State
from voicefactory.ui.tabs import cleaning, cuts, guided, hub

#: A click on a row, or Enter on its name, picks it. Gradio's own table keeps its first rows when others are added.
_PICK = """
element.addEventListener('click', (event) => {
  const row = event.target.closest('[data-row]');
  if (row) { trigger('select', {index: 0, value: row.dataset.row, row_value: [row.dataset.row]}); }
});
"""


def build(page: Page) -> None:
    """The components of the step, and what they do."""
    gr.Markdown(text.RECORDINGS_HELP)
    language = gr.Dropdown([AUTO, *WHISPER_CODES], label=text.LANGUAGE, elem_id="language", value=AUTO)
    with gr.Tabs(elem_id="sources"):
        files_tab, read_tab, hub_tab = text.SOURCES
        with gr.Tab(files_tab, render_children=True):
            with gr.Row(equal_height=True):
                with gr.Column(min_width=300):
                    uploads = gr.File(label=text.FILES, file_count="multiple", elem_id="files", height=190)
                with gr.Column(min_width=300):
                    microphone = gr.Audio(
                        label=text.MICROPHONE,
                        sources=["microphone"],
                        type="filepath",
                        elem_id="microphone",
                    )
                    add_take = gr.Button(text.ADD_TAKE, elem_id="add-take", size="md", scale=0)
            gr.Markdown(text.FILES_MORE, elem_classes="quiet")
        with gr.Tab(read_tab, render_children=True, elem_id="read-aloud"):
            guided.build(page)
        with gr.Tab(hub_tab, render_children=True, elem_id="from-hub"):
            hub.build(page)
    job = gr.HTML(visible=HIDDEN, elem_id="prepare-job")
    with gr.Row():
        cancel = gr.Button(text.CANCEL, elem_id="cancel-prepare", size="md", scale=0, visible=HIDDEN)
        resume = gr.Button(text.RESUME, elem_id="resume-prepare", size="md", scale=0, visible=HIDDEN)
    summary = gr.Markdown(text.NO_RECORDINGS, elem_id="recordings-summary")
    table = gr.HTML(visible=HIDDEN, elem_id="recordings", js_on_load=_PICK)
    cuts.build(page, table)
    refused = gr.HTML(visible=HIDDEN, elem_id="refused")
    cleaning.build(page)
    with gr.Accordion(text.REMOVE, open=False), gr.Row():
        which = gr.Dropdown([], label=text.REMOVE_WHICH, elem_id="remove-which", scale=3)
        remove = gr.Button(text.REMOVE_BUTTON, elem_id="remove", scale=1)

    page.once(language, lambda: gr.update(choices=[(text.LANGUAGE_AUTO, AUTO), *views.language_choices()]))
    page.on(uploads.upload, add_files, [uploads, language], [uploads])
    page.on(add_take.click, add_recording, [microphone, language], [microphone])
    page.on(language.input, change_language, [language])
    page.on(cancel.click, cancel_preparing)
    page.on(resume.click, resume_preparing)
    page.on(remove.click, remove_file, [which])
    page.show([language], _language, lambda state: [_language(state)])
    page.show(
        [job, cancel, resume],
        lambda state: [views.job_html(_job(state), state.places), _buttons(_job(state))],
        _progress,
        live=True,
    )
    page.show(
        [summary, table, refused],
        lambda state: [
            [[row.id, row.file, len(row.notes)] for row in state.recordings],
            [[row.file, row.reason] for row in state.refused],
            len(state.clips),
            _only_texts(state),
            state.active("prepare") is not None,
        ],
        _lists,
    )
    page.show([which], _removables_key, _removables)


def add_files(call: Call, paths: list[str] | None, language: str) -> None:
    """Copy what was uploaded, and prepare it. Empties the drop area, since the list below shows it."""
    intake.take_in(call.project, paths or [])
    _prepare(call, language)


def add_recording(call: Call, path: str | None, language: str) -> None:
    """Take what the microphone recorded."""
    if not path:
        raise InputError(text.EMPTY_MICROPHONE)
    take = Path(path)
    number = len(list(call.project.uploads.glob("*/recorded*"))) + 1
    named = take.with_name(f"recorded {number}{take.suffix}")
    take.rename(named)
    intake.take_in(call.project, [str(named)])
    _prepare(call, language)


def change_language(call: Call, language: str) -> None:
    """Remember the language, and listen again if there is something to listen to."""
    call.project.update_info(language=parse_language(language))
    if intake.is_there(call.project):
        submit_prepare(call)


def remove_file(call: Call, which: str | None) -> None:
    """Take one upload away."""
    paths = {_key(call.project, path): path for path in _removable(call.state())}
    if which in intake.hub_names(call.project):
        intake.remove_hub_name(call.project, str(which))
    elif which in paths:
        intake.remove(call.project, paths[which])
    else:
        raise InputError(text.REMOVE_FIRST)
    submit_prepare(call)


def cancel_preparing(call: Call) -> None:
    """Stop; what was read is kept."""
    call.cancel("prepare")


def resume_preparing(call: Call) -> None:
    """Go on where it stopped."""
    if call.project:
        submit_prepare(call)


def _prepare(call: Call, language: str) -> None:
    call.project.update_info(language=parse_language(language))
    if intake.is_there(call.project):
        submit_prepare(call)


def _language(state: State) -> str:
    return str(state.remembered("language", AUTO))


def _job(state: State) -> Job | None:
    """What to show: the running one, or the last one unless it just went well."""
    job = state.last("prepare")
    return None if job is None or job.state == "succeeded" else job


def _buttons(job: Job | None) -> tuple[bool, bool]:
    """Whether Cancel and Resume make sense."""
    if job is None:
        return False, False
    return job.active and job.cancel_requested is None, not job.active


def _progress(state: State) -> list[Any]:
    line = views.job_html(_job(state), state.places)
    buttons = [gr.update(visible=shown(wanted)) for wanted in _buttons(_job(state))]
    return [gr.update(value=line, visible=shown(line)), *buttons]


def _lists(state: State) -> list[Any]:
    rows = views.recording_rows(state.recordings, guided.sentences(state))
    table = views.list_html(text.RECORDINGS, text.RECORDINGS_COLUMNS, rows, pick=True)
    refused = views.list_html(text.REFUSED, text.REFUSED_COLUMNS, views.refused_rows(state.refused))
    line = views.recordings_line(state.recordings, state.clips, state.refused)
    if not state.recordings and state.active("prepare"):
        line = ""  # the bar above says it
    return [
        text.TEXTS_TAKEN if _only_texts(state) else line,
        gr.update(value=table, visible=shown(table)),
        gr.update(value=refused, visible=shown(refused)),
    ]


def _only_texts(state: State) -> bool:
    return not state.recordings and not state.refused and not state.uploads and bool(_removable(state))


def _removable(state: State) -> list[Path]:
    return [*state.uploads, *(intake.texts(state.project) if state.project else [])]


def _key(project: Project, path: Path) -> str:
    return project.relative(path)


def _removables_key(state: State) -> Any:
    return [list(map(str, _removable(state))), state.remembered("paths")]


def _removables(state: State) -> list[Any]:
    choices: list[tuple[str, str]] = []
    if state.project is not None:
        choices = [(path.name, _key(state.project, path)) for path in _removable(state)]
        choices += [(name, name) for name in intake.hub_names(state.project)]
    return [gr.update(choices=choices, value=None)]
