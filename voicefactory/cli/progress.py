"""Progress on stderr: a bar with the time left on a terminal, plain lines anywhere else (a log, a pipe, CI)."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TextIO

from voicefactory.jobs.progress import Eta
from voicefactory.types import OnProgress, Progress

LINE_EVERY_S = 5.0  #: between two plain lines of the same step

#: What a person reads for each step.
TITLES = {
    "hub": "Fetching from the Hub",
    "ingest": "Reading recordings",
    "segment": "Cutting at pauses",
    "clean": "Cleaning",
    "transcribe": "Listening to the words",
    "second opinion": "Listening a second time",
    "analyse": "Measuring the clips",
    "wait": "Waiting for a GPU",
    "reference": "Choosing the reference",
    "model": "Getting the model",
    "extract": "Encoding the sound",
    "finetune": "Training",
    "synthesize": "Speaking samples",
    "speak": "Speaking the sentences",
    "listen": "Listening to them",
    "package": "Packing and checking the voice",
    "publish": "Uploading",
}


@contextlib.contextmanager
def progress_on(stream: TextIO | None = None) -> Iterator[OnProgress]:
    """Yield an `OnProgress` that tells the person who watches `stream` (stderr)."""
    stream = stream or sys.stderr
    if stream.isatty():
        with _bar(stream) as report:
            yield report
    else:
        lines = Lines(stream)
        yield lines
        lines.close()


class Lines:
    """Writes a line when a step begins, every few seconds while it goes on, and when it ends."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock, self._eta = stream, clock, Eta(clock)
        self._step, self._began, self._written = "", 0.0, 0.0

    def __call__(self, progress: Progress) -> None:
        now = self._clock()
        left = time_left(self._eta.update(progress.step, progress.done, progress.total))
        if progress.step != self._step:
            self.close()
            self._step, self._began, self._written = progress.step, now, now
            self._write(f"{title(progress.step)} ...")
        if progress.notice:
            self._write(f"  {progress.message}")
        elif now - self._written >= LINE_EVERY_S:
            self._written = now
            parts = [_count(progress), progress.message, left]
            self._write(f"  {title(progress.step)}: {', '.join(part for part in parts if part) or 'still at it'}")

    def close(self) -> None:
        """Say how long the last step took."""
        if self._step:
            self._write(f"{title(self._step)}: done in {self._clock() - self._began:.1f} s")
            self._step = ""

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


@contextlib.contextmanager
def _bar(stream: TextIO) -> Iterator[OnProgress]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    eta = Eta()
    with Bar(*columns, console=Console(file=stream)) as bar:
        current, step = None, ""

        def report(progress: Progress) -> None:
            nonlocal current, step
            left = time_left(eta.update(progress.step, progress.done, progress.total))
            if progress.step != step or current is None:
                finish()
                current = bar.add_task(title(progress.step), total=None, count="", note="")
                step = progress.step
            if progress.notice:
                bar.console.print(escape(progress.message))
            bar.update(
                current,
                completed=progress.done,
                total=progress.total or None,
                count=_count(progress),
                note=escape(", ".join(part for part in (left, progress.message) if part)),
            )

        def finish() -> None:
            if current is not None:
                bar.update(current, completed=1, total=1, count="", note="")
                bar.stop_task(current)

        yield report
        finish()


def title(step: str) -> str:
    """The step in words."""
    return TITLES.get(step, step.capitalize())


def time_left(seconds: tuple[float, float] | None) -> str:
    """A range of seconds in words: "2 to 4 min left"; empty while nobody knows."""
    if seconds is None:
        return ""
    low, high = seconds
    for unit, size in (("h", 3600), ("min", 60), ("s", 1)):
        if high >= 2 * size or size == 1:
            first, last = int(low / size), max(1, -int(-high // size))
            return f"about {last} {unit} left" if first >= last - 1 else f"{first} to {last} {unit} left"
    return ""


def duration(seconds: float) -> str:
    """A rough length: 40 s, 12 min, 3.5 h, 4 days."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"


def _count(progress: Progress) -> str:
    count = f"{progress.done:.0f} of {progress.total:.0f}"
    return "" if progress.total <= 0 or count in progress.message else count
