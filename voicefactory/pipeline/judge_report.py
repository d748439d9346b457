"""A judgement as one HTML file that needs nothing else: players, figures, and what the numbers mean.

Audio is inside as MP3, which every browser plays. There is no script, and the page's own policy forbids every request.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import soundfile

from voicefactory.pipeline.judge_case import REAL, Subject
from voicefactory.pipeline.judge_plots import plot
from voicefactory.pipeline.judge_scores import MEASURES
from voicefactory.pipeline.judgement import Judged, Judgement, placed

_OWN_PLAYERS = 6  #: recordings that can be heard
_COMPRESSION = 0.6  #: libsndfile's, 0 to 1: some 4 kB a second

_POLICY = "default-src 'none'; media-src data:; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; --ink: #1d2327; --quiet: #5a656d; --paper: #fbfaf8; --line: #d9d5cd;
  --band: #cfe3d6; --dot: #1f6f54; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e1; --quiet: #a3adb3; --paper: #17191b; --line: #3a4044;
  --band: #28463a; --dot: #7fd0ae; } }
body { margin: 0 auto; max-width: 76rem; padding: 2rem 1.25rem 4rem; font: 16px/1.5 system-ui, sans-serif;
  color: var(--ink); background: var(--paper); }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.verdict { font-size: 1.1rem; border-left: 4px solid var(--dot); padding-left: 1rem; }
.note, .heard, small { color: var(--quiet); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .45rem .7rem; border-bottom: 1px solid var(--line); }
thead th { border-bottom: 2px solid var(--line); } td.outside { font-weight: 600; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(34rem, 100%), 1fr)); gap: 1.5rem; }
figure { margin: 0; } svg { width: 100%; min-width: 30rem; height: auto; display: block; }
small { font-weight: 400; } td.player { min-width: 13rem; } th.said { min-width: 14rem; font-weight: 400; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; } svg .tick, svg .axis { fill: var(--quiet); }
.band { fill: var(--band); } .grid { stroke: var(--line); } .dot { fill: var(--dot); }
.whisker { stroke: var(--dot); stroke-width: 2; }
audio { width: 15rem; max-width: 100%; height: 2.2rem; }
"""


def report(found: Judgement) -> str:
    """The whole page. Reads the audio of every sentence's first take."""
    title = f"{found.case.project.name}: how good is the voice?"
    body = [f"<h1>{_safe(title)}</h1>", *_verdict(found), _figures(found), _sentences(found), _meaning(found)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_safe(title)}</title><style>{_STYLE}</style></head><body>{''.join(body)}</body></html>\n"
    )


def _verdict(found: Judgement) -> list[str]:
    told = [f'<p class="note">{_safe(note)}</p>' for note in found.notes]
    if found.worth:
        answer = f"Was training worth it? {found.worth.verdict.capitalize()}."
        told.append(f'<p class="verdict"><strong>{_safe(answer)}</strong> {_safe(found.worth.sentence)}</p>')
    told.append(f"<p>{_safe(found.pick.sentence)}</p>")
    return told


def _figures(found: Judgement) -> str:
    """The table of all measures, and a plot of each that is no event."""
    heads = "".join(f'<th scope="col">{_safe(one.label)}</th>' for one in found.case.subjects)
    lines = []
    for name, measure in MEASURES.items():
        own = found.own.ranges.get(name)
        cells = [_cell(found, one, name) for one in found.case.subjects]
        beside = f"<br><small>recordings: {own.low:.3f} to {own.high:.3f}</small>" if own else ""
        unit = f"<br><small>{_safe(measure.unit)}</small>"
        lines.append(f'<tr><th scope="row">{_safe(measure.title)}{unit}{beside}</th>{"".join(cells)}</tr>')
    plots = []
    for name, measure in MEASURES.items():
        if not measure.event:
            rows = [(one.label, found.results[one.id].means.get(name)) for one in found.case.subjects]
            plots.append(f"<figure {_scroll(measure.title)}>{plot(measure, rows, found.own.ranges.get(name))}</figure>")
    return (
        "<h2>Figures</h2><p>The mean over all sentences with its 95 % interval. Bold figures lie below or above what "
        "the middle 80 % of the recordings measure.</p>"
        f'<div {_scroll("Figures")}><table><thead><tr><th scope="col">Measure</th>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
        "<p>Dots are means, lines their 95 % intervals, the band is the range of the recordings.</p>"
        f'<div class="plots">{"".join(plots)}</div>'
    )


