"""What is spoken during training, measured against real recordings; and the rule that says when a voice drifts away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from tests import spoiling
from tests.engines.engine_data import dataset_of, real_clips
from voicefactory import files
from voicefactory.audio.speaker_encoder import embed
from voicefactory.probe.drift import Limits, drift, faults, limits
from voicefactory.probe.measuring import Own, Reading, Spoken, measure, measure_own
from voicefactory.probe.watch import Watch

OTHERS = Path(__file__).parents[1] / "data" / "others"
LIMITS = Limits(slowest=0.85, fastest=1.15, least_likeness=0.85, fall=0.1)


def ear(audio: Path) -> npt.NDArray[np.float32]:
    """The independent encoder: no weights of an engine's own are here."""
    return embed(spoiling.read(audio), spoiling.RATE)


@dataclass(frozen=True)
class Speaker:
    """Eight recordings that others are compared with, and four more of the same person that are "spoken"."""

    own: Own
    limits: Limits
    said: list[tuple[Path, str]]
    folder: Path

    def readings(self, *changes: Callable[[spoiling.Samples], spoiling.Samples]) -> list[Reading]:
        """One reading for each change of what was said."""
        return [self.reading(step, change) for step, change in enumerate(changes)]

    def reading(self, step: int, change: Callable[[spoiling.Samples], spoiling.Samples], runaways: int = 0) -> Reading:
        spoken = []
        for number, (audio, text) in enumerate(self.said):
            path = self.folder / f"{step}-{number}.wav"
            soundfile.write(path, change(spoiling.read(audio)), spoiling.RATE, subtype="PCM_16")
            spoken.append(Spoken(path, text, "english", number < runaways))
        return measure(step, spoken, self.own, ear)


@pytest.fixture(scope="module")
def speaker(tmp_path_factory: pytest.TempPathFactory) -> Speaker:
    folder = tmp_path_factory.mktemp("probe")
    clips = real_clips()
    said = clips[1::3]
    own = measure_own([one for one in dataset_of(clips, folder).samples if (one.clip.audio, one.text) not in said], ear)
    assert own is not None
    assert own.clips == 8
    return Speaker(own, limits(own, drift_pace=0.15, drift_likeness=0.1), said, folder)


def untouched(samples: spoiling.Samples) -> spoiling.Samples:
    return samples


def faster(times: float) -> Callable[[spoiling.Samples], spoiling.Samples]:
    return lambda samples: spoiling.sped_up(samples, times)


def test_the_speakers_own_recordings_do_not_drift(speaker: Speaker) -> None:
    """Whichever of them are said."""
    for left_out in range(4):
        few = replace(speaker, said=[one for at, one in enumerate(speaker.said) if at != left_out])
        reading = few.reading(left_out, untouched)
        assert 0.9 < (reading.pace or 0) < 1.15
        assert (reading.likeness or 0) > 0.85
        assert (reading.runaway, reading.silent, reading.sentences) == (0, 0, 3)
        assert faults([speaker.reading(0, untouched), reading], speaker.limits)[-1] == frozenset()
    noisy = [speaker.reading(step, lambda samples: spoiling.noisy(samples, 20)) for step in range(3)]
    assert not any(faults(noisy, speaker.limits))  # not what this looks for


def test_a_voice_that_hurries_more_and_more_drifts(speaker: Speaker) -> None:
    """The known symptom of the public recipe: 1.3 times as fast in the end."""
    readings = speaker.readings(untouched, untouched, faster(1.1), faster(1.2), faster(1.3))
    assert [reading.pace for reading in readings] == sorted(reading.pace or 0 for reading in readings)
    assert drift(readings[:3], speaker.limits) is None
    assert drift(readings[:4], speaker.limits) is None  # once is no drift
    found = drift(readings, speaker.limits)
    assert found is not None
    assert (found.fault, found.since) == ("fast", 3)
    assert "faster than the speaker's own clips" in found.sentence
    assert "It began at step 3." in found.sentence
    slow = drift(speaker.readings(untouched, faster(0.75), faster(0.7)), speaker.limits)
    assert slow is not None
    assert slow.fault == "slow"


def test_another_person_is_no_likeness(speaker: Speaker) -> None:
    strangers = sorted(OTHERS.glob("carlo_*.flac"))[:4]
    own = [speaker.reading(0, untouched), speaker.reading(1, untouched)]
    foreign = [
        measure(step, [Spoken(audio, "", "english", False) for audio in strangers], speaker.own, ear) for step in (2, 3)
    ]
    found = drift([*own, *foreign], speaker.limits)
    assert found is not None
    assert (found.fault, found.since) == ("stranger", 2)
    assert drift([*own, foreign[0], own[0]], speaker.limits) is None
    assert foreign[0].pace is None  # without a text nobody can say


