"""The verdict with the person's own ears, out of a judgement that was written down before they listened."""

from __future__ import annotations

from typing import Any

import pytest

from voicefactory.pipeline.blind_test import BlindTest, Sides, answered, new_blind_test
from voicefactory.pipeline.judge_case import ZERO_SHOT
from voicefactory.pipeline.judgement import worth_of

VOICE = "voice:quick-1"
YES = {"verdict": "yes", "sentence": "Voice quick-1 sounds more like the recordings.", "differences": {}}
ROW: dict[str, Any] = {"compared": VOICE, "worth": YES, "worth_measured": YES}


def heard(prefer_trained: bool, pairs: int = 8, trained: str = VOICE) -> BlindTest:
    sides = [Sides(str(at), "Hello.", f"t{at}.flac", f"z{at}.flac") for at in range(pairs)]
    test = new_blind_test(trained, ZERO_SHOT, sides, pairs=pairs, seed=1)
    for at, pair in enumerate(test.pairs):
        test = answered(test, at, "first" if pair.trained_first == prefer_trained else "second")
    return test


def test_the_persons_ears_go_before_the_measures() -> None:
    found = worth_of(ROW, heard(prefer_trained=False))
    assert found is not None
    assert found.verdict == "no"
    assert found.sentence.startswith("You preferred the trained voice in 0 of 8 pairs")
    assert "The measures say otherwise: Voice quick-1 sounds more" in found.sentence
    again = worth_of({**ROW, "worth": found.to_json()}, heard(prefer_trained=True))  # judged anew after a first test
    assert again is not None
    assert again.verdict == "yes"
    assert "in 8 of 8 pairs" in again.sentence
    assert "0 of 8" not in again.sentence


@pytest.mark.parametrize(
    "test",
    [None, heard(prefer_trained=False, trained="voice:another"), new_blind_test(VOICE, ZERO_SHOT, [
        Sides(str(at), "Hello.", "t", "z") for at in range(5)], pairs=5, seed=1)],
    ids=["no test", "of another voice", "not finished"],
)  # fmt: skip
def test_without_a_finished_test_of_these_two_the_measures_count(test: BlindTest | None) -> None:
    found = worth_of(ROW, test)
    assert found is not None
    assert (found.verdict, found.sentence) == ("yes", YES["sentence"])


def test_a_judgement_without_a_verdict_or_of_an_earlier_version() -> None:
    assert worth_of({"worth": None}, heard(prefer_trained=False)) is None
    found = worth_of({"worth": YES}, heard(prefer_trained=False))  # nobody knows which voice it was about
    assert found is not None
    assert found.verdict == "yes"
