"""A Hugging Face Hub on 127.0.0.1: the part of its HTTP API that creating and filling a repository needs.

The real client talks to it over real sockets. Everything it was sent is kept in `requests`, and what a
commit made of it in `repos`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass
class Request:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Repo:
    """What a visitor of the repository would see."""

    private: bool
    files: dict[str, bytes] = field(default_factory=lambda: {".gitattributes": b""})
    lfs: set[str] = field(default_factory=set)  #: paths that came as LFS objects


class LoopbackHub:
    """Serves while it is entered. `token` belongs to `user`, who may write in the own namespace only."""

    def __init__(self, token: str = "hf_theRightToken0123456789", user: str = "anna") -> None:
        self.token, self.user = token, user
        self.requests: list[Request] = []
        self.repos: dict[str, Repo] = {}
        self.objects: dict[str, bytes] = {}  #: LFS objects by SHA-256
        self.fail_commits_with = 0  #: HTTP status for every commit, 0 = accept them
        hub = self

        class Handler(_Handler):
            server_hub = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> LoopbackHub:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def create(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        owner = body.get("organization") or self.user
        repo_id = f"{owner}/{body['name']}"
        if owner != self.user:
            return 403, {"error": f"You don't have the rights to create a model under the namespace {owner}"}
        if repo_id in self.repos:
            return 409, {"error": "You already created this model repo"}
        self.repos[repo_id] = Repo(private=bool(body.get("private")))
        return 200, {"url": f"{self.url}/{repo_id}"}

    def batch(self, repo_id: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        answer = []
        for wanted in body["objects"]:
            actions = {
                "upload": {"href": f"{self.url}/objects/{wanted['oid']}"},
                "verify": {"href": f"{self.url}/verify/{wanted['oid']}"},
            }
            answer.append({**wanted, "actions": actions})
        return 200, {"transfer": "basic", "objects": answer}

    def preupload(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        def mode(path: str) -> str:
            return "lfs" if path.endswith((".safetensors", ".wav", ".flac")) else "regular"

        answer = [{"path": f["path"], "uploadMode": mode(f["path"]), "shouldIgnore": False} for f in body["files"]]
        return 200, {"files": answer}

    def commit(self, repo_id: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if self.fail_commits_with:
            return self.fail_commits_with, {"error": "no"}
        repo = self.repos[repo_id]
        for line in body.splitlines():
            operation = json.loads(line)
            value = operation["value"]
            if operation["key"] == "file":
                repo.files[value["path"]] = base64.b64decode(value["content"])
            elif operation["key"] == "lfsFile":
                repo.files[value["path"]] = self.objects[value["oid"]]
                repo.lfs.add(value["path"])
        oid = hashlib.sha1(body).hexdigest()
        return 200, {"commitUrl": f"{self.url}/{repo_id}/commit/{oid}", "commitOid": oid}

    def info(self, repo_id: str) -> tuple[int, dict[str, Any]]:
        repo = self.repos[repo_id]
        siblings = [{"rfilename": path} for path in repo.files]
        return 200, {"id": repo_id, "private": repo.private, "siblings": siblings, "tags": [], "downloads": 0}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_hub: LoopbackHub

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_HEAD = do_DELETE = do_GET

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _serve(self) -> None:
        request = Request(self.command, self.path, dict(self.headers), self._body())
        self.server_hub.requests.append(request)
        status, answer = self._answer(request)
        payload = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        if status == 401:
            self.send_header("X-Error-Message", "Invalid credentials in Authorization header")
        self.end_headers()
        self.wfile.write(payload)

    def _answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        hub, path = self.server_hub, request.path.partition("?")[0]
        if path.startswith("/objects/"):  # a signed address: the storage behind the Hub asks for no token
            oid = path.rpartition("/")[2]
            if hashlib.sha256(request.body).hexdigest() != oid:
                return 400, {"error": "the content is not what its digest says"}
            hub.objects[oid] = request.body
            return 200, {}
        if request.headers.get("authorization", request.headers.get("Authorization")) != f"Bearer {hub.token}":
            return 401, {"error": "Invalid username or password."}
        if path == "/api/whoami-v2":
            return 200, {"type": "user", "name": hub.user}
        if path == "/api/validate-yaml":
            return 200, {"warnings": [], "errors": []}
        if path == "/api/repos/create":
            return hub.create(request.json())
        if path.startswith("/verify/"):
            return (200, {}) if path.rpartition("/")[2] in hub.objects else (404, {"error": "not there"})
        if path.endswith(".git/info/lfs/objects/batch"):
            return hub.batch(path.removesuffix(".git/info/lfs/objects/batch").strip("/"), request.json())
        parts = path.split("/")
        repo_id = "/".join(parts[3:5])
        if path.startswith("/api/models/") and repo_id in hub.repos:
            if parts[5:6] == ["preupload"]:
                return hub.preupload(request.json())
            if parts[5:6] == ["commit"]:
                return hub.commit(repo_id, request.body)
            return hub.info(repo_id)
        return 404, {"error": "Repository not found"}
