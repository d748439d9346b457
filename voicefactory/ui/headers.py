"""What every answer tells the browser to refuse: the outermost middleware.

Gradio's page evaluates the scripts of its components, so `unsafe-eval` has to stay. What a name or a transcript could
smuggle in are inline scripts and handlers; only those inline scripts run that Gradio's own page came with, each by the
digest of its text (CSP level 2). Everything else comes from this server, and nothing is sent to another.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_INLINE = re.compile(rb"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)
_POLICY = (
    "default-src 'self'",
    "style-src 'self' 'unsafe-inline'",  # Gradio sets styles of elements in its HTML
    "img-src 'self' data: blob:",
    "media-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self' data: blob:",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "frame-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
)
#: Who may show the page in a frame: nobody else; a Space is shown inside of huggingface.co.
_FRAMES, _FRAMES_ON_SPACE = "frame-ancestors 'self'", "frame-ancestors 'self' https://huggingface.co https://*.hf.space"
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "microphone=(self), camera=(), geolocation=(), display-capture=(), usb=(), serial=(), midi=(), payment=()"
    ),
}


class SafeHeaders:
    """ASGI middleware. What an answer says by itself stays. `on_space`: whether Hugging Face frames the page."""

    def __init__(self, app: ASGIApp, on_space: bool) -> None:
        self._app, self._frames = app, _FRAMES_ON_SPACE if on_space else _FRAMES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun: Message | None = None
        document = b""

        async def guarded(message: Message) -> None:
            """A document is held back until it is whole: its policy has the digests of its scripts."""
            nonlocal begun, document
            if message["type"] == "http.response.start" and _is_document(message):
                begun = message
                return
            if begun is not None and message["type"] == "http.response.body":
                document += message.get("body", b"")
                if message.get("more_body"):
                    return
                await send(self._with_headers(begun, _INLINE.findall(document)))
                await send({"type": "http.response.body", "body": document})
                return
            await send(self._with_headers(message, []) if message["type"] == "http.response.start" else message)

        await self._app(scope, receive, guarded)

    def _with_headers(self, message: Message, scripts: list[bytes]) -> Message:
        headers = MutableHeaders(scope=message)
        digests = [f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in scripts]
        scripts_from = " ".join(["script-src 'self' 'unsafe-eval'", *digests])
        headers.setdefault("Content-Security-Policy", "; ".join([*_POLICY, scripts_from, self._frames]))
        for name, value in _ALWAYS.items():
            headers.setdefault(name, value)
        return message


def _is_document(message: Message) -> bool:
    return MutableHeaders(scope=message).get("content-type", "").startswith("text/html")
