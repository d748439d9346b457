"""What the page shows is a pure function of what there is."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from voicefactory.device_memory import DeviceMemory
from voicefactory.engines.base import Plan
from voicefactory.jobs.queue import Place
from voicefactory.jobs.store import Job, Store
from voicefactory.pipeline.plan import OnDevice, RunPlan
from voicefactory.presets import load_preset
from voicefactory.types import Clip, Quality, Recording, Refused, Transcript
from voicefactory.ui import english, memory_views, run_views, text, views


def clip(name: str, *verdicts: str, seconds: float = 4.0) -> Clip:
    return Clip(
        name, name, f"{name}.wav", Path(f"{name}.wav"), 0, seconds, seconds, Quality(-3, -20, 40, 0, verdicts), ""
    )


def transcript(name: str, line: str = "Hello.", confidence: float = 0.95, **values: Any) -> Transcript:
    return Transcript(name, line, "english", confidence, values.pop("source", "whisper"), **values)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "jobs.db")


def job(store: Store, state: str = "running", **values: Any) -> Job:
    added = store.add("train", "local", "anna", {})
    if state != "queued":
        store.move(added.id, "running")
        store.report(added.id, **{key: values.pop(key) for key in list(values) if key not in ("error", "result")})
    if state not in ("queued", "running"):
        store.move(added.id, state, **values)  # type: ignore[arg-type]
    return store.get(added.id)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.84, "0.8 s"), (9.97, "10 s"), (59.6, "1 min"), (185, "3 min 5 s"), (3600, "1 h"), (4800, "1 h 20 min")],
)
def test_lengths_have_units(seconds: float, words: str) -> None:
    assert views.length(seconds) == words


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (3, 4, "about 5 s left"),
        (6, 14, "10 to 15 s left"),
        (40, 100, "40 s to 1 min 40 s left"),
        (130, 290, "3 to 5 min left"),
        (None, None, ""),
    ],
)
def test_time_left_is_a_range(store: Store, low: float | None, high: float | None, words: str) -> None:
    assert views.time_left(job(store, step="finetune", done=1, total=9, eta_low=low, eta_high=high)) == words


def test_a_job_in_words(store: Store) -> None:
    waiting = job(store, "queued")
    for place, line in [
        (Place(2, None), "Waiting: 2 ahead of you."),
        (Place(2, 700.0), "Waiting: 2 ahead of you. It will start in about 12 min."),
        (Place(0, 40.0), "Waiting: you are next. It will start in about 40 s."),
        (Place(0, 0.0), "Waiting to start."),
    ]:
        assert views.job_line(waiting, {waiting.id: place}) == line
    assert views.job_line(dataclasses.replace(waiting, waits="Too full.")) == "Too full."
    line = views.job_line(job(store, step="finetune", done=3, total=9, eta_low=1.0, eta_high=2.0))
    assert line == "Training: 3 of 9, about 5 s left"
    assert "press Resume" in views.job_line(job(store, "cancelled"))
    assert views.job_line(job(store, "failed", error="The disk is full.")) == "The disk is full."


def test_an_error_with_markup_stays_text(store: Store) -> None:
    shown = views.job_html(job(store, "failed", error="<img src=x onerror=alert(1)>"))
    assert "<img" not in shown
    assert "&lt;img" in shown


def test_the_bar_is_as_long_as_the_work(store: Store) -> None:
    assert "width:25.0%" in views.job_html(job(store, step="finetune", done=2, total=8))
    assert "unknown" in views.job_html(job(store, step="extract"))
    assert "bar" not in views.job_html(job(store, "succeeded"))
    assert views.job_html(None) == ""


def test_how_many_clips_are_used() -> None:
    rows = [transcript("a", confidence=0.4), transcript("b"), transcript("c", dropped=True)]
    assert views.transcripts_line(rows, 0) == "2 of 3 clips will be used."
    assert views.transcripts_line(rows, 1) == "2 of 3 clips will be used. One needs a look."
    assert views.transcripts_line(rows * 1_000, 1_234) == "2,000 of 3,000 clips will be used. 1,234 need a look."


def test_a_guess_of_a_time_is_a_range() -> None:
    assert views.time_range(0.1, 0.3, 600) == "1 min to 3 min"
    assert views.time_range(1, 1) == "5 s"
    assert views.time_range(None, 3) == ""


def test_recordings_are_listed_by_name_and_what_was_refused_with_its_reason() -> None:
    recordings = [
        Recording("2", "b.wav", Path(), 61, 48000, 2, 0),
        Recording("1", "A.mp3", Path(), 3, 8000, 1, 0, ("cut off",)),
    ]
    shown = views.recording_rows(recordings, {recordings[0].id: "Hello."})
    assert [row[:3] for row in shown] == [["A.mp3", "3.0 s", "cut off"], ["b.wav", "1 min 1 s", "Read aloud: “Hello.”"]]
    assert [row[3] for row in shown] == [recordings[1].id, recordings[0].id]
    assert views.refused_rows([Refused("x.wav", "It is empty.")]) == [["x.wav", "It is empty."]]
    assert "enough for a try" in views.recordings_line(recordings, [clip("a")])
    assert views.recordings_line([], []) == text.NO_RECORDINGS
    assert views.recordings_line([], [], [Refused("x.wav", "It is empty.")]) == text.NONE_USABLE


def test_memory_of_every_device_as_a_bar() -> None:
    gib = views.GIB
    card = DeviceMemory("cuda:0", "NVIDIA <L4>", 24 * gib, 12 * gib, 6 * gib, 7)
    shown = memory_views.devices_html([card])
    assert "GPU 0: NVIDIA &lt;L4&gt;" in shown
    assert "our jobs 6.0 GiB, others 6.0 GiB, free 12.0 GiB of 24.0 GiB, 7 % busy" in shown
    assert shown.count("width:25.0%") == 2
    assert text.NO_GPU not in shown
    assert text.NO_GPU in memory_views.devices_html([DeviceMemory("cpu", "", 8 * gib, gib, 0, 50)])
    assert memory_views.devices_html([]) == ""


def test_a_plan_beside_what_is_free() -> None:
    gib = views.GIB
    preset = load_preset("quick")
    planned = Plan(preset, 8, 0, 10, {"weights": 6 * gib, "codec": 2 * gib, "copies": 0}, 1.0)
    fits = RunPlan("toy", "quick", planned, (OnDevice("cuda:0", "L4", 12 * gib, 24 * gib, True, None),))
    shown = memory_views.plan_html(fits)
    assert "This training needs 8.0 GiB; 12.0 GiB of 24.0 GiB are free." in shown
    assert 'class="ours" style="width:33.3%"' in shown
    assert "<i style" not in shown, "nothing is beyond the end"
    tight = RunPlan("toy", "quick", planned, (OnDevice("cuda:0", "L4", 2 * gib, 10 * gib, False, None),))
    shown = memory_views.plan_html(tight)
    assert 'class="over" style="width:50.0%"' in shown
    assert '<i style="left:62.5%"' in shown
    rows = memory_views.terms_html(fits)
    assert rows.index("weights") < rows.index("speech tokenizer")
    assert "copies" not in rows
    assert memory_views.plan_html(None) == memory_views.terms_html(None) == ""


def test_loss_has_a_curve_for_each_and_no_holes() -> None:
    points = run_views.loss_points(
        [{"step": 1, "loss": 3.0}, {"step": 2, "loss": float("nan"), "eval_loss": 2.5}, {"step": 3, "loss": None}]
    )
    assert points.values.tolist() == [[1, 3.0, text.LOSS_TRAIN], [2, 2.5, text.LOSS_HELD_OUT]]


def test_no_sentence_shouts_or_is_code() -> None:
    sentences = [value for name, value in vars(english).items() if name.isupper() and isinstance(value, str)]
    assert len(sentences) > 60
    for sentence in sentences:
        assert "!" not in sentence
        assert sentence == sentence.strip()


def test_where_the_held_out_clips_were_predicted_best() -> None:
    rows = [{"step": 10, "eval_loss": 5.5}, {"step": 20, "eval_loss": 5.25}, {"step": 30, "eval_loss": float("nan")}]
    assert run_views.best_line(rows) == "The clips kept aside were predicted best at step 20 (5.250)."
    assert run_views.best_line([{"step": 10, "loss": 5.0}]) == ""


def test_a_plot_knows_both_curves_from_the_start() -> None:
    points = run_views.both_curves(run_views.loss_points([{"step": 3, "loss": 5.0}, {"step": 4, "loss": 4.0}]))
    assert set(points["curve"]) == {text.LOSS_TRAIN, text.LOSS_HELD_OUT}
    assert points["loss"].dropna().tolist() == [5.0, 4.0]
    assert run_views.both_curves(run_views.loss_points([])).empty
