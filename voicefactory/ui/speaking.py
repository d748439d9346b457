"""From what a person asks for to a job that speaks, and from there to what there is to hear."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voicefactory.errors import InputError
from voicefactory.jobs.store import Job
from voicefactory.languages import parse_language
from voicefactory.pipeline.said import Heard, SpeechRequest, heard_names, load_heard, new_name, speech_folder
from voicefactory.pipeline.speech_files import FORMS
from voicefactory.ui import text, voices
from voicefactory.ui.cache import cached
from voicefactory.ui.handout import give
from voicefactory.ui.page import Call
from voicefactory.ui.requests import remembered_request
from voicefactory.ui.state import State

_MOST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Wish:
    """How it should be spoken, as the page's fields hold it."""

    language: str | None = ""
    seed: float | None = 0
    speaker: str | None = ""
    form: str | None = "wav"


def ask(
    call: Call,
    tellers: Sequence[str],
    labels: Sequence[str],
    texts: Sequence[str],
    wish: Wish,
    *,
    several: bool = False,
) -> Job:
    """Queue it, and show it from now on. Raises InputError for a language or a kind of file that there is not."""
    form = wish.form or ""
    if form not in FORMS:
        raise InputError(text.FORM_UNKNOWN.format(forms=", ".join(FORMS)))
    state = call.state()
    request = SpeechRequest(
        name=new_name(),
        tellers=tuple(tellers),
        labels=tuple(labels),
        texts=tuple(texts),
        language=parse_language(wish.language) if wish.language else "",
        speaker=wish.speaker or "",
        seed=min(max(0, int(wish.seed or 0)), _MOST_SEED),
        form=form,
        engine=voices.engine_of(state),
        reference=remembered_request(call).reference,
        several=several,
    )
    show(call, request.name)
    return call.scheduler.submit("synthesize", call.project, call.owner, dataclasses.asdict(request))


def show(call: Call, name: str) -> None:
    """What is heard now; kept, for a reload."""
    call.project.update_info(hearing=name)


def job_of(state: State, name: str) -> Job | None:
    """The newest job that speaks an entry."""
    return next((job for job in reversed(state.jobs) if job.kind == "synthesize" and _name(job) == name), None)


def shown_name(state: State) -> str:
    """The entry that is looked at: the one chosen last, otherwise the newest; empty if there is none."""
    if state.project is None:
        return ""
    wanted = str(state.remembered("hearing", ""))
    names = names_of(state)
    if wanted and (wanted in names or job_of(state, wanted)):
        return wanted
    return next(iter(names), "")


def names_of(state: State) -> list[str]:
    """Names of all entries, the newest first."""
    if state.project is None:
        return []
    project = state.project
    folder = speech_folder(project)
    return cached("heard names", folder, [folder], lambda: heard_names(project))


def heard(state: State, name: str) -> Heard | None:
    """An entry with what was spoken so far; None if nothing was yet."""
    if state.project is None or not name:
        return None
    folder = speech_folder(state.project, name)
    return cached("heard", folder, [folder / "asked.json", folder / "takes.jsonl"], lambda: load_heard(folder))


def spoken_file(state: State, job: str) -> str | None:
    """What a finished job spoke, as a browser may fetch it: one file, or a zip of several."""
    done = next((one for one in state.jobs if one.id == job and one.state == "succeeded"), None)
    found = heard(state, _name(done)) if done else None
    return give(file_of(found)) if found else None


def file_of(entry: Heard) -> Path | None:
    """What an entry is downloaded as: the zip of several lines, or the one file."""
    if entry.request.several:
        return entry.zip if entry.zip.is_file() else None
    return entry.file(entry.takes[0]) if len(entry.request.tellers) == 1 and entry.takes else None


def _name(job: Job) -> str:
    return str(job.request.get("name", ""))
