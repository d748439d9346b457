"""transcribe: Clips → Transcripts, by Whisper (faster-whisper; GPU fp16 or CPU int8 by what is there).

Clips are packed into windows of 30 s and heard in batches; the times of the words say which clip they
belong to. A clip that came out empty or doubtful is heard again alone. Leaves transcripts.jsonl, written
after every batch, so a killed run loses one batch at most; and refused/transcribe.jsonl.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from voicefactory.audio.wav import read_wav
from voicefactory.errors import Cancelled, InputError
from voicefactory.languages import AUTO, NAMES, WHISPER_CODES, parse_language
from voicefactory.pipeline.asr import open_asr
from voicefactory.pipeline.refusals import write_refused
from voicefactory.pipeline.spoken_form import AS_WRITTEN, IN_WORDS, not_spoken, parse_numbers, unspoken
from voicefactory.pipeline.transcripts import Row, load_rows, spelled, transcripts_of, update_rows
from voicefactory.pipeline.windows import WHISPER_RATE, WINDOW_S, Window, pack
from voicefactory.project import Project
from voicefactory.types import Clip, OnProgress, Progress, Refused, ShouldStop, Transcript, never, silent

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

_WINDOWS_AT_ONCE = {"cuda": 16, "cpu": 2}  # a CPU gains nothing from more, and a kill loses one batch
_DETECTION_CLIPS = 8
_DOUBTFUL_CONFIDENCE = 0.6
_LETTERS_PER_SECOND = (3.0, 32.0)  # slower or faster than anyone speaks
_REPEATED = 2.2  # text that zlib packs better than this goes round in circles


@dataclass(frozen=True)
class Heard:
    """What Whisper made of one clip."""

    text: str
    confidence: float  #: mean probability of the words, 0 to 1


@dataclass
class Listener:
    """A loaded model, and the language it listens in."""

    model: WhisperModel
    code: str  #: Whisper's
    language: str  #: the engine's name, or "auto" if it has none for this language
    device: str


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
        Refused(_place(clip), "Whisper understood nothing in it. Listen to it, and type its text if there is one.")
        for clip in clips
        if clip.id not in understood
    ]
    write_refused(project, "transcribe", refused)
    on_progress(Progress("transcribe", len(clips), len(clips), f"{len(clips) - len(refused)} transcripts"))
    return transcripts, refused


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


def _place(clip: Clip) -> str:
    """The clip in the person's words: a file, and where in it if it is a part."""
    return clip.file if clip.start_s == 0 and clip.id.endswith("-0000") else f"{clip.file}, {clip.start_s:.0f} s"


def _listener(
    clips: Sequence[Clip], asked: tuple[str, str], device: str, before: Row | None, on_progress: OnProgress
) -> Listener:
    """Load the model and settle the language; what an earlier, killed run settled is kept."""
    asr, language = asked
    on_progress(Progress("transcribe", 0, len(clips), "Whisper is being loaded (the first time also downloaded)."))
    found, model = open_asr(asr, device)
    if found.notice:
        on_progress(Progress("transcribe", 0, len(clips), found.notice, notice=True))
    if not model.model.is_multilingual and language not in (AUTO, "english"):
        raise InputError(
            f"The Whisper model {found.name} hears English only, and the language is {language}. Choose another "
            "model (--asr), bring the texts (--transcripts), or set --language english."
        )
    if language != AUTO:
        code = WHISPER_CODES[language]
    elif not model.model.is_multilingual:
        code = "en"
    elif before is not None:
        code = before.heard_in
    else:
        code = detect_language(model, clips)
        on_progress(Progress("transcribe", 0, len(clips), f"The language is {NAMES.get(code, code)}."))
    return Listener(model, code, NAMES.get(code, AUTO), model.model.device)


