"""The one read function of the page: what there is of a project, from its files and its jobs.

`read` is called once a second for every open page, so each file is parsed again only when it changed.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voicefactory import files, hardware
from voicefactory.jobs.queue import FAIR_S, Place, place_of, served
from voicefactory.jobs.store import Job, Kind, Store
from voicefactory.pipeline.frozen import FrozenDataset, changes_since, datasets_folder, list_frozen
from voicefactory.pipeline.ingest import load_recordings
from voicefactory.pipeline.reference import candidates
from voicefactory.pipeline.refusals import load_refused
from voicefactory.pipeline.review import Step, steps
from voicefactory.pipeline.second_opinion import Opinion, load_opinions, opinions_path
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.statistics import Statistics, statistics
from voicefactory.pipeline.transcripts import load_rows, transcripts_of
from voicefactory.pipeline.worklist import Work, worklist, worklist_sources
from voicefactory.probe.watch import ABOUT, READINGS
from voicefactory.project import Project
from voicefactory.types import Clip, Recording, Reference, Refused, Transcript
from voicefactory.ui.account import NOBODY, Account
from voicefactory.ui.cache import cached, later, stamp_of
from voicefactory.ui.projects import ProjectLine
from voicefactory.ui.view import View, load_view

__all__ = ["State", "cached", "read", "tail"]

_LOG_BYTES = 16_000  #: of the log's end that are shown
_FEW = 100  #: clips that are compared and counted while the page waits

_orders: dict[Path, _Order] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class _Order:
    """The transcripts as they were put in order last."""

    analysed: tuple[int, int, int]
    of: Sequence[Transcript]  #: what was put in order
    rows: tuple[Transcript, ...]


@dataclass(frozen=True)
class Run:
    """One training run, as far as it has come."""

    identifier: str
    metrics: tuple[dict[str, Any], ...]
    log: str  #: the end of it
    readings: tuple[dict[str, Any], ...] = ()  #: what it says on the way, measured
    probe: Mapping[str, Any] = field(default_factory=dict)  #: what that is compared with; empty = nothing is measured


@dataclass(frozen=True)
class FinishedVoice:
    """A voice that has passed its check: its zip is there."""

    identifier: str
    title: str  #: as a person tells it from the others
    folder: Path
    zip: Path
    stamp: int  #: changes when it was made again
    samples: tuple[Path, ...]
    example: str  #: of Python
    trained: bool = True  #: False: the base model imitates a reference


@dataclass(frozen=True)
class Data:
    """The data set in figures, and the frozen ones with what has changed since."""

    statistics: Statistics
    frozen: tuple[tuple[FrozenDataset, str], ...]


@dataclass(frozen=True)
class State:
    """Everything that the page shows of a project. All of it can be empty."""

    project: Project | None = None
    name: str = ""
    info: tuple[tuple[str, Any], ...] = ()
    uploads: tuple[Path, ...] = ()
    recordings: tuple[Recording, ...] = ()
    refused: tuple[Refused, ...] = ()
    clips: tuple[Clip, ...] = ()
    transcripts: tuple[Transcript, ...] = ()  #: the riskiest first
    work: Mapping[str, Work] = field(default_factory=dict)  #: clip id → what speaks against it
    opinions: Mapping[str, Opinion] = field(default_factory=dict)  #: clip id → what a second Whisper heard
    texts_stamp: tuple[Any, ...] = ()  #: changes when `transcripts`, `work` or `opinions` do
    view: View = field(default_factory=View)
    last_step: Step | None = None  #: what Undo would take back
    references: tuple[Reference, ...] = ()
    comparing: bool = False  #: `references` are about to be found, or found anew
    data: Data | None = None  #: None while it is being counted for the first time
    jobs: tuple[Job, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict)  #: waiting job's id → where it stands
    workers: tuple[int, ...] = ()  #: process ids of the jobs that run now, everybody's
    run: Run | None = None
    voices: tuple[FinishedVoice, ...] = ()
    projects: tuple[ProjectLine, ...] = ()  #: of the visitor
    account: Account = NOBODY  #: of the visitor

    @functools.cached_property
    def clip(self) -> dict[str, Clip]:
        """Clip id → clip."""
        return {clip.id: clip for clip in self.clips}

    @functools.cached_property
    def transcript(self) -> dict[str, Transcript]:
        """Clip id → transcript, in the order of `transcripts`."""
        return {row.clip: row for row in self.transcripts}

    def latest(self, kind: Kind) -> Job | None:
        """The newest job of that kind."""
        return next((job for job in reversed(self.jobs) if job.kind == kind), None)

    def active(self, *kinds: Kind) -> Job | None:
        """The job of these kinds that runs, or else waits."""
        active = [job for job in self.jobs if job.active and (not kinds or job.kind in kinds)]
        return next((job for job in active if job.state == "running"), active[0] if active else None)

    def last(self, kind: Kind) -> Job | None:
        """The job of that kind that runs or waits, or else the newest."""
        return self.active(kind) or self.latest(kind)

    def remembered(self, key: str, default: Any = None) -> Any:
        """What the page keeps in the project's info."""
        return dict(self.info).get(key, default)


