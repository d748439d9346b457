"""clean: Clips → the same clips with less rumble or noise, or at one level; only when a person asks.

The audio in clips/ stays as it was cut. A cleaned clip lies in cleaned/<id>-<original>-<steps>.wav, and
clips.jsonl names that file until the person takes it back. Ids and texts stay, `sha256` changes. A killed run
goes on where it was: what lies in cleaned/ is finished.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import filelock

from voicefactory import files
from voicefactory.audio import cleaning
from voicefactory.audio.quality import measure
from voicefactory.audio.vad import speech_in
from voicefactory.audio.wav import read_wav, write_wav
from voicefactory.errors import Cancelled, InputError
from voicefactory.pipeline.clip_rows import cleaned_jsonl, clip_of, load_clips, originals, row_of, write_clips
from voicefactory.pipeline.workers import Tell, finished, worker_count
from voicefactory.project import Project
from voicefactory.types import Clip, OnProgress, Progress, ShouldStop, never, silent

STEPS = ("highpass", "denoise", "level")  #: in the order in which they are done
_VERSION = 1  # raise it when the same clip comes out different
_FEW_CLIPS = 20
_STOPPED = "Stopped while cleaning; the finished clips are kept."


@dataclass(frozen=True)
class _Task:
    project: Path
    clip: Clip  # as it was cut
    steps: tuple[str, ...]


def clean(
    project: Project,
    clips: Sequence[Clip],
    *,
    denoise: bool = False,
    level: bool = False,
    highpass: bool = False,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> list[Clip]:
    """Clean these clips, always from the audio as it was cut; what was done to them before is replaced.

    Returns all clips of the project as they are now. With none of the three, the originals come back. Raises
    Cancelled, InputError if there is no such clip, MissingPackageError if there is no denoiser for this machine.
    """
    asked = {"denoise": denoise, "level": level, "highpass": highpass}
    steps = tuple(step for step in STEPS if asked[step])
    cut = originals(project, clips)
    if missing := [clip.id for clip in clips if clip.id not in cut]:
        raise InputError(f"There is no clip {missing[0]!r} in {project.name} any more. Cut the recordings again.")
    if not steps:
        return restore(project, [clip.id for clip in clips])
    made: dict[str, Clip] = {}
    tasks = [_Task(project.root, cut[clip.id], steps) for clip in clips]
    on_progress(Progress("clean", 0, len(tasks)))
    for number, clip in finished(
        _clean_one,
        tasks,
        workers=1 if len(tasks) < _FEW_CLIPS else worker_count(len(tasks)),
        should_stop=should_stop,
        stopped=_STOPPED,
    ):
        made[clip.id] = clip
        said = f"{len(made)} of {len(tasks)} clips, {tasks[number].clip.file}"
        on_progress(Progress("clean", len(made), len(tasks), said))
    on_progress(Progress("clean", len(tasks), len(tasks), f"{len(made)} clips cleaned"))
    return _put(project, made, set())


def restore(project: Project, ids: Sequence[str] | None = None) -> list[Clip]:
    """Take cleaning back, of these clips or of all; the clips as they are now."""
    return _put(project, {}, None if ids is None else set(ids))


def parse_steps(asked: str) -> dict[str, bool]:
    """ "denoise,level" as the keywords of `clean`. Raises InputError for a word that is none of the steps."""
    words = [word.strip().lower() for word in asked.split(",") if word.strip()]
    if unknown := [word for word in words if word not in STEPS]:
        raise InputError(f"{unknown[0]!r} is no way to clean a clip. Choose from: {', '.join(STEPS)}.")
    return {step: step in words for step in STEPS}


def before_and_after(project: Project, clip: Clip) -> tuple[Path, Path | None]:
    """The clip's audio as it was cut, and as it was cleaned; None if it is not cleaned."""
    as_cut = project.clips / f"{clip.id}.wav"
    return as_cut, clip.audio if clip.audio != as_cut else None


def steps_of(clip: Clip) -> tuple[str, ...]:
    """What was done to a clip."""
    return tuple(clip.audio.stem.rpartition("-")[2].split("+")) if clip.original_sha256 else ()


def _clean_one(task: _Task, tell: Tell, should_stop: ShouldStop) -> Clip:
    if should_stop():
        raise Cancelled(_STOPPED)
    project, clip = Project(task.project), task.clip
    name = f"{clip.id}-{clip.sha256[:8]}-{'+'.join(task.steps)}"
    audio = project.root / "cleaned" / f"{name}.wav"
    sidecar = audio.with_suffix(".json")
    if audio.exists() and sidecar.exists():
        row = files.read_json(sidecar)
        if row.pop("version") == _VERSION:
            return replace(clip_of(project, row), file=clip.file)
    samples = read_wav(clip.audio)
    for step in task.steps:
        samples = getattr(cleaning, step)(samples)
    seconds = write_wav(audio, [samples])
    heard = read_wav(audio)
    quality, _ = measure(heard, speech_in(heard))
    lost = replace(quality, clipped_share=clip.quality.clipped_share)  # what was cut off then is cut off still
    cleaned = replace(
        clip,
        audio=audio,
        seconds=seconds,
        quality=lost,
        sha256=files.sha256_of(audio),
        original_sha256=clip.sha256,
    )
    files.write_json(sidecar, {"version": _VERSION, **row_of(project, cleaned)})
    return cleaned


def _put(project: Project, made: dict[str, Clip], restored: set[str] | None) -> list[Clip]:
    """Write which clips are cleaned, then clips.jsonl; `restored` = None takes everything back."""
    project.root.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(project.root / ".cleaned.lock"):
        now = load_clips(project)
        rows: dict[str, dict[str, Any]] = {row["id"]: row for row in files.read_jsonl(cleaned_jsonl(project))}
        kept = {} if restored is None else {name: row for name, row in rows.items() if name not in restored}
        kept.update({name: row_of(project, clip) for name, clip in made.items()})
        files.write_jsonl(cleaned_jsonl(project), kept.values())
        touched = made.keys() | (rows.keys() if restored is None else restored)
        _forget(project, touched, {row["audio"] for row in kept.values()})
        cut = originals(project, now)
        return write_clips(project, [replace(cut[clip.id], file=clip.file) for clip in now])


def _forget(project: Project, ids: Collection[str], keep: Collection[str]) -> None:
    """Delete what other steps made of these clips."""
    for path in (project.root / "cleaned").glob("*-*"):
        identifier = "-".join(path.name.split("-")[:2])
        if identifier in ids and project.relative(path.with_suffix(".wav")) not in keep:
            path.unlink(missing_ok=True)
