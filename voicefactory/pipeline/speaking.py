"""A text of any length, spoken piece by piece with one voice; the same seed gives the same speech.

Piece n (from 0) is spoken with seed + 1000·n: so a text of one sentence has the seed that was asked for, and an engine
may try the next seeds when a piece does not come to an end. A piece that never does is cut off and told of; the others
are as they would be without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voicefactory.engines.base import Synthesizer
from voicefactory.pipeline.speech_joins import trimmed, with_pause
from voicefactory.pipeline.text_pieces import Piece
from voicefactory.types import Reference, ShouldStop, never

SEED_STEP = 1000


@dataclass(frozen=True)
class Manner:
    """How a text is spoken."""

    language: str = "auto"  #: engine's name
    seed: int = 0
    speaker: str = ""  #: empty = the newest
    reference: Reference | None = None  #: for a base model
    temperature: float | None = None
    greedy: bool = False
    instruct: str = ""


@dataclass(frozen=True)
class Part:
    """One piece as it was spoken, with the pause after it."""

    text: str
    samples: npt.NDArray[np.float32]  #: mono
    sample_rate: int  #: Hz
    seed: int  #: the one that was used in the end
    runaway: bool  #: it did not come to an end, and was cut off
    notice: str = ""

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.sample_rate


@dataclass(frozen=True)
class Spoken:
    """A whole text as it was spoken."""

    parts: tuple[Part, ...]

    @property
    def samples(self) -> npt.NDArray[np.float32]:
        """Mono, at `sample_rate`."""
        return np.concatenate([part.samples for part in self.parts])

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self.parts[0].sample_rate

    @property
    def seed(self) -> int:
        """That of the first piece, in the end."""
        return self.parts[0].seed

    @property
    def seconds(self) -> float:
        return sum(part.seconds for part in self.parts)

    @property
    def runaway(self) -> tuple[int, ...]:
        """Pieces that did not come to an end, from 1."""
        return tuple(number for number, part in enumerate(self.parts, 1) if part.runaway)

    @property
    def notice(self) -> str:
        """A sentence about what could not be done as asked."""
        return next((part.notice for part in self.parts if part.notice), "")


def speak_pieces(
    synthesizer: Synthesizer,
    pieces: Sequence[Piece],
    manner: Manner,
    *,
    known: Callable[[int], Part | None] = lambda number: None,
    on_part: Callable[[int, Part], None] = lambda number, part: None,
    should_stop: ShouldStop = never,
) -> Spoken | None:
    """Speak `pieces` in order. When told to stop, what was spoken until then; None if that is nothing.

    `known` gives what was spoken before, `on_part` is told of each piece when it is there. Raises InputError as the
    synthesizer does.
    """
    parts: list[Part] = []
    for number, piece in enumerate(pieces):
        part = known(number)
        if part is None:
            if should_stop():
                break
            part = _spoken(synthesizer, piece, manner, number, last=number == len(pieces) - 1)
        parts.append(part)
        on_part(number, part)
    return Spoken(tuple(parts)) if parts else None


def _spoken(synthesizer: Synthesizer, piece: Piece, manner: Manner, number: int, *, last: bool) -> Part:
    speech = synthesizer.speak(
        piece.text,
        language=manner.language,
        seed=manner.seed + SEED_STEP * number,
        temperature=manner.temperature,
        greedy=manner.greedy,
        reference=manner.reference,
        speaker=manner.speaker or None,
        instruct=manner.instruct,
    )
    samples = with_pause(trimmed(speech.samples, speech.sample_rate), speech.sample_rate, None if last else piece.end)
    return Part(piece.text, samples, speech.sample_rate, speech.seed, speech.runaway, speech.notice)
