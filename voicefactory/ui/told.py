"""Sentences that the work makes (errors, reasons, verdicts), in the reader's language.

Workers, files and commands have them in English, with figures and names already in them. Where the page shows one, it
is recognised by its template and said anew (ADR 0009). What is not recognised stays English: nothing is ever hidden.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

from voicefactory.ui import english, numbers, text

_FOLDER = Path(__file__).parent / "translations"
_GAP = re.compile(r"\{\d+\}")
_WITHOUT_SPACES = ("zh-CN", "ja")
#: Where one sentence ends and another begins; not after an initial.
_BETWEEN_SENTENCES = re.compile(r"(?<=[^\s.A-Z][.?]) (?=[A-Z“])")
_BETWEEN_REASONS = re.compile(r"(; |, | and (?!\d))")
_NUMBER = re.compile(r"\d[\d,]*(\.\d+)?")


def told(sentence: str) -> str:
    """`sentence`, or several of them, in the language that is spoken now."""
    language = text.spoken()
    return sentence if language == text.ENGLISH else _told(language, sentence)


def forget() -> None:
    """Forget what was told: sentences have names of files in them."""
    _told.cache_clear()


@functools.lru_cache(maxsize=8_192)
def _told(language: str, words: str) -> str:
    """A sentence, several, or a part of one; what stands before it (a space, a comma) stays."""
    rest = words.lstrip(" ,")
    start = words[: len(words) - len(rest)]
    if start and language in _WITHOUT_SPACES:
        start = numbers.AND[language] if "," in start else ""
    if _NUMBER.fullmatch(rest):
        return start + numbers.localized(rest, language)
    if rest.lower() in english.LANGUAGES:
        return start + text.single("", text.translation(language).get("LANGUAGES", {})).get(f"-{rest.lower()}", rest)
    whole = _one(language, rest)
    if whole is None:
        whole = _parts(language, rest)
    return start + whole


def _parts(language: str, words: str) -> str:
    sentences = _BETWEEN_SENTENCES.split(words)
    if len(sentences) > 1:
        return ("" if language in _WITHOUT_SPACES else " ").join(_told(language, one) for one in sentences)
    pieces = _BETWEEN_REASONS.split(words)
    reasons = [_one(language, piece) for piece in pieces[::2]]
    if len(reasons) == 1 or not any(reasons):
        return words
    known = [reason or piece for reason, piece in zip(reasons, pieces[::2], strict=True)]
    between = [numbers.AND[language] if piece == " and " else piece for piece in pieces[1::2]]
    return "".join(one + join for one, join in zip(known, [*between, ""], strict=True))


def _one(language: str, words: str) -> str | None:
    """What is exactly one template; what stands in its gaps may be one, too, but is never a sentence of its own."""
    for pattern, translated in _templates(language):
        found = pattern.fullmatch(words)
        if found and not any(_BETWEEN_SENTENCES.search(gap) for gap in found.groups()):
            return _filled(translated, [_told(language, gap) for gap in found.groups()])
    return None


def _filled(words: str, gaps: list[str]) -> str:
    return _GAP.sub(lambda gap: gaps[int(gap[0][1:-1])], words)


@functools.cache
def _templates(language: str) -> list[tuple[re.Pattern[str], str]]:
    """Pattern of the English template, and its translation: those that say most first, so that they are not taken for
    another one with a wider gap."""
    known = {template.lstrip(" ,"): words.lstrip(" ,，、") for template, words in translations(language).items()}
    by_words = sorted(known.items(), key=lambda pair: -len(_GAP.sub("", pair[0])))
    return [(pattern(template), words) for template, words in by_words]


def translations(language: str) -> dict[str, str]:
    """English template → the same in `language`."""
    path = _FOLDER / f"{language}.told.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def pattern(template: str) -> re.Pattern[str]:
    """What a template's sentences look like; its gaps {0}, {1} are groups, and can be empty."""
    return re.compile("(.*?)".join(re.escape(piece) for piece in _GAP.split(template)), re.DOTALL)
