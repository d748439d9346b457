"""The person's own ears: pairs of the same sentence, trained and zero-shot, in an order that nobody knows.

Pure functions over a small JSON file; who plays the sound and asks is none of their business. Which side of a pair is
which is decided when the test is made, and told only after the last answer.

Undecided pairs count for nobody, as ties do in the sign test (Dixon and Mood, 1946, J. Am. Stat. Assoc. 41). The
interval is the exact one of Clopper and Pearson. It needs six decided pairs, all for the same side, before chance is
ruled out: five coins agree once in sixteen times.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from voicefactory import files
from voicefactory.errors import InputError
from voicefactory.pipeline.intervals import Interval, binomial_interval
from voicefactory.pipeline.judge_speak import judge_folder
from voicefactory.project import Project

FEWEST_PAIRS, USUAL_PAIRS = 5, 10

Answer = Literal["first", "second", "undecided"]
ANSWERS: tuple[Answer, ...] = ("first", "second", "undecided")


@dataclass(frozen=True)
class Sides:
    """One sentence as both say it; audio relative to the project."""

    sentence: str
    text: str
    trained: str
    zero_shot: str


@dataclass(frozen=True)
class Pair:
    """One question: which of the two sounds more like the person?"""

    sides: Sides
    trained_first: bool
    answer: Answer | None = None

    @property
    def audio(self) -> tuple[str, str]:
        """What is played first, and second."""
        both = (self.sides.trained, self.sides.zero_shot)
        return both if self.trained_first else both[::-1]


@dataclass(frozen=True)
class BlindTest:
    """A test, finished or not."""

    trained: str  #: Subject.id
    zero_shot: str
    seed: int  #: of the order
    pairs: tuple[Pair, ...]

    @property
    def next(self) -> int | None:
        """The pair to ask now; None when all are answered."""
        return next((at for at, pair in enumerate(self.pairs) if pair.answer is None), None)


@dataclass(frozen=True)
class Outcome:
    """What the ears said."""

    trained: int  #: pairs in which the trained voice was preferred
    zero_shot: int
    undecided: int
    share: Interval  #: of the decided pairs that went to the trained voice
    verdict: Literal["trained", "zero-shot", "cannot tell"]
    sentence: str

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "share": self.share.to_json()}


def new_blind_test(
    trained: str, zero_shot: str, sides: Sequence[Sides], *, pairs: int = USUAL_PAIRS, seed: int | None = None
) -> BlindTest:
    """Draw `pairs` of `sides`, each sentence at most once, and toss a coin for the order of each.

    `seed` empty is one that nobody knows. Raises InputError for fewer than FEWEST_PAIRS, or too few sentences.
    """
    distinct = list({one.sentence: one for one in sides}.values())
    if pairs < FEWEST_PAIRS or len(distinct) < pairs:
        raise InputError(
            f"A blind test takes at least {FEWEST_PAIRS} pairs, each of another sentence; {pairs} were asked for, and "
            f"both voices have said {len(distinct)}."
        )
    chosen_seed = random.SystemRandom().randrange(2**31) if seed is None else seed
    rng = random.Random(chosen_seed)
    drawn = rng.sample(distinct, pairs)
    return BlindTest(trained, zero_shot, chosen_seed, tuple(Pair(one, rng.random() < 0.5) for one in drawn))


def answered(test: BlindTest, at: int, answer: str) -> BlindTest:
    """The test with pair number `at` answered; a later answer replaces it. Raises InputError for what is none."""
    known = next((one for one in ANSWERS if one == answer), None)
    if known is None or not 0 <= at < len(test.pairs):
        raise InputError(f"Answer one of the {len(test.pairs)} pairs with {', '.join(ANSWERS)}.")
    pairs = list(test.pairs)
    pairs[at] = replace(pairs[at], answer=known)
    return replace(test, pairs=tuple(pairs))


def outcome(test: BlindTest) -> Outcome:
    """Count what was answered so far. Before the last answer it must not be shown: who knows, hears differently."""
    decided = [pair for pair in test.pairs if pair.answer in ("first", "second")]
    wins = sum((pair.answer == "first") == pair.trained_first for pair in decided)
    undecided = sum(pair.answer == "undecided" for pair in test.pairs)
    share = binomial_interval(wins, len(decided))
    told = f"You preferred the trained voice in {wins} of {len(decided)} pairs, {undecided} undecided. "
    if share.low > 0.5:
        return Outcome(wins, len(decided) - wins, undecided, share, "trained", told + "That is more than chance.")
    if share.high < 0.5:
        told += "That is less than chance: you prefer the zero-shot clone."
        return Outcome(wins, len(decided) - wins, undecided, share, "zero-shot", told)
    told += "Tossing coins could give the same: you cannot tell them apart yet."
    return Outcome(wins, len(decided) - wins, undecided, share, "cannot tell", told)


def blind_test_path(project: Project) -> Path:
    """Where the project's test lies."""
    return judge_folder(project) / "blind-test.json"


def save_blind_test(project: Project, test: BlindTest) -> None:
    """Write the test down, after every answer."""
    files.write_json(blind_test_path(project), asdict(test))


def load_blind_test(project: Project) -> BlindTest | None:
    """The test as it was left; None if there is none."""
    path = blind_test_path(project)
    if not path.exists():
        return None
    row = files.read_json(path)
    pairs = tuple(Pair(Sides(**pair["sides"]), pair["trained_first"], pair["answer"]) for pair in row["pairs"])
    return BlindTest(row["trained"], row["zero_shot"], row["seed"], pairs)


def sides_of(judgement: dict[str, Any], trained: str, zero_shot: str) -> list[Sides]:
    """What both said, out of a judgement's JSON: the first take of each sentence.

    Raises InputError if one of the two is not in it.
    """
    said = {
        row["id"]: {one["sentence"]: one for one in row["utterances"] if one["take"] == 0}
        for row in judgement["subjects"]
    }
    for wanted in (trained, zero_shot):
        if wanted not in said:
            raise InputError(f"{wanted!r} was not judged. There are: {', '.join(said)}.")
    ours, theirs = said[trained], said[zero_shot]
    return [
        Sides(name, one["text"], one["audio"], theirs[name]["audio"]) for name, one in ours.items() if name in theirs
    ]
