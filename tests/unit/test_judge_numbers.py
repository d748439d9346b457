"""The arithmetic of judging: intervals, the rule, the verdict, the blind test. No sound is needed for it."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

from voicefactory.errors import InputError
from voicefactory.languages import WHISPER_CODES
from voicefactory.pipeline.blind_test import (
    BlindTest,
    Pair,
    Sides,
    answered,
    load_blind_test,
    new_blind_test,
    outcome,
    save_blind_test,
    sides_of,
)
from voicefactory.pipeline.intervals import (
    Interval,
    binomial_interval,
    by_sentence,
    difference,
    mean_interval,
    share_interval,
)
from voicefactory.pipeline.judge_listen import Sound
from voicefactory.pipeline.judge_pick import Floors, Result, floors, pick
from voicefactory.pipeline.judge_plots import plot
from voicefactory.pipeline.judge_scores import MEASURES, OwnVoice, Range, scores
from voicefactory.pipeline.judge_sentences import judge_sentences
from voicefactory.pipeline.judge_worth import with_ears, worth
from voicefactory.pipeline.prompts import prompt_set
from voicefactory.project import Project

FLOORS = Floors("word_error", most_errors=0.1, slowest=0.85, fastest=1.15)


def result(name: str, **values: float | list[float]) -> Result:
    """Ten sentences with these values of each measure; one value stands for all ten."""
    given = {key: value if isinstance(value, list) else [value] * 10 for key, value in values.items()}
    said = {key: {f"s{at}": value for at, value in enumerate(row)} for key, row in given.items()}
    means = {key: interval for key, row in given.items() if (interval := mean_interval(row))}
    return Result(name, name, means, said)


def around(mean: float, spread: float = 0.02) -> list[float]:
    """Ten values around `mean`, always the same."""
    steps = np.linspace(-spread, spread, 10)
    return [float(mean + step) for step in steps]


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Of 200 samples of 20 the 95 % interval holds the true mean in 91 to 99 %; the naive one of seeds does not."""
    rng = np.random.default_rng(7)
    hits = naive_hits = 0
    for _ in range(200):
        sentences = rng.normal(3.0, 1.0, size=20)
        seeds = sentences[:, None] + rng.normal(0.0, 0.2, size=(20, 3))  # takes of a sentence resemble each other
        rows = [(str(at), float(value)) for at, row in enumerate(seeds) for value in row]
        found, naive = mean_interval(list(by_sentence(rows).values())), mean_interval([value for _, value in rows])
        assert found is not None
        assert naive is not None
        hits += found.low <= 3.0 <= found.high
        naive_hits += naive.low <= 3.0 <= naive.high
    assert 0.91 <= hits / 200 <= 0.99
    assert naive_hits / 200 < 0.85


def test_the_same_figures_have_the_same_interval() -> None:
    values = around(0.8)
    assert mean_interval(values) == mean_interval(values)
    assert mean_interval([]) is None
    single = mean_interval([0.5])
    assert single is not None
    assert (single.mean, single.low, single.high) == (0.5, -math.inf, math.inf)
    assert single.to_json() == {"mean": 0.5, "low": None, "high": None, "n": 1}


def test_differences_are_taken_sentence_by_sentence() -> None:
    """Hard and easy sentences differ far more than the voices: unpaired nobody could tell."""
    hard = {f"s{at}": at / 10 for at in range(10)}
    better = {name: value + 0.02 + 0.001 * at for at, (name, value) in enumerate(hard.items())}
    found = difference({**better, "only here": 5.0}, hard)
    assert found is not None
    assert found.n == 10
    assert 0.02 < found.low < found.mean < found.high < 0.03


def test_what_never_happened_may_still_happen() -> None:
    """By hand: of 20 without one the upper end is 1 - 0.025 ** (1 / 20)."""
    found = share_interval([0.0] * 20)
    assert found is not None
    assert (found.mean, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 20))
    half = share_interval([0.5, 0.0])  # one of two takes of one of two sentences
    assert half is not None
    assert half.mean == 0.25


