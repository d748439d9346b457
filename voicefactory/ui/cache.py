"""What was read from files, kept until one of them changes."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_CACHED = 2_000  #: values kept; then the oldest go
#: Nothing may have changed for so long before work is begun that takes long: the first time, and later on, when
#: somebody may be working through a list and should not be slowed down after each row.
_FIRST_QUIET_S, _QUIET_S = 1.0, 8.0

_cache: dict[tuple[str, Path], tuple[tuple[Any, ...], Any]] = {}
_working: set[tuple[str, Path]] = set()
_lock = threading.Lock()
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Known(Generic[T]):
    """A value, and whether it is that of the files as they are now."""

    value: T | None  #: None: it was never worked out
    current: bool


def cached(name: str, about: Path, sources: list[Path], load: Callable[[], T]) -> T:
    """`load()`, or its last result while none of `sources` has changed."""
    stamp = _stamp_of_all(sources)
    with _lock:
        known = _cache.get((name, about))
    if known is not None and known[0] == stamp:
        return known[1]  # type: ignore[no-any-return]
    value = load()
    _keep((name, about), stamp, value)
    return value


def later(name: str, about: Path, sources: list[Path], load: Callable[[], T], *, now: bool) -> Known[T]:
    """What `load` gave last. If `sources` have changed since, it is called again in a thread once they are quiet.

    `now`: as `cached`, for what takes no time.
    """
    if now:
        return Known(cached(name, about, sources, load), True)
    key, stamp = (name, about), _stamp_of_all(sources)
    with _lock:
        known = _cache.get(key)
        current = known is not None and known[0] == stamp
        begin = not current and key not in _working
        if begin:
            _working.add(key)
    if begin:
        quiet_s = _QUIET_S if known else _FIRST_QUIET_S
        threading.Thread(target=_work, args=(key, sources, load, quiet_s), name=f"later {name}", daemon=True).start()
    return Known(known[1] if known else None, current)


def forget(root: Path) -> None:
    """Forget everything about what lies in a folder that is gone."""
    with _lock:
        for key in [key for key in _cache if key[1] == root or root in key[1].parents]:
            del _cache[key]


def stamp_of(path: Path) -> tuple[int, int, int]:
    """Another one whenever a file is replaced; zeros if there is none."""
    try:
        state = path.stat()
    except OSError:
        return (0, 0, 0)
    return state.st_mtime_ns, state.st_size, state.st_ino


def _stamp_of_all(sources: list[Path]) -> tuple[Any, ...]:
    return tuple((str(path), *stamp_of(path)) for path in sources)


def _work(key: tuple[str, Path], sources: list[Path], load: Callable[[], Any], quiet_s: float) -> None:
    stamp = _stamp_of_all(sources)
    try:
        while True:
            time.sleep(quiet_s)
            if stamp == (stamp := _stamp_of_all(sources)):
                break
        with _one_at_a_time:
            _keep(key, stamp, load())
    except Exception:  # noqa: BLE001 - files may go while they are read; the next look tries again
        traceback.print_exc(file=sys.stderr)
        time.sleep(quiet_s)
    finally:
        with _lock:
            _working.discard(key)


def _keep(key: tuple[str, Path], stamp: tuple[Any, ...], value: Any) -> None:
    with _lock:
        _cache.pop(key, None)
        _cache[key] = (stamp, value)
        while len(_cache) > _CACHED:
            del _cache[next(iter(_cache))]
