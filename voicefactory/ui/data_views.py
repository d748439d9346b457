"""The data set in pictures and words, as HTML and SVG. Pure functions; everything that came from outside is escaped."""

from __future__ import annotations

import html
import itertools
import time
from collections.abc import Sequence

from voicefactory.pipeline.coverage import Coverage
from voicefactory.pipeline.frozen import FrozenDataset
from voicefactory.pipeline.statistics import LENGTHS_S, NOISY_DB, SNR_DB, Statistics
from voicefactory.ui import text, views
from voicefactory.ui.told import told

_BAR, _GAP, _TALL = 48, 12, 110  #: units of the picture: width and distance of bars, height of the longest
_ABOVE, _BELOW = 20, 24  #: for the counts and the seconds


def statistics_html(found: Statistics) -> str:
    """Everything about the data set: is it enough, what helps, figures, lengths, sounds, warnings."""
    if not found.clips:
        return f"{views.note_html(told(found.enough))}{views.note_html(told(found.best_help))}"
    figures = text.DATA_LINE.format(minutes=views.length(found.minutes * 60), clips=views.count(found.clips, "clip"))
    left_out = text.DATA_LEFT_OUT.format(clips=views.count(found.left_out, "clip")) if found.left_out else ""
    parts = [
        f'<p class="figures">{html.escape(figures)}</p>',
        f'<p class="quiet">{html.escape(left_out)}</p>' if left_out else "",
        f'<p class="answer">{html.escape(told(found.enough))}</p>',
        f"<h3>{html.escape(text.DATA_HELPS)}</h3><p>{html.escape(told(found.best_help))}</p>",
        f"<h3>{html.escape(text.DATA_WARNINGS)}</h3>",
        _list([told(line) for line in found.warnings])
        if found.warnings
        else f'<p class="quiet">{html.escape(text.DATA_NO_WARNINGS)}</p>',
        _pictures(found),
    ]
    if found.coverage:
        parts.append(_coverage_html(found.coverage))
    return "".join(parts)


def histogram_svg(counts: Sequence[int], edges: Sequence[float], told: str, *, faint_below: float = 0.0) -> str:
    """Clips by a measure as bars with their counts: `edges` are where the bins begin, the last one is open.

    `told` is the sentence for a screen reader, with a gap for the bars; bins under `faint_below` are in another colour.
    """
    most = max([*counts, 1])
    names = [*(f"{low:g}–{high:g}" for low, high in itertools.pairwise(edges)), f"{edges[-1]:g}+"]
    bars, read = [], []
    for place, (name, number) in enumerate(zip(names, counts, strict=True)):
        left, height = _GAP + place * (_BAR + _GAP), _TALL * number / most
        middle, top = left + _BAR / 2, _ABOVE + _TALL - height
        faint = ' class="faint"' if edges[place] < faint_below else ""
        bars.append(f'<rect{faint} x="{left}" y="{top:.1f}" width="{_BAR}" height="{height:.1f}" rx="3"/>')
        if number:
            bars.append(f'<text class="count" x="{middle}" y="{top - 5:.1f}">{number:,}</text>')
            read.append(f"{name}: {number}")
        bars.append(f'<text x="{middle}" y="{_ABOVE + _TALL + 16}">{name}</text>')
    width, height = _GAP + len(counts) * (_BAR + _GAP), _ABOVE + _TALL + _BELOW
    label = html.escape(told.format(bars=", ".join(read)), quote=True)
    return (
        f'<svg class="histogram" viewBox="0 0 {width} {height}" role="img" aria-label="{label}">{"".join(bars)}</svg>'
    )


def _pictures(found: Statistics) -> str:
    """How long the clips are, and how far speech stands out, beside each other where there is room."""
    lengths = histogram_svg(found.lengths, LENGTHS_S, text.DATA_LENGTHS_ALT)
    snr = histogram_svg(found.snr, SNR_DB, text.DATA_SNR_ALT, faint_below=NOISY_DB)
    return (
        f'<div class="pictures"><div><h3>{html.escape(text.DATA_LENGTHS)}</h3>{lengths}</div>'
        f"<div><h3>{html.escape(text.DATA_SNR)}</h3>{snr}</div></div>"
    )


def _coverage_html(found: Coverage) -> str:
    share = round(100 * found.share)
    parts = [
        f"<h3>{html.escape(text.DATA_SOUNDS)}</h3>",
        f'<div class="meter" aria-hidden="true"><span style="width:{share}%"></span></div>',
        f"<p>{html.escape(told(found.words()))}</p>",
        f'<p class="quiet">{html.escape(told(found.proxy))}</p>',
    ]
    if found.missing and found.prompts:
        sentences = _list([prompt.text for prompt in found.prompts])
        parts.append(f"<details><summary>{html.escape(text.DATA_READ)}</summary>{sentences}</details>")
    return "".join(parts)


def frozen_html(frozen: Sequence[tuple[FrozenDataset, str]]) -> str:
    """The frozen data sets, the newest first, with what has changed in the project since."""
    if not frozen:
        return ""
    rows = [
        [
            one.name,
            time.strftime("%Y-%m-%d %H:%M", time.localtime(one.frozen_at)),
            f"{one.clips:,}",
            views.length(one.seconds),
            told(changes) or text.FROZEN_SAME,
        ]
        for one, changes in frozen
    ]
    return f"<h3>{html.escape(text.FROZEN_HEAD)}</h3>{views.table_html([list(text.FROZEN_COLUMNS), *rows])}"


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{html.escape(line)}</li>' for line in lines)}</ul>"
