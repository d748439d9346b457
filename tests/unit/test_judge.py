"""The judge's ear on real recordings: what is as it should be, and what was spoiled in one way each."""

from __future__ import annotations

import html.parser
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests import spoiling
from tests.conftest import CLIPS, GivenClip
from voicefactory import files
from voicefactory.audio.onset import first_second, level_against_rest_db
from voicefactory.audio.speaker_encoder import Embedding, embed
from voicefactory.audio.wav import read_wav
from voicefactory.engines import registry
from voicefactory.errors import InputError
from voicefactory.pipeline.judge_case import REAL, ZERO_SHOT, Case, Subject
from voicefactory.pipeline.judge_listen import Judge, Sound
from voicefactory.pipeline.judge_report import report
from voicefactory.pipeline.judge_scores import OwnVoice, scores
from voicefactory.pipeline.judge_speak import Utterance
from voicefactory.pipeline.judgement import Judged, Judgement, conclude, to_json
from voicefactory.project import Project

#: The speaker's ranges are made of five short recordings and one is tried; the slow tests take all of them.
OWN = ("agent-user", "conf-getconfno", "confbridge-begin-glorious-c", "agent-alreadyon", "vm-invalid-password")
TRIED, TRIED_MORE = ("vm-rec-name",), ("vm-rec-name", "tt-allbusy", "dir-instr")
STRANGERS = ("carlo_vm-undelete", "june_cannot-complete-as-dialed", "ivrvoice_vm-invalid-password")


@dataclass(frozen=True)
class Ear:
    """A loaded judge, and a folder for what it hears."""

    judge: Judge
    folder: Path

    def listen(self, name: str, samples: spoiling.Samples) -> tuple[Path, Sound]:
        """Write `samples` and listen to them."""
        audio = self.folder / f"{name}.flac"
        soundfile.write(audio, samples, spoiling.RATE, subtype="PCM_16")
        return audio, self.judge.listen(audio, audio.with_suffix(".json"))


@dataclass(frozen=True)
class Heard:
    """The speaker, and what was tried."""

    ear: Ear
    own_audio: list[Path]
    own: OwnVoice
    tried: dict[str, list[tuple[Path, str, Sound]]]  #: what was done → audio, text, sound

    def mean(self, fault: str, measure: str) -> float:
        """The mean of `measure` over what was tried."""
        return float(np.mean([scores(sound, text, self.own)[measure] for _, text, sound in self.tried[fault]]))


def independent(audio: Path) -> Embedding:
    """The encoder that is not an engine's, in the place of the engine's: loading no model."""
    return embed(read_wav(audio), spoiling.RATE)


@pytest.fixture(scope="session")
def ear(tmp_path_factory: pytest.TempPathFactory) -> Ear:
    return Ear(Judge("english", "tiny.en", "cpu", independent, "independent"), tmp_path_factory.mktemp("heard"))


@pytest.fixture(scope="session")
def heard(ear: Ear, twelve_clips: list[GivenClip]) -> Heard:
    named = {clip.path.stem.removeprefix("allison_"): clip for clip in twelve_clips}
    return hear(ear, [named[name] for name in OWN], [named[name] for name in TRIED])


@pytest.fixture(scope="session")
def heard_more(ear: Ear, twelve_clips: list[GivenClip]) -> Heard:
    """Nine recordings and three that are tried: of other lengths, against three strangers, and with further faults."""
    named = {clip.path.stem.removeprefix("allison_"): clip for clip in twelve_clips}
    own = [clip for name, clip in named.items() if name not in TRIED_MORE]
    return hear(ear, own, [named[name] for name in TRIED_MORE], more=True)


def hear(ear: Ear, own: list[GivenClip], tried: list[GivenClip], more: bool = False) -> Heard:
    """Listen to all of them, and to each of the tried in every spoiled form."""
    sounds = [ear.listen(clip.path.stem, spoiling.read(clip.path)) for clip in own]
    results: dict[str, list[tuple[Path, str, Sound]]] = {}

    def attempt(fault: str, clip: GivenClip, samples: spoiling.Samples, text: str = "") -> None:
        audio, sound = ear.listen(f"{fault}-{clip.path.stem}", samples)
        results.setdefault(fault, []).append((audio, text, sound))

    for clip, stranger_name in zip(tried, STRANGERS, strict=False):
        samples = spoiling.read(clip.path)
        stranger = spoiling.read(CLIPS.parent / "others" / f"{stranger_name}.flac")
        attempt("untouched", clip, samples, clip.text)
        attempt("hurried", clip, spoiling.sped_up(samples, 1.3), clip.text)
        attempt("cut", clip, spoiling.cut_short(samples), clip.text)
        attempt("alien start", clip, spoiling.alien_start(samples, stranger), clip.text)
        attempt("another speaker", clip, stranger)
        if more:
            attempt("silence after", clip, spoiling.with_silence(samples), clip.text)
            attempt("noise", clip, spoiling.noisy(samples, 0), clip.text)
    voice = OwnVoice([sound for _, sound in sounds], [clip.text for clip in own], "english")
    return Heard(ear, [audio for audio, _ in sounds], voice, results)


