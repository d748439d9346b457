"""Transcripts on disk: transcripts.jsonl, written by Whisper, by a person's file and by the page.

Three writers may meet here (a worker that listens, a page where someone edits), so every change is made
under a lock, on the rows as they are then. What a person wrote or dropped is never overwritten by Whisper.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import filelock

from voicefactory import files
from voicefactory.errors import InputError
from voicefactory.languages import AUTO, parse_language
from voicefactory.pipeline.cue_matching import place, texts_of_clips
from voicefactory.pipeline.given_texts import GivenText, read_transcripts
from voicefactory.pipeline.matching import ClipNames
from voicefactory.pipeline.refusals import write_refused
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.spoken_form import IN_WORDS, parse_numbers, spoken_form
from voicefactory.project import Project, speaker_key
from voicefactory.types import Clip, Refused, Transcript

__all__ = ["GivenText", "bring_transcripts", "load_transcripts", "read_transcripts", "set_transcripts"]

_KEPT = 4  # projects
_known: dict[Path, _Known] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Row:
    """A transcript and what it was made from."""

    transcript: Transcript
    sha256: str  #: of the clip's audio as it was cut (`Clip.said_sha256`); a row for other audio is not current
    asked: tuple[str, str] = ("", "")  #: the Whisper model and the language that were asked for
    heard_in: str = ""  #: Whisper's code of the language it listened in
    heard: str = ""  #: what Whisper wrote, before numbers became words or a person changed it
    doubt: str = ""  #: why Whisper's words were not believed; then there is no text

    @property
    def by_person(self) -> bool:
        return self.transcript.source in ("edited", "given") or self.transcript.dropped


@dataclass(frozen=True)
class _Known:
    """What a file holds, kept in memory until it changes."""

    stamp: tuple[int, int, int]
    rows: dict[str, Row]
    lines: dict[str, str]  #: as they were written, of some rows: one decision among thousands writes the others again


def load_transcripts(project: Project) -> list[Transcript]:
    """Every transcript with text, of the clips as they are now, in their order; dropped ones are marked."""
    rows = load_rows(project)
    return transcripts_of(load_clips(project), rows)


def transcripts_of(clips: Iterable[Clip], rows: dict[str, Row]) -> list[Transcript]:
    """The transcripts with text of these clips, in their order; a row about other audio does not count."""
    pairs = ((clip, rows.get(clip.id)) for clip in clips)
    return [row.transcript for clip, row in pairs if row and row.transcript.text and row.sha256 == clip.said_sha256]


def set_transcripts(project: Project, transcripts: Iterable[Transcript]) -> None:
    """Save what a person changed: another text becomes "edited" with confidence 1; `dropped` is kept.

    An emptied text drops the clip and keeps the old text. Rows that are not named stay as they are. Raises
    InputError for an unknown language.
    """
    clips = {clip.id: clip for clip in load_clips(project)}
    wanted = {
        transcript.clip: replace(transcript, language=parse_language(transcript.language))
        for transcript in transcripts
        if transcript.clip in clips
    }

    def change(rows: dict[str, Row]) -> None:
        for identifier, new in wanted.items():
            old = rows.get(identifier)
            rows[identifier] = _edited(old, new, clips[identifier].said_sha256)

    update_rows(project, change)


def write_numbers(project: Project, numbers: str) -> int:
    """Write the numbers in Whisper's texts "in words", or "as written" by Whisper again; returns how many changed.

    What a person typed or brought stays as it is. Raises InputError for another choice.
    """
    numbers = parse_numbers(numbers)
    changed = 0

    def change(rows: dict[str, Row]) -> None:
        nonlocal changed
        for identifier, row in rows.items():
            rows[identifier] = spelled(row, numbers)
            changed += rows[identifier] != row

    update_rows(project, change)
    return changed


def spelled(row: Row, numbers: str) -> Row:
    """The row with Whisper's text as that choice writes numbers; other rows as they are."""
    if row.transcript.source != "whisper":
        return row
    heard = row.heard or row.transcript.text
    text = spoken_form(heard, row.transcript.language) if numbers == IN_WORDS else heard
    return replace(row, transcript=replace(row.transcript, text=text), heard=heard)


