"""Jobs that are one arrow of the pipeline alone: `prepare` and `train` do several at once, and skip what these made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicefactory.errors import InputError

if TYPE_CHECKING:
    from voicefactory.jobs.tasks import Context
    from voicefactory.pipeline.request import Request


@dataclass(frozen=True)
class PackageRequest:
    """Zip a finished voice anew."""

    voice: str  #: its folder's name in voices/


def given_paths(context: Context) -> list[Path]:
    """What was uploaded, and what a command gave before the page came to the project."""
    from voicefactory.pipeline.hub_data import is_hub_name

    project = context.project
    uploads = sorted(path for path in project.uploads.glob("*/*") if path.is_file())
    given = [Path(path) for path in project.info.get("paths", ())]
    return [*uploads, *(path for path in given if path.exists() or is_hub_name(path))]


def ingest(context: Context) -> dict[str, Any]:
    """Decode what was uploaded; data sets of the Hub are left to `prepare`."""
    from voicefactory.pipeline.hub_data import is_hub_name
    from voicefactory.pipeline.ingest import ingest as take_in

    paths = [path for path in given_paths(context) if not is_hub_name(path)]
    told: dict[str, Any] = {"on_progress": context.on_progress, "should_stop": context.should_stop}
    with context.project.alone():
        recordings, refused = take_in(context.project, paths, **told)
    return {"recordings": len(recordings), "refused": len(refused)}


def transcribe(context: Context, request: Request) -> dict[str, Any]:
    """Let Whisper write down what is said in clips that have no text yet, or were heard by another Whisper."""
    from voicefactory.languages import parse_language
    from voicefactory.pipeline.segment import load_clips
    from voicefactory.pipeline.transcribe import transcribe as write_down

    with context.project.alone():
        rows, refused = write_down(
            context.project,
            load_clips(context.project),
            language=parse_language(request.language),
            asr=request.asr,
            device=request.device,
            numbers=request.numbers,
            on_progress=context.on_progress,
            should_stop=context.should_stop,
        )
    return {"transcripts": len(rows), "refused": len(refused)}


def package(context: Context) -> dict[str, Any]:
    """Write the zip of a finished voice. Raises InputError if it is not there."""
    from voicefactory.pipeline.package import zip_voice
    from voicefactory.types import Progress

    wanted = PackageRequest(**context.job.request)
    folder = context.project.voices / wanted.voice
    if Path(wanted.voice).name != wanted.voice or not folder.is_dir():
        raise InputError("This voice is not there any more. Choose another one.")
    context.on_progress(Progress("package"))
    with context.project.alone():
        written = zip_voice(folder, folder.with_name(f"{folder.name}.zip"))
    return {"file": context.project.relative(written)}
