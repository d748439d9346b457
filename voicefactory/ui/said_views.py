"""What was spoken, as text and HTML."""

from __future__ import annotations

import html

from voicefactory.pipeline.said import Heard, SpeechRequest, Take
from voicefactory.ui import text, views
from voicefactory.ui.projects import day
from voicefactory.ui.told import told

_LETTERS = 160  #: of a text in the history

#: A click on a row hears it again; × asks once more, then removes it.
HISTORY_JS = """
element.addEventListener('click', (event) => {
  const remove = event.target.closest('button[data-remove]');
  if (remove && !remove.dataset.sure) {
    remove.dataset.sure = 'yes';
    remove.textContent = remove.dataset.ask;
    return;
  }
  if (remove) { trigger('select', {row_value: ['remove', remove.dataset.remove]}); return; }
  const row = event.target.closest('[data-row]');
  if (!row) { return; }
  const stage = document.querySelector('#spoken .stage');
  const same = stage && stage.dataset.entry === row.dataset.row && stage.querySelector('audio');
  if (same) { same.play().catch(() => {}); } else { window.voicefactoryAsked = true; }
  trigger('select', {row_value: ['hear', row.dataset.row]});
});
"""


def history_html(entries: list[Heard], shown: str) -> str:
    """The entries as rows that can be picked; the one that is `shown` is marked. Nothing without entries."""
    if not entries:
        return ""
    head = "".join(f"<th>{html.escape(column)}</th>" for column in (*text.HISTORY_COLUMNS, text.HISTORY_WHEN))
    rows = "".join(_row_html(entry, entry.name == shown) for entry in entries)
    table = f"<table><thead><tr>{head}<th></th></tr></thead><tbody>{rows}</tbody></table>"
    return f'<p class="state quiet">{html.escape(text.HISTORY)}</p><div class="rows" tabindex="0">{table}</div>'


def _row_html(entry: Heard, shown: bool) -> str:
    known, marked = html.escape(entry.name, quote=True), ' aria-current="true"' if shown else ""
    remove, sure = (html.escape(words, quote=True) for words in (text.HISTORY_REMOVE, text.HISTORY_SURE))
    first = f'<td><button type="button">{html.escape(text_line(entry.request))}</button></td>'
    cells = [voice_line(entry.request), how_line(entry), day(entry.asked)]
    last = (
        f'<td><button type="button" data-remove="{known}" data-ask="{sure}" aria-label="{remove}" title="{remove}">'
        "×</button></td>"
    )
    others = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
    return f'<tr data-row="{known}"{marked}>{first}{others}{last}</tr>'


def text_line(request: SpeechRequest) -> str:
    """What was said, shortened."""
    first = views.shortened(" ".join(request.texts[0].split()), _LETTERS)
    return text.HISTORY_LINES.format(text=first, more=len(request.texts) - 1) if len(request.texts) > 1 else first


def voice_line(request: SpeechRequest) -> str:
    """Who said it."""
    if len(request.labels) > 1:
        return text.HISTORY_BESIDE.format(number=len(request.labels))
    return f"{request.labels[0]}, {request.speaker}" if request.speaker else request.labels[0]


def how_line(entry: Heard) -> str:
    """Language, seed, kind of file, length."""
    request = entry.request
    parts = [views.language_name(request.language)] if request.language else []
    parts += [text.HOW_SEED.format(seed=request.seed), request.form]
    seconds = sum(take.seconds for take in entry.takes)
    return ", ".join([*parts, views.length(seconds)] if entry.takes else parts)


def take_title(request: SpeechRequest, take: Take) -> str:
    """What a player among several is called: who says it, or which line."""
    if request.several:
        return f"{take.text + 1}. {views.shortened(request.texts[take.text], _LETTERS)}"
    return request.labels[take.teller]


def take_note(take: Take, *, short: bool = False) -> str:
    """What has to be known of a take: which sentences were cut off, and what could not be done as asked."""
    said = [told(take.notice)] if take.notice else []
    if take.runaway and take.of == 1:
        said.append(text.RUNAWAY_SHORT if short else text.RUNAWAY)
    elif take.runaway:
        which = ", ".join(map(str, take.runaway))
        said.append(text.RUNAWAY_SOME.format(which=which, of=take.of))
    return " ".join(said)
