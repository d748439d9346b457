"""The probe of one training run: its readings in probe.jsonl, what they are compared with in probe.json.

A resumed run carries on in the same files: readings after the checkpoint that it goes on from are forgotten, for they
are made again.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path

from voicefactory import files
from voicefactory.probe.drift import Drift, Limits, drift, faults, limits
from voicefactory.probe.measuring import Embed, Own, Reading, Spoken, measure, measure_own
from voicefactory.types import Sample

READINGS, ABOUT = "probe.jsonl", "probe.json"


class Watch:
    """Measures what a run says, and tells when it drifts. `stops`: the run should end then; `noise`: it is a toy."""

    def __init__(self, run: Path, own: Own, limits: Limits, embed: Embed, *, stops: bool, noise: bool = False) -> None:
        self.stops = stops
        self._noise = noise
        self.readings: list[Reading] = []
        self._run, self._own, self._limits, self._embed = run, own, limits, embed

    @classmethod
    def begin(
        cls,
        run: Path,
        clips: Sequence[Sample],
        embed: Embed,
        *,
        up_to: int,
        stops: bool,
        drift_pace: float,
        drift_likeness: float,
        noise: bool = False,
    ) -> Watch | None:
        """Measure the speaker's `clips` and take up the readings that `run` has up to the step `up_to`.

        None if there are too few clips with speech and a text to compare with.
        """
        began = time.monotonic()
        own = measure_own(clips, embed)
        if own is None:
            return None
        allowed = limits(own, drift_pace=drift_pace, drift_likeness=drift_likeness)
        watch = cls(run, own, allowed, embed, stops=stops, noise=noise)
        kept = [row for row in files.read_jsonl(run / READINGS) if row["step"] <= up_to]
        files.write_jsonl(run / READINGS, kept)
        names = {field.name for field in dataclasses.fields(Reading)}
        watch.readings = [Reading(**{name: row[name] for name in row if name in names}) for row in kept]
        watch._write_about("", round(time.monotonic() - began, 3))
        return watch

    @property
    def sound(self) -> bool:
        """Whether the newest reading has no fault."""
        return not self.readings or not faults(self.readings, self._limits)[-1]

    @property
    def drift(self) -> Drift | None:
        """Why the run should end; None while it should not."""
        return drift(self.readings, self._limits) if self.stops else None

    def read(self, step: int, spoken: Sequence[Spoken], began: float) -> Reading:
        """Measure what was spoken at `step`, since `began` (`time.monotonic`), and write it down."""
        reading = measure(step, spoken, self._own, self._embed)
        reading = dataclasses.replace(reading, seconds=round(time.monotonic() - began, 3))
        self.readings.append(reading)
        row = {
            **dataclasses.asdict(reading),
            "faults": sorted(faults(self.readings, self._limits)[-1]),
            "heard": [one.audio.name for one in spoken],
        }
        with open(self._run / READINGS, "a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")
        return reading

    def tell(self, sentence: str) -> None:
        """Write down why the run ended."""
        self._write_about(sentence, float(files.read_json(self._run / ABOUT)["seconds"]))

    def _write_about(self, sentence: str, seconds: float) -> None:
        about = {
            "own": self._own.to_json(),
            "limits": dataclasses.asdict(self._limits),
            "stops": self.stops,
            "noise": self._noise,
            "seconds": seconds,
            "drift": sentence,
        }
        files.write_json(self._run / ABOUT, about)
