"""What each kind of job does: its request, one call into the pipeline, its result as JSON.

Imported by the page too, for the requests, so the pipeline is imported only when a task runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from voicefactory.jobs import step_tasks, studio_tasks
from voicefactory.jobs.store import Job, Kind
from voicefactory.pipeline.request import Request
from voicefactory.project import Project
from voicefactory.types import OnProgress, Progress, ShouldStop


@dataclass(frozen=True)
class PublishRequest:
    """Upload a voice to the Hub. The token is not part of it: a request is written down."""

    voice: str  #: the voice's folder
    repo_id: str
    public: bool = False


@dataclass(frozen=True)
class CleanRequest:
    """Clean clips, or take it back."""

    steps: tuple[str, ...] = ()  #: of `clean.STEPS`; empty = take it back
    clips: tuple[str, ...] = ()  #: ids; empty = all


@dataclass(frozen=True)
class ReadRequest:
    """Listen to one take of one sentence."""

    audio: str  #: relative to the project
    prompt: str  #: Prompt.id
    text: str
    language: str
    asr: str = "auto"


@dataclass(frozen=True)
class Context:
    """What a task is given by its worker."""

    project: Project
    job: Job
    token: str  #: of the Hub, for publish; otherwise empty
    on_progress: OnProgress
    should_stop: ShouldStop


def run(context: Context) -> dict[str, Any]:
    """Do the job of `context`; its result as JSON."""
    return _TASKS[context.job.kind](context)


def _request(values: dict[str, Any]) -> Request:
    return Request(**{**values, "overrides": tuple(values.get("overrides", ()))})


def _prepare(context: Context) -> dict[str, Any]:
    from voicefactory.pipeline.prepare import prepare
    from voicefactory.pipeline.worklist import worklist

    project = context.project
    with project.alone():
        prepared = prepare(
            project,
            step_tasks.given_paths(context),
            _request(context.job.request),
            hub_or_refuse=True,
            on_progress=context.on_progress,
            should_stop=context.should_stop,
        )
        worklist(project, prepared.clips, prepared.transcripts)  # here, so that the page need not
    return {
        "recordings": len(prepared.recordings),
        "clips": len(prepared.clips),
        "refused": len(prepared.refused),
        "seconds": prepared.seconds,
    }


def _clean(context: Context) -> dict[str, Any]:
    from voicefactory.pipeline.analyse import analyse
    from voicefactory.pipeline.clean import clean, restore
    from voicefactory.pipeline.segment import load_clips
    from voicefactory.pipeline.transcripts import load_transcripts

    project, wanted = context.project, CleanRequest(**context.job.request)
    told = {"on_progress": context.on_progress, "should_stop": context.should_stop}
    with project.alone():
        clips = [clip for clip in load_clips(project) if not wanted.clips or clip.id in wanted.clips]
        if wanted.steps:
            now = clean(project, clips, **dict.fromkeys(wanted.steps, True), **told)  # type: ignore[arg-type]
        else:
            now = restore(project, [clip.id for clip in clips])
        analyse(project, now, load_transcripts(project), **told)  # type: ignore[arg-type]
    return {"clips": len(clips), "steps": list(wanted.steps)}


def _read(context: Context) -> dict[str, Any]:
    from voicefactory.pipeline.prompts import Prompt
    from voicefactory.pipeline.reading import check_reading, listener

    wanted = ReadRequest(**context.job.request)
    context.on_progress(Progress("read"))
    prompt = Prompt(wanted.prompt, wanted.text, wanted.language)
    return asdict(check_reading(context.project.root / wanted.audio, prompt, listener(wanted.asr)[1]))


def _train(context: Context) -> dict[str, Any]:
    from voicefactory.pipeline.train import train

    with context.project.alone():
        created = train(
            context.project,
            _request(context.job.request),
            on_progress=context.on_progress,
            should_stop=context.should_stop,
        )
    return dict(created.to_json())


def _synthesize(context: Context) -> dict[str, Any]:
    from voicefactory.pipeline.said import from_json
    from voicefactory.pipeline.say import say

    context.on_progress(Progress("synthesize", message="loading"))
    heard = say(
        context.project,
        from_json(context.job.request),
        on_progress=context.on_progress,
        should_stop=context.should_stop,
    )
    return {"name": heard.name, "files": [context.project.relative(heard.file(take)) for take in heard.takes]}


def _publish(context: Context) -> dict[str, Any]:
    from voicefactory.pipeline.publish import publish

    wanted = PublishRequest(**context.job.request)
    url = publish(
        Path(wanted.voice),
        wanted.repo_id,
        token=context.token,
        public=wanted.public,
        on_progress=context.on_progress,
    )
    return {"url": url}


def _freeze(context: Context) -> dict[str, Any]:
    return studio_tasks.freeze(context, _request(context.job.request))


def _transcribe(context: Context) -> dict[str, Any]:
    return step_tasks.transcribe(context, _request(context.job.request))


_TASKS: dict[Kind, Callable[[Context], dict[str, Any]]] = {
    "ingest": step_tasks.ingest,
    "transcribe": _transcribe,
    "package": step_tasks.package,
    "prepare": _prepare,
    "clean": _clean,
    "read": _read,
    "train": _train,
    "synthesize": _synthesize,
    "publish": _publish,
    "opinion": studio_tasks.opinion,
    "sizes": studio_tasks.sizes,
    "export": studio_tasks.export,
    "preview": studio_tasks.preview,
    "freeze": _freeze,
    "judge": studio_tasks.judge,
    "zero-shot": studio_tasks.zero_shot,
}