def read(
    project: Project | None, store: Store, projects: tuple[ProjectLine, ...] = (), account: Account = NOBODY
) -> State:
    """The state now."""
    if project is None:
        return State(workers=_workers(store), projects=projects, account=account)
    info = cached("info", project.info_path, [project.info_path], lambda: project.info)
    listed = [project.recordings_jsonl, project.clips_jsonl, project.transcripts_jsonl]
    refusals = sorted((project.root / "refused").glob("*.jsonl"))
    jobs = tuple(store.jobs(project=project.identifier))
    clips, transcripts = _clips(project), _transcripts(project)
    sources = worklist_sources(project)
    work = cached("work", project.root, sources, lambda: worklist(project, clips, transcripts))
    heard = [*listed[1:], opinions_path(project)]
    few = len(clips) <= _FEW
    compared = [*listed[1:], project.root / "analysis.jsonl"]
    references = later(
        "references",
        project.root,
        compared,
        lambda: tuple(candidates(project, _clips(project), _transcripts(project))),
        now=few,
    )
    counted = [*listed[1:], project.root / "analysis" / "voices.json", datasets_folder(project)]
    data = later("data", project.root, counted, lambda: _data(project), now=few)
    return State(
        project=project,
        name=str(info["name"]),
        info=tuple(sorted(info.items(), key=lambda item: item[0])),
        uploads=tuple(sorted(path for path in project.uploads.glob("*/*") if path.is_file())),
        recordings=tuple(cached("recordings", project.root, listed[:1], lambda: load_recordings(project))),
        refused=tuple(cached("refused", project.root, refusals, lambda: load_refused(project))),
        clips=tuple(clips),
        transcripts=_riskiest_first(project, clips, transcripts, work),
        work=work,
        opinions=cached(
            "opinions", project.root, heard, lambda: load_opinions(project, clips=clips, transcripts=transcripts)
        ),
        texts_stamp=tuple(stamp_of(path) for path in (*sources, *heard)),
        view=load_view(project),
        last_step=next(iter(steps(project)), None),
        references=references.value or (),
        comparing=not references.current,
        data=data.value,
        jobs=jobs,
        places=_places(jobs, store),
        workers=_workers(store),
        run=_latest_run(project, jobs),
        voices=_voices(project),
        projects=projects,
        account=account,
    )


def tail(path: Path) -> str:
    """The end of a text file, from a whole line on."""
    try:
        with open(path, "rb") as source:
            size = source.seek(0, 2)
            source.seek(max(0, size - _LOG_BYTES))
            text = source.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return text if size <= _LOG_BYTES else text.partition("\n")[2]


def sort_anew(project: Project) -> None:
    """The next `read` puts the riskiest first again: a person has asked for another list."""
    with _lock:
        _orders.pop(project.root, None)


