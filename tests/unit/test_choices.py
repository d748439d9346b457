"""What a browser says it chose: a request can name anything, also what no list has ever offered."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.at_work import end_workers, wait
from voicefactory import files
from voicefactory.engines import registry
from voicefactory.errors import InputError
from voicefactory.jobs.scheduler import Scheduler
from voicefactory.owners import LOCAL
from voicefactory.presets import load_preset, preset_files
from voicefactory.project import Project, folder_name
from voicefactory.settings import settings
from voicefactory.ui import choices, models
from voicefactory.ui.page import Call
from voicefactory.ui.tabs import advanced, listen, listen_again, reference, train

VISITOR = "v-0123"


@pytest.fixture
def scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scheduler]:
    """Not started: what is asked for waits in the table."""
    monkeypatch.setattr(settings(), "home", tmp_path / "home")
    monkeypatch.setattr(settings(), "model", "toy")
    models.default.cache_clear()
    yield Scheduler(tmp_path / "home")
    models.default.cache_clear()


@pytest.fixture
def call(scheduler: Scheduler, prepared_project: Callable[[Path], Project], tmp_path: Path) -> Call:
    """A visitor in a project of theirs."""
    made = prepared_project(tmp_path / "made")
    mine = Project(scheduler.home / "projects" / folder_name("Anna", VISITOR))
    shutil.copytree(made.root, mine.root)
    mine.update_info(owner=VISITOR)
    return Call(scheduler, VISITOR, mine.identifier, None)  # type: ignore[arg-type]


def local_voice(home: Path) -> Path:
    """A voice of the person at this computer, where anybody can guess that it lies."""
    folder = Project.create("Ben", home).voices / "quick-1"
    files.write_text(folder / "config.json", "{}")
    return folder


def test_a_visitor_names_no_folder_of_this_machine(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = local_voice(call.scheduler.home)
    monkeypatch.chdir(folder.parent.parent)  # so that a relative path looks like a name on the Hub
    for wrong in (str(folder), "voices/quick-1", "~/x", "..", "a/../b", "/etc", "a/b/c", "http://x/y", "\0", "x"):
        with pytest.raises(InputError, match="Choose a base model"):
            choices.base_model(registry.DEFAULT, wrong, VISITOR)
    for right in ("toy", "", None, "Qwen/Qwen3-TTS-12Hz-0.6B-Base", "somebody/their-model_2.0"):
        assert choices.base_model(registry.DEFAULT, right, VISITOR)
    assert choices.base_model(registry.DEFAULT, str(folder), LOCAL) == str(folder)
    with pytest.raises(InputError, match="Choose a base model"):
        train.begin(call, registry.DEFAULT, str(folder), "quick", True, ())
    told = train.show_plan(call, registry.DEFAULT, str(folder), "quick", *advanced.values_of(load_preset("quick")))
    assert "Choose a base model" in str(told)


def test_a_preset_is_one_of_those_that_come_along(call: Call, tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("password: hunter2\n")
    for wrong in (str(secret), "../presets/quick", "quick.yaml", ""):
        for ask in (
            lambda wrong=wrong: choices.preset(wrong),
            lambda wrong=wrong: train.change_preset(call, wrong),
            lambda wrong=wrong: train.begin(call, registry.DEFAULT, "toy", wrong, True, ()),
            lambda wrong=wrong: train.start(call, registry.DEFAULT, "toy", wrong, True),
        ):
            with pytest.raises(InputError, match="There is no preset") as refused:
                ask()
            assert "password" not in str(refused.value)
    assert all(choices.preset(name) == name for name in preset_files())


def test_a_reference_is_a_clip_of_the_project(call: Call, clips_dir: Path) -> None:
    """Training takes a path for a file, and would put somebody else's recording into the voice."""
    for wrong in (str(next(clips_dir.glob("wavs/*.wav"))), "../x", "nothing", ""):
        with pytest.raises(InputError):
            reference.choose(call, wrong)
    clip = call.state().clips[0].id
    reference.choose(call, clip)
    assert call.project.info["reference"] == clip
    reference.choose(call, "own")  # none was brought: the best clip is taken
    assert call.project.info["reference"] == ""


def test_whisper_is_a_size_that_is_offered(call: Call, tmp_path: Path) -> None:
    for wrong in (str(tmp_path), "..", "tiny.en", "somebody/whisper", "", None):  # no size was offered yet
        with pytest.raises(InputError, match="Choose a Whisper size"):
            listen_again.write_again(call, wrong)
        with pytest.raises(InputError, match="Choose a Whisper size"):
            listen_again.ask_again(call, wrong, 1)
    assert choices.whisper_size("tiny.en", ["tiny.en"], VISITOR) == "tiny.en"
    assert choices.whisper_size(str(tmp_path), [], LOCAL) == str(tmp_path)


@pytest.mark.parametrize("voice", ["voice:../../etc", "voice:quick-1", "base:/etc", "base:toy/../..", "", None])
def test_a_voice_is_one_of_the_project(call: Call, voice: Any) -> None:
    local_voice(call.scheduler.home)
    with pytest.raises(InputError):
        listen.say(call, voice or "nothing", "Hello.", "", 0)
    assert call.scheduler.store.jobs() == []


def test_what_a_visitor_asks_for_is_fetched_without_the_machine_s_account(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen in the worker's own environment."""
    monkeypatch.setenv("HF_TOKEN", "hf_ofWhoeverRunsTheMachine")
    call.scheduler.start()
    try:
        seen = {}
        for owner in (VISITOR, LOCAL):
            job = call.scheduler.submit("sizes", call.project, owner, {})
            started = wait(call.scheduler, job, lambda found: found.pid is not None, 120)
            seen[owner] = psutil.Process(started.pid).environ()
            wait(call.scheduler, job, lambda found: not found.active, 120)
    finally:
        call.scheduler.stop()
        end_workers(call.scheduler)
    assert "HF_TOKEN" not in seen[VISITOR]
    assert seen[VISITOR]["HF_HUB_DISABLE_IMPLICIT_TOKEN"] == "1"
    assert seen[LOCAL]["HF_TOKEN"] == "hf_ofWhoeverRunsTheMachine"
