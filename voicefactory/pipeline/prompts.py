"""Sentences to read aloud: `voicefactory/prompts/<language>.txt`, one a line, our own words, free to use (CC0).

The order is that of `scripts/order_prompts.py`: the first sentences hold most of the language's sounds, so that whoever
stops early has read the most useful ones. A prompt's id is made from its text, so it survives a new order.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from voicefactory.errors import InputError
from voicefactory.languages import AUTO, WHISPER_CODES, parse_language
from voicefactory.pipeline.takes import load_takes
from voicefactory.project import Project
from voicefactory.settings import settings

PROMPTS = Path(__file__).parents[1] / "prompts"
#: Characters that a person reads aloud in a second, punctuation and spaces among them. Assumed, except that of
#: English, which is a little below the 15.1 of the recordings in tests/data/clips.
CHARACTERS_PER_SECOND = {"chinese": 4.2, "japanese": 6.5, "korean": 6.0}
_CHARACTERS_PER_SECOND = 14.0
GOALS_MIN = (10, 30)  #: minutes of speech that the guided recording counts towards
_QUIET_S = 0.5  # before and after the sentence


@dataclass(frozen=True)
class Prompt:
    """One sentence to read."""

    id: str  #: such as en-3fa1b2c4
    text: str
    language: str  #: the engine's name

    @property
    def seconds(self) -> float:
        """About how long it takes to read, with the quiet around it."""
        return reading_seconds(self.text, self.language) + _QUIET_S


def reading_seconds(text: str, language: str) -> float:
    """About how long `text` takes to read aloud, seconds."""
    return len(text) / CHARACTERS_PER_SECOND.get(language, _CHARACTERS_PER_SECOND)


@functools.cache
def prompt_set(language: str) -> tuple[Prompt, ...]:
    """The prompts of `language` ("English", "en"), the most useful first; those of VOICEFACTORY_PROMPTS if it has some.

    Raises InputError naming the languages, also for "auto": nobody can guess what a person wants to read.
    """
    name = parse_language(language)
    if name == AUTO:
        raise InputError(f"Say which language you want to read: {', '.join(WHISPER_CODES)}.")
    own = (settings().prompts or PROMPTS) / f"{name}.txt"
    return read_prompts(own if own.is_file() else PROMPTS / f"{name}.txt", name)


def read_prompts(path: Path, language: str) -> tuple[Prompt, ...]:
    """The prompts of a file, one a line, in its order; lines that begin with # are none."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return tuple(Prompt(prompt_id(text, language), text, language) for text in lines if text)


def prompt_id(text: str, language: str) -> str:
    """The id of a prompt: language and a digest of its text."""
    return f"{WHISPER_CODES[language]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class RecordingProgress:
    """How far the guided recording of a project has come."""

    takes: int
    seconds: float  #: of the kept takes
    left: int  #: prompts of this language that are not read yet

    @property
    def toward(self) -> dict[int, float]:
        """Minutes wanted → share that is there, 0 to 1: 10 are a good start, 30 are better."""
        return {minutes: min(1.0, self.seconds / (60 * minutes)) for minutes in GOALS_MIN}

    def words(self) -> str:
        """The progress in a sentence."""
        goal = next((minutes for minutes in GOALS_MIN if self.seconds < 60 * minutes), GOALS_MIN[-1])
        return f"{self.takes} sentences read, {self.seconds / 60:.1f} of {goal} minutes."


def next_prompt(project: Project, language: str, skipped: Collection[str] = ()) -> Prompt | None:
    """The first prompt that the project has no take of, leaving out `skipped` ids; None when all are read."""
    read = load_takes(project)
    return next((one for one in prompt_set(language) if one.id not in read and one.id not in skipped), None)


def recording_progress(project: Project, language: str) -> RecordingProgress:
    """What was read so far: takes of every language count, since all are in the project."""
    takes = load_takes(project)
    left = sum(prompt.id not in takes for prompt in prompt_set(language))
    return RecordingProgress(len(takes), sum(take.seconds for take in takes.values()), left)
