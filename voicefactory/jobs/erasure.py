"""Take rows out of the job table so that nothing of them is left in its files.

SQLite keeps what was deleted or overwritten in free pages and in the write-ahead log. Here what is deleted becomes
zeroes (secure_delete), the file is written anew without free pages (VACUUM), and the log is emptied (a TRUNCATE
checkpoint), which waits for readers that still look at an older state.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Collection
from pathlib import Path

_PATIENCE_S = 30.0
_AGAIN_S = 0.1


def erase(table: Path, *, projects: Collection[str] = (), owner: str = "", before: float) -> int:
    """Erase the rows of these projects, and those of `owner` if one is given, that were made before a moment
    (Unix seconds). Returns how many they were. Raises sqlite3.OperationalError if the table stays locked."""
    clauses = [f"project IN ({','.join('?' * len(projects))})", *(["owner = ?"] if owner else [])]
    values = [*projects, *([owner] if owner else []), before]
    with contextlib.closing(sqlite3.connect(table, timeout=_PATIENCE_S, isolation_level=None)) as db:
        db.execute("PRAGMA secure_delete = ON")
        rows = db.execute(f"DELETE FROM jobs WHERE ({' OR '.join(clauses)}) AND created <= ?", values).rowcount
        db.execute("VACUUM")
        end = time.monotonic() + _PATIENCE_S
        while db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] and time.monotonic() < end:
            time.sleep(_AGAIN_S)
    return rows
