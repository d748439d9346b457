"""Settings, the home, its disk, the job table, and the app that runs on them."""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from voicefactory.doctor.finding import Finding, fault, ok, warning
from voicefactory.errors import InputError
from voicefactory.jobs import integrity, processes
from voicefactory.jobs.presence import app_runs
from voicefactory.jobs.store import Store
from voicefactory.settings import Settings, settings

_PREFIX = "VOICEFACTORY_"
_LITTLE_BYTES = 20e9  #: one run keeps several times the model's 2 to 4 GB
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
_NOT_SETTINGS = {"VOICEFACTORY_DEBUG"}


def home_of() -> Path:
    """The home of the settings, also where another setting does not fit."""
    try:
        home = settings().home
    except InputError:
        home = Path(
            os.environ.get("VOICEFACTORY_HOME") or Settings.model_fields["home"].get_default(call_default_factory=True)
        )
    return home.expanduser().resolve()


def settings_that_are_set(home: Path) -> Iterator[Finding]:
    """Names that are none, and values that do not fit."""
    known = {f"{_PREFIX}{name.upper()}" for name in Settings.model_fields} | _NOT_SETTINGS
    given = sorted(name for name in os.environ if name.upper().startswith(_PREFIX))
    for name in given:
        if name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), known, 1)
            meant = f" Is {near[0]} meant?" if near else ""
            yield warning("settings", f"{name} is set, and nothing reads it.{meant}", "Correct the name or unset it.")
    try:
        settings()
    except InputError as error:
        yield fault("settings", str(error), "Correct the value or unset it.")
        return
    used = [name for name in given if name.upper() in known]
    yield ok("settings", ", ".join(f"{name}={os.environ[name]}" for name in used) or "none set")


def offline(home: Path) -> Iterator[Finding]:
    """Whether the Hub may be asked."""
    set_to = [f"{name}={os.environ[name]}" for name in _OFFLINE if os.environ.get(name, "") not in ("", "0")]
    if set_to:
        remedy = "Unset it to let models be downloaded, or bring them onto this machine first."
        yield warning("offline", f"{', '.join(set_to)}: nothing is downloaded.", remedy)


def home_folder(home: Path) -> Iterator[Finding]:
    """Whether files can be written there. A trial, since who may write is not told by the permissions alone."""
    place = _nearest(home)
    try:
        with tempfile.TemporaryFile(dir=place) as trial:
            trial.write(b"x")
    except OSError as error:
        remedy = f"Give this user the right to write in {place}, or set VOICEFACTORY_HOME to another folder."
        yield fault("home", f"{home} cannot be written: {error.strerror}.", remedy)
        return
    yield ok("home", str(home) if place == home else f"{home} will be made at the first start")


def disk(home: Path) -> Iterator[Finding]:
    """Room for recordings, runs and models."""
    free = shutil.disk_usage(_nearest(home)).free
    told = f"{free / 1e9:.1f} GB free"
    remedy = "Free some space, move the home to a larger disk, or run: voicefactory jobs clean."
    floor = settings().min_free_gb * 1e9
    if free < floor:
        yield fault("disk", f"{told}: below {settings().min_free_gb:g} GB no job begins.", remedy)
    elif free < _LITTLE_BYTES:
        yield warning("disk", f"{told}: enough for a voice or two.", remedy)
    else:
        yield ok("disk", told)


def job_table(home: Path) -> Iterator[Finding]:
    """Whether the table is whole, and whether a job in it has lost its process."""
    path = home / "jobs.db"
    if not path.exists():
        yield ok("jobs", "no table yet; it is made at the first start")
        return
    if problems := integrity.problems(path):
        remedy = f"Stop the app and put back a copy of {path}, or move it away: recordings and voices are not in it."
        yield fault("jobs", f"The table is damaged: {problems[0]}", remedy)
        return
    store = Store(path)
    running, waiting = store.jobs(states=["running"]), store.jobs(states=["queued"])
    lost = [job for job in running if not processes.is_alive(job.pid, job.pid_identity)]
    if lost and not app_runs(home):
        remedy = "Start the app: it marks them as interrupted, and they can be resumed."
        yield warning("jobs", f"{len(lost)} running jobs have lost their process.", remedy)
    yield ok("jobs", f"the table is whole; {len(running)} running, {len(waiting)} waiting")


def app(home: Path) -> Iterator[Finding]:
    """Whether one runs on this home."""
    yield ok("app", "runs on this home" if app_runs(home) else "none runs on this home")


def _nearest(folder: Path) -> Path:
    """The folder, or what there is of the way to it."""
    return next(place for place in (folder, *folder.parents) if place.exists())
