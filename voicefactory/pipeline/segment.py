"""segment: Recordings → Clips of 1 to 20 s (3 to 12 where the speech lets it), never cut within a word.

Cut in pauses; where someone speaks for over 12 s without a good one, between words, by the times that Whisper
gives them. A recording of up to 12 s stays whole, and so does one of up to 20 s that comes with its text. Beside
the speech lie 0.1 to 0.25 s of quiet. Leaves clips/<id>.wav with clips/<recording>.json beside them (so a
killed run goes on where it was), clips.jsonl and refused/segment.jsonl.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicefactory import files
from voicefactory.errors import Cancelled
from voicefactory.languages import AUTO
from voicefactory.pipeline.clip_making import Words, make_clips
from voicefactory.pipeline.clip_rows import clip_of, load_clips, row_of, write_clips
from voicefactory.pipeline.refusals import write_refused
from voicefactory.pipeline.word_cuts import open_words
from voicefactory.pipeline.workers import Tell, finished, worker_count
from voicefactory.project import Project
from voicefactory.types import Clip, OnProgress, Progress, Recording, Refused, ShouldStop, never, silent

__all__ = ["load_clips", "segment"]

_VERSION = 2  # raise it when the same recording gives other clips
_FEW_RECORDINGS, _FEW_MINUTES = 60, 10.0  # below both, starting processes takes longer than it saves
_STOPPED = "Stopped while cutting; the finished clips are kept."


@dataclass(frozen=True)
class _Task:
    """One recording for a worker."""

    project: Path
    recording: Recording
    keep_whole: bool


def segment(
    project: Project,
    recordings: Sequence[Recording],
    *,
    keep_whole: bool | Collection[str] = False,
    asr: str = "",
    language: str = AUTO,
    device: str = AUTO,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> tuple[list[Clip], list[Refused]]:
    """Cut recordings into clips; those that were cut before are taken as they are.

    `keep_whole` is for recordings that come with a text each, or the ids of those: a longer one than 20 s is
    refused, since nobody knows which part of its text belongs to which part of the sound. `asr` is the Whisper
    model that says where words end where nobody pauses; empty, or not to be had here: such stretches stay long,
    and beyond 20 s they are refused. Many recordings are cut by several processes; the result does not depend
    on how many. Raises Cancelled.
    """
    whole = {one.id for one in recordings} if keep_whole is True else set(keep_whole or ())
    minutes = [recording.seconds / 60 for recording in recordings]
    total, done = sum(minutes), 0.0

    def tell(shares: dict[int, float], file: str = "") -> None:
        now = min(total, done + sum(minutes[number] * share for number, share in shares.items()))
        said = f"{now:.0f} of {total:.0f} minutes" + (f", {file}" if file else "")
        on_progress(Progress("segment", now, total, said))

    few = len(recordings) < _FEW_RECORDINGS and total < _FEW_MINUTES
    results: dict[int, dict[str, Any]] = {}
    tell({})
    for number, result in finished(
        _segment_one,
        (_Task(project.root, recording, recording.id in whole) for recording in recordings),
        workers=1 if few else worker_count(len(recordings)),
        should_stop=should_stop,
        on_shares=tell,
        stopped=_STOPPED,
    ):
        results[number] = result
        done += minutes[number]
        tell({}, recordings[number].file)
    _between_words(project, recordings, results, asr, language, device, on_progress, should_stop)
    cut: list[Clip] = []
    refused: list[Refused] = []
    for number, recording in enumerate(recordings):
        cut += [clip_of(project, {**row, "file": recording.file}) for row in results[number]["clips"]]
        refused += [Refused(recording.file, reason) for reason in results[number]["refused"]]
    clips = write_clips(project, cut)
    write_refused(project, "segment", refused)
    _remove_others(project, recordings, cut)
    on_progress(Progress("segment", total, total, f"{len(clips)} clips"))
    return clips, refused


def _segment_one(task: _Task, tell: Tell, should_stop: ShouldStop) -> dict[str, Any]:
    """{"inputs", "clips": rows, "refused": reasons, …} of one recording, from its sidecar if that is current."""
    project, recording = Project(task.project), task.recording
    inputs = [_VERSION, recording.id, round(recording.seconds, 3), recording.gain_db, task.keep_whole]
    sidecar = project.clips / f"{recording.id}.json"
    if sidecar.exists():
        result: dict[str, Any] = files.read_json(sidecar)
        if result["inputs"] == inputs and all((project.root / row["audio"]).exists() for row in result["clips"]):
            return result

    def on_seconds(seconds: float) -> None:
        if should_stop():
            raise Cancelled(_STOPPED)
        tell(min(1.0, seconds / recording.seconds))

    return _write(project, recording, inputs, None, "", keep_whole=task.keep_whole, on_seconds=on_seconds)


def _write(
    project: Project, recording: Recording, inputs: list[Any], words: Words | None, words_by: str, **how: Any
) -> dict[str, Any]:
    made = make_clips(project, recording, words=words, **how)
    result = {
        "inputs": inputs,
        "clips": [row_of(project, clip) for clip in made.clips],
        "refused": made.refused,
        "refused_at": made.refused_at,
        "breathless": made.breathless,
        "words_by": words_by,  # who said where words end, if anybody was asked
    }
    files.write_json(project.clips / f"{recording.id}.json", result)
    return result


def _between_words(
    project: Project,
    recordings: Sequence[Recording],
    results: dict[int, dict[str, Any]],
    asr: str,
    language: str,
    device: str,
    on_progress: OnProgress,
    should_stop: ShouldStop,
) -> None:
    """Cut again, with Whisper's word times, the recordings in which someone speaks for too long without a pause.

    Once only: another Whisper would cut elsewhere, and texts that a person wrote would fit no clip any more.
    """
    waiting = [
        number for number in sorted(results) if results[number]["breathless"] and not results[number]["words_by"]
    ]
    if not waiting or not asr:
        return
    words = open_words(asr, language, device, should_stop, on_progress)
    if words is None:
        return
    for done, number in enumerate(waiting):
        recording = recordings[number]
        on_progress(Progress("segment", done, len(waiting), f"between the words of {recording.file}"))
        results[number] = _write(project, recording, results[number]["inputs"], words, asr, keep_whole=False)


def _remove_others(project: Project, recordings: Sequence[Recording], clips: Sequence[Clip]) -> None:
    """Clips and sidecars of recordings that are gone, or were cut differently, are deleted."""
    keep = {clip.audio.name for clip in clips} | {f"{recording.id}.json" for recording in recordings}
    project.clips.mkdir(parents=True, exist_ok=True)
    for path in project.clips.iterdir():
        if path.suffix in (".wav", ".json") and path.name not in keep and not path.name.startswith(".aside-"):
            path.unlink(missing_ok=True)
    ids = {clip.id for clip in clips}
    for path in (project.root / "cleaned").glob("*-*"):
        if "-".join(path.name.split("-")[:2]) not in ids and not path.name.startswith(".aside-"):
            path.unlink(missing_ok=True)
