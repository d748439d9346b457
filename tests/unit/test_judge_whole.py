"""The whole way of judging a toy's voice, which makes noise: figures, stop and go on, the command, and bad input."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from voicefactory import cli, files
from voicefactory.engines import registry
from voicefactory.engines.qwen3_tts.data_order import split_held_out
from voicefactory.errors import Cancelled, InputError
from voicefactory.pipeline.blind_test import new_blind_test, sides_of
from voicefactory.pipeline.judge import judge, judgement_path
from voicefactory.pipeline.judge_case import JudgeRequest, find_case
from voicefactory.pipeline.reference import load_reference
from voicefactory.pipeline.request import Request
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.train import train
from voicefactory.presets import load_preset
from voicefactory.project import Project
from voicefactory.settings import settings
from voicefactory.types import silent

STEPS = ("max_steps=4", "save_every_steps=2", "eval_every_steps=4")


@pytest.fixture(autouse=True)
def _home_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """--home is for everything that comes after it in a process, which here is other tests."""
    monkeypatch.setenv("VOICEFACTORY_HOME", str(settings().home))
    yield
    monkeypatch.undo()
    settings.cache_clear()


@dataclass(frozen=True)
class Toy:
    """A project with a voice that makes noise, and what the command said of it."""

    home: Path
    project: Project
    voice: Path
    spoken_before: dict[str, int]  #: audio → time of the last change, when judging had been stopped
    told: dict[str, Any]
    report: Path


@pytest.fixture(scope="session")
def toy_voice(tmp_path_factory: pytest.TempPathFactory, prepared_project: Callable[[Path], Project]) -> Toy:
    home = tmp_path_factory.mktemp("judged")
    project = prepared_project(home)
    voice = train(project, Request(model="toy", language="english", overrides=STEPS, device="cpu")).voice.path
    asked = 0

    def after_three() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    request = JudgeRequest(voice=str(voice), sentences=2, seeds=2, device="cpu")
    with pytest.raises(Cancelled, match="what was said is kept"):
        judge(project, request, should_stop=after_three)
    speech = project.root / "judge" / "speech"
    before = {str(path): path.stat().st_mtime_ns for path in speech.rglob("*.flac")}
    assert len(before) == 3
    report = home / "report.html"
    arguments = ["judge", str(voice), "--sentences", "2", "--seeds", "2", "--device", "cpu", "--json"]
    assert cli.run([*arguments, "--report", str(report)]) == 0
    return Toy(home, project, voice, before, files.read_json(judgement_path(project, str(voice))), report)


@pytest.mark.slow
def test_noise_is_taken_for_noise(toy_voice: Toy) -> None:
    told = toy_voice.told
    assert told["toy"] is True
    assert "makes noise" in told["notes"][0]
    assert told["recordings"] == 11  # all but the reference
    assert told["recordings_unseen"] is False
    rows = {row["id"]: row for row in told["subjects"]}
    assert [row["kind"] for row in told["subjects"]] == ["real", "zero-shot", "checkpoint", "voice"]
    for row in told["subjects"][1:]:
        assert row["measures"]["word_error"]["mean"] > 0.9
        assert row["measures"]["likeness"]["place"] == "below"
        assert row["measures"]["dnsmos"]["place"] == "below"
        assert row["passes"] is False
        assert len(row["utterances"]) == 4
    assert rows["real"]["measures"]["word_error"]["mean"] < 0.1
    assert told["pick"]["chosen"] == ""
    assert told["pick"]["sentence"].startswith("No voice passes.")
    assert told["worth"]["verdict"] == "cannot tell"


@pytest.mark.slow
def test_what_was_said_before_the_stop_is_not_said_again(toy_voice: Toy) -> None:
    for path, changed in toy_voice.spoken_before.items():
        assert Path(path).stat().st_mtime_ns == changed
    names = [one["audio"] for row in toy_voice.told["subjects"][1:] for one in row["utterances"]]
    assert len(set(names)) == 12
    assert not list((toy_voice.project.root / "judge").glob(".aside-*"))  # the assembled checkpoint is gone


@pytest.mark.slow
def test_judged_again_nothing_is_said_or_heard_again(toy_voice: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    audio = [*(toy_voice.project.root / "judge").rglob("*.flac"), *(toy_voice.project.root / "judge").rglob("*-?.json")]
    before = {path: path.stat().st_mtime_ns for path in audio}
    assert cli.run(["judge", toy_voice.project.name, "--sentences", "2", "--device", "cpu", "--json",
                    "--home", str(toy_voice.home)]) == 0  # fmt: skip
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {path: path.stat().st_mtime_ns for path in audio} == before
    for name in ("own", "pick", "worth", "floors"):
        assert told[name] == toy_voice.told[name]
    assert told["report"] is None
    assert Path(told["judgement"]).name == "project.json"


@pytest.mark.slow
def test_the_report_holds_every_player(toy_voice: Toy) -> None:
    page = toy_voice.report.read_text(encoding="utf-8")
    assert page.count("<audio ") == 6 + 2 * 3
    assert "http:" not in page
    assert "https:" not in page
    assert toy_voice.report.stat().st_size < 3_000_000


@pytest.mark.slow
def test_a_blind_test_can_be_made_of_what_was_said(toy_voice: Toy) -> None:
    pairs = sides_of(toy_voice.told, f"voice:{toy_voice.voice.name}", "zero-shot")
    assert len(pairs) == 2
    for one in pairs:
        assert (toy_voice.project.root / one.trained).is_file()
        assert (toy_voice.project.root / one.zero_shot).is_file()
    with pytest.raises(InputError, match="both voices have said 2"):
        new_blind_test("a", "b", pairs, pairs=5)


def described_voice(project: Project, eval_fraction: float, **facts: object) -> Path:
    """A voice as far as it is looked at before anything is loaded: what it says of itself, and its run's preset."""
    voice = project.voices / "quick-1"
    files.write_json(voice / "config.json", {})
    known = {"engine": "qwen3-tts", "language": "english", "base_model": "/gone", "speakers": [project.speaker]}
    files.write_json(voice / "voice.json", {**known, **facts})
    load_preset("quick", [f"eval_fraction={eval_fraction}"]).save(project.runs / voice.name / "preset.yaml")
    return voice


