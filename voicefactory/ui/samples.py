"""Try it: a project with the sample recordings that come along, prepared and trained without a further click."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from voicefactory.languages import parse_language
from voicefactory.project import Project, list_projects
from voicefactory.ui import access, intake, models, text
from voicefactory.ui.page import Call
from voicefactory.ui.requests import remembered_request, submit_prepare

SAMPLES = Path(__file__).parents[1] / "samples"  #: recordings with metadata.csv, README and licence beside them
#: Short, because the toy model only shows the way: it makes noise however long it is trained.
_OVERRIDES = ("max_steps=40", "batch_size=2", "eval_every_steps=20", "save_every_steps=20")


def start_samples(call: Call) -> Project:
    """Make the project and queue everything up to the voice. Raises InputError on a Space without a login."""
    project = access.create_project(_free_name(call), call.owner)
    intake.take_in(project, [str(path) for path in sorted(SAMPLES.iterdir()) if path.suffix in (".flac", ".csv")])
    consent = text.SAMPLES_CONSENT.format(day=time.strftime("%Y-%m-%d"))
    project.update_info(language=parse_language("english"), consent=consent)
    mine = Call(call.scheduler, call.owner, project.identifier, call.request)
    submit_prepare(mine)
    request = remembered_request(mine, model=models.TOY, overrides=_OVERRIDES, consent=consent)
    call.scheduler.submit("train", project, call.owner, dataclasses.asdict(request))
    return project


def _free_name(call: Call) -> str:
    taken = {project.name for project in list_projects(call.scheduler.home, call.owner)}
    names = (text.SAMPLES_NAME if number == 1 else f"{text.SAMPLES_NAME} {number}" for number in range(1, 10_000))
    return next(name for name in names if name not in taken)
