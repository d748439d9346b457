"""The pictures of how a voice speaks on the way: every value is there, faults are marked, nothing is lost late."""

from __future__ import annotations

import re
from typing import Any

from voicefactory.ui.probe_views import probe_html

ABOUT = {
    "own": {"clips": 9, "chars_per_s": 14.0, "pace": {}, "likeness": {"low": 0.85, "median": 0.9, "high": 0.93}},
    "limits": {"slowest": 0.85, "fastest": 1.15, "least_likeness": 0.85, "fall": 0.1},
    "stops": True,
    "noise": False,
    "drift": "",
}


def row(step: int, pace: float | None, *faults: str, **more: Any) -> dict[str, Any]:
    told = {"step": step, "pace": pace, "likeness": 0.9, "runaway": 0.25, "silent": 0.0, "faults": list(faults)}
    return {**told, **more}


def test_every_measurement_is_in_three_pictures_with_the_speakers_range() -> None:
    found = probe_html([row(0, 1.0), row(10, 1.2, "fast"), row(20, 1.3, "fast")], ABOUT)
    assert found.count("<svg") == 3
    assert found.count("<circle") == 9
    assert found.count("<rect") == 2  # pace and likeness; sentences without an end have no range
    assert len(re.findall(r'<circle class="bad"[^>]*><title>step [12]0: 1\.[23]0', found)) == 2
    labels = re.findall(r'aria-label="([^"]*)"', found)
    assert labels[0] == "Pace: 1 is the person&#x27;s: step 0: 1.00, step 10: 1.20, step 20: 1.30"
    assert labels[2].endswith("step 0: 25%, step 10: 25%, step 20: 25%")
    assert "Training ends by itself" in found
    assert "was stopped" not in found


def test_why_it_stopped_is_told_and_escaped() -> None:
    found = probe_html([row(0, 1.0)], {**ABOUT, "drift": "It spoke <b>fast</b>."})
    assert "Training was stopped because the voice drifted away from its speaker. It spoke &lt;b&gt;fast" in found


def test_noise_has_no_pace_and_a_picture_all_the_same() -> None:
    about = {**ABOUT, "own": {**ABOUT["own"], "likeness": None}, "stops": False, "noise": True}  # type: ignore[dict-item]
    found = probe_html([row(0, None, likeness=None), row(10, None, likeness=None)], about)
    assert found.count("<svg") == 3
    assert found.count("nothing to measure yet</text>") == 2
    assert "Training is not stopped for it. The toy model makes noise" in found
    assert probe_html([], ABOUT) == ""
    assert probe_html([row(0, 1.0)], {}) == ""
