"""The one table of limits: what is measured on a clip, when to speak up about it, and in which words.

`limit` is where the verdict begins, `worst` where it counts in full; in between its severity rises in a straight
line. `weight` is what the verdict at its worst adds to the clip's risk, if nothing else is wrong with it (see
pipeline/risk.py). docs/data.md shows this table and is checked against it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

_AT_LIMIT = 0.35  # severity of a verdict that has only just begun


@dataclass(frozen=True, eq=False)  # rows are told apart by what they are, which is quick
class Threshold:
    """When to speak up about a measure. `below`: complain under the limit, otherwise over it."""

    measure: str
    unit: str
    limit: float
    worst: float
    weight: float  #: 0 to 1
    words: str  #: with {value}
    why: str  #: where the limit comes from
    languages: tuple[str, ...] = ()  #: the engine's names; empty = every language without rows of its own

    @property
    def below(self) -> bool:
        return self.worst < self.limit

    def severity(self, value: float) -> float:
        """0 where there is nothing to complain about, otherwise 0.35 (at the limit) to 1 (at `worst` and beyond)."""
        over = (value - self.limit) / (self.worst - self.limit)
        return _AT_LIMIT + (1 - _AT_LIMIT) * min(1.0, over) if over > 0 else 0.0  # not a number: nothing to say

    def verdict(self, value: float) -> str:
        """What is said to the person about `value`."""
        return self.words.format(value=value)


#: Measured when a clip is cut (`audio/quality.py`). The clip is used, and the person is told.
OF_CUTTING = (
    Threshold("rms_dbfs", "dBFS", -38, -55, 0.5, "quiet: speech is at {value:.0f} dBFS", "18 dB under the usual level"),
    Threshold(
        "snr_db",
        "dB",
        20,
        5,
        0.7,
        "noisy: speech is only {value:.0f} dB above the pauses",
        "at 20 dB the noise is plainly heard and the model learns it",
    ),
    Threshold(
        "clipped_share",
        "share of samples",
        0.0005,
        0.01,
        0.7,
        "clipping: {value:.2%} of the samples are cut off at full scale",
        "fewer are not heard",
    ),
    Threshold(
        "speech_share",
        "share of time",
        0.4,
        0.15,
        0.5,
        "mostly pauses: someone speaks in {value:.0%} of it",
        "a model learns to pause from such clips",
    ),
)
#: The clip cannot be used. `worst` and `weight` mean nothing here.
REFUSALS = (
    Threshold("speech_s", "s", 0.3, 0, 1, "no speech was heard in it", "shorter than a syllable"),
    Threshold(
        "rms_dbfs", "dBFS", -55, -90, 1, "it is too quiet to use: speech is at {value:.0f} dBFS", "the bits run out"
    ),
)

_CHINESE, _JAPANESE, _KOREAN = ("chinese",), ("japanese",), ("korean",)
_TOO_FAST = "much text: {value:.0f} letters for every second of speech; is there a word too many?"
_TOO_SLOW = "little text: {value:.1f} letters for every second of speech; is a word missing?"
_PUBLISHED = "usual syllables a second in Pellegrino, Coupé and Marsico (2011); not measured here"
_SYLLABLES, _FEW_SYLLABLES = f"twice the {_PUBLISHED}", f"a quarter of the {_PUBLISHED}"
_KANJI = "the same, a character having more than one syllable at times; not measured here"
_ASSUMED = "assumed between Chinese and Japanese; not measured"

#: Measured by `analyse` on a finished clip and its text. These come before those of cutting on the page.
OF_ANALYSIS = (
    Threshold(
        "voice_distance",
        "share of what one speaker's clips differ",
        1.0,
        1.6,
        0.9,
        "another voice: it differs from the other clips {value:.1f} times as much as one speaker's clips do",
        "benchmarks/foreign.py: four speakers mixed",
    ),
    Threshold(
        "duration_s", "s", 1.5, 0.8, 0.25, "short: {value:.1f} s; clips of 3 to 12 s teach more", "the cut's target"
    ),
    Threshold(
        "duration_s", "s", 15, 20, 0.2, "long: {value:.0f} s; clips of 3 to 12 s train faster", "the cut's target"
    ),
    Threshold(
        "loudness_lufs",
        "LUFS",
        -33,
        -45,
        0.5,
        "quiet: its loudness is {value:.0f} LUFS",
        "13 LU under what recordings are levelled to",
    ),
    Threshold(
        "loudness_lufs",
        "LUFS",
        -12,
        -6,
        0.4,
        "loud: its loudness is {value:.0f} LUFS",
        "8 LU over what recordings are levelled to; only limiting makes speech so dense",
    ),
    Threshold(
        "peak_dbfs",
        "dBFS",
        -0.1,
        0.1,
        0.15,
        "its peaks touch full scale",
        "recordings are levelled to peaks of -1 dBFS",
    ),
    Threshold(
        "noise_floor_dbfs",
        "dBFS",
        -42,
        -25,
        0.4,
        "hiss or hum at {value:.0f} dBFS between the words",
        "22 dB under the usual level of speech",
    ),
    Threshold(
        "silence_share",
        "share of time",
        0.6,
        0.85,
        0.5,
        "mostly pauses: nobody speaks in {value:.0%} of it",
        "a model learns to pause from such clips",
    ),
    Threshold(
        "bandwidth_hz",
        "Hz",
        6500,
        3400,
        0.6,
        "dull: nothing above {value:.0f} Hz, as from a telephone or a small mp3",
        "telephones end at 3.4 kHz; 16 kHz recordings pass",
    ),
    Threshold(
        "dnsmos",
        "1 to 5",
        2.4,
        1.5,
        0.6,
        "sounds poor: {value:.1f} of 5 as listeners would rate it (DNSMOS)",
        "142 of 143 studio clips of four speakers have more",
    ),
    Threshold("chars_per_s", "1/s", 24, 40, 0.7, _TOO_FAST, "99 of 100 texts of five languages have fewer"),
    Threshold("chars_per_s", "1/s", 5, 2, 0.6, _TOO_SLOW, "99 of 100 texts of five languages have more"),
    Threshold("chars_per_s", "1/s", 10, 16, 0.7, _TOO_FAST, _SYLLABLES, _CHINESE),
    Threshold("chars_per_s", "1/s", 1.3, 0.5, 0.6, _TOO_SLOW, _FEW_SYLLABLES, _CHINESE),
    Threshold("chars_per_s", "1/s", 14, 22, 0.7, _TOO_FAST, _KANJI, _JAPANESE),
    Threshold("chars_per_s", "1/s", 1.5, 0.6, 0.6, _TOO_SLOW, _KANJI, _JAPANESE),
    Threshold("chars_per_s", "1/s", 12, 18, 0.7, _TOO_FAST, _ASSUMED, _KOREAN),
    Threshold("chars_per_s", "1/s", 1.5, 0.6, 0.6, _TOO_SLOW, _ASSUMED, _KOREAN),
    Threshold(
        "words_per_s",
        "1/s",
        6.0,
        9.0,
        0.5,
        "fast: {value:.1f} words for every second of speech",
        "99 of 100 texts of five languages have fewer",
    ),
    Threshold(
        "words_per_s",
        "1/s",
        0.8,
        0.3,
        0.4,
        "slow: {value:.1f} words for every second of speech",
        "99 of 100 texts of five languages have more",
    ),
    Threshold(
        "confidence",
        "0 to 1",
        0.6,
        0.2,
        0.8,
        "Whisper was only {value:.0%} sure of the words",
        "what Whisper itself hears a second time",
    ),
    Threshold(
        "disagreement",
        "share of words",
        0.15,
        0.6,
        0.85,
        "a second Whisper heard {value:.0%} of the words differently",
        "one word in seven",
    ),
)
_FROM_CUTTING = ("snr_db", "clipped_share")
#: Everything that has a verdict in an analysis, in the order in which it is said.
TABLE = (OF_ANALYSIS[0], *(row for row in OF_CUTTING if row.measure in _FROM_CUTTING), *OF_ANALYSIS[1:])


@dataclass(frozen=True)
class Complaint:
    """A measure beyond its limit."""

    threshold: Threshold
    value: float

    @property
    def words(self) -> str:
        return self.threshold.verdict(self.value)

    @property
    def severity(self) -> float:
        return self.threshold.severity(self.value)


def complaints(
    values: Mapping[str, float], table: tuple[Threshold, ...] = TABLE, language: str = ""
) -> list[Complaint]:
    """What is beyond its limit, in the table's order. `language` is the engine's name for the text's language."""
    pairs = ((row, values[row.measure]) for row in _rows_of(table, language) if row.measure in values)
    return [Complaint(row, value) for row, value in pairs if row.severity(value) > 0]


@functools.cache
def _rows_of(table: tuple[Threshold, ...], language: str) -> tuple[Threshold, ...]:
    own = {row.measure for row in table if language in row.languages}
    return tuple(row for row in table if (language in row.languages if row.measure in own else not row.languages))
