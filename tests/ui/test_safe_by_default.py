"""What the page lets in and out by itself: routes, headers, uploads, addresses. docs/safety.md has the whole table."""

from __future__ import annotations

import inspect
import json
import re
import socket
from pathlib import Path
from urllib.parse import quote

import gradio
import httpx
import psutil
import pytest

from tests.ui.conftest import Server
from tests.ui.visitor import Visitor
from voicefactory import owners
from voicefactory.ui import launching

#: What Gradio answers itself. Everything else that it has a route for is not there.
OPEN = {
    ("GET", "/"),
    ("HEAD", "/"),
    ("GET", "/config"),
    ("GET", "/config/"),
    ("GET", "/gradio_api/info"),
    ("GET", "/gradio_api/info/"),
    ("GET", "/theme.css"),
    ("GET", "/gradio_api/theme.css"),
    ("GET", "/favicon.ico"),
    ("GET", "/manifest.json"),
    ("GET", "/robots.txt"),
    ("GET", "/gradio_api/startup-events"),
    ("GET", "/assets/{path:path}"),
    ("GET", "/static/{path:path}"),
    ("GET", "/gradio_api/heartbeat/{session_hash}"),
    ("GET", "/gradio_api/queue/data"),
    ("GET", "/gradio_api/upload_progress"),
    ("POST", "/gradio_api/run/{api_name}"),
    ("POST", "/gradio_api/run/{api_name}/"),
    ("POST", "/gradio_api/queue/join"),
    ("POST", "/gradio_api/upload"),
}
_ROUTE = re.compile(r'@(app|router)\.(get|post|head|put|delete)\(\s*f?"([^"]*)"')


def routes() -> set[tuple[str, str]]:
    """Method and path of every route in Gradio's source: what a later version adds is closed, too."""
    found = set()
    for source in ("routes.py", "oauth.py"):
        text = (Path(inspect.getfile(gradio)).parent / source).read_text(encoding="utf-8")
        for whose, method, path in _ROUTE.findall(text):
            found.add((method.upper(), f"/gradio_api{path}" if whose == "router" else path))
    return found


def test_every_route_that_the_page_does_not_need_is_closed(server: Server) -> None:
    visitor = Visitor(server, owners.new_key())
    known = routes()
    assert len(known) > 80
    assert not OPEN - known, "Gradio has these no more"
    for method, path in sorted(known - OPEN):
        filled = re.sub(r"\{(\w+)(:path)?\}", "1", path)
        for ask in (method, "GET", "POST"):
            if (ask, path) not in OPEN:
                assert visitor.http.request(ask, filled).status_code == 404, (ask, filled)
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"):
        assert visitor.http.request(method, "/config").status_code in (404, 405), method


@pytest.mark.parametrize(
    "path", ["/", "/config", "/gradio_api/info", "/nothing", "/gradio_api/file=/etc/passwd", "/health"]
)
def test_every_answer_says_what_the_browser_has_to_refuse(server: Server, path: str) -> None:
    headers = httpx.get(f"{server.url}{path}", timeout=60).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "microphone=(self)" in headers["permissions-policy"]
    assert "camera=()" in headers["permissions-policy"]
    policy = dict(one.strip().split(" ", 1) for one in headers["content-security-policy"].split(";"))
    assert policy["frame-ancestors"] == policy["default-src"] == "'self'"
    assert policy["object-src"] == policy["base-uri"] == policy["frame-src"] == "'none'"
    assert "'unsafe-inline'" not in policy["script-src"]
    assert not re.search(r"\*|https?:", headers["content-security-policy"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", b"<script>alert(1)</script>"),
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
        ("a.js", b"alert(1)"),
        ("a.xhtml", b'<html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>'),
        ("a.pdf", b"%PDF-1.4"),
        ("a", b"<html><script>alert(1)</script>"),
        ("a.wav", b"<html><script>alert(1)</script>"),
        ("a.WAV", b"<html>"),
        ("a.html.mp3", b"<html>"),
        ('a"; filename="b.html', b"<html>"),
        ("a\r\nContent-Type: text/html.zip", b"<html>"),
    ],
)
def test_what_was_sent_is_never_a_document(server: Server, name: str, content: bytes) -> None:
    visitor = Visitor(server, owners.new_key())
    path = visitor.upload(name, content)
    for more in ({}, {"Range": "bytes=0-1"}):
        answer = visitor.fetch(quote(path), **more)
        assert answer.status_code in (200, 206)
        sound = answer.headers["content-type"].startswith("audio/")
        assert sound or answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("inline" if sound else "attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert "private" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "name", ["../../owner.key", "..", ".", "/etc/passwd", "a/../../b.wav", "x" * 400, "\0.wav", "é" * 150 + ".wav"]
)
def test_no_name_of_an_upload_leaves_its_folder(server: Server, name: str) -> None:
    visitor = Visitor(server, owners.new_key())
    before = server.key
    path = Path(visitor.upload(name, b"content"))
    assert (server.home / "page" / "uploaded") in path.resolve().parents
    assert visitor.fetch(quote(str(path))).content == b"content"
    assert owners.home_key(server.home) == before


