"""Was this sentence said? Two texts compared by what is spoken, not by how it is written.

Case, punctuation and digits do not matter. Chinese is compared by pinyin without tones, because Whisper writes other
characters of the same sound; Japanese and Korean by characters, because nobody agrees where words end. A word that is
spelled almost alike ("colour", "color") counts as said.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass

from voicefactory.pipeline.spoken_form import spoken_form

_ALIKE = 0.75  #: share of equal letters from which two words are one


@dataclass(frozen=True)
class Unit:
    """A word, or one character where words are not parted."""

    key: str  #: what is compared
    shown: str


@dataclass(frozen=True)
class Said:
    """A unit of the wanted text."""

    text: str
    said: bool


@dataclass(frozen=True)
class Comparison:
    """What of a text was said."""

    words: tuple[Said, ...]  #: of the wanted text, in order
    error_rate: float  #: (wrong + missing + added) / wanted; 0 = the same
    added: int  #: words that are not in the wanted text

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(word.text for word in self.words if not word.said)


def units_of(text: str, language: str) -> list[Unit]:
    """The text in the pieces in which it is compared."""
    spoken = unicodedata.normalize("NFKC", spoken_form(text, language))
    if language == "chinese":
        return [_chinese(piece) for piece in re.findall(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+", spoken)]
    if language in ("japanese", "korean"):
        return [Unit(_kana(char), char) for char in spoken if char.isalnum() or char == "ー"]
    return [Unit(_plain(word), word) for word in re.findall(r"\w+", spoken)]


def compare(wanted: str, heard: str, language: str) -> Comparison:
    """How much of `wanted` is in `heard`, both texts in `language`."""
    import jiwer

    want, got = units_of(wanted, language), units_of(heard, language)
    if not want:
        return Comparison((), 0.0 if not got else 1.0, len(got))
    if not got:
        return Comparison(tuple(Said(unit.shown, False) for unit in want), 1.0, 0)
    found = jiwer.process_words(" ".join(unit.key for unit in want), " ".join(unit.key for unit in got))
    said = [False] * len(want)
    added = 0
    for chunk in found.alignments[0]:
        first, last = chunk.ref_start_idx, chunk.ref_end_idx
        for offset, at in enumerate(range(first, last)):
            other = chunk.hyp_start_idx + offset
            said[at] = chunk.type == "equal" or (
                chunk.type == "substitute" and _alike(want[at].key, got[other].key if other < len(got) else "")
            )
        if chunk.type == "insert":
            added += chunk.hyp_end_idx - chunk.hyp_start_idx
    errors = said.count(False) + added
    return Comparison(
        tuple(Said(unit.shown, ok) for unit, ok in zip(want, said, strict=True)), round(errors / len(want), 3), added
    )


def _alike(one: str, other: str) -> bool:
    if min(len(one), len(other)) < 4:
        return one == other
    return difflib.SequenceMatcher(None, one, other).ratio() >= _ALIKE


def _plain(word: str) -> str:
    """Without case and accents, except where an accent makes another letter of the alphabet."""
    bare = unicodedata.normalize("NFD", word.casefold())
    return "".join(char for char in bare if not unicodedata.combining(char))


def _kana(char: str) -> str:
    return chr(ord(char) - 0x60) if "ァ" <= char <= "ヶ" else char.casefold()


def _chinese(piece: str) -> Unit:
    from pypinyin import lazy_pinyin

    if not "\u3400" <= piece[0] <= "\u9fff":
        return Unit(piece.casefold(), piece)
    return Unit(lazy_pinyin(piece)[0], piece)
