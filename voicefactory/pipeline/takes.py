"""Takes: sentences that a person read and kept. Each is an upload of the project with its text in readings.jsonl.

A take lies at uploads/<digest>/reading-<prompt>.wav like any other recording, so `ingest` finds it; `give_texts` puts
the sentence that was read beside its clip, so that Whisper need not listen again. Another take of the same sentence
takes the place of the first. Whoever is killed in between keeps the older take: a row counts once its audio is there,
and the older audio goes after that.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
import numpy as np

from voicefactory import files
from voicefactory.audio.convert import convert
from voicefactory.audio.wav import Samples, read_wav, write_wav
from voicefactory.pipeline.transcripts import Row, load_rows, transcripts_of, update_rows
from voicefactory.project import Project
from voicefactory.settings import settings
from voicefactory.types import Clip, Transcript

if TYPE_CHECKING:
    from voicefactory.pipeline.reading import Reading

PADDING_S = 0.25  #: quiet that is kept before and after the speech of a take: the click of a mouse lies outside


@dataclass(frozen=True)
class Take:
    """A kept reading of one prompt."""

    prompt: str  #: Prompt.id
    text: str
    language: str
    audio: str  #: relative to the project
    recording: str  #: the id that the recording gets when it is taken in
    seconds: float
    error_rate: float | None  #: of the words, as Whisper heard them; None if nobody checked
    kept_at: float  #: Unix seconds


def keep_take(project: Project, audio: Path, reading: Reading) -> Take:
    """Keep what was read in `audio` as the project's recording of `reading.prompt`, in place of an earlier take.

    The page calls it for a reading that is ok, or that the person wants to keep anyway. What is kept is mono, 24 kHz,
    at the level it was recorded with, cut to the speech and 0.25 s around it. Raises InputError for audio that cannot
    be read.
    """
    with _lock(project), tempfile.TemporaryDirectory(prefix=".aside-", dir=project.root) as scratch:
        aside = Path(scratch) / "take.wav"
        seconds = write_wav(aside, [_trimmed(audio, Path(scratch), reading)])
        digest = files.sha256_of(aside)[:16]
        target = project.uploads / digest / f"reading-{reading.prompt.id}.wav"
        take = Take(
            reading.prompt.id,
            reading.prompt.text,
            reading.prompt.language,
            project.relative(target),
            digest,
            round(seconds, 3),
            reading.error_rate,
            time.time(),
        )
        rows = [*_rows(project), take]
        _write(project, rows)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(aside, target)
        _remove_replaced(project, rows)
    return take


def load_takes(project: Project) -> dict[str, Take]:
    """Prompt id → its take, in the order in which they were kept; those whose recording was removed are not there."""
    takes: dict[str, Take] = {}
    for take in _rows(project):
        if (project.root / take.audio).is_file():
            takes.pop(take.prompt, None)
            takes[take.prompt] = take
    return takes


def remove_take(project: Project, prompt: str) -> None:
    """Throw away the take of a prompt (its id), so that it is offered again."""
    with _lock(project):
        rows = _rows(project)
        for take in rows:
            if take.prompt == prompt:
                _remove(project, take)
        _write(project, [take for take in rows if take.prompt != prompt])


def give_texts(project: Project, clips: Sequence[Clip]) -> list[Transcript]:
    """Put the sentences that were read beside their clips, unless a person or a file gave other texts.

    Call it when the clips are cut, before Whisper listens: it leaves out what has a text. Returns the transcripts as
    they are then.
    """
    takes = {take.recording: take for take in load_takes(project).values()}
    pieces = Counter(clip.recording for clip in clips)
    whole = [clip for clip in clips if clip.recording in takes and pieces[clip.recording] == 1]
    if not whole:
        return transcripts_of(clips, load_rows(project))

    def change(rows: dict[str, Row]) -> None:
        for clip in whole:
            old = rows.get(clip.id)
            if old is None or old.sha256 != clip.said_sha256 or not old.by_person:
                take = takes[clip.recording]
                rows[clip.id] = Row(Transcript(clip.id, take.text, take.language, 1.0, "given"), clip.said_sha256)

    rows = update_rows(project, change)
    read = {clip.file for clip in whole}
    refused = project.refused_jsonl("transcribe")
    if refused.exists():  # a file of texts that was brought does not know them
        files.write_jsonl(refused, [row for row in files.read_jsonl(refused) if row["file"] not in read])
    return transcripts_of(clips, rows)


def _trimmed(audio: Path, scratch: Path, reading: Reading) -> Samples:
    """The speech of `audio` with a little quiet around it, faded in and out, at its own level."""
    converted = convert(audio, scratch / "whole.wav", max_minutes=settings().max_recording_minutes)
    samples = read_wav(scratch / "whole.wav", max(0.0, reading.start_s - PADDING_S), reading.end_s + PADDING_S).copy()
    ramp = min(len(samples) // 2, 240)  # 10 ms
    fade = np.linspace(0, 1, ramp, dtype=np.float32)
    samples[:ramp] *= fade
    samples[len(samples) - ramp :] *= fade[::-1]
    quieter: Samples = samples * 10 ** (-converted.gain_db / 20)
    return quieter


def _path(project: Project) -> Path:
    return project.root / "readings.jsonl"


def _lock(project: Project) -> filelock.BaseFileLock:
    project.root.mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(project.root / ".readings.lock")


def _rows(project: Project) -> list[Take]:
    return [Take(**row) for row in files.read_jsonl(_path(project))]


def _write(project: Project, rows: Sequence[Take]) -> None:
    files.write_jsonl(_path(project), (asdict(row) for row in rows))


def _remove_replaced(project: Project, rows: Sequence[Take]) -> None:
    """Delete the audio of takes that a later one replaced, and their rows."""
    newest = {take.prompt: take for take in rows}
    for take in rows:
        if take.audio != newest[take.prompt].audio:
            _remove(project, take)
    _write(project, list(newest.values()))


def _remove(project: Project, take: Take) -> None:
    path = project.root / take.audio
    path.unlink(missing_ok=True)
    if path.parent.is_dir() and not any(path.parent.iterdir()):
        path.parent.rmdir()
