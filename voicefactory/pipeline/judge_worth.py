"""Was training worth it? The trained voice against the base model's zero-shot clone, which costs nothing.

Both say the same sentences, so differences are taken sentence by sentence (paired bootstrap). A verdict needs an
interval that does not touch zero; where there is none, the honest answer is that nobody can tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from voicefactory.pipeline.blind_test import Outcome
from voicefactory.pipeline.intervals import Interval, difference
from voicefactory.pipeline.judge_pick import Floors, Result

Verdict = Literal["yes", "no", "cannot tell"]
#: measure → whether more of it is better; of pace the distance from the speaker's counts
COMPARED = {
    "likeness": True,
    "likeness_own": True,
    "word_error": False,
    "char_error": False,
    "pace": False,
    "dnsmos": True,
}


@dataclass(frozen=True)
class Worth:
    """The answer."""

    verdict: Verdict
    sentence: str
    differences: Mapping[str, Interval]  #: measure → trained minus zero-shot; above 0 the trained voice is better

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "sentence": self.sentence,
            "differences": {name: one.to_json() for name, one in self.differences.items()},
        }


def worth(trained: Result, zero_shot: Result, own: Floors) -> Worth:
    """Compare a trained voice with the zero-shot clone. `own`: what every voice has to reach (judge_pick)."""
    gains = {name: gain for name in COMPARED if (gain := _gain(name, trained, zero_shot)) is not None}
    fails, other_fails = own.failures(trained), own.failures(zero_shot)
    if fails and other_fails:
        ours, theirs = " and ".join(fails), " and ".join(other_fails)
        told = f"Neither passes. {trained.label}: {ours}. {zero_shot.label}: {theirs}."
        return Worth("cannot tell", told, gains)
    if fails:
        return Worth("no", f"{trained.label} does not pass: {' and '.join(fails)}. The zero-shot clone does.", gains)
    if other_fails:
        return Worth(
            "yes", f"The zero-shot clone does not pass: {' and '.join(other_fails)}. {trained.label} does.", gains
        )
    likeness, errors = _sign(gains.get("likeness")), _sign(gains.get(own.errors))
    if likeness > 0 and errors >= 0:
        return Worth("yes", f"{trained.label} sounds more like the recordings{_by(gains['likeness'])}.", gains)
    if likeness < 0 and errors <= 0:
        return Worth("no", f"The zero-shot clone sounds more like the recordings{_by(gains['likeness'])}.", gains)
    if likeness == 0 and errors:
        better = trained.label if errors > 0 else "The zero-shot clone"
        told = f"Both sound alike, and {better} is understood better{_by(gains[own.errors])}."
        return Worth("yes" if errors > 0 else "no", told, gains)
    if likeness and errors:
        told = "One sounds more like the recordings, the other is understood better: listen, and decide yourself."
        return Worth("cannot tell", told, gains)
    sentences = gains["likeness"].n if "likeness" in gains else 0
    told = f"The difference is within chance on {sentences} sentences: take what you like, or judge more sentences."
    return Worth("cannot tell", told, gains)


def _gain(name: str, trained: Result, zero_shot: Result) -> Interval | None:
    """By how much the trained voice is better."""
    ours, theirs = (dict(one.by_sentence.get(name, {})) for one in (trained, zero_shot))
    if name == "pace":
        ours, theirs = ({key: abs(value - 1) for key, value in one.items()} for one in (ours, theirs))
    return difference(ours, theirs) if COMPARED[name] else difference(theirs, ours)


def _sign(gain: Interval | None) -> int:
    """1 = surely better, -1 = surely worse, 0 = within chance."""
    return 0 if gain is None else 1 if gain.low > 0 else -1 if gain.high < 0 else 0


def _by(gain: Interval) -> str:
    low, high = sorted((abs(gain.low), abs(gain.high)))
    return f" by {abs(gain.mean):.3f} (95 % sure: {low:.3f} to {high:.3f})"


def with_ears(found: Worth, ears: Outcome) -> Worth:
    """The verdict when the person's own blind test is known: where it tells, it goes before the measures."""
    if ears.verdict == "cannot tell":
        return replace(found, sentence=f"{found.sentence} {ears.sentence}")
    verdict: Verdict = "yes" if ears.verdict == "trained" else "no"
    told = ears.sentence
    if found.verdict not in (verdict, "cannot tell"):
        told += f" The measures say otherwise: {found.sentence}"
    return replace(found, verdict=verdict, sentence=told)