def test_an_upload_that_is_none_leaves_nothing(server: Server) -> None:
    visitor = Visitor(server, owners.new_key())
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    field = b'--x\r\nContent-Disposition: form-data; name="files"' + b"\r\n\r\n"
    for headers, body, expected in (
        ({"Content-Type": "text/plain"}, b"a", 400),
        ({"Content-Type": "multipart/form-data"}, b"a", 400),
        (form, b"nonsense", 400),
        (form, field + b"y" * 5_000 + b"\r\n--x--\r\n", 413),  # a plain field would lie in memory
    ):
        answer = visitor.http.post("/gradio_api/upload", content=body, headers=headers)
        assert answer.status_code == expected, body[:20]
    assert visitor.http.post("/gradio_api/upload", content=iter([b"endless"]), headers=form).status_code == 400
    part = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.wav"\r\n\r\n' + b"y" * 200_000
    request = (
        f"POST /gradio_api/upload HTTP/1.1\r\nHost: {server.url[7:]}\r\n{owners.HEADER}: {visitor.key}\r\n"
        f"Content-Type: {form['Content-Type']}\r\nContent-Length: 9000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(request.encode() + part)  # and then the connection breaks
    _wait_until(lambda: not _arriving(server))
    folders = {path.parent for path in (server.home / "page" / "uploaded").rglob("a.wav")}
    assert not any(path.read_bytes().startswith(b"yyyy") for folder in folders for path in folder.iterdir())


def _arriving(server: Server) -> list[Path]:
    return list((server.home / "page" / "uploaded").rglob(".arriving-*"))


def _wait_until(true) -> None:  # type: ignore[no-untyped-def]
    import time

    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_request_that_is_none_is_refused(server: Server) -> None:
    visitor = Visitor(server, owners.new_key())
    run = "/gradio_api/run/predict"
    for body in (b"", b"nonsense", b"[]", b'"a"', b"[" * 100_000, b'{"data": ' + b"[" * 5_000):
        assert visitor.http.post(run, content=body).status_code == 400, body[:20]
    long = json.dumps({"fn_index": 0, "data": ["a" * 40_000_000]}).encode()
    assert visitor.http.post(run, content=long).status_code == 400


def test_the_app_listens_to_this_machine_and_sends_nothing_home(server: Server) -> None:
    process = psutil.Process(server.process.pid)
    listening = [one.laddr.ip for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN]
    assert set(listening) == {"127.0.0.1"}
    assert process.environ().get("GRADIO_ANALYTICS_ENABLED") in (None, "False")
    assert Visitor(server).config()["analytics_enabled"] is False


def test_nothing_is_allowed_beside_what_is_handed_out() -> None:
    """The dangerous settings of Gradio, as they are passed to it."""
    source = inspect.getsource(launching)
    for setting in (
        '"allowed_paths": []',
        '"share": False',
        '"ssr_mode": False',
        '"show_error": False',
        '"enable_monitoring": False',
        '"mcp_server": False',
        '"docs_url": None',
        '"redoc_url": None',
        '"openapi_url": None',
    ):
        assert setting in source
