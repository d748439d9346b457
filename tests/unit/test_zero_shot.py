"""A voice without training: the toy with a reference, packaged, loaded and published like any other voice."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from voicefactory import cli, files
from voicefactory.engines import registry
from voicefactory.errors import InputError
from voicefactory.pipeline.judge import judgement_path
from voicefactory.pipeline.judge_case import JudgeRequest, find_case
from voicefactory.pipeline.package import list_voices
from voicefactory.pipeline.publish import files_to_publish
from voicefactory.pipeline.reference import load_reference, look_up_reference
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.synthesize import synthesize
from voicefactory.pipeline.transcripts import load_transcripts
from voicefactory.pipeline.zero_shot import ZeroShotRequest, zero_shot
from voicefactory.project import Project
from voicefactory.settings import settings
from voicefactory.types import Progress, Voice, silent

pytestmark = pytest.mark.slow  # a process of its own speaks; tests/engines/test_zero_shot.py is quick
SAID = "Hello there."


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, prepared_project: Callable[[Path], Project]
) -> tuple[Project, Voice]:
    """After a judgement that training was not worth it."""
    project = prepared_project(tmp_path_factory.mktemp("zero-shot"))
    project.update_info(consent="Anna agreed | on paper")
    worth = {"verdict": "no", "sentence": "The zero-shot clone sounds more like the recordings."}
    files.write_json(judgement_path(project, ""), {"worth": worth})
    return project, zero_shot(project, ZeroShotRequest(base="toy", device="cpu"))


def test_it_says_what_the_clone_of_the_judgement_says(made: tuple[Project, Voice], tmp_path: Path) -> None:
    project, voice = made
    engine = registry.get("qwen3-tts")
    base = engine.resolve_model("toy", project.home, silent)
    reference = look_up_reference(project, load_clips(project), load_transcripts(project))
    clone = engine.load(base, "cpu").speak(SAID, language="english", seed=3, reference=reference)
    loaded = engine.load(voice.path, "cpu")
    for speaker in (None, project.speaker):
        said = loaded.speak(SAID, language="english", seed=3, speaker=speaker)
        assert np.array_equal(said.samples, clone.samples)
    assert loaded.speakers == engine.speakers(voice.path) == (project.speaker,)
    with pytest.raises(InputError, match="no speaker 'bob'"):
        loaded.speak(SAID, speaker="bob")
    assert synthesize(voice.path, SAID, tmp_path / "said.wav", device="cpu").seconds > 0.1
    assert load_reference(project) is None  # nothing was chosen for the project


def test_the_folder_and_the_zip_are_complete(made: tuple[Project, Voice]) -> None:
    project, voice = made
    facts = files.read_json(voice.path / "voice.json")
    assert (facts["zero_shot"], facts["speaker"], facts["base_model"]) == (True, project.speaker, "toy")
    assert facts["consent"] == "Anna agreed | on paper"
    assert voice.zip is not None
    assert list_voices(project) == [voice.path]
    published = files_to_publish(voice.path)
    with zipfile.ZipFile(voice.zip) as archive:
        names = [name.split("/", 1)[1] for name in archive.namelist()]
    for wanted in ("reference/reference.wav", "reference/reference.json", "samples/1.wav", "samples/2.wav",
                   "voice.json", "README.md", "model.safetensors", "speech_tokenizer/model.safetensors"):  # fmt: skip
        assert wanted in names, wanted
        assert wanted in published, wanted
    assert "example.py" in names
    base = registry.get("qwen3-tts").resolve_model("toy", project.home, silent)
    assert (voice.path / "model.safetensors").samefile(base / "model.safetensors")  # weights cost no space


def test_the_card_says_what_it_is(made: tuple[Project, Voice]) -> None:
    card = (made[1].path / "README.md").read_text(encoding="utf-8")
    assert "**Not trained.** This is the base model, unchanged" in card
    assert "was not worth it: The zero-shot clone sounds more like the recordings." in card
    assert "That recording is in `reference/`" in card
    assert "makes noise, not speech" in card
    assert "Anna agreed &#124; on paper" in card
    example = (made[1].path / "example.py").read_text(encoding="utf-8")
    assert example in card
    assert "generate_voice_clone" in compile_of(example)


def compile_of(example: str) -> str:
    compile(example, "example.py", "exec")
    return example


def test_asked_again_it_is_there_and_another_reference_is_another_voice(made: tuple[Project, Voice]) -> None:
    project, voice = made
    before = (voice.path / "voice.json").stat().st_mtime_ns
    told: list[Progress] = []
    assert zero_shot(project, ZeroShotRequest(base="toy", device="cpu"), on_progress=told.append) == voice
    assert (voice.path / "voice.json").stat().st_mtime_ns == before
    assert not any("fresh process" in one.message for one in told)


def test_it_is_not_judged_as_if_it_were_trained(made: tuple[Project, Voice]) -> None:
    project, voice = made
    with pytest.raises(InputError, match="was not trained"):
        find_case(project, JudgeRequest(voice=str(voice.path), base="toy", device="cpu"))
    case = find_case(project, JudgeRequest(base="toy", device="cpu"))
    assert [one.id for one in case.subjects] == ["real", "zero-shot"]


@pytest.fixture
def _home_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("VOICEFACTORY_HOME", str(settings().home))
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.usefixtures("_home_as_before")
def test_the_command_finds_it_too(made: tuple[Project, Voice], capsys: pytest.CaptureFixture[str]) -> None:
    project, voice = made
    arguments = ["zero-shot", "Anna", "--base", "toy", "--device", "cpu", "--home", str(project.home)]
    assert cli.run([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["voice"], told["zip"]) == (str(voice.path), str(voice.zip))
    assert cli.run(arguments) == 0
    assert str(voice.zip) in capsys.readouterr().out
    assert cli.run(["zero-shot", "nobody", "--home", str(project.home)]) == 2
    assert cli.run([*arguments, "--reference", "no-such.wav"]) == 2
    assert "neither an audio file nor the id of a clip" in capsys.readouterr().err
