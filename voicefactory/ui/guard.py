"""Closes the open redirect of Gradio 6.17: /gradio_api/file=<url> would send a visitor anywhere.

A path behind `file=` must be a path on this machine; everything that looks like a URL, however it is
encoded, is answered with 404 before Gradio sees it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_DECODED = 5  #: times that a path is decoded; each layer of encoding costs an attacker one
_REMOTE = re.compile(r"file=\s*([a-z][a-z0-9+.-]*:|[/\\]{2})", re.IGNORECASE)


def is_remote(path: str) -> bool:
    """True if the path asks for a file on another machine."""
    for _ in range(_DECODED):
        if _REMOTE.search(path):
            return True
        path = unquote(path)
    return False


class FileGuard:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_remote(scope["path"]):
            await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"Not found"})
            return
        await self._app(scope, receive, send)
