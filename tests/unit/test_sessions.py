"""What Gradio remembers of visits stays small, however many there are, and a forgotten one only begins anew."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio_client import Client

from voicefactory.ui import sessions


def one() -> int:
    return 1


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[gr.Blocks]:
    """A page with a visitor's own counter, served for real."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    with gr.Blocks(analytics_enabled=False) as demo:
        counted, shown = gr.State(0), gr.Number()
        button = gr.Button()
        button.click(
            lambda count: (count + 1, gr.update(value=count + 1, label="x" * 100)),
            [counted],
            [counted, shown],
            queue=False,
            api_name="count",
        )
        gr.api(one, api_name="one")
    demo.launch(quiet=True, prevent_thread_lock=True, ssr_mode=False, state_session_capacity=5)
    sessions.keep_small(demo)
    yield demo
    demo.close(verbose=False)


def count(demo: gr.Blocks, session: str) -> Any:
    body = json.dumps({"data": [None], "session_hash": session}).encode()
    request = urllib.request.Request(
        f"{demo.local_url}gradio_api/run/count", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        update = json.load(answer)["data"][-1]
    return update["value"]


def test_each_visit_has_its_own_state_and_no_copy_of_the_page(demo: gr.Blocks) -> None:
    assert [count(demo, name) for name in ("anna", "anna", "ben", "anna")] == [1, 2, 1, 3]
    for session in demo.app.state_holder.session_data.values():
        assert not any(session.config_values.values()), "a configuration was worked out and kept"


def test_no_more_visits_are_remembered_than_there_is_room_for(demo: gr.Blocks) -> None:
    for number in range(12):
        count(demo, f"visit {number}")
    assert len(demo.app.state_holder.session_data) == 5
    assert count(demo, "visit 11") == 2
    assert count(demo, "visit 0") == 1, "it was forgotten, and begins anew"


def test_calls_through_the_queue_are_not_recorded_for_ever(demo: gr.Blocks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_CALLS", 7)
    sessions.keep_small(demo)
    client = Client(demo.local_url, verbose=False)
    assert [client.predict(api_name="/one") for _ in range(20)] == [1] * 20
    assert len(demo._queue.event_analytics) == len(demo._queue.event_ids_to_events) == 7
    assert len(demo._queue._asyncio_tasks) <= 1, "a task that has ended holds its request and its connection"
