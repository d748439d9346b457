"""A judgement and a blind test as HTML."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voicefactory.pipeline.judge_worth import Worth
from voicefactory.ui import text
from voicefactory.ui.handout import player_html
from voicefactory.ui.told import told

#: The measures that the first table shows; the others are behind it.
_FIRST = ("likeness", "word_error", "pace", "dnsmos", "runaway", "truncated")
_SENTENCES = 6  #: that can be heard side by side


def judgement_html(row: Mapping[str, Any], worth: Worth | None, root: Path) -> str:
    """Verdict, pick, the measures of all, and some sentences to hear side by side. `row` is a judgement's JSON, `worth`
    its verdict with what the person heard."""
    parts = [f'<p class="quiet">{html.escape(told(note))}</p>' for note in row["notes"]]
    if worth:
        answer, because = html.escape(text.WORTH[worth.verdict]), html.escape(told(worth.sentence))
        parts.append(f'<p class="answer"><b>{answer}</b> {because}</p>')
    parts.append(f"<p>{html.escape(told(row['pick']['sentence']))}</p>")
    names = list(row["measures"])
    parts.append(_table(row, [name for name in _FIRST if name in names]))
    others = _table(row, [name for name in names if name not in _FIRST])
    parts.append(f"<details><summary>{text.JUDGE_ALL}</summary>{others}</details>")
    parts.append(f"<details><summary>{text.JUDGE_HEAR}</summary>{_heard(row, root)}</details>")
    return "".join(parts)


def pair_html(first: str, second: str, line: str) -> str:
    """One question of a blind test: the sentence, and both players without a name."""
    return (
        f"<p>{html.escape(line)}</p>"
        f'<div class="heard"><div><p><b>{text.BLIND_FIRST}</b></p>{first}</div>'
        f"<div><p><b>{text.BLIND_SECOND}</b></p>{second}</div></div>"
    )


def _table(row: Mapping[str, Any], names: list[str]) -> str:
    heads = "".join(f"<th scope='col'>{html.escape(told(one['label']))}</th>" for one in row["subjects"])
    lines = ""
    for name in names:
        measure, own = row["measures"][name], row["own"].get(name)
        beside = f"; {text.JUDGE_OWN.format(low=own['low'], high=own['high'])}" if own else ""
        head = f"{html.escape(told(measure['title']))}<br><small>{html.escape(told(measure['unit']))}{beside}</small>"
        cells = "".join(_cell(one["measures"].get(name)) for one in row["subjects"])
        lines += f"<tr><th scope='row'>{head}</th>{cells}</tr>"
    table = f"<table><thead><tr><td></td>{heads}</tr></thead><tbody>{lines}</tbody></table>"
    return f'<div class="rows" tabindex="0">{table}</div>'


def _cell(measured: Mapping[str, Any] | None) -> str:
    if measured is None:
        return f'<td class="quiet">{text.JUDGE_NOT_MEASURED}</td>'
    ends = (
        ""
        if measured["low"] is None
        else f"<br><small>{_figure(measured['low'])} – {_figure(measured['high'])}</small>"
    )
    place = text.PLACES.get(measured.get("place", ""), "")
    marked = ' class="against"' if place else ""
    return f"<td{marked}>{_figure(measured['mean'])}{ends}{f'<br>{place}' if place else ''}</td>"


def _figure(value: float) -> str:
    return text.figure(value, ".3f")


def _heard(row: Mapping[str, Any], root: Path) -> str:
    """The first take of some sentences by everyone who said them, and a recording or two."""
    said: dict[str, list[tuple[str, str, str]]] = {}
    for one in row["subjects"]:
        for spoken in one["utterances"]:
            if spoken["take"] == 0:
                said.setdefault(spoken["sentence"], []).append((one["label"], spoken["audio"], spoken["text"]))
    shared = [players for players in said.values() if len(players) > 1][:_SENTENCES]
    alone = [players for players in said.values() if len(players) == 1][:2]
    blocks = ""
    for players in [*alone, *shared]:
        cells = "".join(
            f"<div><p><b>{html.escape(told(label))}</b></p>{player_html(root / audio, label)}</div>"
            for label, audio, _ in players
        )
        blocks += f'<p>{html.escape(players[0][2])}</p><div class="heard">{cells}</div>'
    return blocks
