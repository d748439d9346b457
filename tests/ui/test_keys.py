"""A browser's key: how it comes, how it goes on, and that nothing else gets hold of it."""

from __future__ import annotations

import httpx
import pytest

from tests.ui.conftest import Server
from tests.ui.visitor import Visitor
from voicefactory import owners


def open_page(server: Server, address: str = "/", **headers: str) -> httpx.Response:
    return httpx.get(f"{server.url}{address}", headers=headers, timeout=60, follow_redirects=False)


def key_in(answer: httpx.Response, server: Server) -> str:
    return str(answer.cookies.get(owners.cookie_name(server.key)) or "")


def test_a_browser_without_a_key_gets_one_that_its_scripts_cannot_read(server: Server) -> None:
    first, second = open_page(server), open_page(server)
    keys = [key_in(answer, server) for answer in (first, second)]
    assert all(owners.is_key(key) for key in keys)
    assert len({*keys, server.key}) == 3
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie  # there is no TLS here
    assert "Secure" in open_page(server, **{"X-Forwarded-Proto": "https"}).headers["set-cookie"]
    assert first.headers["cache-control"] == "no-store"
    assert not any(key in answer.text for key in keys for answer in (first, second))


def test_a_key_stays_and_a_malformed_one_is_replaced(server: Server) -> None:
    name, key = owners.cookie_name(server.key), owners.new_key()
    assert key_in(open_page(server, Cookie=f"{name}={key}"), server) == key
    for wrong in ("", "short", key.upper() + "X", f"v-{key[:24]}"):
        given = key_in(open_page(server, Cookie=f"{name}={wrong}"), server)
        assert owners.is_key(given)
        assert given != wrong


def test_a_link_with_a_key_brings_it_and_the_address_loses_it(server: Server) -> None:
    assert f"?key={server.key}" in server.log  # printed for the person at this computer
    answer = open_page(server, f"/?key={server.key}&project=anna&step=train")
    assert (answer.status_code, answer.headers["location"]) == (303, "./?project=anna&step=train")
    assert key_in(answer, server) == server.key
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert open_page(server, f"/?key={server.key}").headers["location"] == "./"
    wrong = open_page(server, "/?key=nonsense")
    assert (wrong.status_code, key_in(wrong, server)) == (303, "")


def test_a_link_on_somebody_else_s_page_is_asked_about_first(server: Server) -> None:
    """Else a stranger could have a visitor work under the stranger's key, and look on."""
    foreign = owners.new_key()
    for site in ("cross-site", "same-site"):
        answer = open_page(server, f"/?key={foreign}", **{"Sec-Fetch-Site": site})
        assert (answer.status_code, key_in(answer, server)) == (200, "")
        assert "the link is your own" in answer.text
        assert "<script" not in answer.text
    german = open_page(server, f"/?key={foreign}", **{"Sec-Fetch-Site": "cross-site", "Accept-Language": "de-DE"})
    assert 'lang="de"' in german.text
    for site in ("none", "same-origin"):  # typed, or the link on the question's own page
        assert key_in(open_page(server, f"/?key={foreign}", **{"Sec-Fetch-Site": site}), server) == foreign


def test_only_opening_the_page_gives_a_key(server: Server) -> None:
    for path in ("/config", "/theme.css", "/gradio_api/info", "/health", "/nothing"):
        assert "set-cookie" not in httpx.get(f"{server.url}{path}", timeout=60).headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_server_cannot_make_a_browser_act(server: Server, site: str) -> None:
    """On this machine the other may be on another port, for which browsers do send the cookie."""
    victim = {"Cookie": f"{owners.cookie_name(server.key)}={owners.new_key()}"}
    own = Visitor(server, **victim, **{"Sec-Fetch-Site": "same-origin"})
    other = Visitor(server, **victim, **{"Sec-Fetch-Site": site, "Origin": "http://127.0.0.1:9"})
    (projects,) = [one["id"] for one in own.config()["dependencies"] if one["api_name"] == "projects"]
    assert own.run(projects, []).status_code == 200
    assert other.run(projects, []).status_code == 404
    assert other.http.post("/gradio_api/upload", files={"files": ("a.wav", b"a")}).status_code == 404


def test_an_answer_does_not_repeat_the_key(server: Server) -> None:
    """Gradio's own answer to a range repeats the request's headers, where scripts could read the cookie."""
    key = owners.new_key()
    visitor = Visitor(server, Cookie=f"{owners.cookie_name(server.key)}={key}")
    path = visitor.upload("take.wav", b"0123456789" * 20)
    for answer in (
        visitor.fetch(path),
        visitor.fetch(path, Range="bytes=0-9"),
        visitor.http.head(f"/gradio_api/file={path}"),
        visitor.http.get("/gradio_api/info"),
    ):
        assert answer.status_code in (200, 206)
        assert key not in str(answer.headers)
        assert key not in answer.text
    assert visitor.fetch(path, Range="bytes=5-9").content == b"56789"
