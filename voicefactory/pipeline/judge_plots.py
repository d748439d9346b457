"""Figures of a judgement as SVG: a dot and its interval for each subject, over the range of the recordings.

Colours are CSS variables of the page around it (--ink, --quiet, --band, --dot), so they follow light and dark.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence

from voicefactory.pipeline.intervals import Interval
from voicefactory.pipeline.judge_scores import Measure, Range

_WIDTH, _LEFT, _RIGHT = 720, 210, 24
_ROW, _TOP, _AXIS = 26, 8, 46  #: heights, pixels
_TICKS = 5

Across = Callable[[float], float]  #: value → x, pixels
Row = tuple[str, Interval | None]  #: label, mean with interval


def plot(measure: Measure, rows: Sequence[Row], own: Range | None) -> str:
    """An <svg> with one line for each of `rows`, the axis with its unit, and `own` as a band."""
    low, high = _limits(rows, own, measure)
    height = _TOP + _ROW * len(rows) + _AXIS
    bottom = _TOP + _ROW * len(rows)

    def across(value: float) -> float:
        return round(_LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT), 1)

    parts = [_band(own, across, bottom)] if own else []
    for tick in _ticks(low, high):
        parts.append(f'<line class="grid" x1="{across(tick)}" x2="{across(tick)}" y1="{_TOP}" y2="{bottom}"/>')
        parts.append(_text(across(tick), bottom + 16, f"{tick:g}", "middle", "tick"))
    for at, (label, interval) in enumerate(rows):
        parts += _row(label, interval, _TOP + _ROW * at + _ROW / 2, across, low, high)
    parts.append(
        _text((_LEFT + _WIDTH - _RIGHT) / 2, bottom + 36, f"{measure.title} ({measure.unit})", "middle", "axis")
    )
    name = html.escape(_in_words(measure, rows, own), quote=True)
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{name}">{"".join(parts)}</svg>'


def _row(label: str, interval: Interval | None, y: float, across: Across, low: float, high: float) -> list[str]:
    parts = [_text(_LEFT - 12, y + 4, _short(label), "end", "label")]
    if interval is None:
        return [*parts, _text(_LEFT + 8, y + 4, "not measured", "start", "tick")]
    left, right = (across(min(max(end, low), high)) for end in (interval.low, interval.high))
    parts.append(f'<line class="whisker" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>')
    parts.append(f'<circle class="dot" cx="{across(interval.mean)}" cy="{y}" r="5"/>')
    return parts


def _band(own: Range, across: Across, bottom: float) -> str:
    left, right = across(own.low), across(own.high)
    return f'<rect class="band" x="{left}" y="{_TOP}" width="{max(2, right - left):.1f}" height="{bottom - _TOP}"/>'


def _limits(rows: Sequence[Row], own: Range | None, measure: Measure) -> tuple[float, float]:
    ends = [end for _, one in rows if one for end in (one.low, one.mean, one.high) if math.isfinite(end)]
    ends += [own.low, own.high] if own else []
    ends += [0.0, 1.0] if measure.event else []
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    margin = 0.05 * (high - low) or 0.5
    return low - margin, high + margin


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between the two."""
    rough = (high - low) / _TICKS
    size = 10.0 ** math.floor(math.log10(rough))
    step = min((factor * size for factor in (1, 2, 5, 10)), key=lambda one: abs(one - rough))
    first = math.ceil(low / step)
    return [round(number * step, 6) for number in range(first, math.floor(high / step) + 1)]


def _text(x: float, y: float, text: str, anchor: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{html.escape(text)}</text>'


def _short(label: str) -> str:
    return label if len(label) <= 30 else f"{label[:29]}…"


def _in_words(measure: Measure, rows: Sequence[Row], own: Range | None) -> str:
    told = [f"{label} {one.mean:.3f}" if one else f"{label} not measured" for label, one in rows]
    beside = f" The recordings: {own.low:.3f} to {own.high:.3f}." if own else ""
    return f"{measure.title}: {', '.join(told)}.{beside}"
