"""Single measures on real clips: who speaks, how high the sound reaches, pace; the table of limits; the risk."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from tests.conftest import GivenClip
from voicefactory.audio.bandwidth import bandwidth
from voicefactory.audio.pace import pace
from voicefactory.audio.speaker_encoder import Embedding, embed
from voicefactory.audio.thresholds import TABLE, complaints
from voicefactory.errors import InputError
from voicefactory.pipeline.analyse import Analysis
from voicefactory.pipeline.foreign import Voices, distances, may_differ, voices
from voicefactory.pipeline.risk import risks
from voicefactory.types import SAMPLE_RATE, Clip, Quality, Transcript

OTHERS = Path(__file__).parent.parent / "data" / "others"
DOCS = Path(__file__).parents[2] / "docs" / "data.md"


@pytest.fixture(scope="module")
def people(twelve_clips: list[GivenClip]) -> dict[str, tuple[Embedding, float]]:
    """Name of the clip → its voice and its seconds; the names begin with the person's."""
    found = {}
    for path in [*(clip.path for clip in twelve_clips), *sorted(OTHERS.glob("*.flac"))]:
        samples, rate = soundfile.read(path, dtype="float32")
        found[path.stem] = (embed(samples, rate), len(samples) / rate)
    return found


def heard(people: dict[str, tuple[Embedding, float]], *names: str, first: int = 99) -> Voices:
    """Who seems to speak in a project of the clips of the people of these names."""
    clips = [clip for name in names for clip in [one for one in people if one.startswith(name)][:first]]
    vectors, seconds = np.stack([people[clip][0] for clip in clips]), [people[clip][1] for clip in clips]
    return voices(clips, vectors, dict(zip(clips, seconds, strict=True)), distances(vectors, seconds))