def test_another_recording_of_the_speaker_is_taken_for_one(heard: Heard) -> None:
    """A range of five is narrow, so a step beside it is allowed: a tenth of what other speakers and faults move."""
    for measure in ("likeness", "word_error", "char_error", "pace", "dnsmos", "silence_share", "first_likeness"):
        value = heard.mean("untouched", measure)
        assert heard.own.ranges[measure].place(value, 0.1) == "inside", (measure, value, heard.own.ranges[measure])
    for measure in ("truncated", "silent", "runaway", "first_voiceless"):
        assert heard.mean("untouched", measure) == 0


def test_a_recording_is_not_compared_with_itself(heard: Heard) -> None:
    alone = [scores(sound, text, heard.own) for sound, text in zip(heard.own.sounds, heard.own.texts, strict=True)]
    for itself, without in zip(alone, heard.own.scores, strict=True):
        assert itself["likeness"] > without["likeness"]
        assert itself["first_likeness"] > without["first_likeness"]


FAULTS = [
    ("hurried", "pace", "above"),
    ("another speaker", "likeness", "below"),
    ("another speaker", "first_likeness", "below"),
    ("alien start", "first_likeness", "below"),
    ("cut", "word_error", "above"),
]


@pytest.mark.parametrize(("fault", "measure", "place"), FAULTS)
def test_what_was_spoiled_is_outside(heard: Heard, fault: str, measure: str, place: str) -> None:
    value = heard.mean(fault, measure)
    assert heard.own.ranges[measure].place(value) == place
    assert abs(value - heard.mean("untouched", measure)) > 0.1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "measure", "place"),
    [*FAULTS, ("silence after", "silence_share", "above"), ("noise", "dnsmos", "below")],
)
def test_with_more_recordings_too(heard_more: Heard, fault: str, measure: str, place: str) -> None:
    limits = heard_more.own.ranges[measure]
    assert limits.place(heard_more.mean("untouched", measure), 0.05) == "inside"
    assert limits.place(heard_more.mean(fault, measure)) == place


def test_one_fault_moves_its_own_measure(heard: Heard) -> None:
    assert heard.mean("hurried", "pace") == pytest.approx(1.3 * heard.mean("untouched", "pace"), rel=0.12)
    assert heard.mean("cut", "truncated") == 1
    assert heard.mean("hurried", "truncated") == 0
    whole, first = (heard.mean("alien start", name) for name in ("likeness", "first_likeness"))
    assert heard.mean("untouched", "likeness") - whole < heard.mean("untouched", "first_likeness") - first


def test_nothing_is_heard_in_silence(heard: Heard) -> None:
    _, sound = heard.ear.listen("nothing", np.zeros(spoiling.RATE * 2, dtype=np.float32))
    found = scores(sound, "Some words.", heard.own, runaway=True)
    assert (found["silent"], found["word_error"], found["runaway"], found["first_voiceless"]) == (1, 1, 1, 1)
    assert not {"likeness", "pace", "dnsmos", "first_likeness"} & found.keys()
    _, click = heard.ear.listen("click", np.zeros(100, dtype=np.float32))
    assert scores(click, "Some words.", heard.own)["silent"] == 1


def test_what_was_heard_is_not_heard_again(heard: Heard) -> None:
    audio = heard.own_audio[0]
    kept = audio.with_suffix(".json")
    row = files.read_json(kept)
    row["sound"]["heard"] = "kept"
    files.write_json(kept, row)
    assert heard.ear.judge.listen(audio, kept).heard == "kept"
    other = heard.own_audio[1]
    assert heard.ear.judge.listen(other, kept).heard != "kept"  # another audio in its place is