def _cell(found: Judgement, subject: Subject, name: str) -> str:
    mean = found.results[subject.id].means.get(name)
    if mean is None:
        return "<td>not measured</td>"
    place = placed(found.own, subject, name, mean).get("place", "inside")
    ends = f"{mean.low:.3f} to {mean.high:.3f}" if mean.n > 1 else "one sentence"
    if place == "inside":
        return f"<td>{mean.mean:.3f}<br><small>{ends}</small></td>"
    return f'<td class="outside">{mean.mean:.3f} <small>{place}</small><br><small>{ends}</small></td>'


def _sentences(found: Judgement) -> str:
    """Each sentence with the players of all who said it, side by side; and some recordings."""
    speaking = [one for one in found.case.subjects if one.id != REAL]
    said = {one.id: _first_takes(found.judged[one.id]) for one in speaking}
    heads = "".join(f'<th scope="col">{_safe(one.label)}</th>' for one in speaking)
    names = dict.fromkeys(name for takes in said.values() for name in takes)
    lines = [_sentence(name, speaking, said) for name in names]
    own = "".join(f'<td class="player">{_player(one)}</td>' for one in found.judged[REAL][:_OWN_PLAYERS])
    return (
        f"<h2>Recordings</h2><div {_scroll('Recordings')}><table><tbody><tr>{own}</tr></tbody></table></div>"
        f"<h2>The sentences</h2><div {_scroll('The sentences')}><table>"
        f'<thead><tr><th scope="col">Sentence</th>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _sentence(name: str, speaking: Sequence[Subject], said: Mapping[str, Mapping[str, Judged]]) -> str:
    takes = [said[one.id].get(name) for one in speaking]
    text = next(one.utterance.text for one in takes if one)
    cells = "".join(f'<td class="player">{_player(one) if one else ""}</td>' for one in takes)
    return f'<tr><th scope="row" class="said">{_safe(text)}</th>{cells}</tr>'


def _first_takes(judged: Sequence[Judged]) -> dict[str, Judged]:
    return {one.utterance.sentence: one for one in judged if one.utterance.take == 0}


def _player(one: Judged) -> str:
    label = _safe(f"{one.utterance.subject}: {one.utterance.text}")
    likeness = one.scores.get("likeness")
    told = f"likeness {likeness:.2f}, " if likeness is not None else ""
    heard = f"{told}heard: {one.heard or 'nothing'}"
    source = f"data:audio/mpeg;base64,{_mp3(one.utterance.audio)}"
    return (
        f'<audio controls preload="none" aria-label="{label}" src="{source}"></audio><br><small>{_safe(heard)}</small>'
    )


def _mp3(audio: Path) -> str:
    samples, rate = soundfile.read(audio, dtype="float32")
    packed = io.BytesIO()
    soundfile.write(packed, samples, rate, format="MP3", subtype="MPEG_LAYER_III", compression_level=_COMPRESSION)
    return base64.b64encode(packed.getvalue()).decode()


def _meaning(found: Judgement) -> str:
    own, floors = len(found.case.recordings), found.floors
    kind = "which training never saw" if found.case.unseen else "which training saw"
    rule = (
        f"A voice passes when at most {floors.most_errors:.0%} of it is misheard and its pace is "
        f"{floors.slowest:.2f} to {floors.fastest:.2f} of the speaker's. "
        "Of those that pass the one with the highest likeness is chosen."
    )
    basis = (
        f"Compared with {own} recordings, {kind}. Language: {found.case.language}. Whisper: {found.asr}. Machines did "
        "all of the listening: trust your own ears first."
    )
    return f"<h2>How to read this</h2><p>{_safe(rule)}</p><p>{_safe(basis)}</p>"


def _scroll(name: str) -> str:
    """Attributes of what is wider than a narrow screen: it scrolls by itself, also with the keyboard."""
    return f'class="scroll" tabindex="0" role="region" aria-label="{_safe(name)}"'


def _safe(text: str) -> str:
    return html.escape(text, quote=True)