def test_a_voice_is_a_direction(people: dict[str, tuple[Embedding, float]], twelve_clips: list[GivenClip]) -> None:
    samples, rate = soundfile.read(twelve_clips[0].path, dtype="float32")
    again = embed(samples, rate)
    assert again.shape == (256,)
    assert np.linalg.norm(again) == pytest.approx(1, abs=1e-5)
    assert (again == people[twelve_clips[0].path.stem][0]).all()
    for nothing in (np.zeros(SAMPLE_RATE, dtype=np.float32), np.zeros(0, dtype=np.float32)):
        with pytest.raises(InputError, match="only silence"):
            embed(nothing, SAMPLE_RATE)
    with pytest.raises(InputError, match=r"less than 0\.4 s"):
        embed(samples[: rate // 4], rate)


def test_clips_of_others_are_found_and_no_own_one(people: dict[str, tuple[Embedding, float]]) -> None:
    assert heard(people, "allison") == Voices(12)
    for other in ("june", "carlo", "ivrvoice"):
        found = heard(people, "allison", other)
        assert found.foreign == tuple(name for name in people if name.startswith(other))
    one = heard(people, "allison", "june_dir")
    assert one.sentence == "1 of 13 clips may be of another speaker. Listen to them first."


def test_two_and_several_speakers_are_told_apart(people: dict[str, tuple[Embedding, float]]) -> None:
    two = heard(people, "allison", "carlo", first=6)
    assert two.sentence.startswith("Two speakers? 50% of the clips (6 of 12)")
    assert len({name.split("_")[0] for name in two.second}) == 1
    several = heard(people, "allison", "june", "ivrvoice")
    assert several.sentence.startswith("Several speakers? 6 of 18 clips")


def test_shorter_clips_may_differ_more() -> None:
    allowed = may_differ([0.5, 1, 1.5, 2, 4, 20])
    assert (np.diff(allowed) <= 0).all()
    assert allowed[0] == 0.32
    assert allowed[-1] == 0.18


@pytest.mark.parametrize("highest", [3_400, 5_500, 8_000])
def test_how_high_the_sound_reaches(highest: int, twelve_clips: list[GivenClip]) -> None:
    samples, rate = soundfile.read(twelve_clips[5].path, dtype="float32")
    dull = soxr.resample(soxr.resample(samples, rate, 2 * highest), 2 * highest, rate)
    assert bandwidth(dull, rate) == pytest.approx(highest, abs=300)
    hiss = dull + 0.003 * np.random.default_rng(0).standard_normal(len(dull)).astype(np.float32)
    assert bandwidth(hiss, rate) == pytest.approx(highest, abs=700)  # noise up to 12 kHz is not speech


def test_what_has_no_bandwidth() -> None:
    with pytest.raises(InputError, match="no sound"):
        bandwidth(np.zeros(SAMPLE_RATE, dtype=np.float32), SAMPLE_RATE)
    hum = np.sin(np.arange(SAMPLE_RATE) * 2 * np.pi * 1_000 / SAMPLE_RATE).astype(np.float32)
    with pytest.raises(InputError, match="comes and goes"):
        bandwidth(hum, SAMPLE_RATE)


@pytest.mark.parametrize(
    ("text", "language", "letters", "words"),
    [
        ("Hello, you two.", "english", 11, 3),
        ("Room 42", "english", 12, 2),  # a digit is a word of four letters
        ("你好，世界42。", "chinese", 6, None),
        ("今日はいい天気です", "auto", 9, None),
        ("안녕하세요 여러분", "auto", 8, 2),
    ],
)
def test_pace_of_scripts(text: str, language: str, letters: int, words: int | None) -> None:
    sound = {"duration_s": 2.5, "silence_share": 0.2}
    measures, missing = pace(Transcript("a", text, language, 1.0, "given"), sound)
    assert measures["chars_per_s"] == pytest.approx(letters / 2)
    if words is None:
        assert "without spaces" in missing["words_per_s"]
    else:
        assert measures["words_per_s"] == words / 2


def test_limits_of_a_language_take_the_place_of_the_others() -> None:
    fast = {"chars_per_s": 15.0}
    assert complaints(fast) == complaints(fast, language="german") == []
    (found,) = complaints(fast, language="chinese")
    assert found.words == "much text: 15 letters for every second of speech; is there a word too many?"


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.measure} {'below' if row.below else 'over'}")
def test_severity_rises_from_the_limit_to_the_worst(row) -> None:  # type: ignore[no-untyped-def]
    step = (row.worst - row.limit) / 10
    severities = [row.severity(row.limit + step * index) for index in range(-2, 14)]
    assert severities == sorted(severities)
    assert severities[:3] == [0, 0, 0]
    assert 0.35 < severities[3] < severities[10] < 1
    assert severities[12:] == pytest.approx([1, 1, 1, 1])
    assert row.severity(float("nan")) == 0
    assert row.words.format(value=row.limit)


def test_the_documented_table_is_the_one_that_is_used() -> None:
    documented = re.findall(r"^\| `(\w+)` \| (.+?) \| (over|under) ([\d.-]+) \|", DOCS.read_text("utf-8"), re.M)
    used = [
        (row.measure, ", ".join(row.languages) or "any", "under" if row.below else "over", f"{row.limit:g}")
        for row in TABLE
    ]
    assert documented == used


def clip(name: str) -> Clip:
    return Clip(name, name, name, Path(name), 0, 3, 3, Quality(-3, -20, 50, 0), name)


def test_a_pace_unlike_the_others_and_doubt_order_clean_clips() -> None:
    names = [f"c{index}" for index in range(10)]
    paces = [13.0, 14.0, 13.5, 12.8, 14.2, 13.1, 13.9, 13.4, 13.6, 22.0]
    rows = {name: Analysis(name, {"chars_per_s": pace}, {}, ()) for name, pace in zip(names, paces, strict=True)}
    rows["c3"].measures["confidence"] = 0.7
    texts = [Transcript(name, "text", "english", 1.0, "given") for name in names if name != "c5"]
    ranked = risks([clip(name) for name in names], texts, rows)
    assert list(ranked)[:3] == ["c5", "c9", "c3"]
    assert ranked["c5"].reasons == ("nobody has written down what is said in it",)
    assert ranked["c9"].reasons == (
        "its pace is unlike the others: 22.0 letters for every second of speech, the others 13.6",
    )
    assert ranked["c3"].score == pytest.approx(0.09)
    assert ranked["c0"].score == 0


def test_doubts_add_up_and_never_reach_one() -> None:
    def score(**measures: float) -> float:
        row = Analysis("c", measures, {}, ())
        return risks([clip("c")], [Transcript("c", "text", "english", 1.0, "given")], {"c": row})["c"].score

    noisy, both = score(snr_db=10), score(snr_db=10, bandwidth_hz=4_000)
    assert 0 < score(snr_db=19) < noisy < both < score(snr_db=3, bandwidth_hz=3_000, disagreement=1.0) < 1
    assert both == pytest.approx(1 - (1 - noisy) * (1 - score(bandwidth_hz=4_000)), abs=1e-3)
