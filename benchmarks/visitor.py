"""Some visitors in one process, each a thread with a gradio_client and a key of its own; `visitors.py` starts these.

Each makes a project, brings a recording with its text, asks for its status again and again, and now and then brings
another recording, lists its jobs, or queues a job and cancels it. Writes one JSON object a call to stdout.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradio_client import Client, handle_file

CLIPS = Path(__file__).parents[1] / "tests" / "data" / "clips"
_ARRIVE_S = 60  #: people do not come all at once
_out = threading.Lock()


class Visitor:
    """One of them."""

    def __init__(self, url: str, number: int, every_s: float, over: threading.Event) -> None:
        self.url, self.number, self.every_s, self.over = url, number, every_s, over
        self.drawn = random.Random(number)
        self.project = ""

    def play(self) -> None:
        # gradio_client opens two connections for every call, and reading the certificates of the world for each of
        # them would cost this process more than everything else; the address has no TLS.
        self.over.wait(self.drawn.uniform(0, _ARRIVE_S))
        client = self.tell("connect", lambda: Client(self.url, headers=self.headers(), verbose=False, ssl_verify=False))
        if client is None:
            return
        self.project = self.ask(client, "create_project", f"Voice {self.number}") or ""
        self.bring(client)
        others: tuple[Callable[[Client], None], ...] = (self.bring, self.look, self.queue)
        while not self.over.wait(self.every_s * self.drawn.uniform(0.5, 1.5)):
            self.ask(client, "status", self.project)
            if self.drawn.random() < 0.03:
                self.drawn.choice(others)(client)

    def headers(self) -> dict[str, str]:
        return {"X-VoiceFactory-Key": f"{self.number:032x}"}

    def bring(self, client: Client) -> None:
        """A recording with its text, so that Whisper need not listen."""
        line = self.drawn.choice((CLIPS / "metadata.csv").read_text(encoding="utf-8").splitlines()[1:])
        with tempfile.TemporaryDirectory() as folder:
            texts = Path(folder) / "texts.csv"
            texts.write_text(f"{Path(line.split('|')[0]).name}|{line.split('|')[1]}\n", encoding="utf-8")
            files = [handle_file(CLIPS / line.split("|")[0]), handle_file(texts)]
            self.ask(client, "add_recordings", self.project, files, "english")

    def look(self, client: Client) -> None:
        self.ask(client, "jobs")
        self.ask(client, "projects")

    def queue(self, client: Client) -> None:
        """A job that has to wait for a while, and is cancelled."""
        self.bring(client)
        for job in self.ask(client, "jobs") or ():
            if job["state"] == "queued":
                self.ask(client, "cancel", job["id"])

    def ask(self, client: Client, name: str, *values: Any) -> Any:
        return self.tell(name, lambda: client.predict(*values, api_name=f"/{name}"))

    def tell(self, name: str, act: Callable[[], Any]) -> Any:
        """What `act` gives, None if it fails; how long it took, and how it failed, is written down."""
        begun, answer, error = time.monotonic(), None, ""
        try:
            answer = act()
        except Exception as failure:  # noqa: BLE001 - whatever it is, it is counted
            error = f"{type(failure).__name__}: {failure}"[:300]
        row = {"what": name, "at": time.time(), "seconds": time.monotonic() - begun, "error": error}
        with _out:
            print(json.dumps(row), flush=True)
        return answer


def main() -> None:
    url, first, count, every_s, seconds = sys.argv[1:]
    over = threading.Event()
    visitors = [Visitor(url, int(first) + number, float(every_s), over) for number in range(int(count))]
    threads = [threading.Thread(target=visitor.play, daemon=True) for visitor in visitors]
    for thread in threads:
        thread.start()
    time.sleep(float(seconds))
    over.set()
    for thread in threads:
        thread.join(60)


if __name__ == "__main__":
    main()
