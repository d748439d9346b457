"""Requests that run a function of the page, before Gradio sees them.

A browser chooses its own session hash, and names uploaded files by their paths. Both are made worthless to others: a
hash only means something together with its owner, and a path has to be one of the owner's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from voicefactory.ui.handout import digest, own_file

MAX_BYTES = 32_000_000  #: of a request; the largest table of the page is far smaller


class ForeignFileError(Exception):
    """A file is named that is not there for whoever asks."""


def own_session(owner: str, session: str) -> str:
    """A session hash as Gradio gets it: nobody else can name it."""
    return digest("session", f"{owner}|{session}")


def checked(body: bytes, owner: str) -> bytes:
    """The request as Gradio gets it.

    Raises ForeignFileError, and ValueError for what is no request.
    """
    request = orjson.loads(body)
    if not isinstance(request, dict):
        raise ValueError("not an object")
    if request.get("session_hash") is not None:
        request["session_hash"] = own_session(owner, str(request["session_hash"]))
    sent = orjson.dumps(request)
    if b'"path"' in sent and not all(own_file(owner, name) for name in _paths(request)):
        raise ForeignFileError
    return sent


def _paths(value: Any) -> Iterator[str]:
    """Everything that Gradio might take for the path of a file, however deep it lies."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            if "path" in one:
                yield str(one["path"])
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)
