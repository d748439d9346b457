"""Two texts word by word: what agrees, what does not."""

from __future__ import annotations

import re
from dataclasses import dataclass

from voicefactory.pipeline.spoken_form import spoken_form

_UNSPACED = ("chinese", "japanese")  # compared character by character


@dataclass(frozen=True)
class Pair:
    """Words of the first and the second text that stand at the same place; one of them may be empty."""

    first: str
    second: str
    same: bool


@dataclass(frozen=True)
class Comparison:
    """Two texts aligned with the fewest changes."""

    pairs: tuple[Pair, ...]
    first_words: int
    second_words: int

    @property
    def different(self) -> int:
        """Words that were replaced, left out or added."""
        return sum(not pair.same for pair in self.pairs)

    @property
    def word_error(self) -> float:
        """Changes for each word of the first text, as word error rates are counted; may pass 1."""
        return self.different / max(1, self.first_words)

    @property
    def disagreement(self) -> float:
        """0 = the same words, 1 = none in common: changes for each word of the longer text."""
        return self.different / max(1, self.first_words, self.second_words)


def compare(first: str, second: str, language: str) -> Comparison:
    """Align two texts. Case, punctuation and the way numbers are written do not count as differences."""
    ours, theirs = _words(first, language), _words(second, language)
    keys = [_key(word) for word in ours], [_key(word) for word in theirs]
    return Comparison(tuple(_align(ours, theirs, *keys)), len(ours), len(theirs))


def _words(text: str, language: str) -> list[str]:
    spoken = spoken_form(text, language)
    apart = spoken if language not in _UNSPACED else " ".join(spoken)
    return [word for word in re.split(r"[\s–—]+|(?<=\w)-(?=\w)", apart) if _key(word)]


def _key(word: str) -> str:
    return re.sub(r"[^\w]|_", "", word.casefold())


def _align(ours: list[str], theirs: list[str], a: list[str], b: list[str]) -> list[Pair]:
    """Levenshtein's alignment over words; rows × columns steps, so a text of 60 words takes a few milliseconds."""
    cost = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a), -1, -1):
        for j in range(len(b), -1, -1):
            if i == len(a) or j == len(b):
                cost[i][j] = len(a) - i + len(b) - j
            else:
                cost[i][j] = min(cost[i + 1][j + 1] + (a[i] != b[j]), cost[i + 1][j] + 1, cost[i][j + 1] + 1)
    pairs: list[Pair] = []
    i = j = 0
    while i < len(a) or j < len(b):
        if i < len(a) and j < len(b) and cost[i][j] == cost[i + 1][j + 1] + (a[i] != b[j]):
            pairs.append(Pair(ours[i], theirs[j], a[i] == b[j]))
            i, j = i + 1, j + 1
        elif i < len(a) and cost[i][j] == cost[i + 1][j] + 1:
            pairs.append(Pair(ours[i], "", False))
            i += 1
        else:
            pairs.append(Pair("", theirs[j], False))
            j += 1
    return pairs