def bring_transcripts(
    project: Project, clips: Sequence[Clip], path: Path, *, language: str = AUTO
) -> tuple[list[Transcript], list[Refused]]:
    """Take the texts of a file or folder instead of listening; rows that a person edited stay as they are.

    Clips should be whole recordings (`segment(keep_whole=True)`), except for subtitles, whose times say which clips
    of a recording they belong to. Every row without audio and every clip
    without text is refused with its reason. Raises InputError if the file is in none of the known formats.
    """
    language = parse_language(language)
    given: dict[str, Row] = {}
    refused: list[Refused] = []
    for text, clip, lost in _matched(clips, read_transcripts(path)):
        spoken, unknown = _language_of(text, language)
        speaker, unusable = _speaker_of(text)
        reason = text.problem or lost or unknown or unusable or ("" if text.text else "Its text is empty.")
        if clip is None or reason:
            refused.append(Refused(text.file, reason))
        elif clip.id in given and given[clip.id].transcript.text != text.text:
            refused.append(Refused(text.file, "It has a second, different text; the first one was taken."))
        else:
            transcript = Transcript(clip.id, text.text, spoken, 1.0, "given", speaker=speaker, instruct=text.instruct)
            given[clip.id] = Row(transcript, clip.said_sha256)

    def change(rows: dict[str, Row]) -> None:
        for clip in clips:
            old = rows.get(clip.id)
            if old is not None and old.sha256 == clip.said_sha256 and _stays(old):
                if clip.id in given:  # who says it, and how, is still the file's to tell
                    rows[clip.id] = _told_again(old, given[clip.id].transcript)
            elif clip.id in given:
                rows[clip.id] = given[clip.id]
            else:
                rows.pop(clip.id, None)

    rows = update_rows(project, change, only=clips)
    taken = transcripts_of(clips, rows)
    with_text = {transcript.clip for transcript in taken}
    already = {row.file for row in refused}
    refused += [
        Refused(place(clip), f"There is no text for it in {path.name}.")
        for clip in clips
        if clip.id not in with_text and not {clip.file, place(clip)} & already
    ]
    write_refused(project, "transcribe", refused)
    return taken, refused


def _matched(clips: Sequence[Clip], texts: Sequence[GivenText]) -> Iterator[tuple[GivenText, Clip | None, str]]:
    """Each text with its clip, or the reason why it has none; subtitles are put together by clip."""
    names = ClipNames(clips)
    by_id = {clip.id: clip for clip in clips}
    cues: dict[str, list[GivenText]] = defaultdict(list)
    for text in texts:
        if text.timed:
            cues[text.file].append(text)
        else:
            yield (text, *names.find(text.file))
    for file, spoken in cues.items():
        found, reason = names.find_all(file)
        if reason:
            yield GivenText(file, ""), None, reason
            continue
        told, refused = texts_of_clips(found, spoken)
        for identifier, text in told.items():
            yield text, by_id[identifier], ""
        for one in refused:
            yield GivenText(one.file, "", problem=one.reason), None, ""


def _language_of(text: GivenText, language: str) -> tuple[str, str]:
    """The language of a row, that of the whole file if it has none; and what is wrong with it."""
    try:
        return (parse_language(text.language) if text.language else language), ""
    except InputError as reason:
        return language, str(reason)


def _speaker_of(text: GivenText) -> tuple[str, str]:
    """The speaker of a row as the model looks them up; and what is wrong with the name."""
    try:
        return (speaker_key(text.speaker) if text.speaker else ""), ""
    except InputError as reason:
        return "", f"Its speaker {text.speaker[:40]!r} cannot be used. {reason}"


def load_rows(project: Project) -> dict[str, Row]:
    """Clip id → row, of everything in transcripts.jsonl. The last few files are kept in memory until they change."""
    path = project.transcripts_jsonl
    stamp = _stamp(path)
    with _lock:
        known = _known.get(path)
    if known is None or known.stamp != stamp:
        known = _Known(stamp, {row["clip"]: _row(row) for row in files.read_jsonl(path)}, {})
        _keep(path, known)
    return dict(known.rows)