def test_a_binomial_interval_computed_by_hand() -> None:
    """6 of 6: the lower end p solves p ** 6 = 0.025. 1 of 2: 1 - (1 - p) ** 2 = 0.025."""
    six = binomial_interval(6, 6)
    assert six.low == pytest.approx(0.025 ** (1 / 6))
    assert six.high == 1.0
    one = binomial_interval(1, 2)
    assert one.low == pytest.approx(1 - math.sqrt(0.975))
    assert one.high == pytest.approx(math.sqrt(0.975))
    nobody = binomial_interval(0, 0)
    assert (nobody.low, nobody.high) == (0.0, 1.0)


@pytest.mark.parametrize("language", list(WHISPER_CODES))
def test_every_language_has_twenty_sentences_beyond_what_is_read_first(language: str) -> None:
    found = judge_sentences(language)
    assert len(found) >= 20
    assert found == judge_sentences(language)
    assert not {one.id for one in found} & {one.id for one in prompt_set(language)[:20]}


def test_sentences_that_were_trained_on_are_left_out() -> None:
    every = judge_sentences("english", 24)
    said = every[-1].text.upper().replace(",", "")  # the same words, written in another way
    without = judge_sentences("english", 24, [said])
    assert every[-1] not in without
    assert len(without) == 24
    with pytest.raises(InputError, match="trained on every sentence"):
        judge_sentences("english", 24, [one.text for one in prompt_set("english")])
    with pytest.raises(InputError, match="--language"):
        judge_sentences("auto")


def test_the_most_alike_is_chosen_of_those_that_pass() -> None:
    mumbles = result("mumbles", likeness=0.95, word_error=0.3, pace=1.0)
    hurries = result("hurries", likeness=0.94, word_error=0.02, pace=1.3)
    good = result("good", likeness=around(0.90), word_error=0.02, pace=1.05)
    fair = result("fair", likeness=around(0.80), word_error=0.02, pace=0.95)
    found = pick([fair, mumbles, good, hurries], FLOORS)
    assert found.chosen == "good"
    assert "of the 2 of 4 that are understood" in found.sentence
    assert "chance" not in found.sentence
    assert found.failures["mumbles"] == ["30% of it is misheard (10% is allowed)"]
    assert found.failures["hurries"] == ["it speaks 30% faster than the recordings"]
    twin = result("twin", likeness=[0.9 + 0.01 * (-1) ** at for at in range(10)], word_error=0.02, pace=1.0)
    assert "twin is within chance" in pick([good, twin], FLOORS).sentence


def test_when_nothing_passes_the_nearest_is_named() -> None:
    slow = result("slow", likeness=0.9, word_error=0.05, pace=0.6)
    noise = result("noise", word_error=1.0)
    found = pick([noise, slow], FLOORS)
    assert found.chosen == ""
    assert found.sentence == "No voice passes. The nearest is slow, but it speaks 40% slower than the recordings."
    assert found.failures["noise"] == ["100% of it is misheard (10% is allowed)", "its pace could not be measured"]
    assert pick([], FLOORS).sentence == "There is no trained voice to choose."


def test_the_floors_are_the_speakers_own_where_they_are_wider() -> None:
    narrow = {"pace": Range(0.95, 1, 1.05, 20), "word_error": Range(0, 0, 0.02, 20), "char_error": Range(0, 0, 0, 20)}
    assert floors(narrow, "english") == Floors("word_error", 0.10, 0.85, 1.15)
    assert floors(narrow, "japanese") == Floors("char_error", 0.20, 0.85, 1.15)
    wide = {**narrow, "pace": Range(0.7, 1, 1.4, 20), "word_error": Range(0, 0.1, 0.3, 20)}
    assert floors(wide, "english") == Floors("word_error", 0.3, 0.7, 1.4)


