"""A text of any length → the pieces that are spoken one by one: sentences, and the clauses of very long ones.

An own rule: pysbd, the small library that most use, is abandoned and knows neither Korean nor Portuguese. The rule
needs no language, so it also works where nobody says which. It rather leaves two sentences together than cuts one in
two: two together sound natural, half a sentence does not.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from voicefactory.errors import InputError

End = Literal["clause", "sentence", "paragraph"]  #: what a piece is the end of

#: Letters of a piece: a voice has learned clips of at most 20 s (types.MAX_CLIP_S), at 15 letters a second.
LONGEST = 300
#: Letters that an ideograph, kana or hangul syllable counts as: so much longer it takes to say.
WIDE = 3
_SHORT_LINE = 45  #: letters; a line break after fewer was meant as one, after more it only wraps

_FINAL = re.compile(r"[.!?…。！？．｡]+(?P<closed>(?:[\u00a0\u202f ]?»|[\"'”’)\]}』」）】》])*)")
_OPENING = "\"'“‘„«»([{¿¡『「（【《–—-"
_SPACE = " \u00a0\u202f\u3000"
_BULLET = re.compile(r"\s*(?:[-*•·–]|\d{1,3}[.)])\s")
#: Never at the end of a sentence, whatever follows. Only what is no whole word in any of the ten languages.
_TITLES = """
mr mrs ms dr prof st mme mmes mlle mlles sr sra srta dña dra exmo exma sig dott avv ud uds hr hrn fr bzw ca ggf evtl
inkl exkl zzgl vgl sog str vs approx dept gen col capt lt rev hon av bd tel pág págs env ул им см ср проф акад стр рис
гл тыс млн млрд г гг z.b d.h u.a i.d.r e.g i.e cf z.t o.ä s.o s.u v.a p.ex p.ej т.е т.к т.н
"""
#: At the end of a sentence only if a capital follows.
_PERHAPS_LAST = """
etc usw ecc inc ltd co corp jr al a.m p.m u.s.w chr a.c d.c т.д т.п др пр руб коп ff bros
"""
_NEVER, _PERHAPS = frozenset(_TITLES.split()), frozenset(_PERHAPS_LAST.split())
#: No end if a number follows.
_BEFORE_NUMBERS = frozenset(
    ("no", "nr", "nos", "art", "abs", "fig", "kap", "cap", "vol", "num", "núm", "pp", "pag", "p")
)
#: After these, "3." is German for "third".
_BEFORE_ORDINALS = frozenset(
    ("am", "der", "dem", "den", "des", "die", "das", "zum", "zur", "vom", "im", "beim", "ab", "bis", "seit", "und")
)
_TOKEN = re.compile(r"(?:(?<!\w)(?:\w\.[ \u00a0]?)+\w|[^\W_]+)$")
#: Where a sentence that is too long may be cut, the best places first.
_CUTS = (
    re.compile(r"[;:—–](?=\s)|[；：]|——"),
    re.compile(r",(?=\s)|[，、،]"),
    re.compile(r"\s"),
)


@dataclass(frozen=True)
class Piece:
    """What is spoken in one go."""

    text: str
    end: End


def text_pieces(text: str) -> list[Piece]:
    """Cut a text into sentences; an empty line ends a paragraph. Raises InputError if there is nothing to say in it."""
    pieces: list[Piece] = []
    for paragraph in re.split(r"\n[^\S\n]*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        found = [
            piece
            for run in _runs(paragraph)
            for sentence in _sentences(run)
            for piece in _clauses(sentence)
            if any(char.isalnum() for char in piece.text)
        ]
        if found:
            pieces += [*found[:-1], Piece(found[-1].text, "paragraph")]
    if not pieces:
        raise InputError("There is nothing to say in this text. Write some words.")
    return pieces


def letters(text: str) -> int:
    """How long a text is to say, in letters."""
    return sum(WIDE if is_wide(char) else 1 for char in text)


def is_wide(char: str) -> bool:
    """Whether a character is a syllable or more: an ideograph, kana, hangul."""
    return unicodedata.category(char) == "Lo" and unicodedata.east_asian_width(char) in "WFH"


def _runs(paragraph: str) -> list[str]:
    """The lines of a paragraph, with those that only wrap put together again."""
    runs: list[str] = []
    wraps = False
    for line in paragraph.split("\n"):
        if not line.strip():
            continue
        if wraps and not _BULLET.match(line):
            runs[-1] += f" {line.strip()}"
        else:
            runs.append(line.strip())
        wraps = letters(line) >= _SHORT_LINE
    return [re.sub(r"\s+", " ", run) for run in runs]


def _sentences(run: str) -> list[str]:
    found, begin = [], 0
    for match in _FINAL.finditer(run):
        if _ends(run[begin : match.start()], match, run[match.end() :]):
            found.append(run[begin : match.end()].strip())
            begin = match.end()
    return [one for one in [*found, run[begin:].strip()] if one]


def _ends(before: str, match: re.Match[str], after: str) -> bool:
    """Whether a sentence ends at this mark. `before` reaches back to where it began."""
    if not after.strip():
        return True
    mark = match.group().removesuffix(match["closed"])
    spaced = after[0] in _SPACE
    following = after.lstrip(_SPACE + _OPENING)[:1]
    if not spaced:
        return _ends_without_space(mark, bool(match["closed"]), after, following)
    if following.islower():
        return False
    return mark != "." or _full_stop_ends(before, following)


def _ends_without_space(mark: str, closed: bool, after: str, following: str) -> bool:
    """Chinese and Japanese have no spaces; elsewhere this is a decimal, an address or a slip."""
    if not set(mark) & set("。！？．｡!?"):
        return False
    if closed:  # 「行こう。」と言った goes on, 「行こう。」「うん。」 does not
        return after[0] in _OPENING
    return set(mark).isdisjoint("!?") or (following != "" and is_wide(following))


def _full_stop_ends(before: str, following: str) -> bool:
    found = _TOKEN.search(before)
    if found is None:
        return True
    token = re.sub(r"\s", "", found.group()).lower()
    if token.isdigit():
        return not following.isdigit() and not _is_ordinal(before, found.start(), token)
    if token in _NEVER or (following.isdigit() and token in _BEFORE_NUMBERS):
        return False
    if token in _PERHAPS:
        return following.isupper() or is_wide(following)
    initial = all(len(part) == 1 for part in token.split("."))
    return not initial or found.group() == "I" or is_wide(token[-1])


def _is_ordinal(before: str, start: int, token: str) -> bool:
    """Whether a number with a full stop is "the third", or the number of a point in a list."""
    words = before[:start].split()
    return not words or (len(token) <= 2 and words[-1].lower().strip(_OPENING) in _BEFORE_ORDINALS)


def _clauses(sentence: str) -> list[Piece]:
    """The sentence, or if it is too long its clauses: cut at the best place near the middle, and again."""
    if letters(sentence) <= LONGEST:
        return [Piece(sentence, "sentence")]
    at = _middle(sentence)
    first, second = _clauses(sentence[:at].strip()), _clauses(sentence[at:].strip())
    return [*first[:-1], Piece(first[-1].text, "clause"), *second]


def _middle(sentence: str) -> int:
    half = len(sentence) // 2
    for cuts in _CUTS:
        places = [match.end() for match in cuts.finditer(sentence)]
        places = [at for at in places if half // 2 <= at <= half + half // 2]
        if places:
            return min(places, key=lambda at: abs(at - half))
    return half
