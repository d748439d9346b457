"""Stands before Gradio: lets through the routes that the page needs, and what belongs to whoever asks.

Gradio has more routes than this page uses, among them an open redirect, a proxy, and stored page states that a link
can bring in. What is not in the lists below is answered with 404, whether it exists or not. Files and uploads never
reach Gradio: they are answered here, after the owner was checked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from voicefactory.ui import calls, text
from voicefactory.ui.fetching import file_response
from voicefactory.ui.handout import digest, own_file
from voicefactory.ui.uploads import take_upload
from voicefactory.ui.visitors import visitor_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_API = "/gradio_api"
_FILE = f"{_API}/file="
_UPLOAD = f"{_API}/upload"
_PROGRESS = f"{_API}/upload_progress"
_HEARTBEAT = re.compile(rf"({_API}/heartbeat/)([^/]+)")
_MESSAGES = f"{_API}/queue/data"  #: gradio_client has its answers from there; the page has not (ADR 0008)
_RUN = re.compile(rf"{_API}/(run/[^/]+/?|queue/join)")
#: What everybody may read: the page itself, without anything of anybody in it.
_READ = re.compile(
    r"/|/config/?|/theme\.css|/favicon\.ico|/manifest\.json|/robots\.txt|/(assets|static)/.+"
    rf"|{_API}/(info/?|theme\.css|startup-events)"
)
_ELSEWHERE = ("cross-site", "same-site")  #: a page of another server; also one on another port of this machine
_STORED_STATE = b"deep_link"  #: Gradio would build the page from a file that a visitor may have sent
_LOGIN = re.compile(r"/login/(huggingface|callback)|/logout")


class Guard:
    """ASGI middleware, inside of `Visitors`. `login`: whether accounts are used, as on a Space."""

    def __init__(self, app: ASGIApp, login: bool) -> None:
        self._app, self._login = app, login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # a web socket: there are none here, and a handshake without an answer is refused
        answer: Response | Receive | None
        if scope["method"] in ("GET", "HEAD"):
            answer = await self._read(scope)
        elif scope["method"] == "POST":
            answer = await self._post(scope, receive)
        else:
            answer = _not_found()
        if isinstance(answer, Response):
            await answer(scope, receive, send)
        else:
            await self._app(scope, answer or receive, send)

    async def _read(self, scope: Scope) -> Response | None:
        """An answer, or None if Gradio is to give it."""
        path, owner = scope["path"], visitor_of(scope).owner
        if path.startswith(_FILE):
            found = await run_in_threadpool(own_file, owner, path.removeprefix(_FILE))
            return file_response(found) if found else _not_found()
        if _READ.fullmatch(path) or (self._login and _LOGIN.fullmatch(path)):
            return _not_found() if _STORED_STATE in scope["query_string"] else None
        if not owner:
            return _not_found()
        asked = Request(scope).query_params
        if path == _PROGRESS:
            scope["query_string"] = urlencode({"upload_id": _own_upload(owner, asked.get("upload_id", ""))}).encode()
            return None
        if path == _MESSAGES:
            session = calls.own_session(owner, asked.get("session_hash", ""))
            scope["query_string"] = urlencode({"session_hash": session}).encode()
            return None
        if beat := _HEARTBEAT.fullmatch(path):
            scope["path"] = f"{beat[1]}{calls.own_session(owner, beat[2])}"
            scope["raw_path"] = scope["path"].encode()
            return None
        return _not_found()

    async def _post(self, scope: Scope, receive: Receive) -> Response | Receive | None:
        """An answer, or the request's body as Gradio is to get it."""
        request, owner = Request(scope, receive), visitor_of(scope).owner
        if request.headers.get("sec-fetch-site") in _ELSEWHERE:
            return _not_found()
        if scope["path"] == _UPLOAD:
            if not owner:
                return _not_found()
            told_as = request.query_params.get("upload_id", "")
            return await take_upload(request, owner, told_as and _own_upload(owner, told_as))
        if not _RUN.fullmatch(scope["path"]):
            return _not_found()
        try:
            body = calls.checked(await _body(request), owner)
        except calls.ForeignFileError:
            text.speak(text.language_of(request.headers))
            return JSONResponse({"error": text.FILE_GONE}, status_code=404)
        except (ValueError, ClientDisconnect):
            return PlainTextResponse("Not a request of this page.", status_code=400)
        scope["headers"] = [
            *(
                (name, value)
                for name, value in scope["headers"]
                if name not in (b"content-length", b"transfer-encoding")
            ),
            (b"content-length", str(len(body)).encode()),
        ]
        return _once(body, receive)


async def _body(request: Request) -> bytes:
    """Raises ValueError if it is too long."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > calls.MAX_BYTES:
            raise ValueError("too long")
        parts.append(part)
    return b"".join(parts)


def _once(body: bytes, receive: Receive) -> Receive:
    """`receive`, as if `body` had come."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return waiting.pop() if waiting else await receive()

    return received


def _own_upload(owner: str, upload_id: str) -> str:
    """Under what the progress of an upload is told: nobody else can name it."""
    return digest("upload", f"{owner}|{upload_id}")


def _not_found() -> Response:
    """The one answer for what is not there and for what is somebody else's."""
    return PlainTextResponse("Not found", status_code=404)
