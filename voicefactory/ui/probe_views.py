"""What a run says on the way, measured: pace, likeness and runaways at every measurement, as HTML and SVG.

Pure functions over the rows of probe.jsonl and probe.json; everything that came from outside is escaped.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voicefactory.ui import text
from voicefactory.ui.told import told

_WIDE, _TALL = 240, 110  #: units of a picture: the area of the curve
_LEFT, _ABOVE, _BELOW, _RIGHT = 42, 10, 24, 8  #: around it, for the figures

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class _Chart:
    """One of the pictures."""

    title: str
    values: list[float | None]  #: one a measurement
    band: tuple[float, float] | None  #: the speaker's own range
    faulty: list[bool]
    written: Callable[[float], str]
    ends: tuple[float, float] | None = None  #: of the axis; None = by what there is


def probe_html(rows: Rows, about: Mapping[str, Any]) -> str:
    """All of it; empty before the first measurement."""
    if not rows or not about:
        return ""
    steps = [int(row["step"]) for row in rows]
    pictures = "".join(f"<figure>{_svg(chart, steps)}</figure>" for chart in _charts(rows, about))
    parts = [
        f"<h2>{html.escape(text.PROBE)}</h2>",
        f'<p class="quiet">{html.escape(_help(about))}</p>',
        f'<div class="probe">{pictures}</div>',
    ]
    if about["drift"]:
        stopped = text.PROBE_STOPPED.format(reason=told(about["drift"]))
        parts.insert(1, f'<p class="state bad">{html.escape(stopped)}</p>')
    return "".join(parts)


def _help(about: Mapping[str, Any]) -> str:
    told_more = text.PROBE_STOPS if about["stops"] else text.PROBE_WATCHES
    return " ".join([text.PROBE_HELP, told_more, *([text.PROBE_NOISE] if about.get("noise") else [])])


def _charts(rows: Rows, about: Mapping[str, Any]) -> list[_Chart]:
    limits, alike = about["limits"], about["own"]["likeness"]

    def faulty(*kinds: str) -> list[bool]:
        return [bool(set(kinds) & set(row["faults"])) for row in rows]

    def column(name: str) -> list[float | None]:
        return [row[name] for row in rows]

    return [
        _Chart(
            text.PROBE_PACE,
            column("pace"),
            (limits["slowest"], limits["fastest"]),
            faulty("fast", "slow", "silent"),
            "{:.2f}".format,
        ),
        _Chart(
            text.PROBE_LIKENESS,
            column("likeness"),
            (alike["low"], alike["high"]) if alike else None,
            faulty("stranger"),
            "{:.2f}".format,
        ),
        _Chart(text.PROBE_RUNAWAY, column("runaway"), None, faulty("runaway"), "{:.0%}".format, (0.0, 1.0)),
    ]


def _svg(chart: _Chart, steps: Sequence[int]) -> str:
    known = [(step, value) for step, value in zip(steps, chart.values, strict=True) if value is not None]
    low, high = chart.ends or _ends([value for _, value in known], chart.band)
    last = max(steps[-1], 1)

    def place(step: float, value: float) -> tuple[float, float]:
        return _LEFT + _WIDE * step / last, _ABOVE + _TALL * (high - value) / (high - low)

    parts = [_band(chart.band, place, last)] if chart.band else []
    for value in (low, high):
        _, y = place(0, value)
        parts.append(f'<line class="edge" x1="{_LEFT}" x2="{_LEFT + _WIDE}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="value" x="{_LEFT - 6}" y="{y + 4:.1f}">{chart.written(value)}</text>')
    below = _ABOVE + _TALL + 18
    parts.append(f'<text x="{_LEFT}" y="{below}">0</text>')
    parts.append(f'<text x="{_LEFT + _WIDE / 2}" y="{below}">{html.escape(text.PROBE_STEP)}</text>')
    parts.append(f'<text class="value" x="{_LEFT + _WIDE + 5}" y="{below}">{last}</text>')
    line = " ".join("{:.1f},{:.1f}".format(*place(step, value)) for step, value in known)
    parts.append(f'<polyline points="{line}"/>')
    bad = {step for step, faulty in zip(steps, chart.faulty, strict=True) if faulty}
    for step, value in known:
        x, y = place(step, value)
        named = html.escape(text.PROBE_POINT.format(step=step, value=chart.written(value)))
        marked = ' class="bad"' if step in bad else ""
        parts.append(f'<circle{marked} cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{named}</title></circle>')
    if not known:
        middle = f'x="{_LEFT + _WIDE / 2}" y="{_ABOVE + _TALL / 2}"'
        parts.append(f"<text {middle}>{html.escape(text.PROBE_NOTHING)}</text>")
    said = ", ".join(text.PROBE_POINT.format(step=step, value=chart.written(value)) for step, value in known)
    label = html.escape(f"{chart.title}: {said or text.PROBE_NOTHING}", quote=True)
    size = f"{_LEFT + _WIDE + _RIGHT} {_ABOVE + _TALL + _BELOW}"
    caption = f"<figcaption>{html.escape(chart.title)}</figcaption>"
    return f'{caption}<svg viewBox="0 0 {size}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _band(band: tuple[float, float], place: Callable[[float, float], tuple[float, float]], last: int) -> str:
    (left, top), (right, bottom) = place(0, band[1]), place(last, band[0])
    return f'<rect x="{left}" y="{top:.1f}" width="{right - left}" height="{max(1.0, bottom - top):.1f}"/>'


def _ends(values: Sequence[float], band: tuple[float, float] | None) -> tuple[float, float]:
    """The ends of the axis: all values and the range, with a little room, and never nothing between."""
    everything = [*values, *(band or ())] or [0.0, 1.0]
    room = max(0.02, 0.1 * (max(everything) - min(everything)))
    return min(everything) - room, max(everything) + room
