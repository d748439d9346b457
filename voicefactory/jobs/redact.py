"""Keep Hub tokens out of everything that is written down."""

from __future__ import annotations

import contextlib
import re
from typing import Any, TextIO

_SECRET = re.compile(r"hf_[A-Za-z0-9]{8,}|(?<=Bearer )[^\s'\"]+", re.IGNORECASE)


def redact(text: str, *secrets: str) -> str:
    """`text` without Hub tokens, bearer tokens and the given secrets."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "[token]")
    return _SECRET.sub("[token]", text)


class RedactedStream:
    """A text stream that redacts what passes through it. Everything but `write` is the stream's own.

    What cannot be written, because the log's disk is full, is dropped: the work matters more than its log.
    """

    def __init__(self, stream: TextIO, *secrets: str) -> None:
        self._stream, self._secrets = stream, secrets

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(redact(text, *self._secrets))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