def forget(project: Project) -> None:
    """Forget the rows of a project that is gone."""
    with _lock:
        _known.pop(project.transcripts_jsonl, None)


def _stamp(path: Path) -> tuple[int, int, int]:
    """Another one after every write: each makes a new file."""
    if not path.exists():
        return (0, 0, 0)
    state = path.stat()
    return state.st_mtime_ns, state.st_size, state.st_ino


def _keep(path: Path, known: _Known) -> None:
    with _lock:
        _known.pop(path, None)
        _known[path] = known
        while len(_known) > _KEPT:
            del _known[next(iter(_known))]


def update_rows(
    project: Project, change: Callable[[dict[str, Row]], None], only: Sequence[Clip] | None = None
) -> dict[str, Row]:
    """Apply `change` to the rows as they are on disk now, under the lock, and write them.

    With `only`, rows of other clips go, unless a person wrote them; the order is that of `only`.
    """
    project.root.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(project.root / ".transcripts.lock"):
        before = load_rows(project)
        rows = dict(before)
        change(rows)
        if only is not None:
            ordered = {clip.id: rows[clip.id] for clip in only if clip.id in rows}
            others = {name: row for name, row in rows.items() if name not in ordered and row.by_person}
            rows = {**ordered, **others}
        path = project.transcripts_jsonl
        with _lock:
            known = _known.get(path)
        lines = known.lines if known and known.stamp == _stamp(path) else {}
        same = {name for name, row in rows.items() if row is before.get(name)}
        written = {name: lines[name] if name in same and name in lines else _line(row) for name, row in rows.items()}
        files.write_text(path, "".join(written.values()))
        kept = {name: row if name in same else _row(_json(row)) for name, row in rows.items()}
        _keep(path, _Known(_stamp(path), kept, written))
    return rows


def _edited(old: Row | None, new: Transcript, sha256: str) -> Row:
    text = " ".join(new.text.split())
    if old is None or old.sha256 != sha256:
        return Row(replace(new, text=text, source="edited", confidence=1.0, dropped=new.dropped or not text), sha256)
    before = old.transcript
    if not text:
        return replace(old, transcript=replace(before, dropped=True))
    if text == before.text:
        return replace(old, transcript=replace(before, dropped=new.dropped, language=new.language))
    after = replace(before, text=text, source="edited", confidence=1.0, dropped=new.dropped, language=new.language)
    return replace(old, transcript=after)


def _told_again(kept: Row, given: Transcript) -> Row:
    return replace(kept, transcript=replace(kept.transcript, speaker=given.speaker, instruct=given.instruct))


def _stays(row: Row) -> bool:
    return row.transcript.source == "edited" or row.transcript.dropped


def _line(row: Row) -> str:
    return json.dumps(_json(row), ensure_ascii=False) + "\n"


def _json(row: Row) -> dict[str, Any]:
    transcript = row.transcript
    return {
        "clip": transcript.clip,
        "audio": f"clips/{transcript.clip}.wav",
        "text": transcript.text,
        "language": transcript.language,
        "confidence": round(transcript.confidence, 4),
        "source": transcript.source,
        "dropped": transcript.dropped,
        **({"speaker": transcript.speaker} if transcript.speaker else {}),
        **({"instruct": transcript.instruct} if transcript.instruct else {}),
        "sha256": row.sha256,
        "asked": list(row.asked),
        "heard_in": row.heard_in,
        **({"heard": row.heard} if row.heard and row.heard != transcript.text else {}),
        **({"doubt": row.doubt} if row.doubt else {}),
    }


def _row(values: dict[str, Any]) -> Row:
    transcript = Transcript(
        clip=values["clip"],
        text=values["text"],
        language=values["language"],
        confidence=values["confidence"],
        source=values["source"],
        dropped=values["dropped"],
        speaker=values.get("speaker", ""),
        instruct=values.get("instruct", ""),
    )
    asr, language = values["asked"]
    heard = values.get("heard", transcript.text if transcript.source == "whisper" else "")
    return Row(transcript, values["sha256"], (asr, language), values["heard_in"], heard, values.get("doubt", ""))