def test_the_first_second_begins_with_the_sound() -> None:
    rate = 24_000
    tone = (0.1 * np.sin(np.arange(3 * rate) / 10)).astype(np.float32)
    tone[:rate] *= 2
    quiet = np.zeros(rate // 2, dtype=np.float32)
    first, rest = first_second(np.concatenate([quiet, tone, quiet]), rate)
    assert np.array_equal(first, tone[:rate])
    assert len(rest) == 2 * rate + len(quiet)
    assert level_against_rest_db(np.concatenate([quiet, tone, quiet]), rate) == pytest.approx(6.0, abs=0.1)
    assert level_against_rest_db(quiet, rate) is None


def test_too_few_recordings_are_refused(heard: Heard) -> None:
    with pytest.raises(InputError, match="2 recordings with speech"):
        OwnVoice(heard.own.sounds[:2], heard.own.texts[:2], "english")


def test_whisper_for_english_judges_no_german() -> None:
    with pytest.raises(InputError, match="hears English only, and the voice speaks german"):
        Judge("german", "tiny.en", "cpu", independent, "")


@pytest.fixture
def judgement(heard: Heard, tmp_path: Path) -> Judgement:
    """As if the untouched recordings were a trained voice, and strangers the zero-shot clone."""
    project = Project.create("Anna <script>alert(1)</script>", tmp_path)
    subjects = (
        Subject(REAL, "real", "Recordings"),
        Subject(ZERO_SHOT, "zero-shot", "Zero-shot clone"),
        Subject("voice:good", "voice", "Voice <good>"),
        Subject("checkpoint:fast", "checkpoint", "Step 9"),
    )

    def judged(name: str, fault: str) -> list[Judged]:
        rows = []
        for at, (audio, text, sound) in enumerate(heard.tried[fault]):
            here = files_into(project, audio)
            said = text or "<i>Something else.</i>"
            rows.append(Judged(Utterance(name, f"s{at}", said, 0, here), sound.heard, scores(sound, said, heard.own)))
        return rows

    engine = registry.get(registry.DEFAULT)
    case = Case(project, engine, "cpu", "english", (), (), False, subjects, tmp_path, False, ())
    own = [
        Judged(Utterance(REAL, f"r{at}", text, 0, files_into(project, audio)), sound.heard, row)
        for at, (audio, text, sound, row) in enumerate(
            zip(heard.own_audio, heard.own.texts, heard.own.sounds, heard.own.scores, strict=True)
        )
    ]
    rows = {
        REAL: own,
        ZERO_SHOT: judged(ZERO_SHOT, "another speaker"),
        "voice:good": judged("voice:good", "untouched"),
        "checkpoint:fast": judged("checkpoint:fast", "hurried"),
    }
    return conclude(case, heard.own, rows, asr="tiny.en", notes=("A <b>note</b>.",), path=project.root / "j.json")


def files_into(project: Project, audio: Path) -> Path:
    """A copy inside of the project."""
    copy = project.root / audio.name
    copy.write_bytes(audio.read_bytes())
    return copy


def test_the_voice_that_sounds_right_is_chosen_and_was_worth_it(judgement: Judgement) -> None:
    assert judgement.pick.chosen == "voice:good"
    assert "faster than the recordings" in judgement.pick.failures["checkpoint:fast"][0]
    assert judgement.worth is not None
    assert judgement.worth.verdict == "yes"
    told = json.loads(json.dumps(to_json(judgement), allow_nan=False))
    rows = {row["id"]: row for row in told["subjects"]}
    assert rows["voice:good"]["passes"] is True
    assert rows["checkpoint:fast"]["measures"]["pace"]["place"] == "above"
    assert rows[ZERO_SHOT]["measures"]["likeness"]["place"] == "below"
    assert "place" not in rows[REAL]["measures"]["likeness"]
    for row in told["subjects"]:
        for one in row["utterances"]:
            assert (judgement.case.project.root / one["audio"]).is_file()


class Page(html.parser.HTMLParser):
    """Tags and their attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_report_needs_nothing_else_and_takes_text_as_text(judgement: Judgement, tmp_path: Path) -> None:
    made = report(judgement)
    page = Page(made)
    names = [tag for tag, _ in page.tags]
    assert not {"script", "link", "img", "iframe", "b", "i", "good"} & set(names)
    assert "Anna <script>alert(1)</script>: how good" in page.text
    assert "<i>Something else.</i>" in page.text
    sources = [value for _, given in page.tags for key, value in given.items() if key in ("src", "href")]
    assert len(sources) == len(OWN) + 3  # recordings, and one sentence of three
    assert all(value and value.startswith("data:audio/mpeg;base64,") for value in sources)
    assert "url(" not in made
    assert "prefers-color-scheme: dark" in made
    assert names.count("svg") == 9
    axes = re.findall(r'class="axis"[^>]*>([^<]+)<', made)
    assert "Sound quality (DNSMOS, 1 to 5)" in axes
    assert judgement.pick.sentence in page.text
