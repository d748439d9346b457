"""What happened and when, one JSON object a line, in log/app.jsonl of the home: for the person who runs the machine.

A line says how something went, never what it was about: no project, text, file name or token, and of owners a digest
that leads nowhere. Only known fields with plain values get in, so that a careless call cannot change that. The app and
its workers write to the same file; it is rotated under a lock between processes.
"""

from __future__ import annotations

import functools
import logging
import re
from pathlib import Path
from typing import TypeAlias

from concurrent_log_handler import ConcurrentRotatingFileHandler
from pythonjsonlogger.json import JsonFormatter

from voicefactory import owners
from voicefactory.errors import VoiceFactoryError
from voicefactory.jobs.redact import redact
from voicefactory.settings import settings

Value: TypeAlias = "str | int | float | bool | None"

MAX_BYTES = 10 << 20  #: of one file; then it is put aside
KEPT = 5  #: files put aside

#: What a line may tell beside the event's name. Nothing in it is chosen by a visitor.
FIELDS = frozenset(
    {
        *("job", "kind", "state", "origin", "device", "lane", "seconds", "error_kind", "owner", "by", "attempt"),
        *("needed_bytes", "free_bytes", "bytes", "count", "running", "queued", "waits", "limit", "status"),
        *("version", "host", "port", "signal", "reason"),
    }
)
_LEFT_OUT = "[left out]"
_NAMES = {"message": "event", "process": "pid"}
_WORD = re.compile(r"[\w.:@+-]{0,80}", re.ASCII)


def event(name: str, *, home: Path | None = None, **fields: Value) -> None:
    """Write down that `name` happened. Unknown fields and values that are no single word are left out.

    `home` is where the log lies, if it is not the home of the settings.

    A log that cannot be written stops nothing: this raises no error.
    """
    if "owner" in fields:
        fields["owner"] = owners.name_in_logs(str(fields["owner"]))
    told = {key: _plain(value) for key, value in fields.items() if key in FIELDS}
    try:
        _logger(log_file(home)).info(_plain(name), extra=told)
    except (OSError, VoiceFactoryError):
        return


def log_file(home: Path | None = None) -> Path:
    """Where the newest lines are; older ones are beside it, as app.jsonl.1 and so on."""
    return (home or settings().home).expanduser().resolve() / "log" / "app.jsonl"


def _plain(value: Value) -> Value:
    if not isinstance(value, str):
        return round(value, 3) if isinstance(value, float) else value
    return value if redact(value) == value and _WORD.fullmatch(value) else _LEFT_OUT


class _Rotating(ConcurrentRotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """A full disk, a folder that has gone: the work matters more than its log."""


@functools.lru_cache(maxsize=8)
def _logger(path: Path) -> logging.Logger:
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = _Rotating(path, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8", chmod=0o600)
    handler.setFormatter(JsonFormatter("%(message)s %(process)d", rename_fields=_NAMES, timestamp="time"))
    logger = logging.Logger("voicefactory.events")  # by itself: what others set up for logging does not touch it
    logger.addHandler(handler)
    return logger
