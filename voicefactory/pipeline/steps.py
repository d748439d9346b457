"""How long a step took."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from voicefactory.types import OnProgress, Progress

_T = TypeVar("_T")


def timed(seconds: dict[str, float], step: str, on_progress: OnProgress, work: Callable[[], _T]) -> _T:
    """Do `work`, and note its duration under the name of its step."""
    on_progress(Progress(step))
    begun = time.monotonic()
    result = work()
    seconds[step] = time.monotonic() - begun
    return result