def _riskiest_first(
    project: Project, clips: Sequence[Clip], transcripts: Sequence[Transcript], work: Mapping[str, Work]
) -> tuple[Transcript, ...]:
    """The transcripts of these clips in an order that stays while a person works through it: an edited
    text is no risk, but its row must not jump away. Only other clips or another analysis make another order."""
    analysed = stamp_of(project.root / "analysis.jsonl")
    with _lock:
        known = _orders.get(project.root)
        if known and known.analysed == analysed and known.of is transcripts:
            return known.rows
        verdicts = {clip.id: len(clip.quality.verdicts) for clip in clips}
        rows = {row.clip: row for row in transcripts if row.clip in verdicts}
        order = [row.clip for row in known.rows] if known and known.analysed == analysed else []
        if len(order) != len(rows) or set(order) != rows.keys():
            risk = {clip: work[clip].score if clip in work else 1 - rows[clip].confidence for clip in rows}
            order = sorted(rows, key=lambda clip: (-risk[clip], -verdicts[clip], clip))
        found = tuple(rows[clip] for clip in order)
        _orders[project.root] = _Order(analysed, transcripts, found)
    return found


def _clips(project: Project) -> list[Clip]:
    return cached("clips", project.root, [project.clips_jsonl], lambda: load_clips(project))


def _transcripts(project: Project) -> list[Transcript]:
    sources = [project.clips_jsonl, project.transcripts_jsonl]
    return cached("transcripts", project.root, sources, lambda: transcripts_of(_clips(project), load_rows(project)))


def _candidates(project: Project) -> tuple[Reference, ...]:
    return tuple(candidates(project, _clips(project), _transcripts(project)))


def _data(project: Project) -> Data:
    clips, transcripts = _clips(project), _transcripts(project)
    frozen = tuple((one, changes_since(one, clips, transcripts)) for one in list_frozen(project))
    return Data(statistics(project), frozen)


def _places(jobs: tuple[Job, ...], store: Store) -> dict[str, Place]:
    """Where each waiting job of these stands; jobs of other people count but are not shown."""
    waiting = [job for job in jobs if job.state == "queued"]
    if not waiting:
        return {}
    active, usual, now = store.active(), store.usual_seconds(), time.time()
    started, devices = served(store.started_since(now - FAIR_S)), len(hardware.gpus())
    return {job.id: place_of(job, active, started, usual, devices, now) for job in waiting}


def _workers(store: Store) -> tuple[int, ...]:
    return tuple(job.pid for job in store.jobs(states=["running"]) if job.pid is not None)


def _latest_run(project: Project, jobs: tuple[Job, ...]) -> Run | None:
    """The run that was written to last, once there is a training job of this page."""
    folders = [folder for folder in project.runs.glob("*") if folder.is_dir()]
    if not folders:
        return None
    folder = max(folders, key=lambda one: max(stamp_of(one / name)[0] for name in ("metrics.jsonl", "log.txt", ".")))
    metrics, readings, about = folder / "metrics.jsonl", folder / READINGS, folder / ABOUT
    return Run(
        identifier=folder.name,
        metrics=tuple(cached("metrics", metrics, [metrics], lambda: files.read_jsonl(metrics))),
        log=cached("log", folder, [folder / "log.txt"], lambda: tail(folder / "log.txt")),
        readings=tuple(cached("readings", readings, [readings], lambda: files.read_jsonl(readings))),
        probe=cached("probe", about, [about], lambda: files.read_json(about) if about.is_file() else {}),
    )


def _voices(project: Project) -> tuple[FinishedVoice, ...]:
    """Every voice whose zip is there, the newest first: the zip is written after the check, so it is the proof."""
    zips = [path for path in project.voices.glob("*.zip") if (path.with_suffix("") / "voice.json").is_file()]
    zips.sort(key=lambda path: stamp_of(path)[0], reverse=True)
    return tuple(cached("voice", path, [path], functools.partial(_voice, project, path)) for path in zips)


def _voice(project: Project, path: Path) -> FinishedVoice:
    folder = path.with_suffix("")
    made = stamp_of(path)[0]
    return FinishedVoice(
        identifier=folder.name,
        title=f"{project.name}, {time.strftime('%Y-%m-%d %H:%M', time.localtime(made / 1e9))}",
        folder=folder,
        zip=path,
        stamp=made,
        samples=tuple(sorted((folder / "samples").glob("*.wav"))),
        example=(folder / "example.py").read_text(encoding="utf-8"),
        trained=not files.read_json(folder / "voice.json").get("zero_shot"),
    )
