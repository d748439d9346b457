"""Pictures as SVG or HTML text: a recording's waveform with its cuts, a bar. Pure functions, no gradio, no disk."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from voicefactory.ui import text, views

WIDTH, HEIGHT = 1000, 120  #: units of the picture, which is stretched to the width of the page
COLUMNS = 500  #: lowest and highest sample pairs that a picture needs
_LINE = HEIGHT / 2
_TICKS = 6


@dataclass(frozen=True)
class Span:
    """A stretch of a recording, seconds."""

    start_s: float
    end_s: float
    kind: Literal["clip", "refused"]
    title: str  #: what the pointer says; from outside, so it is escaped


def waveform_svg(
    peaks: Sequence[Sequence[float]], start_s: float, end_s: float, spans: Sequence[Span], *, name: str
) -> str:
    """A picture of `start_s` to `end_s` of a recording.

    `peaks` are the lowest and highest sample of equal parts of that time, full scale 1.0. Clips and what was refused
    lie behind the wave; what has neither is a pause. A screen reader is told the same in a sentence.
    """
    seen = [span for span in spans if span.start_s < end_s and span.end_s > start_s]
    scale = WIDTH / max(end_s - start_s, 1e-9)
    boxes = "".join(_box(span, start_s, end_s, scale) for span in seen)
    label = html.escape(waveform_line(name, start_s, end_s, seen), quote=True)
    return (
        f'<svg class="wave" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{label}">'
        '<defs><pattern id="stripes" width="8" height="8" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect width="4" height="8" class="stripe"/></pattern></defs>'
        f'{boxes}<path class="sound" d="{_outline(peaks)}"/></svg>'
        f'<div class="ticks" aria-hidden="true">{_ticks(start_s, end_s)}</div>'
    )


def waveform_line(name: str, start_s: float, end_s: float, spans: Sequence[Span]) -> str:
    """The picture in a sentence."""
    clips, refused = (sum(span.kind == kind for span in spans) for kind in ("clip", "refused"))
    line = text.WAVE.format(name=name, start=clock(start_s), end=clock(end_s), clips=views.count(clips, "clip"))
    return f"{line} {text.WAVE_REFUSED.format(parts=views.count(refused, 'part'))}" if refused else line


def legend_html(refused: bool) -> str:
    """What the colours of a waveform mean."""
    keys = [("clip", text.WAVE_KEY_CLIP), *([("refused", text.WAVE_KEY_REFUSED)] if refused else [])]
    keys.append(("pause", text.WAVE_KEY_PAUSE))
    words = "".join(f'<span><i class="{kind}"></i>{html.escape(word)}</span>' for kind, word in keys)
    return f'<p class="legend">{words}</p>'


def clock(seconds: float) -> str:
    """A time in a recording: 0:07, 12:30, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def bar_html(share: float, line: str) -> str:
    """A line of text over a bar; `share` is 0 to 1."""
    width = 100 * min(max(share, 0.0), 1.0)
    return (
        f'<p class="state">{html.escape(line)}</p><div class="bar" role="progressbar" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{width:.0f}" aria-label="{html.escape(line, quote=True)}">'
        f'<span style="width:{width:.1f}%"></span></div>'
    )


def _outline(peaks: Sequence[Sequence[float]]) -> str:
    """There along the highest samples, back along the lowest."""
    if not len(peaks):
        return ""
    loudest = max(max(abs(low), abs(high)) for low, high in peaks) or 1.0
    step = WIDTH / len(peaks)
    reach = 0.94 * _LINE / loudest
    top = [f"{at * step:.1f} {_LINE - max(high * reach, 0.5):.1f}" for at, (_, high) in enumerate(peaks)]
    bottom = [f"{at * step:.1f} {_LINE - min(low * reach, -0.5):.1f}" for at, (low, _) in enumerate(peaks)]
    end = f"{WIDTH} {_LINE:.0f}"
    return f"M{' L'.join([*top, end, *reversed(bottom)])} Z"


def _box(span: Span, start_s: float, end_s: float, scale: float) -> str:
    left = (max(span.start_s, start_s) - start_s) * scale
    width = max((min(span.end_s, end_s) - start_s) * scale - left, 1.0)
    shape = f'x="{left:.1f}" y="0" width="{width:.1f}" height="{HEIGHT}"'
    return f'<rect class="{span.kind}" {shape}><title>{html.escape(span.title)}</title></rect>'


def _ticks(start_s: float, end_s: float) -> str:
    step = (end_s - start_s) / (_TICKS - 1)
    return "".join(f"<span>{clock(round(start_s + at * step))}</span>" for at in range(_TICKS))
