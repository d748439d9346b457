"""A visitor who speaks HTTP, and says whatever they like: for the tests of who may do what."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx

from tests.ui.conftest import Server
from voicefactory import owners

_ANY_TIME = re.compile(r"[0-9a-f]{8,}|\d+(\.\d+)?")  #: digests and figures, which differ from one answer to the next


class Visitor:
    """Requests with a key, as a browser or a script sends them. `more` are headers."""

    def __init__(self, server: Server, key: str | None = None, **more: str) -> None:
        self.server, self.key = server, key
        headers = {owners.HEADER: key, **more} if key else more
        self.http = httpx.Client(base_url=server.url, headers=headers, timeout=60, follow_redirects=False)

    @property
    def owner(self) -> str:
        return owners.owner_of_key(self.key or "", self.server.key)

    def config(self) -> dict[str, Any]:
        """What the page is built of, and its functions."""
        return dict(self.http.get("/config").json())

    def run(self, function: int, data: list[Any], *, session: str = "any", row: Any = None) -> httpx.Response:
        """Call a function of the page by its number. `row`: what was selected."""
        event = {"row_value": row, "index": 0, "value": "", "selected": True} if row is not None else None
        body = {"fn_index": function, "data": data, "session_hash": session, "event_data": event}
        return self.http.post("/gradio_api/run/predict", json=body)

    def upload(self, name: str, content: bytes) -> str:
        """Send a file; its path."""
        sent = self.http.post("/gradio_api/upload", files={"files": (name, content)})
        assert sent.status_code == 200, sent.text
        return str(sent.json()[0])

    def fetch(self, path: str | Path, **headers: str) -> httpx.Response:
        """Get a file by its path."""
        return self.http.get(f"/gradio_api/file={path}", headers=headers)


def plain(answer: httpx.Response, *names: str) -> tuple[int, str]:
    """An answer without what differs each time, and without the names that were asked for."""
    told = answer.text
    for name in names:
        told = told.replace(name, "NAME")
    return answer.status_code, _ANY_TIME.sub("#", told)


class Functions:
    """The functions of the page, and something that each of them takes."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._components = {one["id"]: one for one in config["components"]}
        self._dependencies = [one for one in config["dependencies"] if one["backend_fn"]]

    def all(self) -> list[dict[str, Any]]:
        """Those that the server runs."""
        return self._dependencies

    def numbers_of(self, element: str) -> list[int]:
        """The functions that are called when something is done to an element of that id."""
        ids = {number for number, one in self._components.items() if one["props"].get("elem_id") == element}
        return [one["id"] for one in self._dependencies if any(target in ids for target, _ in one["targets"])]

    def data(self, function: dict[str, Any], project: str, **given: Any) -> list[Any]:
        """Its inputs: `project` for the one that is open, `given` by element, else what the page begins with."""
        return [self._value(self._components[number], project, given) for number in function["inputs"]]

    def _value(self, component: dict[str, Any], project: str, given: dict[str, Any]) -> Any:
        kind, props = component["type"], component["props"]
        if kind == "browserstate":
            return project
        element = str(props.get("elem_id") or "").replace("-", "_")
        if element in given:
            return given[element]
        if kind == "api":  # an argument of a named endpoint
            return project
        if kind == "state":
            return None
        if kind == "textbox":
            return props.get("value") or project
        return props.get("value")
