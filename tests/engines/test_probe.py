"""The toy is measured while it trains, and a run that is told to stops when its voice drifts away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import GivenClip
from tests.engines.engine_data import dataset_of, real_clips
from voicefactory import files
from voicefactory.engines.base import Engine, Training
from voicefactory.engines.qwen3_tts import evaluation
from voicefactory.engines.qwen3_tts.checkpoint import Standing
from voicefactory.errors import Cancelled, VoiceFactoryError
from voicefactory.presets import load_preset
from voicefactory.types import Checkpoint, Codes, OnProgress, Progress, ShouldStop, never, silent

#: At this rate the toy's noise soon changes, and where nothing may be lost of the likeness, that is a drift.
MOVING = ("batch_size=2", "learning_rate=3e-3", "warmup_steps=0", "schedule=constant", "eval_fraction=0.2")
MOVING += ("max_steps=40", "eval_every_steps=2", "save_every_steps=2")
TOUCHY = ("probe=stop", "drift_likeness=0")


@pytest.fixture(autouse=True, scope="module")
def _few_words() -> Iterator[None]:
    """Two thirds of a second of noise is enough to measure."""
    patch = pytest.MonkeyPatch()
    patch.setattr(evaluation, "TOY_FRAMES", 8)
    yield
    patch.undo()


def run(
    engine: Engine,
    toy: Path,
    codes: Codes,
    folder: Path,
    *overrides: str,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> Checkpoint:
    clips = real_clips()
    training = Training(
        codes,
        toy,
        load_preset("quick", overrides),
        folder,
        speaker="ann",
        device="cpu",
        sentences=("Good morning, how did you sleep?",),
        language="english",
        recordings=dataset_of(clips, folder).samples[:5],
    )
    return engine.finetune(training, on_progress=on_progress, should_stop=should_stop)


def rows_of(folder: Path) -> list[dict[str, object]]:
    return files.read_jsonl(folder / "probe.jsonl")


def test_the_toy_is_measured_and_never_stopped(engine: Engine, toy: Path, codes: Codes, tmp_path: Path) -> None:
    """Its speech is noise: with probe=auto it is only shown, whatever the thresholds are."""
    checkpoint = run(engine, toy, codes, tmp_path, *MOVING, "max_steps=6", "drift_likeness=0")
    assert (checkpoint.step, checkpoint.drift) == (6, "")
    rows = rows_of(tmp_path)
    assert [row["step"] for row in rows] == [0, 2, 4, 6]
    for row in rows:
        assert row["sentences"] == 1
        assert row["silent"] == 1.0  # nobody hears speech in it
        assert isinstance(row["likeness"], float)
        assert (tmp_path / "heard" / str(row["heard"][0])).is_file()  # type: ignore[index]
    about = files.read_json(tmp_path / "probe.json")
    assert (about["stops"], about["drift"], about["own"]["clips"]) == (False, "", 5)
    told = {row["step"]: row.get("probe_seconds") for row in files.read_jsonl(tmp_path / "metrics.jsonl")}
    assert told == {1: None, 2: rows[1]["seconds"], 3: None, 4: rows[2]["seconds"], 5: None, 6: rows[3]["seconds"]}


def test_a_voice_that_drifts_stops_training_and_is_made_of_weights_from_before(
    engine: Engine, toy: Path, codes: Codes, tmp_path: Path
) -> None:
    """Cancelled on the way and resumed, so that no reading is lost or doubled."""
    steps: list[float] = []
    with pytest.raises(Cancelled):
        run(engine, toy, codes, tmp_path, *MOVING, *TOUCHY, on_progress=lambda one: steps.append(one.done),
            should_stop=lambda: len(steps) == 3)  # fmt: skip
    told: list[Progress] = []
    checkpoint = run(engine, toy, codes, tmp_path, *MOVING, *TOUCHY, on_progress=told.append)
    rows = rows_of(tmp_path)
    last = int(str(rows[-1]["step"]))
    assert [row["step"] for row in rows] == list(range(0, last + 2, 2))
    assert last < 40
    assert [row["faults"] for row in rows[-2:]] == [["stranger"], ["stranger"]]
    metrics = {row["step"]: row for row in files.read_jsonl(tmp_path / "metrics.jsonl")}
    assert list(metrics) == list(range(1, last + 1))
    sound = [row["step"] for row in rows[1:-2] if not row["faults"]]
    assert checkpoint.step == min(sound, key=lambda step: metrics[step]["eval_loss"])
    assert metrics[last]["eval_loss"] < metrics[checkpoint.step]["eval_loss"]  # by its loss it was better than ever
    assert checkpoint.path.name == f"best-{checkpoint.step:06d}"
    assert "sounded less like the speaker" in checkpoint.drift
    assert f"It began at step {rows[-2]['step']}." in checkpoint.drift
    assert [one.message for one in told if one.notice] == [
        f"Training was stopped because the voice drifted away from its speaker. {checkpoint.drift}"
    ]
    assert files.read_json(tmp_path / "probe.json")["drift"] == checkpoint.drift
    assert run(engine, toy, codes, tmp_path, *MOVING, *TOUCHY) == checkpoint  # it is over
    assert rows_of(tmp_path) == rows


def test_a_drift_from_the_first_measurement_on_makes_no_voice(
    engine: Engine, toy: Path, codes: Codes, tmp_path: Path
) -> None:
    """As a run leaves it whose measurements were all worse than the model before training."""
    end = run(engine, toy, codes, tmp_path, *MOVING, "max_steps=2", "probe=none", "eval_fraction=0")
    state = files.read_json(end.path / "state.json")
    files.write_json(end.path / "state.json", {**state, "stopped_early": True, "drift": "Nobody spoke any more."})
    with pytest.raises(VoiceFactoryError, match=r"Nobody spoke any more\. No earlier weights sounded right.*=0\.0003"):
        run(engine, toy, codes, tmp_path, *MOVING, "max_steps=2", "probe=stop", "eval_fraction=0")


def test_a_sound_run_is_not_stopped(engine: Engine, toy: Path, codes: Codes, tmp_path: Path) -> None:
    """The same run with the thresholds as they are, and stopping forced on."""
    checkpoint = run(engine, toy, codes, tmp_path, *MOVING, "max_steps=6", "probe=stop")
    assert (checkpoint.step, checkpoint.drift) == (6, "")
    assert not any(row["faults"] for row in rows_of(tmp_path) if row["runaway"] == 0)


def test_what_is_not_sound_is_never_the_best() -> None:
    standing = Standing(step=10)
    assert standing.is_best(2.0, sound=True, watched=True)
    standing.step = 20
    assert not standing.is_best(1.0, sound=False, watched=True)
    assert (standing.best_step, standing.best_loss, standing.worse) == (10, 2.0, 0)  # patience sees that it was lower
    standing.step = 30
    assert standing.is_best(1.5, sound=True, watched=True)
    standing.step = 40
    assert not standing.is_best(1.6, sound=True, watched=True)
    assert (standing.best_step, standing.worse) == (30, 1)
    without = Standing(step=10)
    assert without.is_best(None, sound=True, watched=True)  # nothing is held out: the newest that sounds right
    assert not without.is_best(None, sound=True, watched=False)
    without.step = 20
    assert not without.is_best(None, sound=False, watched=True)
    assert (without.best_step, without.worse) == (10, 0)


@pytest.mark.parametrize("overrides", [("probe=none",), ("speak_at_evaluations=false",)])
def test_nothing_is_measured_when_it_is_not_wanted(
    engine: Engine, toy: Path, codes: Codes, tmp_path: Path, overrides: tuple[str, ...], twelve_clips: list[GivenClip]
) -> None:
    run(engine, toy, codes, tmp_path, *MOVING, "max_steps=2", *overrides)
    assert not (tmp_path / "probe.jsonl").exists()