@pytest.mark.parametrize(
    ("trained", "zero_shot", "verdict", "says"),
    [
        ((0.9, 0.02, 1.0), (0.8, 0.02, 1.0), "yes", "sounds more like the recordings by 0.100"),
        ((0.8, 0.02, 1.0), (0.9, 0.02, 1.0), "no", "zero-shot clone sounds more like"),
        ((0.9, 0.02, 1.0), (0.9, 0.02, 1.0), "cannot tell", "within chance on 10 sentences"),
        ((0.9, 0.00, 1.0), (0.9, 0.08, 1.0), "yes", "understood better by 0.080"),
        ((0.9, 0.09, 1.0), (0.8, 0.00, 1.0), "cannot tell", "decide yourself"),
        ((0.9, 0.50, 1.0), (0.8, 0.02, 1.0), "no", "does not pass: 50% of it is misheard"),
        ((0.8, 0.02, 1.0), (0.9, 0.02, 1.4), "yes", "40% faster"),
        ((0.9, 0.50, 1.0), (0.9, 0.50, 1.0), "cannot tell", "Neither passes"),
    ],
)
def test_the_verdict_follows_from_the_measures(
    trained: tuple[float, ...], zero_shot: tuple[float, ...], verdict: str, says: str
) -> None:
    both = [
        result(name, likeness=likeness, word_error=errors, pace=pace)
        for name, (likeness, errors, pace) in (("trained", trained), ("zero-shot", zero_shot))
    ]
    found = worth(both[0], both[1], FLOORS)
    assert found.verdict == verdict
    assert says in found.sentence


def test_differences_within_chance_are_no_verdict() -> None:
    noisy = [0.9 + 0.05 * (-1) ** at + 0.004 * at for at in range(10)]
    ours = result("trained", likeness=noisy, word_error=0.0, pace=1.0)
    theirs = result("zero-shot", likeness=noisy[::-1], word_error=0.0, pace=1.0)
    assert worth(ours, theirs, FLOORS).verdict == "cannot tell"


@pytest.mark.parametrize(
    ("language", "text", "heard", "truncated", "word_error"),
    [
        ("english", "Please hold the line for a moment.", "please hold the line for a moment", 0, 0),
        ("english", "Please hold the line for a moment.", "Please hold the line", 1, 3 / 7),
        (
            "english",
            "Please hold the line for a moment.",
            "Please hold the line for a",
            0,
            1 / 7,
        ),  # one word may be misheard
        (
            "english",
            "Please hold the line for a moment.",
            "Nobody knows what that was",
            0,
            1,
        ),  # all is lost, not the end
        ("english", "Please hold the line for a moment.", "", 0, 1),
        ("english", "Press 2 now.", "press two now", 0, 0),
        ("english", "Yes.", "yes yes yes yes yes", 0, 1),  # however much is added, a sentence is lost once
        ("chinese", "今天的天气很好，我们出去走走吧。", "今天的天气很好,我们", 1, 5 / 14),
        ("japanese", "おはようございます。よく眠れましたか。", "おはようございます。よく眠れましたか", 0, 0),
        ("japanese", "おはようございます。よく眠れましたか。", "おはようございます。よく眠れ", 1, 4 / 17),
    ],
)
def test_what_was_heard_is_counted(language: str, text: str, heard: str, truncated: int, word_error: float) -> None:
    own = OwnVoice([sound("one two three")] * 3, ["one two three"] * 3, language)
    found = scores(sound(heard), text, own)
    assert found["truncated"] == truncated
    assert found["word_error"] == pytest.approx(word_error)


def sound(heard: str) -> Sound:
    """Two seconds in which somebody says this."""
    voice = np.ones(4, dtype=np.float32)
    return Sound(2.0, 1.5, heard, 3.0, voice, voice, voice, 0.0)


def test_the_range_is_that_of_the_middle_recordings() -> None:
    paces = [Sound(2.0, seconds, "a b", 3.0, None, None, None, None) for seconds in (1.0, 1.25, 2.0)]
    own = OwnVoice(paces, ["four four five"] * 3, "english")
    assert own.chars_per_s == pytest.approx(12 / 1.25)
    assert own.ranges["pace"].median == 1
    assert own.ranges["pace"].place(1.26) == "above"
    assert own.ranges["pace"].place(0.69) == "below"
    assert own.ranges["pace"].place(0.69, grain=0.02) == "inside"
    assert "likeness" not in own.ranges  # nobody's voice was found in them


def sides(count: int) -> list[Sides]:
    return [Sides(f"s{at}", f"Sentence {at}.", f"ours-{at}.flac", f"theirs-{at}.flac") for at in range(count)]


