"""The player of what is being spoken: the first sentence sounds while the next ones are made.

Python hands the browser a feed (`feed_json`), anew whenever there is more. A script (`PLAYER_JS`) keeps one player for
it, which a refresh of the page does not touch: it plays the pieces one after the other, and goes over to the whole
file, at the place where it is, as soon as there is one. Several players (of lines, or side by side) are added one by
one.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from voicefactory.ui.handout import give

#: Where the script puts its players. Never rendered anew, so nothing stops playing.
STAGE = '<div class="stage"></div>'
#: A click that asks for sound: what is shown next may begin by itself.
ASKED_JS = "() => { window.voicefactoryAsked = true; }"

PLAYER_JS = """(line) => {
  const feed = line ? JSON.parse(line) : {entry: '', pieces: [], rows: [], whole: ''};
  const add = (stage, row) => {
    const box = document.createElement('div');
    box.className = 'take';
    box.dataset.take = row.id;
    box.innerHTML = row.html;
    stage.append(box);
  };
  const next = (show) => {
    const {audio, pieces, urls} = show;
    if (show.whole) {
      if (show.from === 'whole') { return; }
      const at = show.heard;
      show.from = 'whole';
      audio.src = show.whole;
      if (show.going) {
        audio.addEventListener('loadedmetadata', () => {
          if (at < audio.duration - 0.05) { audio.currentTime = at; audio.play().catch(() => {}); }
        }, {once: true});
      }
      return;
    }
    if (show.at + 1 >= pieces.length) { show.waiting = true; return; }
    show.waiting = false;
    show.at += 1;
    show.from = 'pieces';
    urls[show.at].then((url) => {
      audio.src = url;
      if (show.going) { audio.play().catch(() => {}); }
    });
  };
  const begin = (stage) => {
    const audio = document.createElement('audio');
    audio.controls = true;
    audio.setAttribute('aria-label', feed.label);
    const show = {audio, pieces: [], urls: [], whole: '', at: -1, heard: 0, from: '', waiting: false, going: false};
    show.going = stage.dataset.asked === 'yes';
    audio.addEventListener('play', () => { show.going = true; });
    audio.addEventListener('pause', () => { if (!audio.ended) { show.going = false; } });
    audio.addEventListener('ended', () => {
      if (show.from === 'pieces') { show.heard += show.pieces[show.at].seconds; show.going = true; next(show); }
      else { show.going = false; }
    });
    stage.append(audio);
    stage.show = show;
  };
  const update = (stage) => {
    const show = stage.show;
    for (const piece of feed.pieces.slice(show.pieces.length)) {
      show.pieces.push(piece);
      show.urls.push(fetch(piece.src).then((got) => got.ok ? got.blob() : Promise.reject())
        .then((blob) => URL.createObjectURL(blob)).catch(() => piece.src));
    }
    const first = show.at < 0 && show.from === '';
    if (feed.whole && feed.whole !== show.whole) {
      show.whole = feed.whole;
      if (show.from === 'whole') { show.from = ''; }
      const idle = show.audio.paused && (show.from !== 'pieces' || show.audio.currentTime === 0);
      if (first || show.waiting || idle) { show.waiting = false; next(show); }
      if (first && show.going) { show.audio.play().catch(() => {}); }
      return;
    }
    if (first ? show.pieces.length : show.waiting && show.at + 1 < show.pieces.length) { next(show); }
  };
  const put = (tries) => {
    const stage = document.querySelector('#spoken .stage');
    if (!stage) { if (tries) { setTimeout(() => put(tries - 1), 100); } return; }
    if (stage.dataset.entry !== feed.entry) {
      for (const url of stage.show ? stage.show.urls : []) {
        url.then((one) => { if (one.startsWith('blob:')) { URL.revokeObjectURL(one); } });
      }
      stage.replaceChildren();
      stage.show = null;
      stage.dataset.entry = feed.entry;
      stage.dataset.asked = window.voicefactoryAsked ? 'yes' : '';
      if (window.voicefactoryAsked) {
        document.querySelector('#spoken-box').scrollIntoView({block: 'nearest', behavior: 'smooth'});
      }
      window.voicefactoryAsked = false;
    }
    if (feed.pieces.length || feed.whole) {
      if (!stage.show) { begin(stage); }
      update(stage);
    }
    for (const row of feed.rows) {
      if (!stage.querySelector(`[data-take="${row.id}"]`)) { add(stage, row); }
    }
  };
  put(100);
}"""


@dataclass(frozen=True)
class Feed:
    """What there is to play of one entry, so far."""

    entry: str
    label: str = ""
    pieces: Sequence[tuple[Path, float]] = ()  #: (file, seconds), to be played one after the other
    whole: Path | None = None
    rows: Sequence[tuple[str, str]] = ()  #: (id, HTML), each shown once


def feed_json(feed: Feed) -> str:
    """As the script takes it. Files that are gone are left out: the whole has taken their place."""
    pieces = [{"src": source, "seconds": seconds} for path, seconds in feed.pieces if (source := source_of(path))]
    rows = [{"id": identifier, "html": content} for identifier, content in feed.rows]
    whole = source_of(feed.whole) if feed.whole else ""
    return json.dumps({"entry": feed.entry, "label": feed.label, "pieces": pieces, "whole": whole, "rows": rows})


def source_of(path: Path) -> str:
    """Where the browser finds a file; empty if it is gone."""
    given = give(path)
    return f"gradio_api/file={quote(given)}" if given else ""


def row_html(title: str, note: str, path: Path) -> str:
    """One take with its name: a player that fetches nothing before it is asked to."""
    source = html.escape(source_of(path), quote=True)
    name = html.escape(title, quote=True)
    told = f"<small>{html.escape(note)}</small>" if note else ""
    player = f'<audio controls preload="none" src="{source}" aria-label="{name}"></audio>'
    return f"<p>{html.escape(title)}{told}</p>{player}"
