"""Coverage: which sounds of a language the texts hold, which they lack, and which sentences would bring them.

The sounds of a language are those that its prompt set holds (`prompts.py`), counted by the proxy of `sounds.py`.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from voicefactory.languages import WHISPER_CODES
from voicefactory.pipeline.prompts import Prompt, prompt_set
from voicefactory.pipeline.sounds import pairs_of, sounds_of, words_of

RARE = 3  #: a sound that is heard less often than this is rare
_SUGGESTED = 5
_PROXIES = {
    "chinese": "Counted as initials, finals and tones of the pinyin.",
    "japanese": "Counted as the beats of the kana; kanji are not counted, because their reading is not in the text.",
    "korean": "Counted as the parts of each syllable.",
}
_SPELLING_PROXY = "Counted from the spelling, which tells sounds only roughly."


@dataclass(frozen=True)
class Missing:
    """A sound that the texts lack, or hold less than three times."""

    sound: str  #: as `sounds.py` writes it
    example: str  #: a word of a prompt with it; Chinese and Japanese: a few characters
    count: int  #: how often it is in the texts


@dataclass(frozen=True)
class Coverage:
    """What the texts of one language hold of its sounds."""

    language: str
    share: float  #: of the language's sounds that are in the texts at least once, 0 to 1
    pair_share: float  #: of the pairs of neighbouring sounds that the prompts hold, 0 to 1
    missing: tuple[Missing, ...]  #: not there at all; the commonest in the language first
    rare: tuple[Missing, ...]  #: there once or twice
    prompts: tuple[Prompt, ...]  #: up to five that bring the most of them
    proxy: str  #: a sentence: how it was counted

    def words(self) -> str:
        """The coverage as a sentence or two."""
        told = f"{self.share:.0%} of the sounds of {self.language.capitalize()} are in your texts."
        if self.missing:
            named = ", ".join(f"“{one.sound}” as in {one.example}" for one in self.missing[:6])
            more = f" and {len(self.missing) - 6} more" if len(self.missing) > 6 else ""
            told += f" Missing: {named}{more}."
        return told


def coverage(texts: Sequence[str], language: str) -> Coverage | None:
    """What `texts` hold of the sounds of `language`; None for a language without prompts ("auto")."""
    if language not in WHISPER_CODES:
        return None
    inventory, pairs, examples = _inventory(language)
    counts: Counter[str] = Counter()
    heard_pairs: set[tuple[str, str]] = set()
    for text in texts:
        words = words_of(text, language)
        for word in words:
            counts.update(word)
        heard_pairs.update(pairs_of(words))
    by_use = sorted(inventory, key=lambda sound: (-inventory[sound], sound))
    missing = [Missing(sound, examples[sound], 0) for sound in by_use if not counts[sound]]
    rare = [Missing(sound, examples[sound], counts[sound]) for sound in by_use if 0 < counts[sound] < RARE]
    return Coverage(
        language,
        share=1 - len(missing) / len(inventory),
        pair_share=len(pairs & heard_pairs) / len(pairs),
        missing=tuple(missing),
        rare=tuple(rare),
        prompts=_that_bring({one.sound for one in missing}, {one.sound for one in rare}, language),
        proxy=_PROXIES.get(language, _SPELLING_PROXY),
    )


def coverage_from_json(row: dict[str, Any]) -> Coverage:
    """What `dataclasses.asdict` made of a Coverage."""
    return Coverage(
        **{
            **row,
            "missing": tuple(Missing(**one) for one in row["missing"]),
            "rare": tuple(Missing(**one) for one in row["rare"]),
            "prompts": tuple(Prompt(**one) for one in row["prompts"]),
        }
    )


@functools.cache
def _inventory(language: str) -> tuple[Counter[str], set[tuple[str, str]], dict[str, str]]:
    """How often each sound is in the prompts, which pairs are, and a word or a few characters with each sound."""
    counts: Counter[str] = Counter()
    pairs: set[tuple[str, str]] = set()
    examples: dict[str, str] = {}
    for prompt in prompt_set(language):
        words = words_of(prompt.text, language)
        pairs.update(pairs_of(words))
        for word in words:
            counts.update(word)
        for sounds, written in _written(prompt.text, language):
            for sound in sounds:
                known = examples.get(sound)
                examples[sound] = written if known is None or len(written) < len(known) else known
    for sound in counts:
        examples.setdefault(sound, "")
    return counts, pairs, examples


def _written(text: str, language: str) -> list[tuple[list[str], str]]:
    """Pieces of a text to show as examples, with their sounds: words, or characters where there are no words."""
    if language in ("chinese", "japanese"):
        pieces = [text[at : at + size] for size in (1, 2) for at in range(len(text) - size + 1)]
        pieces = [piece for piece in pieces if piece.isalpha()]
    else:
        pieces = ["".join(char for char in word if char.isalpha() or char in "'’") for word in text.split()]
    return [(sounds_of(piece, language), piece) for piece in pieces]


def _that_bring(missing: set[str], rare: set[str], language: str) -> tuple[Prompt, ...]:
    """Up to five prompts, each the one that brings most of what the ones before it left; a missing sound counts
    three times as much as a rare one."""
    chosen: list[Prompt] = []
    wanted = dict.fromkeys(rare, 1) | dict.fromkeys(missing, 3)
    while wanted and len(chosen) < _SUGGESTED:
        best = max(
            prompt_set(language), key=lambda prompt: sum(wanted.get(sound, 0) for sound in _set(prompt.text, language))
        )
        brought = _set(best.text, language) & wanted.keys()
        if not brought:
            break
        chosen.append(best)
        wanted = {sound: weight for sound, weight in wanted.items() if sound not in brought}
    return tuple(chosen)


@functools.lru_cache(maxsize=2_000)
def _set(text: str, language: str) -> frozenset[str]:
    return frozenset(sounds_of(text, language))
