"""transcribe: Clips → Transcripts, by Whisper (faster-whisper; GPU fp16 or CPU int8 by what is there).

Clips are packed into windows of 30 s and heard in batches; the times of the words say which clip they
belong to. A clip that came out empty or doubtful is heard again alone. Leaves transcripts.jsonl, written
after every batch, so a killed run loses one batch at most; and refused/transcribe.jsonl.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from voicefactory.errors import Cancelled
from voicefactory.languages import AUTO, NAMES, parse_language
from voicefactory.pipeline.asr_choices import remember_speed
from voicefactory.pipeline.cue_matching import place
from voicefactory.pipeline.hearing import Heard, Listener, detect_language, hear, open_listener, settle
from voicefactory.pipeline.refusals import write_refused
from voicefactory.pipeline.spoken_form import AS_WRITTEN, IN_WORDS, not_spoken, parse_numbers, unspoken
from voicefactory.pipeline.transcripts import Row, load_rows, spelled, transcripts_of, update_rows
from voicefactory.project import Project
from voicefactory.types import Clip, OnProgress, Progress, Refused, ShouldStop, Transcript, never, silent


def transcribe(
    project: Project,
    clips: Sequence[Clip],
    *,
    language: str = AUTO,
    asr: str = AUTO,
    device: str = AUTO,
    numbers: str = AS_WRITTEN,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> tuple[list[Transcript], list[Refused]]:
    """Fill in what is said in every clip that has no current text yet; texts of a person stay.

    With language "auto" it is detected once, over the longest clips together. `numbers` is "as written" by
    Whisper or "in words"; another choice rewrites Whisper's texts and hears nothing again. Raises InputError for
    an unknown language or model, or a language that the model does not hear, ModelUnavailableError if there is
    no model, and Cancelled when told to stop.
    """
    numbers = parse_numbers(numbers)
    language = parse_language(language)
    asked = (asr or AUTO, language)
    rows = load_rows(project)
    waiting = [clip for clip in clips if not _is_current(rows.get(clip.id), clip, asked)]
    if waiting:
        heard_before = next((row for row in map(rows.get, _ids(clips)) if row and row.asked == asked), None)
        listener = _listener(clips, asked, device, heard_before, on_progress)
        _listen(project, listener, clips, waiting, asked, numbers, on_progress, should_stop)
    rows = update_rows(project, lambda rows: _spell(rows, numbers), only=clips)
    transcripts = transcripts_of(clips, rows)
    if numbers == IN_WORDS:
        _tell_what_stayed(transcripts, on_progress)
    understood = {transcript.clip for transcript in transcripts}
    refused = [
        Refused(place(clip), _nothing_understood(rows.get(clip.id))) for clip in clips if clip.id not in understood
    ]
    write_refused(project, "transcribe", refused)
    on_progress(Progress("transcribe", len(clips), len(clips), f"{len(clips) - len(refused)} transcripts"))
    return transcripts, refused


def _nothing_understood(row: Row | None) -> str:
    why = f", for {row.doubt}" if row and row.doubt else ""
    return f"Whisper understood nothing in it{why}. Listen to it, and type its text if there is one."


def _spell(rows: dict[str, Row], numbers: str) -> None:
    rows.update({name: spelled(row, numbers) for name, row in rows.items()})


def _tell_what_stayed(transcripts: Sequence[Transcript], on_progress: OnProgress) -> None:
    """Say in which languages digits stayed, and why."""
    digits = [row for row in transcripts if row.source == "whisper" and unspoken(row.text)]
    for language in sorted({row.language for row in digits}):
        if reason := not_spoken(language):
            on_progress(Progress("transcribe", message=reason, notice=True))


def _ids(clips: Iterable[Clip]) -> list[str]:
    return [clip.id for clip in clips]


def _is_current(row: Row | None, clip: Clip, asked: tuple[str, str]) -> bool:
    return row is not None and row.sha256 == clip.said_sha256 and (row.by_person or row.asked == asked)


def _listener(
    clips: Sequence[Clip], asked: tuple[str, str], device: str, before: Row | None, on_progress: OnProgress
) -> Listener:
    """Load the model and settle the language; what an earlier, killed run settled is kept."""
    asr, language = asked
    on_progress(Progress("transcribe", 0, len(clips), "Whisper is being loaded (the first time also downloaded)."))
    listener = open_listener(asr, language, device)
    if listener.found.notice:
        on_progress(Progress("transcribe", 0, len(clips), listener.found.notice, notice=True))
    if not listener.code and before is not None:
        settle(listener, before.heard_in)
    elif not listener.code:
        settle(listener, code := detect_language(listener.model, clips))
        on_progress(Progress("transcribe", 0, len(clips), f"The language is {NAMES.get(code, code)}."))
    return listener


def _listen(
    project: Project,
    listener: Listener,
    clips: Sequence[Clip],
    waiting: Sequence[Clip],
    asked: tuple[str, str],
    numbers: str,
    on_progress: OnProgress,
    should_stop: ShouldStop,
) -> None:
    """Hear the waiting clips batch by batch, and write after each."""
    done = len(clips) - len(waiting)
    began = time.monotonic()
    by_id = {clip.id: clip for clip in waiting}
    batches = hear(listener, waiting)
    while done < len(clips):
        if should_stop():
            raise Cancelled("Stopped while listening; what was heard is kept.")
        heard = next(batches)
        _write(project, listener, [by_id[name] for name in heard], heard, asked, numbers)
        done += len(heard)
        on_progress(Progress("transcribe", done, len(clips), f"{done} of {len(clips)} clips"))
    audio_s = sum(clip.seconds for clip in waiting)
    remember_speed(project.home, listener.found.name, listener.device, audio_s, time.monotonic() - began)


def _write(
    project: Project,
    listener: Listener,
    clips: list[Clip],
    heard: dict[str, Heard],
    asked: tuple[str, str],
    numbers: str,
) -> None:
    def change(rows: dict[str, Row]) -> None:
        for clip in clips:
            if _is_current(rows.get(clip.id), clip, asked):
                continue  # someone typed it while Whisper was listening
            one = heard[clip.id]
            transcript = Transcript(clip.id, one.text, listener.language, one.confidence, "whisper")
            row = Row(transcript, clip.said_sha256, asked, listener.code, one.text, one.doubt)
            rows[clip.id] = spelled(row, numbers)

    update_rows(project, change)
