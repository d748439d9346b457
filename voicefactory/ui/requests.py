"""From what the page remembers of a project to the request of a job."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from typing import Any

from voicefactory.errors import VoiceFactoryError
from voicefactory.languages import AUTO
from voicefactory.pipeline.request import Request
from voicefactory.pipeline.spoken_form import AS_WRITTEN
from voicefactory.settings import settings
from voicefactory.ui import intake
from voicefactory.ui.page import Call

_PAUSE_S = 15.0  #: after the last sentence that was kept
_timers: dict[str, threading.Timer] = {}
_lock = threading.Lock()


def remembered_request(call: Call, **values: Any) -> Request:
    """A request with the language, the texts and the reference that were chosen in the steps before."""
    info = call.project.info
    return Request(
        language=str(info.get("language", AUTO)),
        transcripts=intake.own_texts(call.project),
        asr=str(info.get("asr", "")) or settings().asr,
        numbers=str(info.get("numbers", AS_WRITTEN)),
        reference=str(info.get("reference", "")),
        **values,
    )


def submit_prepare(call: Call) -> None:
    """Read, cut and write down everything that was uploaded. Cheap where nothing changed."""
    request = dataclasses.asdict(remembered_request(call))
    call.scheduler.submit("prepare", call.project, call.owner, request)


def forget(identifier: str) -> None:
    """Prepare nothing more of a project that is gone."""
    with _lock:
        if timer := _timers.pop(identifier, None):
            timer.cancel()


def prepare_soon(call: Call) -> None:
    """The same when nothing more has come for a while, so that a series of takes is taken in at once.

    Who stops the app in between finds a button for it on the page.
    """

    def submit() -> None:
        with contextlib.suppress(VoiceFactoryError):  # the project is gone
            submit_prepare(call)

    timer = threading.Timer(_PAUSE_S, submit)
    timer.daemon = True
    with _lock:
        if earlier := _timers.get(call.identifier):
            earlier.cancel()
        _timers[call.identifier] = timer
    timer.start()
