"""The whole way of a run that stops because its voice drifts away: everyone who asks is told why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from voicefactory import files
from voicefactory.cli.create import summarize
from voicefactory.pipeline.request import Request
from voicefactory.pipeline.train import train
from voicefactory.project import Project

#: The toy's noise moves at this rate; where nothing may be lost of the likeness, that is a drift.
TOUCHY = ("probe=stop", "drift_likeness=0", "batch_size=2", "learning_rate=3e-3", "warmup_steps=0", "schedule=constant")
TOUCHY += ("eval_fraction=0.2", "max_steps=40", "eval_every_steps=2", "save_every_steps=2")


@pytest.mark.slow
def test_why_training_stopped_is_in_everything_that_comes_of_it(
    prepared_project: Callable[[Path], Project], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = prepared_project(tmp_path)
    request = Request(model="toy", language="english", overrides=TOUCHY, device="cpu")
    created = train(project, request)
    assert "sounded less like the speaker" in created.drift
    assert created.to_json()["drift"] == created.drift
    facts = files.read_json(created.voice.path / "voice.json")
    assert facts["drift"] == created.drift
    assert facts["metrics"]["step"] < 40
    used = files.read_json(created.run / "finished.json")
    readings = {row["step"]: row for row in files.read_jsonl(created.run / "probe.jsonl")}
    assert readings[used["step"]]["faults"] == []
    assert len(readings[0]["heard"]) == 1  # a toy says one sentence
    card = (created.voice.path / "README.md").read_text(encoding="utf-8")
    assert "Training was stopped because the voice drifted away from its speaker; these are weights from before" in card
    assert created.drift in card
    summarize(created.to_json())
    assert created.drift in capsys.readouterr().err
    again = train(project, request)  # what is finished is taken over, with its reason
    assert again.drift == created.drift
    assert again.voice.zip == created.voice.zip
