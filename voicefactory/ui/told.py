"""Sentences that the work makes (errors, reasons, verdicts), in the reader's language.

Workers, files and commands have them in English, with figures and names already in them. Where the page shows one, it
is recognised by its template and said anew (ADR 0009). What is not recognised stays English: nothing is ever hidden.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

from voicefactory.ui import text

_FOLDER = Path(__file__).parent / "translations"
_GAP = re.compile(r"\{\d+\}")
_WITHOUT_SPACES = ("zh-CN", "ja")
#: Where one sentence ends and another begins; not after an abbreviation's single letter.
_BETWEEN_SENTENCES = re.compile(r"(?<=[^\s.][^\s.][.:?]) (?=[A-Z“])")


def told(sentence: str) -> str:
    """`sentence`, or several of them, in the language that is spoken now."""
    language = text.spoken()
    return sentence if language == text.ENGLISH else _told(language, sentence)


@functools.lru_cache(maxsize=8_192)
def _told(language: str, sentence: str) -> str:
    whole = _one(language, sentence)
    if whole is not None:
        return whole
    parts = _BETWEEN_SENTENCES.split(sentence)
    between = "" if language in _WITHOUT_SPACES else " "
    return between.join(_told(language, part) for part in parts) if len(parts) > 1 else sentence


def _one(language: str, sentence: str) -> str | None:
    """A sentence that is exactly one template; what stands in its gaps may be one, too."""
    for pattern, words in _templates(language):
        found = pattern.fullmatch(sentence)
        if found:
            return _filled(words, [_told(language, gap) for gap in found.groups()])
    return None


def _filled(words: str, gaps: list[str]) -> str:
    return _GAP.sub(lambda gap: gaps[int(gap[0][1:-1])], words)


@functools.cache
def _templates(language: str) -> list[tuple[re.Pattern[str], str]]:
    """Pattern of the English template, and its translation: those that say most first, so that they are not taken for
    another one with a wider gap."""
    by_words = sorted(translations(language).items(), key=lambda pair: -len(_GAP.sub("", pair[0])))
    return [(pattern(template), words) for template, words in by_words]


def translations(language: str) -> dict[str, str]:
    """English template → the same in `language`."""
    path = _FOLDER / f"{language}.told.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def pattern(template: str) -> re.Pattern[str]:
    """What a template's sentences look like; its gaps {0}, {1} are groups."""
    return re.compile("(.+?)".join(re.escape(piece) for piece in _GAP.split(template)), re.DOTALL)
