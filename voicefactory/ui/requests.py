"""From what the page remembers of a project to the request of a job."""

from __future__ import annotations

import dataclasses
from typing import Any

from voicefactory.languages import AUTO
from voicefactory.pipeline.create import Request
from voicefactory.settings import settings
from voicefactory.ui import intake
from voicefactory.ui.page import Call


def remembered_request(call: Call, **values: Any) -> Request:
    """A request with the language, the texts and the reference that were chosen in the steps before."""
    info = call.project.info
    return Request(
        language=str(info.get("language", AUTO)),
        transcripts=intake.own_texts(call.project),
        asr=settings().asr,
        reference=str(info.get("reference", "")),
        **values,
    )


def submit_prepare(call: Call) -> None:
    """Read, cut and write down everything that was uploaded. Cheap where nothing changed."""
    request = dataclasses.asdict(remembered_request(call))
    call.scheduler.submit("prepare", call.project, call.owner, request)
