"""The guided recording as HTML: the sentence, what became of a take, how far it is. Pure functions."""

from __future__ import annotations

import html
from collections.abc import Sequence

from voicefactory.languages import WHISPER_CODES
from voicefactory.pipeline.prompts import GOALS_MIN, Prompt, RecordingProgress
from voicefactory.pipeline.reading import Reading
from voicefactory.pipeline.wording import Said
from voicefactory.ui import pictures, text, views
from voicefactory.ui.told import told

_LOWEST_DBFS, _GOOD_DBFS, _LOUD_DBFS = -60.0, -36.0, -9.0  #: of the bar for the voice's level
_SOME = 0.25  #: share of the words from which it is this sentence
_BEST_SNR_DB, _GOOD_SNR_DB = 50.0, 20.0  #: of the bar for the background


#: The microphone's level while it is open; a script moves it.
def meter_html() -> str:
    """How loud the microphone is, moved by the page's own script."""
    return f'<div class="bar live" role="img" aria-label="{html.escape(text.READ_METER)}"><span></span></div>'


def sentence_html(prompt: Prompt, reading: Reading | None = None) -> str:
    """The sentence in large type; words that were left out of it are marked, unless it was another sentence."""
    words = reading.words if reading is not None and not reading.ok else ()
    said = sum(word.said for word in words)
    line = _marked(prompt.text, words if said > _SOME * len(words) else ())
    return f'<p class="sentence" lang="{WHISPER_CODES[prompt.language]}">{line}</p>'


def verdict_html(reading: Reading) -> str:
    """What was found out about a take, in words, with its level and the background as bars."""
    lines = [f'<p class="verdict good">{html.escape(text.READ_OK)}</p>'] if reading.ok else []
    lines += [f'<p class="verdict again">{html.escape(told(reason))}</p>' for reason in reading.reasons]
    lines += [f'<p class="state">{html.escape(told(note))}</p>' for note in reading.notes]
    if reading.heard and not any(reading.heard in reason for reason in reading.reasons):
        lines.append(f'<p class="state quiet">{html.escape(text.READ_HEARD.format(heard=reading.heard))}</p>')
    if reading.quality is not None:
        level, snr = reading.level_dbfs, reading.quality.snr_db
        lines.append('<div class="meters">')
        lines.append(f"<div>{pictures.bar_html((level - _LOWEST_DBFS) / -_LOWEST_DBFS, _level(level))}</div>")
        lines.append(f"<div>{pictures.bar_html(snr / _BEST_SNR_DB, _background(snr))}</div></div>")
    return "".join(lines)


def progress_html(progress: RecordingProgress) -> str:
    """Bars toward the goals."""
    minutes = f"{progress.seconds / 60:.1f}"
    lines = {goal: text.READ_GOAL.format(done=minutes, goal=goal) for goal in GOALS_MIN}
    bars = "".join(f"<div>{pictures.bar_html(progress.toward[goal], line)}</div>" for goal, line in lines.items())
    read = text.READ_COUNT.format(read=views.count(progress.takes, "sentence"), left=progress.left)
    return f'<p class="state">{html.escape(read)}</p><div class="meters">{bars}</div>'


def _level(dbfs: float) -> str:
    if dbfs < _GOOD_DBFS:
        return text.LEVEL_LOW
    return text.LEVEL_HIGH if dbfs > _LOUD_DBFS else text.LEVEL_GOOD


def _background(snr_db: float) -> str:
    words = text.NOISE_GOOD if snr_db >= _GOOD_SNR_DB else text.NOISE_BAD
    return words.format(snr=f"{snr_db:.0f}")


def _marked(sentence: str, words: Sequence[Said]) -> str:
    """The sentence, escaped, with what was not heard marked. A word that is written otherwise there is left."""
    lowered = sentence.lower()
    if len(lowered) != len(sentence):
        return html.escape(sentence)
    parts, at = [], 0
    for word in words:
        found = lowered.find(word.text.lower(), at)
        if found < 0:
            continue
        end = found + len(word.text)
        shown = html.escape(sentence[found:end])
        parts.append(html.escape(sentence[at:found]))
        parts.append(shown if word.said else f'<mark title="{text.READ_MISSED}">{shown}</mark>')
        at = end
    return "".join([*parts, html.escape(sentence[at:])])
