"""Sentences to read aloud: `voicefactory/prompts/<language>.txt`, one a line, our own words, free to use (CC0).

The order is that of `scripts/order_prompts.py`: the first sentences hold most of the language's sounds, so that whoever
stops early has read the most useful ones. A prompt's id is made from its text, so it survives a new order.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

from voicefactory.errors import InputError
from voicefactory.languages import AUTO, WHISPER_CODES, parse_language

PROMPTS = Path(__file__).parents[1] / "prompts"
#: Characters that a person reads aloud in a second, punctuation and spaces among them. Assumed, except that of
#: English, which is a little below the 15.1 of the recordings in tests/data/clips.
CHARACTERS_PER_SECOND = {"chinese": 4.2, "japanese": 6.5, "korean": 6.0}
_CHARACTERS_PER_SECOND = 14.0
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
    """The prompts of `language` ("English", "en"), the most useful first.

    Raises InputError naming the languages, also for "auto": nobody can guess what a person wants to read.
    """
    name = parse_language(language)
    if name == AUTO:
        raise InputError(f"Say which language you want to read: {', '.join(WHISPER_CODES)}.")
    lines = (PROMPTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    texts = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return tuple(Prompt(prompt_id(text, name), text, name) for text in texts)


def prompt_id(text: str, language: str) -> str:
    """The id of a prompt: language and a digest of its text."""
    return f"{WHISPER_CODES[language]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
