"""How the app ends: Ctrl-C leaves the workers to the next start, SIGTERM is for the whole machine."""

from __future__ import annotations

import signal
import threading

import gradio as gr

from voicefactory.jobs import log

_LOOK_S = 0.5
_GO_ON = "Stopping the page. Jobs that run go on; start it again to watch them."


def on_sigterm() -> threading.Event:
    """From now on SIGTERM sets the event that this returns, also while the page is still being built."""
    terminated = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: terminated.set())
    return terminated


def wait_for_the_end(demo: gr.Blocks, terminated: threading.Event) -> None:
    """Return after Ctrl-C or SIGTERM, with the page closed: it takes no more requests."""
    log.event("app_started")
    try:
        while not terminated.wait(_LOOK_S):
            pass
    except KeyboardInterrupt:
        print(_GO_ON, flush=True)
    log.event("app_stopping", signal="SIGTERM" if terminated.is_set() else "SIGINT")
    demo.close(verbose=False)
