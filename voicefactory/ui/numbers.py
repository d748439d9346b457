"""Figures as each language writes them: 1,234.5 is 1.234,5 in German."""

from __future__ import annotations

import string
from typing import Any

#: Language → signs for thousands and for the decimals. Those that are not here write them as English does.
_SIGNS = {"de": (".", ","), "es": (".", ","), "fr": ("\u202f", ",")}
#: Between the last two of several reasons.
AND = {"de": " und ", "fr": " et ", "es": " y ", "zh-CN": "，", "ja": "、"}


def localized(figure: str, language: str) -> str:
    """A number in English, such as 1,234.5, as `language` has it."""
    thousands, decimals = _SIGNS.get(language, (",", "."))
    signs: dict[str, str | int | None] = {",": thousands, ".": decimals}
    return figure.translate(str.maketrans(signs))


class Sentence(str):
    """A sentence whose figures are written as in its language when they are filled in."""

    language: str

    def __new__(cls, words: str, language: str = "en") -> Sentence:
        made = super().__new__(cls, words)
        made.language = language
        return made

    def format(self, *args: Any, **values: Any) -> str:
        """As str.format, except for the signs in numbers."""
        return _Formatter(self.language).vformat(self, args, values)


class _Formatter(string.Formatter):
    def __init__(self, language: str) -> None:
        self._language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        """Numbers in the language's signs; everything else as it is."""
        shown = str(super().format_field(value, format_spec))
        return localized(shown, self._language) if isinstance(value, int | float) else shown