def detect_language(model: WhisperModel, clips: Sequence[Clip]) -> str:
    """Whisper's code of the language spoken, from the probabilities over the longest clips together."""
    longest = sorted(clips, key=lambda clip: -clip.seconds)[:_DETECTION_CLIPS]
    sums: dict[str, float] = {}
    for clip in longest:
        _, _, probabilities = model.detect_language(read_wav(clip.audio, rate=WHISPER_RATE))
        for code, probability in probabilities:
            sums[code] = sums.get(code, 0.0) + probability
    return max(sums, key=lambda code: sums[code])


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
    windows = pack(waiting)
    while batch := list(itertools.islice(windows, _WINDOWS_AT_ONCE[listener.device])):
        if should_stop():
            raise Cancelled("Stopped while listening; what was heard is kept.")
        heard = _hear_together(listener, batch)
        for window in batch:
            for clip in window.clips:
                if _is_doubtful(heard[clip.id], clip):
                    heard[clip.id] = _better(heard[clip.id], _hear_alone(listener, clip), clip)
                done += 1
        _write(project, listener, [clip for window in batch for clip in window.clips], heard, asked, numbers)
        on_progress(Progress("transcribe", done, len(clips), f"{done} of {len(clips)} clips"))


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
            text, confidence = heard[clip.id].text, heard[clip.id].confidence
            transcript = Transcript(clip.id, text, listener.language, confidence, "whisper")
            rows[clip.id] = Row(transcript, clip.said_sha256, asked, listener.code)

    update_rows(project, change)


def _hear_together(listener: Listener, windows: list[Window]) -> dict[str, Heard]:
    """One batch; each window begins at a multiple of 30 s, so a word's time says which window it is in."""
    from faster_whisper import BatchedInferencePipeline

    sound = np.zeros(round(WINDOW_S * WHISPER_RATE) * len(windows), dtype=np.float32)
    loaded = [window.load() for window in windows]
    times = []
    for index, part in enumerate(loaded):
        first = round(index * WINDOW_S * WHISPER_RATE)
        sound[first : first + len(part.samples)] = part.samples
        times.append({"start": index * WINDOW_S, "end": index * WINDOW_S + part.window.seconds})
    segments, _ = BatchedInferencePipeline(listener.model).transcribe(
        sound,
        language=listener.code,
        clip_timestamps=times,
        batch_size=len(windows),
        word_timestamps=True,
        without_timestamps=True,
    )
    words: dict[str, list[Any]] = {clip.id: [] for window in windows for clip in window.clips}
    for segment in segments:
        index = round(segment.seek / 100 / WINDOW_S)  # seek counts 10 ms
        for word in segment.words or ():
            if clip := loaded[index].clip_of(word.start - index * WINDOW_S, word.end - index * WINDOW_S):
                words[clip.id].append(word)
    return {identifier: _join(spoken) for identifier, spoken in words.items()}


def _hear_alone(listener: Listener, clip: Clip) -> Heard:
    """Slower and surer: only where there is speech, and with Whisper's retries at a higher temperature."""
    segments, _ = listener.model.transcribe(
        read_wav(clip.audio, rate=WHISPER_RATE),
        language=listener.code,
        word_timestamps=True,
        vad_filter=True,
        condition_on_previous_text=False,
    )
    return _join([word for segment in segments for word in segment.words or ()])


def _join(words: list[Any]) -> Heard:
    text = " ".join("".join(word.word for word in words).split())
    if not any(char.isalnum() for char in text):
        return Heard("", 0.0)
    return Heard(text, float(np.mean([word.probability for word in words])))


def _is_doubtful(heard: Heard, clip: Clip) -> bool:
    if not heard.text or heard.confidence < _DOUBTFUL_CONFIDENCE:
        return True
    slowest, fastest = _LETTERS_PER_SECOND
    encoded = heard.text.encode()
    return (
        not slowest <= len(heard.text) / clip.seconds <= fastest
        or len(encoded) / len(zlib.compress(encoded)) > _REPEATED
    )


def _better(together: Heard, alone: Heard, clip: Clip) -> Heard:
    """What was heard alone, unless it is the weaker of two answers; no speech found means no text."""
    if not alone.text:
        return alone if together.confidence < _DOUBTFUL_CONFIDENCE else together
    if _is_doubtful(alone, clip) and together.confidence > alone.confidence:
        return together
    return alone
