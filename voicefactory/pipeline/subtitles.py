"""SRT and WebVTT: cues with a text and its time in the recording, read and written.

WebVTT as in https://www.w3.org/TR/webvtt1/; SubRip has no standard, its usual form is read: a number, a line of two
times, and the text up to an empty line. Styles, positions and notes are left out: they are not said.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

_TIME = r"(?:(\d+):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMES = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}(?=\s|$)")
_MARKUP = re.compile(r"</?(?:i|b|u|s|font|c|lang|ruby|rt|v)(?:[.\s][^<>]*)?>|<\d[\d:.]*>|\{\\an?\d+\}", re.IGNORECASE)
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^<>]+)>", re.IGNORECASE)


@dataclass(frozen=True)
class Cue:
    """One subtitle. Times are seconds in the recording."""

    start_s: float
    end_s: float
    text: str
    speaker: str = ""  #: WebVTT can name who speaks
    problem: str = ""  #: a sentence; empty if the cue can be used


def are_subtitles(content: str) -> bool:
    """Whether a file's content is SRT or WebVTT."""
    if re.match(r"WEBVTT(?=\s|$)", content):
        return True
    first = [line for line in content.split("\n") if line.strip()][:2]
    return any(_TIMES.match(line) for line in first)


def parse_subtitles(content: str) -> list[Cue]:
    """The cues of an SRT or WebVTT file with its line ends as \\n, in their order."""
    escaped = content.startswith("WEBVTT")
    cues = []
    for block in re.split(r"\n[ \t]*\n", content):
        lines = [line for line in block.split("\n") if line.strip()]
        at = next((number for number, line in enumerate(lines[:2]) if _TIMES.match(line)), None)
        if at is not None and not re.match(r"(NOTE|STYLE|REGION)\b", lines[0]):
            cues.append(_cue(lines[at], "\n".join(lines[at + 1 :]), escaped))
    return cues


def _cue(times: str, text: str, escaped: bool) -> Cue:
    found = _TIMES.match(times)
    assert found is not None
    start_s, end_s = _seconds(found.groups()[:4]), _seconds(found.groups()[4:])
    voice = _VOICE.search(text)
    plain = _MARKUP.sub("", text)
    plain = " ".join((html.unescape(plain) if escaped else plain).split())
    problem = "" if end_s > start_s else f"The subtitle at {clock(start_s)} ends before it begins."
    return Cue(start_s, end_s, plain, html.unescape(voice[1]).strip() if voice else "", problem)


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = parts
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0) + float(f"0.{fraction}")


def clock(seconds: float, separator: str = ".") -> str:
    """00:01:02.345"""
    whole = round(seconds * 1000)
    minutes, hours = whole // 60_000 % 60, whole // 3_600_000
    return f"{hours:02d}:{minutes:02d}:{whole // 1000 % 60:02d}{separator}{whole % 1000:03d}"


def to_srt(cues: Iterable[Cue]) -> str:
    """SubRip."""
    return "".join(
        f"{number}\n{clock(cue.start_s, ',')} --> {clock(cue.end_s, ',')}\n{cue.text.replace('-->', '->')}\n\n"
        for number, cue in enumerate(cues, 1)
    )


def to_vtt(cues: Iterable[Cue]) -> str:
    """WebVTT; who speaks is told where it is known."""
    blocks = []
    for cue in cues:
        text = html.escape(cue.text, quote=False)
        voice = f"<v {html.escape(' '.join(cue.speaker.split()), quote=False)}>" if cue.speaker else ""
        blocks.append(f"{clock(cue.start_s)} --> {clock(cue.end_s)}\n{voice}{text}\n\n")
    return "WEBVTT\n\n" + "".join(blocks)
