"""Which Whisper sizes are offered, on the machine that the test runs on."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from voicefactory import files
from voicefactory.pipeline.asr_choices import choices, remember_speed


def test_a_size_that_is_here_is_timed_once_and_others_are_scaled(tmp_path: Path) -> None:
    found = {one.name: one for one in choices(600, tmp_path)}
    assert list(found) == ["tiny", "tiny.en", "base", "small", "medium", "large-v3-turbo", "large-v3"]
    assert [name for name, one in found.items() if one.on_this_machine] == ["tiny.en"]
    assert found["tiny.en"].languages == ("english",)
    assert len(found["base"].languages) == 10
    assert found["tiny.en"].why_not == ""
    assert "not on this machine, and there is no network" in found["base"].why_not
    multilingual = [one for name, one in found.items() if name not in ("tiny.en", "large-v3-turbo")]
    for smaller, larger in itertools.pairwise(multilingual):
        assert smaller.memory_bytes < larger.memory_bytes
        assert (smaller.seconds_high or 0) < (larger.seconds_high or 0)
        assert 0 < (larger.seconds_low or 0) < (larger.seconds_high or 0)
    kept = (tmp_path / "asr-speed.json").read_text()
    assert {one.name: one for one in choices(1200, tmp_path)}["base"].seconds_low == pytest.approx(
        2 * (found["base"].seconds_low or 0)
    )
    assert (tmp_path / "asr-speed.json").read_text() == kept  # not timed again


def test_a_run_that_was_timed_is_better_than_an_estimate(tmp_path: Path) -> None:
    before = {one.name: one for one in choices(100, tmp_path)}
    remember_speed(tmp_path, "tiny.en", "cpu", audio_s=30, seconds=1)  # too short to tell
    assert {one.name: one for one in choices(100, tmp_path)} == before
    remember_speed(tmp_path, "tiny.en", "cpu", audio_s=120, seconds=12)
    remember_speed(tmp_path, "/some/folder", "cpu", audio_s=120, seconds=12)  # a size that nobody knows
    after = {one.name: one for one in choices(100, tmp_path)}
    assert after["tiny.en"].estimate is False
    assert (after["tiny.en"].seconds_low, after["tiny.en"].seconds_high) == (pytest.approx(8), pytest.approx(13))
    assert after["base"].estimate is True
    assert (after["base"].seconds_low or 0) + (after["base"].seconds_high or 0) > 13


def test_a_damaged_file_of_speeds_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "asr-speed.json").write_text("{")
    assert choices(10, tmp_path)[0].seconds_low
    assert files.read_json(tmp_path / "asr-speed.json")
