"""Is the job table whole? A look that changes nothing, and that a damaged file cannot stop."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from urllib.parse import quote


def problems(path: Path) -> list[str]:
    """What SQLite finds wrong in the file of the table; empty if it is whole."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=5)) as db:
            found = [str(row[0]) for row in db.execute("PRAGMA quick_check(5)")]
            db.execute("SELECT id, state FROM jobs LIMIT 1").fetchall()
    except sqlite3.Error as error:
        return [f"{error}."]
    return [] if found == ["ok"] else [line.splitlines()[-1] for line in found]
