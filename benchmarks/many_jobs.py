"""What many finished jobs in the table cost: the table's questions, the scheduler's look, a refresh of the page.

python benchmarks/many_jobs.py [--jobs 2000] [--few 20] [--rounds 30]

The jobs are of real shape, with a request and a result each; three quarters are spread over other owners' projects, one
quarter lies in the project that is looked at. A refresh of the page is the request that an open page sends once a
second, to a real `python app.py`. Prints Markdown; times in milliseconds.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.page import percentile  # noqa: E402
from tests.ui.conftest import Server  # noqa: E402
from voicefactory import owners  # noqa: E402
from voicefactory.jobs.scheduler import Scheduler  # noqa: E402
from voicefactory.jobs.store import Store  # noqa: E402
from voicefactory.owners import LOCAL  # noqa: E402
from voicefactory.pipeline.request import Request  # noqa: E402
from voicefactory.project import Project  # noqa: E402
from voicefactory.ui.projects import project_lines  # noqa: E402
from voicefactory.ui.state import read  # noqa: E402

Times = dict[str, list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--few", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=30)
    wanted = parser.parse_args()
    few, many = (measure(count, wanted.rounds) for count in (wanted.few, wanted.jobs))
    print(f"\nload average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print(f"| what | {wanted.few} jobs, p50 | p95 | {wanted.jobs} jobs, p50 | p95 |\n|---|---:|---:|---:|---:|")
    for what in few:
        cells = " | ".join(
            f"{statistics.median(one[what]):.1f} | {percentile(one[what], 0.95):.1f}" for one in (few, many)
        )
        print(f"| {what} | {cells} |")


def measure(count: int, rounds: int) -> Times:
    """Milliseconds of everything, with so many finished jobs."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "home")
        project = Project.create("Looked at", server.home)
        fill(server.store, project, count)
        times = in_process(server.home, project, rounds)
        server.start()
        try:
            return {**times, **over_http(server, project, rounds)}
        finally:
            server.stop()


def fill(store: Store, project: Project, count: int) -> None:
    """Finished jobs, as real ones are left behind; written at once, since one by one takes long."""
    request = json.dumps(dataclasses.asdict(Request(language="english", model="toy", overrides=("max_steps=500",))))
    result = json.dumps({"name": "x" * 20, "files": [f"said/{'x' * 20}/{number}.wav" for number in range(3)]})
    now = time.time()
    rows = []
    for number in range(count):
        mine = number % 4 == 0
        where, owner = (project.identifier, LOCAL) if mine else (f"other-{number % 50}", f"v-{number % 50:024x}")
        begun = now - (count - number) * 60
        kind = ("prepare", "train", "synthesize", "read")[number // 4 % 4]
        rows.append((f"{number:08d}", kind, owner, where, "succeeded", request, result, begun, begun + 1, begun + 40))
    with sqlite3.connect(store.path) as db:
        columns = "id, kind, owner, project, state, request, result, created, started, ended"
        db.executemany(f"INSERT INTO jobs ({columns}) VALUES (?,?,?,?,?,?,?,?,?,?)", rows)


def in_process(home: Path, project: Project, rounds: int) -> Times:
    """The questions that the app asks its table."""
    scheduler = Scheduler(home)
    store = scheduler.store
    return {
        "`Store.jobs` of the project": timed(lambda: store.jobs(project=project.identifier), rounds),
        "`Store.active`": timed(store.active, rounds),
        "the list of projects": timed(lambda: project_lines(LOCAL, store), rounds),
        "`ui.state.read`, all that a page shows": timed(
            lambda: read(project, store, project_lines(LOCAL, store)), rounds
        ),
        "the scheduler's look": timed(scheduler._look, rounds),
    }


def over_http(server: Server, project: Project, rounds: int) -> Times:
    """As an open page asks: does anything differ (once a second), everything anew, and a script's status."""
    with urllib.request.urlopen(f"{server.url}/config", timeout=60) as answer:
        config = json.load(answer)
    (timer,) = [one["id"] for one in config["components"] if one["type"] == "timer"]
    (check,) = [
        one for one in config["dependencies"] if [timer, "tick"] in [list(target[:2]) for target in one["targets"]]
    ]
    (opened,) = [
        one
        for one in config["dependencies"]
        if any(target[1] == "load" for target in one["targets"]) and len(one["outputs"]) > 50
    ]

    def ask(function: dict[str, Any], values: list[Any]) -> None:
        body = {"data": values, "fn_index": function["id"], "session_hash": "many-jobs"}
        headers = {"Content-Type": "application/json", owners.HEADER: server.key}
        request = urllib.request.Request(f"{server.url}/gradio_api/run/predict", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()

    client = server.client()
    blanks: list[Any] = [""] * (len(check["inputs"]) - 1)
    return {
        "page: does anything differ?": timed(lambda: ask(check, [project.identifier, *blanks]), rounds),
        "page: everything, as it is opened": timed(lambda: ask(opened, [project.identifier]), rounds),
        "script: `status`": timed(lambda: client.predict(project.identifier, api_name="/status"), rounds),
    }


def timed(act: Callable[[], Any], rounds: int) -> list[float]:
    """Milliseconds of each round, after one that does not count."""
    act()
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        act()
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


if __name__ == "__main__":
    main()
