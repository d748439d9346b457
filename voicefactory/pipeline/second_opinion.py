"""A second opinion: another Whisper size listens to the clips that a person doubts.

Where two models hear the same words, they are very likely right; where they differ, a person should listen. Leaves
opinions.jsonl, one row a clip and model, keyed by the clip's audio, written after every batch: a killed run goes on,
and asking again costs nothing. The comparison is made with the text as it is now, so it stays true after an edit.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from voicefactory import files
from voicefactory.errors import Cancelled, InputError
from voicefactory.languages import AUTO
from voicefactory.pipeline.comparing import Comparison, compare
from voicefactory.pipeline.hearing import Heard, detect_language, hear, open_listener, settle
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.spoken_form import AS_WRITTEN, IN_WORDS, parse_numbers, spoken_form
from voicefactory.pipeline.transcripts import load_rows, load_transcripts, set_transcripts
from voicefactory.project import Project
from voicefactory.types import Clip, OnProgress, Progress, ShouldStop, Transcript, never, silent


@dataclass(frozen=True)
class Opinion:
    """What another model heard in a clip, beside the text that the clip has now."""

    clip: str
    asr: str  #: the model that was asked for
    text: str  #: empty = it heard no words
    confidence: float  #: mean probability of its words, 0 to 1
    comparison: Comparison  #: first = the clip's text, second = `text`

    @property
    def disagreement(self) -> float:
        """0 = the same words, 1 = none in common."""
        return self.comparison.disagreement

    @property
    def word_error(self) -> float:
        """Changes for each word of the clip's text."""
        return self.comparison.word_error

    @property
    def reason(self) -> str:
        """In words, for a list of what is suspicious; empty if both agree."""
        if not self.comparison.different:
            return ""
        words = "word" if self.comparison.different == 1 else "words"
        return f"Whisper {Path(self.asr).name} hears {self.comparison.different} {words} differently"


def opinions_path(project: Project) -> Path:
    """opinions.jsonl of a project."""
    return project.root / "opinions.jsonl"


def second_opinion(
    project: Project,
    clips: Sequence[Clip],
    transcripts: Sequence[Transcript],
    asr: str,
    *,
    only: Sequence[str],
    device: str = AUTO,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> dict[str, Opinion]:
    """Let the model `asr` hear the clips whose ids are in `only`; clip id → opinion, in that order.

    Each clip is heard in the language of its transcript ("auto": detected once over those clips). Clips without a
    transcript are left out. Raises InputError for a model that listened first to all of them, that is unknown or does
    not hear the language, ModelUnavailableError if it cannot be had, and Cancelled.
    """
    texts = {transcript.clip: transcript for transcript in transcripts}
    by_id = {clip.id: clip for clip in clips}
    wanted = [by_id[name] for name in dict.fromkeys(only) if name in by_id and name in texts]
    _refuse_the_same(project, wanted, asr)
    known = _rows(project)
    waiting = [clip for clip in wanted if (clip.sha256, asr) not in known]
    done = len(wanted) - len(waiting)
    for language, group in _by_language(waiting, texts).items():
        on_progress(Progress("second opinion", done, len(wanted), f"Whisper {Path(asr).name} is being loaded."))
        listener = open_listener(asr, language, device)
        if not listener.code:
            settle(listener, detect_language(listener.model, group))
        batches = hear(listener, group)
        left = len(group)
        while left:
            if should_stop():
                raise Cancelled("Stopped while listening again; what was heard is kept.")
            heard = next(batches)
            _add(project, asr, {by_id[name].sha256: one for name, one in heard.items()})
            left, done = left - len(heard), done + len(heard)
            on_progress(Progress("second opinion", done, len(wanted), f"{done} of {len(wanted)} clips"))
    return _opinions(wanted, texts, _rows(project), asr)


def load_opinions(
    project: Project,
    asr: str = "",
    *,
    clips: Sequence[Clip] | None = None,
    transcripts: Sequence[Transcript] | None = None,
) -> dict[str, Opinion]:
    """Clip id → the newest opinion (of that model), compared with the clip's present text. Hears nothing.

    Whoever has the project's clips and transcripts at hand gives them: reading them again takes longer than the rest.
    """
    clips = load_clips(project) if clips is None else clips
    texts = {row.clip: row for row in (load_transcripts(project) if transcripts is None else transcripts)}
    return _opinions(clips, texts, _rows(project), asr)


def disagreements(project: Project) -> dict[str, float]:
    """Clip id → 0 (both heard the same) to 1, of the clips that have a second opinion."""
    return {clip: opinion.disagreement for clip, opinion in load_opinions(project).items()}


def take_opinion(project: Project, clip: str, asr: str = "", *, numbers: str = AS_WRITTEN) -> Transcript:
    """Make the other model's text the clip's own. It is a person's choice, so it counts as edited.

    Raises InputError if there is no such opinion, or it has no words.
    """
    numbers = parse_numbers(numbers)
    opinion = load_opinions(project, asr).get(clip)
    if opinion is None or not opinion.text:
        raise InputError("There is no second text for this clip. Ask for a second opinion first, or type the text.")
    old = next(row for row in load_transcripts(project) if row.clip == clip)
    text = spoken_form(opinion.text, old.language) if numbers == IN_WORDS else opinion.text
    set_transcripts(project, [dataclasses.replace(old, text=text)])
    return next(row for row in load_transcripts(project) if row.clip == clip)


def _refuse_the_same(project: Project, clips: Sequence[Clip], asr: str) -> None:
    rows = load_rows(project)
    first = {row.asked[0] for clip in clips if (row := rows.get(clip.id)) and row.transcript.source == "whisper"}
    if first == {asr}:
        raise InputError(f"Whisper {Path(asr).name} is the model that listened first. Choose another size.")


def _by_language(clips: Sequence[Clip], texts: Mapping[str, Transcript]) -> dict[str, list[Clip]]:
    groups: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        groups[texts[clip.id].language].append(clip)
    return groups


def _opinions(
    clips: Sequence[Clip],
    texts: Mapping[str, Transcript],
    rows: Mapping[tuple[str, str], dict[str, Any]],
    asr: str,
) -> dict[str, Opinion]:
    newest: dict[str, dict[str, Any]] = {row["sha256"]: row for row in rows.values() if asr in ("", row["asr"])}
    found = {}
    for clip in clips:
        row, text = newest.get(clip.sha256), texts.get(clip.id)
        if row and text:
            comparison = compare(text.text, row["text"], text.language)
            found[clip.id] = Opinion(clip.id, row["asr"], row["text"], row["confidence"], comparison)
    return found


def _rows(project: Project) -> dict[tuple[str, str], dict[str, Any]]:
    """(audio, model) → row, the oldest first."""
    return {(row["sha256"], row["asr"]): row for row in files.read_jsonl(opinions_path(project))}


def _add(project: Project, asr: str, heard: Mapping[str, Heard]) -> None:
    with filelock.FileLock(project.root / ".opinions.lock"):
        rows = _rows(project)
        for sha256, one in heard.items():
            rows.pop((sha256, asr), None)
            row = {"sha256": sha256, "asr": asr, "text": one.text, "confidence": round(one.confidence, 4)}
            rows[sha256, asr] = row
        files.write_jsonl(opinions_path(project), rows.values())
