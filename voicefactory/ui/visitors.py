"""Who asks: the outermost middleware finds the visitor of every request, and gives a new browser its key.

A browser keeps its key in a cookie that its scripts cannot read; a script sends it in a header; a link with `?key=`
brings it to another browser. On a Space the visitor is whoever logged in. ADR 0011 has the reasons.
"""

from __future__ import annotations

import html
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse

from voicefactory import owners
from voicefactory.ui import text

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SCOPE = "voicefactory.visitor"
_COOKIE_S = 400 * 86_400  #: as long as browsers keep any
#: A person typed the address, chose a bookmark or clicked in a terminal; programs send nothing at all.
_DIRECT = ("", "none", "same-origin")


@dataclass(frozen=True)
class Visitor:
    """Who asks. `owner` is empty for somebody without a key or a login; `key` is empty on a Space."""

    owner: str = ""
    key: str = ""


def visitor_of(scope: Scope) -> Visitor:
    """The visitor of a request that came through the middleware; nobody otherwise."""
    found = scope.get(_SCOPE)
    return found if isinstance(found, Visitor) else Visitor()


class Visitors:
    """ASGI middleware. `home` is the key of the home; None on a Space, where logins say who asks."""

    def __init__(self, app: ASGIApp, home: str | None) -> None:
        self._app, self._home = app, home

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        opens = scope["path"] == "/" and scope["method"] in ("GET", "HEAD")
        if opens and "key" in connection.query_params:
            await self._take_key(connection, receive, send)
            return
        visitor = _logged_in(scope) if self._home is None else self._with_key(connection, opens)
        scope[_SCOPE] = visitor
        if opens and visitor.key:
            send = self._giving(visitor.key, connection.headers, scope, send)
        await self._app(scope, receive, send)

    def _with_key(self, connection: HTTPConnection, opens: bool) -> Visitor:
        """By the header, else by the cookie; a browser that opens the page without one gets a key."""
        home = self._home or ""
        sent = (connection.headers.get(owners.HEADER, ""), connection.cookies.get(owners.cookie_name(home), ""))
        key = next((one for one in sent if owners.is_key(one)), owners.new_key() if opens else "")
        return Visitor(owners.owner_of_key(key, home), key)

    def _giving(self, key: str, asked: Headers, scope: Scope, send: Send) -> Send:
        """`send`, with the cookie set. It is set at every visit, so that it does not run out."""

        async def giving(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.append("Set-Cookie", self._cookie(key, asked, scope))
                headers["Cache-Control"] = "no-store"
            await send(message)

        return giving

    def _cookie(self, key: str, asked: Headers, scope: Scope) -> str:
        secure = "https" in (scope["scheme"], asked.get("x-forwarded-proto", "").split(",")[0].strip())
        name = owners.cookie_name(self._home or "")
        more = "; Secure" if secure else ""
        return f"{name}={key}; Max-Age={_COOKIE_S}; Path=/; HttpOnly; SameSite=Lax{more}"

    async def _take_key(self, connection: HTTPConnection, receive: Receive, send: Send) -> None:
        """Keep the key of the address, and go on to the address without it.

        A link on somebody else's page is asked about first: what a visitor makes with a stranger's key, the stranger
        can see.
        """
        scope = connection.scope
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        key = next(value for name, value in asked if name == "key")
        taken = self._home is not None and owners.is_key(key)
        if taken and connection.headers.get("sec-fetch-site", "") not in _DIRECT:
            await HTMLResponse(_question(key, connection.headers), headers=_PRIVATE)(scope, receive, send)
            return
        rest = urlencode([(name, value) for name, value in asked if name != "key"])
        answer = RedirectResponse(f"./?{rest}" if rest else "./", status_code=303, headers=_PRIVATE)
        if taken:
            answer.headers.append("Set-Cookie", self._cookie(key, connection.headers, scope))
        await answer(scope, receive, send)


_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def _question(key: str, asked: Headers) -> str:
    """A page that asks whether to go on with the key of a link. Its own link counts as the person's wish."""
    language = text.language_of(asked)
    text.speak(language)
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>VoiceFactory</title>'
        f"<p>{html.escape(str(text.KEY_QUESTION))}</p>"
        f'<p><a rel="noreferrer" href="./?key={key}">{html.escape(str(text.KEY_GO_ON))}</a></p></html>'
    )


def _logged_in(scope: Scope) -> Visitor:
    """Who Hugging Face says it is: that lies in the signed session cookie."""
    info: dict[str, Any] = scope.get("session", {}).get("oauth_info") or {}
    if not info or float(info.get("expires_at") or time.time() + 1) < time.time():
        return Visitor()
    return Visitor(owners.owner_of_user(str(info["userinfo"]["preferred_username"])))
