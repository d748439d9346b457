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
import statistics
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from voicefactory.jobs import log

State = Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]
Kind = Literal[
    "ingest",
    "transcribe",
    "prepare",
    "clean",
    "train",
    "synthesize",
    "package",
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
    device TEXT NOT NULL DEFAULT '', needed_bytes INTEGER, waits TEXT NOT NULL DEFAULT '',
    handed_to TEXT NOT NULL DEFAULT '',
    step TEXT NOT NULL DEFAULT '', done REAL NOT NULL DEFAULT 0, total REAL NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '', eta_low REAL, eta_high REAL,
    pid INTEGER, pid_identity TEXT, heartbeat REAL, cancel_requested REAL,
    result TEXT, error TEXT NOT NULL DEFAULT '', error_kind TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL, started REAL, ended REAL
"""
_JSON = ("request", "result")
_REMEMBERED = 5_000  #: ended jobs, in memory
_AT_ONCE = 500  #: ids in one question


@dataclass(frozen=True)
class Job:
    """One row. Times are Unix seconds, `eta_low` and `eta_high` seconds left of the current step."""

    id: str
    kind: Kind
    owner: str
    project: str  #: Project.identifier
    state: State
    request: dict[str, Any]
    device: str  #: cuda:N or cpu; empty while it waits
    needed_bytes: int | None  #: of the device's memory; None while nobody has looked or can know
    waits: str  #: why it waits although it is its turn: a sentence, or empty
    handed_to: str  #: the job whose worker stayed and shall do this one, too
    step: str
    done: float
    total: float
    message: str
    eta_low: float | None
    eta_high: float | None
    pid: int | None
    pid_identity: str | None  #: a pid can be given again, see `processes.identity`
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


_FIELDS = tuple(one.name for one in fields(Job))


class Store:
    """The table in one file. Safe to use from any thread and any process of this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ended: dict[str, Job] = {}  #: rows that were read after their job had ended
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._connect() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(f"CREATE TABLE IF NOT EXISTS jobs ({_COLUMNS})")
            _add_missing_columns(db)
            db.execute("CREATE INDEX IF NOT EXISTS jobs_of_project ON jobs (project, created, id, state)")
            db.execute("DROP INDEX IF EXISTS jobs_by_project")  # of earlier versions
            db.execute("CREATE INDEX IF NOT EXISTS jobs_by_owner ON jobs (owner, started)")
            db.execute("CREATE INDEX IF NOT EXISTS jobs_active ON jobs (state) WHERE state IN ('queued', 'running')")

    def hold_open(self) -> sqlite3.Connection:
        """A connection that keeps the files beside the table in place; close it in the end.

        Without one, SQLite makes them anew for each reader, and on a full disk nobody could even read.
        """
        db = sqlite3.connect(self.path, timeout=30, check_same_thread=False)
        db.execute("SELECT COUNT(*) FROM jobs").fetchone()
        return db

    def add(self, kind: Kind, owner: str, project: str, request: dict[str, Any]) -> Job:
        """Queue a job. `request` is plain JSON and must not hold a secret."""
        identifier = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"
        with self._connect() as db:
            db.execute(
                "INSERT INTO jobs (id, kind, owner, project, state, request, created) VALUES (?,?,?,?,'queued',?,?)",
                (identifier, kind, owner, project, json.dumps(request), time.time()),
            )
        self._write_down(identifier)
        return self.get(identifier)

    def find(self, identifier: str) -> Job | None:
        """The job of that id, if there is one."""
        return next(iter(self._select("WHERE id = ?", (identifier,))), None)

    def get(self, identifier: str) -> Job:
        """The job of that id. Raises KeyError if there is none."""
        job = self.find(identifier)
        if job is None:
            raise KeyError(identifier)
        return job

    def jobs(
        self,
        *,
        owner: str | None = None,
        project: str | None = None,
        kinds: Collection[Kind] = (),
        states: Collection[State] = (),
    ) -> list[Job]:
        """The jobs that fit, the oldest first."""
        clauses, values = [], []
        for column, wanted in (
            ("owner", [owner] if owner is not None else []),
            ("project", [project] if project is not None else []),
            ("kind", kinds),
            ("state", states),
        ):
            if wanted:
                clauses.append(f"{column} IN ({','.join('?' * len(wanted))})")
                values += list(wanted)
        where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
        rest = f"{where} ORDER BY created, rowid"
        return self._select(rest, tuple(values)) if states else self._remembering(rest, tuple(values))

    def forget(self, projects: Collection[str], owner: str = "") -> None:
        """Remember no rows of these projects, or of that owner, any more: they were erased."""
        self._ended = {
            key: job for key, job in list(self._ended.items()) if job.project not in projects and job.owner != owner
        }

    def touched(self, owner: str) -> dict[str, float]:
        """Project → when a job of `owner` last began, ended or was asked for in it; Unix seconds."""
        last = "MAX(COALESCE(ended, started, created))"
        with self._connect() as db:
            rows = db.execute(f"SELECT project, {last} FROM jobs WHERE owner = ? GROUP BY project", (owner,)).fetchall()
        return {row[0]: float(row[1]) for row in rows}

    def active(self) -> list[Job]:
        """Everybody's jobs that wait or run, the oldest first. The quick way to ask for them: they have an index."""
        return self._select("WHERE state IN ('queued', 'running') ORDER BY created, rowid", ())

    def started_since(self, moment: float) -> dict[tuple[str, Kind], int]:
        """(owner, kind) → how many of their jobs were started after `moment`, Unix seconds."""
        with self._connect() as db:
            rows = db.execute(
                "SELECT owner, kind, COUNT(*) FROM jobs WHERE started > ? GROUP BY owner, kind", (moment,)
            ).fetchall()
        return {(row[0], row[1]): int(row[2]) for row in rows}

    def usual_seconds(self, latest: int = 20) -> dict[Kind, float]:
        """Kind → the median of how long its latest finished jobs ran, in seconds; without kinds that nobody has run."""
        with self._connect() as db:
            rows = db.execute(
                "SELECT kind, ended - started FROM (SELECT kind, started, ended, ROW_NUMBER() OVER "
                "(PARTITION BY kind ORDER BY ended DESC) AS place FROM jobs WHERE state = 'succeeded') "
                "WHERE place <= ?",
                (latest,),
            ).fetchall()
        ran: dict[Kind, list[float]] = {}
        for kind, seconds in rows:
            ran.setdefault(kind, []).append(max(seconds, 0.0))
        return {kind: statistics.median(seconds) for kind, seconds in ran.items()}

    def place(self, identifier: str, **values: Any) -> bool:
        """Write what was decided of a waiting job: device, needed_bytes, waits, handed_to. Returns whether it waits."""
        return self._update(identifier, values, "AND state = 'queued'", [])

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
        changed = self._update(identifier, {"state": to, **values}, condition, before)
        if changed:
            self._write_down(identifier)
        return changed

    def remove(self, identifiers: Collection[str]) -> int:
        """Delete rows of jobs that have ended, and their content from the file; how many there were."""
        with self._connect() as db:
            db.execute("PRAGMA secure_delete = ON")
            cursor = db.executemany(
                "DELETE FROM jobs WHERE id = ? AND state NOT IN ('queued', 'running')", [(one,) for one in identifiers]
            )
            removed = cursor.rowcount
        with self._connect() as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return max(removed, 0)

    def report(self, identifier: str, **values: Any) -> None:
        """Write where a running job is: step, done, total, message, eta_low, eta_high, heartbeat."""
        self._update(identifier, {"heartbeat": time.time(), **values}, "AND state = 'running'", [])

    def request_cancel(self, identifier: str) -> None:
        """Ask a job to stop: at once if it waits, otherwise its worker sees the flag. No effect on a finished one."""
        if not self.move(identifier, "cancelled", origin="queued"):
            condition = "AND state = 'running' AND cancel_requested IS NULL"
            self._update(identifier, {"cancel_requested": time.time()}, condition, [])

    def _write_down(self, identifier: str) -> None:
        job = self.find(identifier)
        if job is None:
            return
        log.event(
            "job",
            home=self.path.parent,
            job=job.id,
            kind=job.kind,
            owner=job.owner,
            state=job.state,
            device=job.device,
            seconds=job.ended - job.started if job.ended and job.started else None,
            error_kind=job.error_kind,
        )

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
        return [_job(row) for row in rows]

    def _remembering(self, rest: str, values: tuple[Any, ...]) -> list[Job]:
        """The same, without reading again what has ended: such a row never changes, and open pages ask each second."""
        known = self._ended
        with self._connect() as db:
            db.execute("BEGIN")  # both questions are about the same moment
            found = [(row["id"], row["state"]) for row in db.execute(f"SELECT id, state FROM jobs {rest}", values)]
            unknown = [identifier for identifier, state in found if state in ACTIVE or identifier not in known]
            rows = [
                dict(row)
                for start in range(0, len(unknown), _AT_ONCE)
                for row in _of(db, unknown[start : start + _AT_ONCE])
            ]
        read = {job.id: job for job in map(_job, rows)}
        jobs = [read.get(identifier) or known[identifier] for identifier, _ in found]
        if len(known) + len(read) > _REMEMBERED:
            known = self._ended = {}
        known.update((job.id, job) for job in read.values() if not job.active)
        return jobs

    @contextlib.contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self.path, timeout=30)
        db.row_factory = sqlite3.Row
        try:
            with db:
                yield db
        finally:
            db.close()


def _job(row: dict[str, Any]) -> Job:
    row.update({key: json.loads(row[key]) if row[key] else None for key in _JSON})
    return Job(**{name: row[name] for name in _FIELDS})


def _of(db: sqlite3.Connection, identifiers: list[str]) -> sqlite3.Cursor:
    return db.execute(f"SELECT * FROM jobs WHERE id IN ({','.join('?' * len(identifiers))})", identifiers)


def _add_missing_columns(db: sqlite3.Connection) -> None:
    """A table of an earlier version gets what has come since."""
    there = {row["name"] for row in db.execute("PRAGMA table_info(jobs)")}
    for column in _COLUMNS.replace("\n", " ").split(","):
        name, _, kind = column.strip().partition(" ")
        if name not in there:
            db.execute(f"ALTER TABLE jobs ADD COLUMN {name} {kind}")
