"""The list of transcripts and what belongs to a picked clip, as HTML. Pure functions; everything is escaped."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from voicefactory.pipeline.second_opinion import Opinion
from voicefactory.pipeline.worklist import Work
from voicefactory.types import Clip, Transcript
from voicefactory.ui import text, views
from voicefactory.ui.listing import Listed
from voicefactory.ui.told import told

_REASONS = 2  #: in a row; all of them stand beside the player
_SEVERE = 0.5  #: risk from which a row is marked as grave


def list_html(rows: Sequence[Listed], work: Mapping[str, Work]) -> str:
    """The rows as a table; `data-clip` says which clip a row is."""
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in text.TRANSCRIPTS_COLUMNS)
    body = "".join(_row(number, row, work.get(row.clip.id)) for number, row in enumerate(rows))
    return f'<table class="clips"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _row(number: int, row: Listed, work: Work | None) -> str:
    clip, said = row.clip, row.transcript
    use = html.escape(text.USE_ROW.format(text=said.text[:60]), quote=True)
    tick = (
        f'<button type="button" class="tick" role="checkbox" aria-checked="{str(not said.dropped).lower()}" '
        f'aria-label="{use}" data-use="{str(said.dropped).lower()}"></button>'
    )
    name = html.escape(PurePosixPath(clip.file).name)
    cells = (tick, html.escape(said.text), views.length(clip.seconds), _why(row), name)
    marks = ["dropped"] if said.dropped else []
    marks += ["grave"] if work and work.score >= _SEVERE and said.source != "edited" else []
    hints = {"file": f' title="{html.escape(clip.file, quote=True)}"'}
    columns = "".join(
        f'<td class="{column}"{hints.get(column, "")} data-testid="cell-{number}-{place}">{cell}</td>'
        for place, (column, cell) in enumerate(zip(("use", "text", "length", "why", "file"), cells, strict=True))
    )
    return f'<tr data-clip="{html.escape(clip.id, quote=True)}" class="{" ".join(marks)}">{columns}</tr>'


def _why(row: Listed) -> str:
    """Why to look at it, or what a person has decided."""
    if row.transcript.dropped:
        return f'<span class="decided">{html.escape(text.DROPPED)}</span>'
    if row.transcript.source == "edited":
        return f'<span class="decided">✓ {html.escape(text.CHECKED)}</span>'
    more = " …" if len(row.reasons) > _REASONS else ""
    return html.escape("; ".join(map(told, row.reasons[:_REASONS])) + more)


def clip_html(clip: Clip, place: int, count: int, work: Work | None, said: Transcript) -> str:
    """Head of the picked clip: which it is, its measures in words, and what speaks against it.

    The style in it marks the clip's row in the list, so that both always agree.
    """
    title = text.CLIP_PLACE.format(place=f"{place:,}", all=f"{count:,}", file=clip.file)
    lines = [f'<p class="picked"><b>{html.escape(title)}</b></p>']
    lines.append(f'<p class="quiet">{html.escape(measures_line(clip, work, said))}</p>')
    against = work.reasons if work else clip.quality.verdicts
    lines += [f'<p class="against">{html.escape(told(reason))}</p>' for reason in against]
    plain = re.sub(r"[^\w-]", "", clip.id)  # a style sheet has rules of its own
    mark = f'#transcripts tr[data-clip="{plain}"]'
    style = f"<style>{mark} {{ background: var(--picked); box-shadow: inset 3px 0 var(--primary-500); }}</style>"
    return f'<div data-picked="{html.escape(clip.id, quote=True)}">{"".join(lines)}</div>{style}'


def measures_line(clip: Clip, work: Work | None, said: Transcript) -> str:
    """What was measured, in words."""
    known = dict(work.measures) if work else {}
    known |= {"duration_s": clip.seconds, "snr_db": clip.quality.snr_db}
    if said.source != "whisper":
        known.pop("confidence", None)
    measured = [words.format(value=known[name]) for name, words in text.MEASURES.items() if name in known]
    if work and "voice_distance" in known:
        measured.append(text.UNLIKE_THE_OTHERS if work.foreign else text.LIKE_THE_OTHERS)
    return f"{', '.join(measured)}."


def opinion_html(opinion: Opinion | None, asr: str) -> str:
    """Both texts, with the words marked that differ; nothing without an opinion."""
    if opinion is None:
        return ""
    if not opinion.comparison.different:
        return f'<p class="quiet">{html.escape(text.OPINION_AGREES.format(asr=asr))}</p>'
    ours = _marked([(pair.first, pair.same) for pair in opinion.comparison.pairs])
    theirs = _marked([(pair.second, pair.same) for pair in opinion.comparison.pairs])
    return (
        f'<dl class="two"><dt>{html.escape(text.OPINION_WORDS_OURS)}</dt><dd>{ours}</dd>'
        f"<dt>{html.escape(text.OPINION_SAYS.format(asr=asr))}</dt><dd>{theirs}</dd></dl>"
    )


def _marked(words: Sequence[tuple[str, bool]]) -> str:
    shown = ((html.escape(word) or "–", same) for word, same in words)
    return " ".join(word if same else f"<mark>{word}</mark>" for word, same in shown)


def keys_html() -> str:
    """What the keys do."""
    rows = "".join(f"<dt><kbd>{html.escape(key)}</kbd></dt><dd>{html.escape(what)}</dd>" for key, what in text.KEYS)
    return f'<dl class="keys">{rows}</dl>'