def test_a_blind_test_hides_who_is_who_and_counts_what_was_heard(tmp_path: Path) -> None:
    test = new_blind_test("voice:a", "zero-shot", sides(12), pairs=10, seed=3)
    assert test == new_blind_test("voice:a", "zero-shot", sides(12), pairs=10, seed=3)
    assert len({pair.sides.sentence for pair in test.pairs}) == 10
    assert {pair.trained_first for pair in test.pairs} == {True, False}
    project = Project.create("Anna", tmp_path)
    while (at := test.next) is not None:  # whoever hears this prefers the trained voice, but for one pair
        heard = test.pairs[at].audio
        preferred = "first" if heard[0].startswith("ours") else "second"
        test = answered(test, at, "undecided" if at == 4 else preferred)
        save_blind_test(project, test)
        assert load_blind_test(project) == test
    found = outcome(test)
    assert (found.trained, found.zero_shot, found.undecided) == (9, 0, 1)
    assert found.share.low == pytest.approx(0.025 ** (1 / 9))
    assert found.verdict == "trained"


def heard(ours: int, theirs: int, undecided: int = 0) -> BlindTest:
    """A finished test; the trained voice comes second in every other pair."""
    wanted = ["ours"] * ours + ["theirs"] * theirs + ["undecided"] * undecided
    pairs = []
    for at, (one, who) in enumerate(zip(sides(len(wanted)), wanted, strict=True)):
        first = at % 2 == 0
        answer = who if who == "undecided" else "first" if (who == "ours") == first else "second"
        pairs.append(Pair(one, first, answer))  # type: ignore[arg-type]
    return BlindTest("voice:a", "zero-shot", 1, tuple(pairs))


@pytest.mark.parametrize(
    ("test", "verdict"),
    [
        (heard(5, 0), "cannot tell"),  # five coins agree once in sixteen times
        (heard(6, 0), "trained"),
        (heard(0, 6, 4), "zero-shot"),
        (heard(7, 3), "cannot tell"),
        (heard(0, 0, 10), "cannot tell"),
    ],
)
def test_ears_need_enough_pairs(test: BlindTest, verdict: str) -> None:
    assert outcome(test).verdict == verdict


def test_the_ears_go_before_the_measures() -> None:
    alike = result("trained", likeness=0.9, word_error=0.0, pace=1.0)
    worse = result("zero-shot", likeness=0.8, word_error=0.0, pace=1.0)
    measured = worth(alike, worse, FLOORS)
    assert measured.verdict == "yes"
    overruled = with_ears(measured, outcome(heard(0, 10)))
    assert overruled.verdict == "no"
    assert "The measures say otherwise" in overruled.sentence
    assert with_ears(measured, outcome(heard(5, 5))).verdict == "yes"


def test_a_blind_test_needs_five_sentences_and_known_answers() -> None:
    with pytest.raises(InputError, match="at least 5 pairs"):
        new_blind_test("a", "b", sides(4), pairs=5)
    with pytest.raises(InputError, match="at least 5 pairs"):
        new_blind_test("a", "b", sides(9), pairs=4)
    with pytest.raises(InputError, match="first, second, undecided"):
        answered(new_blind_test("a", "b", sides(5), pairs=5), 0, "third")
    with pytest.raises(InputError, match="was not judged"):
        sides_of({"subjects": []}, "a", "b")


def test_a_plot_has_its_unit_and_takes_names_as_text() -> None:
    rows = [
        ("<b>Anna & Bo</b>", Interval(0.8, 0.7, 0.9, 20)),
        ("one", Interval(0.6, -math.inf, math.inf, 1)),
        ("x", None),
    ]
    drawn = plot(MEASURES["likeness"], rows, Range(0.75, 0.8, 0.85, 12))
    assert "cosine, independent encoder" in drawn
    assert "&lt;b&gt;Anna &amp; Bo&lt;/b&gt;" in drawn
    assert "<b>" not in drawn
    assert "inf" not in drawn
    assert "nan" not in drawn
    dots = [float(x) for x in re.findall(r'class="dot" cx="([\d.]+)"', drawn)]
    assert dots == sorted(dots, reverse=True)  # 0.8 lies to the right of 0.6
    assert "not measured" in drawn
