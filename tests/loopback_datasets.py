"""Data sets of a Hugging Face Hub on 127.0.0.1: what the real clients ask to list, read and stream them."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class DataSet:
    """A repository: path → content; `gated` ones are listed for nobody."""

    files: dict[str, bytes]
    gated: bool = False


@dataclass
class LoopbackDatasets:
    """Serves `sets` (owner/name → DataSet) while it is entered; `paths` are the requests that came."""

    sets: dict[str, DataSet]
    paths: list[str] = field(default_factory=list)
    fail_after: int = 0  #: answers 503 to every file after so many; 0 = never

    def __enter__(self) -> LoopbackDatasets:
        hub = self

        class Handler(_Handler):
            server_hub = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _entry(path: str, content: bytes) -> dict[str, Any]:
    return {"type": "file", "oid": hashlib.sha1(content).hexdigest(), "size": len(content), "path": path}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_hub: LoopbackDatasets

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(body)

    def do_GET(self) -> None:
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server_hub.paths.append(f"{self.command} {path}")
        api = re.fullmatch(r"/api/datasets/([^/]+/[^/]+)(?:/(.*))?", path)
        resolve = re.fullmatch(r"/datasets/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path)
        found = api or resolve
        data_set = self.server_hub.sets.get(found[1]) if found else None
        if data_set is None:
            self._send(404, {"error": "Repository not found"}, **{"X-Error-Code": "RepoNotFound"})
        elif data_set.gated:
            self._send(403, {"error": "Access is restricted"}, **{"X-Error-Code": "GatedRepo"})
        elif resolve:
            self._send_file(data_set.files.get(resolve[2]))
        elif api:
            self._send_api(found[1], api[2] or "", data_set, body)

    def _send_api(self, repo: str, rest: str, data_set: DataSet, body: bytes) -> None:
        entries = [_entry(path, content) for path, content in sorted(data_set.files.items())]
        if rest.startswith("tree/"):
            folder = rest.split("/", 2)[2] if rest.count("/") >= 2 else ""
            below = [entry for entry in entries if not folder or entry["path"].startswith(f"{folder}/")]
            if "recursive=true" not in self.path.lower():
                start = len(folder) + 1 if folder else 0
                deeper = {
                    entry["path"][: entry["path"].index("/", start)] for entry in below if "/" in entry["path"][start:]
                }
                below = [entry for entry in below if "/" not in entry["path"][start:]]
                below += [{"type": "directory", "oid": "0", "size": 0, "path": path} for path in sorted(deeper)]
            if folder and not below:
                self._send(404, {"error": "Entry not found"}, **{"X-Error-Code": "EntryNotFound"})
            else:
                self._send(200, below)
        elif rest.startswith("paths-info/"):
            form = self.headers.get("Content-Type", "")
            asked = json.loads(body)["paths"] if "json" in form else re.findall(r"paths=([^&]+)", body.decode())
            wanted = {unquote(one.replace("+", " ")) for one in asked}
            folders = {path.rpartition("/")[0] for path in data_set.files}
            found = [entry for entry in entries if entry["path"] in wanted]
            found += [{"type": "directory", "oid": "0", "path": one} for one in sorted(wanted & folders - {""})]
            self._send(200, found)
        elif rest == "" or rest.startswith("revision/"):
            siblings = [{"rfilename": path} for path in sorted(data_set.files)]
            self._send(200, {"id": repo, "sha": COMMIT, "private": False, "siblings": siblings, "tags": []})
        else:
            self._send(404, {"error": "nothing here"})

    def _send_file(self, content: bytes | None) -> None:
        hub = self.server_hub
        if content is None:
            self._send(404, {"error": "Entry not found"}, **{"X-Error-Code": "EntryNotFound"})
            return
        served = sum(path.startswith("GET /datasets/") for path in hub.paths)
        if hub.fail_after and self.command == "GET" and served > hub.fail_after:
            self._send(503, {"error": "too much to do"})
            return
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{hashlib.sha1(content).hexdigest()}"', "Accept-Ranges": "bytes"}
        span = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if span:
            first, last = int(span[1]), min(int(span[2] or len(content) - 1), len(content) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            self._send_bytes(206, content[first : last + 1], headers)
        else:
            self._send_bytes(200, content, headers)

    def _send(self, status: int, value: Any, **headers: str) -> None:
        self._send_bytes(status, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})

    def _send_bytes(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
