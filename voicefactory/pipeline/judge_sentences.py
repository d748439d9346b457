"""The sentences that every voice says when it is judged: the same for all, and none that it was trained on.

They are the last of `voicefactory/prompts/<language>.txt` (our own words, CC0). That file is read aloud from its
beginning, so whoever records a voice with it reaches the last ones at the very end; those that were read, or that
are in the training texts for another reason, are left out and the ones before them take their places.
"""

from __future__ import annotations

from collections.abc import Collection

from voicefactory.errors import InputError
from voicefactory.languages import AUTO, WHISPER_CODES
from voicefactory.pipeline.prompts import PROMPTS, Prompt, read_prompts
from voicefactory.pipeline.wording import units_of

FEWEST, USUAL = 1, 24
LONGEST = 140  #: characters: what is longer takes a toll in time, and Whisper hears 30 s at a time


def judge_sentences(language: str, count: int = USUAL, trained_on: Collection[str] = ()) -> list[Prompt]:
    """`count` sentences in `language` (the engine's name), always the same ones, without those `trained_on`.

    There may be fewer when most were trained on. Raises InputError for "auto", or when none is left.
    """
    if language == AUTO:
        raise InputError(f"Say which language the voice is judged in (--language): {', '.join(WHISPER_CODES)}.")
    if count < FEWEST:
        raise InputError("Judging takes at least one sentence.")
    known = {_spoken(text, language) for text in trained_on}
    bundled = read_prompts(PROMPTS / f"{language}.txt", language)
    fresh = [one for one in bundled if len(one.text) <= LONGEST and _spoken(one.text, language) not in known]
    if not fresh:
        raise InputError(f"The voice was trained on every sentence that {language} has for judging.")
    return fresh[-count:]


def _spoken(text: str, language: str) -> tuple[str, ...]:
    """Two texts that are said alike are one, however they are written."""
    return tuple(unit.key for unit in units_of(text, language))