def test_what_never_ends_and_what_is_silent(speaker: Speaker) -> None:
    good = speaker.reading(0, untouched)
    endless = [speaker.reading(step, untouched, runaways=3) for step in (1, 2)]
    assert endless[0].runaway == 0.75
    assert endless[0].pace is not None  # of the one that came to its end
    found = drift([good, *endless], speaker.limits)
    assert found is not None
    assert found.fault == "runaway"
    assert found.sentence.startswith("75% of the sentences no longer came to an end.")
    assert drift([endless[0], *endless], speaker.limits) is None  # so it was before training
    assert speaker.reading(3, untouched, runaways=4).pace is None
    silence = speaker.readings(untouched, np.zeros_like, np.zeros_like)
    assert (silence[1].silent, silence[1].likeness, silence[1].pace) == (1.0, None, None)
    found = drift(silence, speaker.limits)
    assert found is not None
    assert found.fault == "silent"


def series(paces: Sequence[float | None] = (), likeness: Sequence[float | None] = ()) -> list[Reading]:
    length = max(len(paces), len(likeness))
    return [
        Reading(step, one, alike, 0.0, 0.0, 4)
        for step, one, alike in zip(range(length), paces or [1.0] * length, likeness or [0.9] * length, strict=True)
    ]


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        (series([1.0, 1.1, 0.9, 1.14, 0.87, 1.0]), None),
        (series([1.0, 1.3, 1.0, 1.3, 1.0]), None),  # never twice in a row
        (series([1.0, 1.3, 0.7]), None),  # not the same fault
        (series([1.0, 1.2, 1.3]), "fast"),
        (series([1.3, 1.28, 1.3]), None),  # as before training
        (series([1.4, 1.3, 1.2, 1.1]), None),  # coming nearer
        (series([1.1, 1.17, 1.18]), None),  # hardly farther than before
        (series([0.8, 1.2, 1.25]), "fast"),  # too far on the other side
        (series([1.0, 0.8, 0.75]), "slow"),
        (series([1.0, None, None]), None),
        (series(likeness=[0.9, 0.92, 0.81, 0.8]), "stranger"),
        (series(likeness=[0.9, 0.92, 0.81, 0.9, 0.8]), None),
        (series(likeness=[0.9, 0.92, 0.86, 0.86]), None),  # still as another recording of the speaker
        (series(likeness=[0.6, 0.62, 0.6, 0.58]), None),  # it never was like the speaker: that is not drift
        (series(likeness=[None, None, None]), None),
        ([Reading(0, 2.0, 0.1, 1.0, 1.0, 4)], None),
        ([], None),
    ],
)
def test_the_rule(readings: list[Reading], expected: str | None) -> None:
    found = [drift(readings[: end + 1], LIMITS) for end in range(len(readings))]
    assert next((one.fault for one in found if one), None) == expected


def test_a_speaker_of_many_paces_is_watched_by_the_way_it_moves() -> None:
    wide = replace(LIMITS, slowest=0.6, fastest=1.6)
    assert drift(series([1.0, 1.1, 1.25, 1.35]), wide) is not None
    assert drift(series([1.0, 1.25, 1.25, 1.25]), wide) is None  # it does not move on
    assert drift(series([0.7, 0.8, 0.9, 1.0]), wide) is None  # towards the speaker


def test_readings_are_kept_and_a_resumed_run_makes_the_later_ones_again(speaker: Speaker, tmp_path: Path) -> None:
    """Steps 0 and 10 are before the checkpoint, 20 is not."""
    clips = dataset_of(real_clips()[:4], tmp_path).samples
    settings = {"stops": True, "drift_pace": 0.15, "drift_likeness": 0.1}
    watch = Watch.begin(tmp_path, clips, ear, up_to=0, **settings)  # type: ignore[arg-type]
    assert watch is not None
    spoken = [Spoken(speaker.said[0][0], speaker.said[0][1], "english", False)]
    for step in (0, 10, 20):
        watch.read(step, spoken, 0.0)
    assert (watch.sound, watch.drift) == (True, None)
    again = Watch.begin(tmp_path, clips, ear, up_to=10, **settings)  # type: ignore[arg-type]
    assert again is not None
    assert [reading.step for reading in again.readings] == [0, 10]
    assert again.readings == watch.readings[:2]
    again.read(20, spoken, 0.0)
    assert [row["step"] for row in files.read_jsonl(tmp_path / "probe.jsonl")] == [0, 10, 20]
    again.tell("It spoke too fast.")
    assert files.read_json(tmp_path / "probe.json")["drift"] == "It spoke too fast."
    assert Watch.begin(tmp_path / "few", clips[:2], ear, up_to=0, **settings) is None  # type: ignore[arg-type]