def test_recordings_that_training_never_saw_are_preferred(
    prepared_project: Callable[[Path], Project], tmp_path: Path
) -> None:
    project = prepared_project(tmp_path)
    voice = described_voice(project, eval_fraction=0.1)
    case = find_case(project, JudgeRequest(voice=str(voice), device="cpu"))
    assert (case.unseen, len(case.recordings)) == (False, 11)  # one or two held out say nothing
    assert "their likeness may be flattered" in " ".join(case.notes)
    assert "no zero-shot clone to compare with" in " ".join(case.notes)  # its base model is not on this machine
    assert [one.kind for one in case.subjects] == ["real", "voice"]
    twice(project)
    case = find_case(project, JudgeRequest(voice=str(described_voice(project, eval_fraction=0.5)), device="cpu"))
    clips = [clip.id for clip in load_clips(project)]
    training, apart = split_held_out(clips, 0.5, load_preset("quick").seed)
    assert case.unseen is True
    assert 11 <= len(case.recordings) <= 12
    assert {one.clip.id for one in case.recordings} <= {clips[at] for at in apart}
    assert not {one.clip.id for one in case.recordings} & {clips[at] for at in training}
    assert "flattered" not in " ".join(case.notes)


def twice(project: Project) -> None:
    """Every recording a second time, as another one."""
    for path, key in ((project.clips_jsonl, "id"), (project.transcripts_jsonl, "clip")):
        rows = files.read_jsonl(path)
        files.write_jsonl(path, [*rows, *({**row, key: f"again{row[key]}"} for row in rows)])


@pytest.mark.slow
def test_a_project_without_a_voice_has_its_zero_shot_clone(
    prepared_project: Callable[[Path], Project], tmp_path: Path, toy_voice: Toy
) -> None:
    project = prepared_project(tmp_path)
    base = str(registry.get("qwen3-tts").resolve_model("toy", toy_voice.home, silent))
    case = find_case(project, JudgeRequest(base=base, device="cpu"))
    assert [one.id for one in case.subjects] == ["real", "zero-shot"]
    assert case.language == "english"
    assert case.unseen is True
    reference = case.subjects[1].reference
    assert reference is not None
    assert reference.clip not in {one.clip.id for one in case.recordings}
    assert len(case.recordings) == 11
    wanted = case.recordings[0].clip
    again = find_case(project, JudgeRequest(base=base, device="cpu", reference=wanted.id))
    assert again.subjects[1].key != case.subjects[1].key
    assert wanted.id not in {one.clip.id for one in again.recordings}
    assert load_reference(project) is None  # to judge with another reference chooses none


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nobody"], "no project called 'nobody'"),
        (["FOLDER"], "does not lie in its project"),
        (["FOLDER", "--project", "Anna"], "not a finished voice"),
        (["Anna", "--report", "report.pdf"], "one HTML file"),
        (["Anna", "--language", "klingon"], "not a language"),
        (["Anna", "--speaker", "Bob"], "no speaker 'Bob'"),
        (["Anna", "--reference", "no-such.wav"], "neither an audio file nor the id of a clip"),
        (["Anna", "--base", "/no/such/model"], "/no/such/model"),
        (["Anna", "--sentences", "0"], "--sentences"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    arguments: list[str],
    says: str,
    tmp_path: Path,
    prepared_project: Callable[[Path], Project],
    capsys: pytest.CaptureFixture[str],
) -> None:
    project = prepared_project(tmp_path)
    chosen = [str(tmp_path) if one == "FOLDER" else one for one in arguments]
    assert cli.run(["judge", *chosen, "--home", str(tmp_path)]) == 2
    assert says in capsys.readouterr().err
    assert not (project.root / "judge").exists()
