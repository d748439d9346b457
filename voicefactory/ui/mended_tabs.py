"""Gradio's Tabs, without the loop that keeps a core of each visitor's computer busy while nothing happens.

In Gradio 6.17 a Tabs that has been updated once writes down the tabs that were not opened yet, again and again: each
time that sets off the effect that does it (since pull request 13048 of Gradio; 13240 took the writing out of the
effect, not out of the loop). An open page did so about a thousand times a second, and training on the same machine
waited for it. The answer with that script is sent with a comparison more: only what differs is written. Another Gradio,
where the script reads differently, is served as it is.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import gradio
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_ASSETS = Path(gradio.__file__).parent / "templates" / "frontend" / "assets"
#: given[i] && !opened.has(i) && mutate(tabs, get(tabs)[i] = given[i]), whatever the names are
_WRITES = re.compile(r"(\w+)\[(\w+)\]&&!(\w+)\.has\(\2\)&&(\w+)\((\w+),(\w+)\(\5\)\[\2\]=\1\[\2\]\)")
_WRITES_WHAT_DIFFERS = r"\1[\2]&&!\3.has(\2)&&\6(\5)[\2]!==\1[\2]&&\4(\5,\6(\5)[\2]=\1[\2])"


def mended_scripts() -> dict[str, bytes]:
    """Path → content of the scripts that are sent otherwise than Gradio has them: one, or none."""
    found = {}
    for path in _ASSETS.glob("Walkthrough.svelte*.js"):
        content, times = _WRITES.subn(_WRITES_WHAT_DIFFERS, path.read_text(encoding="utf-8"))
        if times:
            found[f"/assets/{path.name}"] = content.encode()
    return found


class MendedTabs:
    """ASGI middleware: sends `mended_scripts`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._scripts = app, mended_scripts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        script = self._scripts.get(scope["path"]) if scope["type"] == "http" else None
        answer: ASGIApp = self._app
        if script is not None:
            answer = Response(script, media_type="text/javascript", headers={"Cache-Control": "no-cache"})
        await answer(scope, receive, send)
