"""The same work on many files: several processes, results as they come, memory bounded, ended at once when told.

loky's executor and not the standard library's, because a script that calls us need not guard its main module.
At most `MOST_WORKERS` processes of about 180 MB each, so that all of them and the caller stay below 1.5 GB.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any, TypeVar

from voicefactory.errors import Cancelled, VoiceFactoryError
from voicefactory.types import ShouldStop, never

T = TypeVar("T")
R = TypeVar("R")
Tell = Callable[[float], None]  #: how much of a task is done, 0 to 1
Work = Callable[[T, Tell, ShouldStop], R]  #: a function of a module: it is named to other processes, not sent

MOST_WORKERS = 6
_POLL_S = 0.2
_TELL_EVERY_S = 0.5
_WATCH_EVERY_S = 1.0


def worker_count(tasks: int) -> int:
    """How many processes are worth it: one a core and task, and not more than the memory is meant for."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, tasks, MOST_WORKERS))


def finished(
    work: Work[T, R],
    tasks: Iterable[T],
    *,
    workers: int,
    should_stop: ShouldStop = never,
    on_shares: Callable[[dict[int, float]], None] = lambda shares: None,
    stopped: str = "Stopped; what is finished is kept.",
) -> Iterator[tuple[int, R]]:
    """(number of the task, result), each as soon as it is there; with one worker here, in this process.

    At most twice as many tasks as workers are taken from `tasks` ahead. `on_shares` is told how much of each
    running task is done. Raises Cancelled(`stopped`) when told to stop, and whatever `work` raises.
    """
    if workers > 1:
        yield from _in_processes(work, iter(tasks), workers, should_stop, on_shares, stopped)
        return
    for number, task in enumerate(tasks):
        if should_stop():
            raise Cancelled(stopped)
        yield number, work(task, _shares_of(number, on_shares), should_stop)


def _shares_of(number: int, on_shares: Callable[[dict[int, float]], None]) -> Tell:
    told_at = time.monotonic()

    def tell(share: float) -> None:
        nonlocal told_at
        if time.monotonic() - told_at >= _TELL_EVERY_S:
            told_at = time.monotonic()
            on_shares({number: share})

    return tell


def _in_processes(
    work: Work[T, R],
    tasks: Iterator[T],
    workers: int,
    should_stop: ShouldStop,
    on_shares: Callable[[dict[int, float]], None],
    stopped: str,
) -> Iterator[tuple[int, R]]:
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.process_executor import BrokenProcessPool

    with tempfile.TemporaryDirectory(prefix="voicefactory-") as name:
        folder = Path(name)
        executor = ProcessPoolExecutor(workers, timeout=60, initializer=_begin, initargs=(os.getpid(),))
        running: dict[Future[R], int] = {}
        number = 0
        try:
            while True:
                while len(running) < 2 * workers and not should_stop():
                    try:
                        task = next(tasks)
                    except StopIteration:
                        break
                    running[executor.submit(_run, work, task, folder, number)] = number
                    number += 1
                if not running and not should_stop():
                    return
                done, _ = wait(running, timeout=_POLL_S, return_when=FIRST_COMPLETED)
                if should_stop():
                    raise Cancelled(stopped)
                on_shares({index: _share(folder, index) for index in running.values()})
                for future in sorted(done, key=lambda future: running[future]):
                    yield running.pop(future), future.result()
        except BrokenProcessPool as error:
            raise VoiceFactoryError(
                "The system ended one of the helper processes, most often because memory ran out. What is finished "
                "is kept: close other programs and run it again."
            ) from error
        finally:
            (folder / "stop").touch()
            for future in running:
                future.cancel()
            executor.shutdown(wait=True)


def _begin(parent: int) -> None:
    """In a new process: Ctrl-C is the parent's business, and nobody works on for a parent that was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_EVERY_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _run(work: Work[Any, R], task: Any, folder: Path, number: int) -> R:
    """One task in a process of its own; it hears of a stop, and tells how far it is, through files in `folder`."""
    stop, said = folder / "stop", folder / str(number)

    def tell(shares: dict[int, float]) -> None:
        said.write_text(str(shares[number]))

    return work(task, _shares_of(number, tell), stop.exists)


def _share(folder: Path, number: int) -> float:
    with contextlib.suppress(OSError, ValueError):
        return float((folder / str(number)).read_text())
    return 0.0
