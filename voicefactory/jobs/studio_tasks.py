"""Jobs on texts and data: a second opinion, Whisper sizes, files to take away, previews, freezing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicefactory.errors import InputError
from voicefactory.types import Progress

if TYPE_CHECKING:
    from voicefactory.jobs.tasks import Context
    from voicefactory.pipeline.request import Request


@dataclass(frozen=True)
class OpinionRequest:
    """Let another Whisper size listen."""

    asr: str
    clips: tuple[str, ...]  #: ids


@dataclass(frozen=True)
class ExportRequest:
    """Write the texts to a file."""

    form: str  #: of `export.FORMATS`
    name: str  #: of the file, without a suffix


@dataclass(frozen=True)
class PreviewRequest:
    """Let a base model imitate references."""

    clips: tuple[str, ...]  #: ids of the candidates
    engine: str
    model: str
    language: str


def opinion(context: Context) -> dict[str, Any]:
    """Listen again to some clips; what differs counts in their risk."""
    from voicefactory.pipeline.second_opinion import second_opinion
    from voicefactory.pipeline.segment import load_clips
    from voicefactory.pipeline.transcripts import load_transcripts
    from voicefactory.pipeline.worklist import worklist

    wanted = OpinionRequest(**context.job.request)
    project = context.project
    clips, transcripts = load_clips(project), load_transcripts(project)
    context.on_progress(Progress("second opinion", 0, len(wanted.clips)))
    with project.alone():
        found = second_opinion(
            project,
            clips,
            transcripts,
            wanted.asr,
            only=wanted.clips,
            on_progress=context.on_progress,
            should_stop=context.should_stop,
        )
    worklist(project, clips, transcripts)
    return {"clips": len(found), "differ": sum(bool(one.comparison.different) for one in found.values())}


def sizes(context: Context) -> dict[str, Any]:
    """What Whisper sizes this machine can run; the times are for one second of sound."""
    from voicefactory.pipeline.asr_choices import choices

    context.on_progress(Progress("sizes"))
    return {"sizes": [asdict(choice) for choice in choices(1.0, context.project.home)]}


def export(context: Context) -> dict[str, Any]:
    """Write the texts, and where the format has it the sound, to exports/."""
    from voicefactory.pipeline.export import export as write
    from voicefactory.pipeline.segment import load_clips
    from voicefactory.pipeline.transcripts import load_transcripts

    wanted = ExportRequest(**context.job.request)
    project = context.project
    context.on_progress(Progress("export"))
    used = {row.clip for row in load_transcripts(project) if not row.dropped}
    recordings = {clip.recording for clip in load_clips(project) if clip.id in used}
    alone = wanted.form in ("srt", "vtt") and len(recordings) == 1
    out = project.root / "exports" / f"{wanted.name}-{wanted.form}.{wanted.form if alone else 'zip'}"
    done = write(project, wanted.form, out)
    return {"file": project.relative(out), "clips": done.clips, "left_out": done.left_out, "notes": list(done.notes)}


def preview(context: Context) -> dict[str, Any]:
    """Speak a sentence with the base model as an imitation of each candidate."""
    from voicefactory.pipeline.previews import previews
    from voicefactory.pipeline.reference import candidates
    from voicefactory.pipeline.segment import load_clips
    from voicefactory.pipeline.transcripts import load_transcripts

    wanted = PreviewRequest(**context.job.request)
    project = context.project
    offered = candidates(project, load_clips(project), load_transcripts(project))
    chosen = [one for one in offered if one.clip in wanted.clips]
    if not chosen:
        raise InputError("These clips are no candidates any more: a text or a recording was changed. Ask again.")
    made = previews(
        project,
        chosen,
        wanted.engine,
        wanted.model,
        language=wanted.language,
        on_progress=context.on_progress,
        should_stop=context.should_stop,
    )
    paths = {one.clip: project.relative(path) for one, path in zip(chosen, made, strict=True)}
    return {"previews": paths, "model": wanted.model}


def freeze(context: Context, request: Request) -> dict[str, Any]:
    """Freeze what training would see now."""
    from voicefactory.pipeline.train import freeze_dataset

    context.on_progress(Progress("freeze"))
    with context.project.alone():
        made = freeze_dataset(context.project, request, on_progress=context.on_progress)
    return {"fingerprint": made.fingerprint, "clips": len(made.samples)}


def judge(context: Context) -> dict[str, Any]:
    """Measure the project's voices beside the base model's imitation, and write the report."""
    from voicefactory import files
    from voicefactory.pipeline.judge import judge as measure
    from voicefactory.pipeline.judge_case import JudgeRequest
    from voicefactory.pipeline.judge_report import report

    context.on_progress(Progress("speak"))
    with context.project.alone():
        found = measure(
            context.project,
            JudgeRequest(**context.job.request),
            on_progress=context.on_progress,
            should_stop=context.should_stop,
        )
        files.write_text(found.path.with_suffix(".html"), report(found))
    return {
        "judgement": context.project.relative(found.path),
        "chosen": found.pick.chosen,
        "verdict": found.worth.verdict if found.worth else "",
    }


def zero_shot(context: Context) -> dict[str, Any]:
    """Package the base model with the reference as a voice."""
    from voicefactory.pipeline.zero_shot import ZeroShotRequest
    from voicefactory.pipeline.zero_shot import zero_shot as make

    context.on_progress(Progress("synthesize"))
    with context.project.alone():
        voice = make(context.project, ZeroShotRequest(**context.job.request), on_progress=context.on_progress)
    return {"voice": str(voice.path), "zip": str(voice.zip)}


def exported(project_root: Path, result: dict[str, Any] | None) -> Path | None:
    """The file of a finished export, if it is still there."""
    path = project_root / str(result["file"]) if result and result.get("file") else None
    return path if path and path.is_file() else None
