"""How a command of the line ends: done, stopped by a signal, or with an error in one sentence."""

from __future__ import annotations

import _thread
import contextlib
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

from voicefactory.errors import Cancelled, as_sentence

GO_ON = "What was finished is kept: run the same command again to go on."
_GRACE_S = 8.0  #: time that a step gets to save and stop after the first signal


def say_aside(sentence: str) -> None:
    """Write a line to stderr, which is not part of the result."""
    print(sentence, file=sys.stderr, flush=True)


class Interrupted(Cancelled):
    """Ctrl-C."""

    exit_code = 130


@dataclass
class Stop:
    """The wish to stop, from Ctrl-C or SIGTERM."""

    signal: int = 0

    def asked(self) -> bool:
        return self.signal != 0


@contextlib.contextmanager
def stoppable() -> Iterator[Stop]:
    """The first signal lets the step save and stop, the second (or a few seconds) ends it at once."""
    stop, timers = Stop(), list[threading.Timer]()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.signal:
            raise KeyboardInterrupt
        stop.signal = number
        say_aside("Stopping as soon as the current step has saved. Once more stops at once.")
        timers.append(threading.Timer(_GRACE_S, _thread.interrupt_main))
        timers[0].daemon = True
        timers[0].start()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except (Cancelled, KeyboardInterrupt):
        kind = Cancelled if stop.signal == signal.SIGTERM else Interrupted
        raise kind(f"Stopped. {GO_ON}") from None
    finally:
        for timer in timers:
            timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def report(error: BaseException, *, as_json: bool) -> int:
    """Say what went wrong in one sentence; the exit code."""
    kind, sentence, code = _explain(error)
    if kind == "UsageError":
        error.show()  # type: ignore[attr-defined]  # the usage line and the sentence
    elif sentence:
        say_aside(sentence)
    if as_json:
        print(json.dumps({"error": sentence, "kind": kind}, ensure_ascii=False))
    return code


def _explain(error: BaseException) -> tuple[str, str, int]:
    """Kind, sentence and exit code of whatever ended a command."""
    if isinstance(error, SystemExit):
        return "Exit", "", int(error.code or 0)
    if hasattr(error, "format_message") and hasattr(error, "show"):  # typer's own, wherever it keeps them
        return "UsageError", error.format_message(), 2
    if isinstance(error, Cancelled):
        return "Cancelled", str(error), error.exit_code
    if known := as_sentence(error):
        return type(known).__name__, str(known), known.exit_code
    if os.environ.get("VOICEFACTORY_DEBUG"):
        traceback.print_exception(error)
        return "Defect", f"Something went wrong on our side: {type(error).__name__}.", 1
    return "Defect", f"Something went wrong on our side. {_keep_details(error)}", 1


def _keep_details(error: BaseException) -> str:
    """Write the traceback down, without tokens; a sentence that says where."""
    from voicefactory import files
    from voicefactory.jobs.redact import redact
    from voicefactory.settings import settings

    path = settings().home.expanduser() / "last-error.txt"
    try:
        files.write_text(path, redact("".join(traceback.format_exception(error)), os.environ.get("HF_TOKEN", "")))
    except OSError:
        return "Set VOICEFACTORY_DEBUG=1 and run it again to see the details."
    return f"The details are in {path}."
