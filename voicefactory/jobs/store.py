"""The job table: one row a job in SQLite, the only truth that the page, the scheduler and the workers share.

Every change of state goes through `Store.move`, which checks in the same statement that the change is
legal, so that two processes can never both win. A connection lives for one call: SQLite in WAL mode
makes that cheap, and no handle is ever shared between threads.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import sqlite3
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

State = Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]
Kind = Literal[
    "prepare",
    "clean",
    "train",
    "synthesize",
    "publish",
    "read",
    "opinion",
    "sizes",
    "export",
    "preview",
    "freeze",
    "judge",
    "zero-shot",
]
Lane = Literal["work", "preview", "listen"]

#: One job of a lane runs at a time: heavy work in one, short answers to a waiting person in the others.
LANES: dict[Kind, Lane] = {
    "prepare": "work",
    "clean": "work",
    "train": "work",
    "synthesize": "preview",
    "publish": "preview",
    "read": "listen",
    "opinion": "work",
    "sizes": "preview",
    "export": "preview",
    "preview": "preview",
    "freeze": "work",
    "judge": "work",
    "zero-shot": "work",
}

#: A person waits for these one after the other, so a worker stays for the next one with its model loaded: so many
#: seconds after the last one. A large model takes longer to load, and people listen before they ask again.
LINGERING: dict[Kind, float] = {"read": 60.0, "synthesize": 300.0}

#: These need the memory that a worker which stays holds, so it ends for them.
NEEDS_MEMORY: frozenset[Kind] = frozenset({"train", "judge", "preview", "zero-shot"})

#: The states that a job may come from. A state that is in nobody's set is final.
LEGAL: dict[State, frozenset[State]] = {
    "queued": frozenset(),
    "running": frozenset({"queued"}),
    "succeeded": frozenset({"running"}),
    "failed": frozenset({"queued", "running"}),
    "cancelled": frozenset({"queued", "running"}),
    "interrupted": frozenset({"running"}),
}
ACTIVE: frozenset[State] = frozenset({"queued", "running"})
RESUMABLE: frozenset[State] = frozenset({"failed", "cancelled", "interrupted"})

_COLUMNS = """
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, owner TEXT NOT NULL, project TEXT NOT NULL,
    state TEXT NOT NULL, request TEXT NOT NULL,
    step TEXT NOT NULL DEFAULT '', done REAL NOT NULL DEFAULT 0, total REAL NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '', eta_low REAL, eta_high REAL,
    pid INTEGER, pid_created REAL, heartbeat REAL, cancel_requested REAL,
    result TEXT, error TEXT NOT NULL DEFAULT '', error_kind TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL, started REAL, ended REAL
"""
_JSON = ("request", "result")


@dataclass(frozen=True)
class Job:
    """One row. Times are Unix seconds, `eta_low` and `eta_high` seconds left of the current step."""

    id: str
    kind: Kind
    owner: str
    project: str  #: Project.identifier
    state: State
    request: dict[str, Any]
    step: str
    done: float
    total: float
    message: str
    eta_low: float | None
    eta_high: float | None
    pid: int | None
    pid_created: float | None  #: a pid can be given again; pid and start time together cannot
    heartbeat: float | None
    cancel_requested: float | None
    result: dict[str, Any] | None = field(repr=False)
    error: str  #: a sentence for the person
    error_kind: str
    created: float
    started: float | None
    ended: float | None

    @property
    def active(self) -> bool:
        """True while it waits or runs."""
        return self.state in ACTIVE


class Store:
    """The table in one file. Safe to use from any thread and any process of this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._connect() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(f"CREATE TABLE IF NOT EXISTS jobs ({_COLUMNS})")
            db.execute("CREATE INDEX IF NOT EXISTS jobs_by_project ON jobs (project, created)")

    def add(self, kind: Kind, owner: str, project: str, request: dict[str, Any]) -> Job:
        """Queue a job. `request` is plain JSON and must not hold a secret."""
        identifier = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"
        with self._connect() as db:
            db.execute(
                "INSERT INTO jobs (id, kind, owner, project, state, request, created) VALUES (?,?,?,?,'queued',?,?)",
                (identifier, kind, owner, project, json.dumps(request), time.time()),
            )
        return self.get(identifier)

    def get(self, identifier: str) -> Job:
        """The job of that id. Raises KeyError if there is none."""
        rows = self._select("WHERE id = ?", (identifier,))
        if not rows:
            raise KeyError(identifier)
        return rows[0]

    def jobs(
        self, *, project: str | None = None, kinds: Collection[Kind] = (), states: Collection[State] = ()
    ) -> list[Job]:
        """The jobs that fit, the oldest first."""
        clauses, values = [], []
        for column, wanted in (
            ("project", [project] if project is not None else []),
            ("kind", kinds),
            ("state", states),
        ):
            if wanted:
                clauses.append(f"{column} IN ({','.join('?' * len(wanted))})")
                values += list(wanted)
        where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
        return self._select(f"{where} ORDER BY created, rowid", tuple(values))

    def touched(self, owner: str) -> dict[str, float]:
        """Project → when a job of `owner` last began, ended or was asked for in it; Unix seconds."""
        last = "MAX(COALESCE(ended, started, created))"
        with self._connect() as db:
            rows = db.execute(f"SELECT project, {last} FROM jobs WHERE owner = ? GROUP BY project", (owner,)).fetchall()
        return {row[0]: float(row[1]) for row in rows}

    def move(self, identifier: str, to: State, *, origin: State | None = None, **values: Any) -> bool:
        """Change the state, and other columns with it, if that is legal now; otherwise change nothing.

        With `origin`, only from that state. Returns whether the row was changed.
        """
        if to == "running":
            values.setdefault("started", time.time())
        elif to not in ACTIVE:
            values.setdefault("ended", time.time())
        before = sorted(LEGAL[to] if origin is None else LEGAL[to] & {origin})
        condition = f"AND state IN ({','.join('?' * len(before))})"
        return self._update(identifier, {"state": to, **values}, condition, before)

    def report(self, identifier: str, **values: Any) -> None:
        """Write where a running job is: step, done, total, message, eta_low, eta_high, heartbeat."""
        self._update(identifier, {"heartbeat": time.time(), **values}, "AND state = 'running'", [])

    def request_cancel(self, identifier: str) -> None:
        """Ask a job to stop: at once if it waits, otherwise its worker sees the flag. No effect on a finished one."""
        if not self.move(identifier, "cancelled", origin="queued"):
            condition = "AND state = 'running' AND cancel_requested IS NULL"
            self._update(identifier, {"cancel_requested": time.time()}, condition, [])

    def _update(self, identifier: str, values: dict[str, Any], condition: str, arguments: list[Any]) -> bool:
        stored = {key: json.dumps(value) if key in _JSON else value for key, value in values.items()}
        assignments = ", ".join(f"{key} = ?" for key in stored)
        with self._connect() as db:
            cursor = db.execute(
                f"UPDATE jobs SET {assignments} WHERE id = ? {condition}",
                [*stored.values(), identifier, *arguments],
            )
            return cursor.rowcount == 1

    def _select(self, rest: str, values: tuple[Any, ...]) -> list[Job]:
        with self._connect() as db:
            rows = [dict(row) for row in db.execute(f"SELECT * FROM jobs {rest}", values)]
        for row in rows:
            row.update({key: json.loads(row[key]) if row[key] else None for key in _JSON})
        return [Job(**row) for row in rows]

    @contextlib.contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self.path, timeout=30)
        db.row_factory = sqlite3.Row
        try:
            with db:
                yield db
        finally:
            db.close()
