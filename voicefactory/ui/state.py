"""The one read function of the page: what there is of a project, from its files and its jobs.

`read` is called once a second for every open page, so each file is parsed again only when it changed.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from voicefactory import files
from voicefactory.jobs.store import LANES, Job, Kind, Store
from voicefactory.pipeline.ingest import load_recordings
from voicefactory.pipeline.reference import rank_references
from voicefactory.pipeline.refusals import load_refused
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.transcripts import load_transcripts
from voicefactory.project import Project
from voicefactory.types import Clip, Recording, Reference, Refused, Transcript

T = TypeVar("T")
_LOG_BYTES = 16_000  #: of the log's end that are shown
_CACHED = 2_000  #: values kept; then the oldest go

_cache: dict[tuple[str, Path], tuple[tuple[Any, ...], Any]] = {}
_orders: dict[Path, list[str]] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Run:
    """One training run, as far as it has come."""

    identifier: str
    metrics: tuple[dict[str, Any], ...]
    log: str  #: the end of it


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
    transcripts: tuple[Transcript, ...] = ()  #: the least certain first
    references: tuple[Reference, ...] = ()
    jobs: tuple[Job, ...] = ()
    ahead: int = 0  #: jobs of the same lane before this project's waiting one
    run: Run | None = None
    voices: tuple[FinishedVoice, ...] = ()

    def latest(self, kind: Kind) -> Job | None:
        """The newest job of that kind."""
        return next((job for job in reversed(self.jobs) if job.kind == kind), None)

    def active(self, *kinds: Kind) -> Job | None:
        """The job of these kinds that runs, or else waits."""
        active = [job for job in self.jobs if job.active and (not kinds or job.kind in kinds)]
        return next((job for job in active if job.state == "running"), active[0] if active else None)

    def remembered(self, key: str, default: Any = None) -> Any:
        """What the page keeps in the project's info."""
        return dict(self.info).get(key, default)


def read(project: Project | None, store: Store) -> State:
    """The state now."""
    if project is None:
        return State()
    info = cached("info", project.info_path, [project.info_path], lambda: project.info)
    listed = [project.recordings_jsonl, project.clips_jsonl, project.transcripts_jsonl]
    refusals = sorted((project.root / "refused").glob("*.jsonl"))
    jobs = tuple(store.jobs(project=project.identifier))
    clips = cached("clips", project.root, listed[1:2], lambda: load_clips(project))
    transcripts = cached("transcripts", project.root, listed[2:], lambda: load_transcripts(project))
    return State(
        project=project,
        name=str(info["name"]),
        info=tuple(sorted(info.items(), key=lambda item: item[0])),
        uploads=tuple(sorted(path for path in project.uploads.glob("*/*") if path.is_file())),
        recordings=tuple(cached("recordings", project.root, listed[:1], lambda: load_recordings(project))),
        refused=tuple(cached("refused", project.root, refusals, lambda: load_refused(project))),
        clips=tuple(clips),
        transcripts=_least_certain_first(project, clips, transcripts),
        references=tuple(cached("references", project.root, listed[1:], lambda: _references(project))),
        jobs=jobs,
        ahead=_ahead(jobs, store),
        run=_latest_run(project, jobs),
        voices=_voices(project),
    )


def cached(name: str, about: Path, sources: list[Path], load: Callable[[], T]) -> T:
    """`load()`, or its last result while none of `sources` has changed."""
    stamp = tuple((str(path), *_stamp(path)) for path in sources)
    with _lock:
        known = _cache.get((name, about))
    if known is not None and known[0] == stamp:
        return known[1]  # type: ignore[no-any-return]
    value = load()
    with _lock:
        _cache[(name, about)] = (stamp, value)
        while len(_cache) > _CACHED:
            del _cache[next(iter(_cache))]
    return value


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        state = path.stat()
    except OSError:
        return (0, 0, 0)
    return state.st_mtime_ns, state.st_size, state.st_ino


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


def _least_certain_first(
    project: Project, clips: Sequence[Clip], transcripts: Sequence[Transcript]
) -> tuple[Transcript, ...]:
    """The transcripts of these clips in an order that stays while a person works through it: an edited
    text is certain, but its row must not jump away."""
    verdicts = {clip.id: len(clip.quality.verdicts) for clip in clips}
    rows = {row.clip: row for row in transcripts if row.clip in verdicts}
    with _lock:
        order = _orders.get(project.root, [])
        if set(order) != set(rows):
            order = sorted(rows, key=lambda clip: (rows[clip].confidence, -verdicts[clip], clip))
            _orders[project.root] = order
    return tuple(rows[clip] for clip in order)


def _references(project: Project) -> list[Reference]:
    return list(rank_references(load_clips(project), load_transcripts(project)))[:3]


def _ahead(jobs: tuple[Job, ...], store: Store) -> int:
    """How many jobs come before this project's waiting one; jobs of other people count but are not shown."""
    waiting = next((job for job in jobs if job.state == "queued"), None)
    if waiting is None:
        return 0
    others = store.jobs(states=["queued", "running"])
    return sum(1 for job in others if LANES[job.kind] == LANES[waiting.kind] and job.created < waiting.created)


def _latest_run(project: Project, jobs: tuple[Job, ...]) -> Run | None:
    """The run that was written to last, once there is a training job of this page."""
    folders = [folder for folder in project.runs.glob("*") if folder.is_dir()]
    if not folders:
        return None
    folder = max(folders, key=lambda one: max(_stamp(one / name)[0] for name in ("metrics.jsonl", "log.txt", ".")))
    metrics = folder / "metrics.jsonl"
    return Run(
        identifier=folder.name,
        metrics=tuple(cached("metrics", metrics, [metrics], lambda: files.read_jsonl(metrics))),
        log=cached("log", folder, [folder / "log.txt"], lambda: tail(folder / "log.txt")),
    )


def _voices(project: Project) -> tuple[FinishedVoice, ...]:
    """Every voice whose zip is there, the newest first: the zip is written after the check, so it is the proof."""
    zips = [path for path in project.voices.glob("*.zip") if (path.with_suffix("") / "voice.json").is_file()]
    zips.sort(key=lambda path: _stamp(path)[0], reverse=True)
    return tuple(cached("voice", path, [path], functools.partial(_voice, project, path)) for path in zips)


def _voice(project: Project, path: Path) -> FinishedVoice:
    folder = path.with_suffix("")
    made = _stamp(path)[0]
    return FinishedVoice(
        identifier=folder.name,
        title=f"{project.name}, {time.strftime('%Y-%m-%d %H:%M', time.localtime(made / 1e9))}",
        folder=folder,
        zip=path,
        stamp=made,
        samples=tuple(sorted((folder / "samples").glob("*.wav"))),
        example=(folder / "example.py").read_text(encoding="utf-8"),
    )
