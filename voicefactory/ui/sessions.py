"""What Gradio remembers of visits, kept small: an app that runs for weeks would otherwise fill its memory.

Measured on Gradio 6.17.3: for each visit it works out the configuration of every component again (50 ms in which
nobody else is answered) and keeps it (0.7 MB), for up to 10,000 visits. Only links that store a page's state need it,
and those are closed here (`ui.guard`). Of each call through its queue, as scripts make them, it keeps a record and the
task, and with that the request and its connection (18 kB), for ever, and twice a call it computes statistics over all.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from types import SimpleNamespace
from typing import Any

import gradio as gr
from gradio.state_holder import SessionState, StateHolder

CAPACITY = 1_000  #: visits that are remembered; one that was forgotten begins anew, which its page does not notice
_CALLS = 300  #: of the queue; more than are under way at once


def keep_small(demo: gr.Blocks) -> None:
    """Call it once the page is launched."""
    holder = _Sessions()  # type: ignore[no-untyped-call]
    holder.set_blocks(demo)
    demo.app.state_holder = holder
    queue = demo._queue
    queue.event_analytics = _Latest(_CALLS)
    queue.event_ids_to_events = _Latest(_CALLS)
    queue._asyncio_tasks = _Unfinished()
    queue.compute_analytics_summary = lambda calls: queue.cached_event_analytics_summary  # type: ignore[method-assign]


class _Session(SessionState):
    """A visit without a copy of every component's configuration."""

    def __init__(self, blocks: gr.Blocks) -> None:
        super().__init__(SimpleNamespace(default_config=blocks.default_config, blocks={}))  # type: ignore[arg-type]
        self.blocks_config.config_for_block = lambda *given: {}  # type: ignore[method-assign]


class _Sessions(StateHolder):
    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = _Session(self.blocks)
        return super().__getitem__(session_id)


class _Unfinished(list["asyncio.Task[Any]"]):
    """Tasks that are under way. One that has ended would keep its request, and the connection that it came by."""

    def append(self, task: asyncio.Task[Any]) -> None:
        super().append(task)
        task.add_done_callback(self._discard)

    def _discard(self, task: asyncio.Task[Any]) -> None:
        if task in self:
            self.remove(task)


class _Latest(OrderedDict[str, Any]):
    """The latest entries."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        while len(self) > self._size:
            self.popitem(last=False)
