"""Many visitors of one app while a voice is trained: do all get answers, how soon, and does its memory grow?

python benchmarks/visitors.py [--visitors 50] [--minutes 10] [--every 10] [--profile FILE.svg]

`python app.py` runs on the first two cores, with a training of the toy model beside it; visitors are real
`gradio_client` connections, 25 a process (benchmarks/visitor.py). Times are those that a visitor sees. The slope of the
app's memory is a least-squares line through its resident set every 10 s, without the first two minutes, in which
everything is loaded for the first time. Prints Markdown. --profile records the app with py-spy, if that is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.page import percentile, train_another  # noqa: E402
from tests.ui.conftest import Server  # noqa: E402

_SAMPLE_S, _WARM_UP_S = 10.0, 120.0
_A_PROCESS = 25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--every", type=float, default=10, help="seconds between two calls of a visitor")
    parser.add_argument(
        "--nice",
        type=int,
        default=0,
        help="of the app and its visitors together, as root, where others use the machine",
    )
    parser.add_argument("--profile", type=Path, help="where py-spy writes what the app does")
    wanted = parser.parse_args()
    before_others(wanted.nice)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "home")
        server.start()
        try:
            cores = sorted(os.sched_getaffinity(server.process.pid))[:2]
            for thread in psutil.Process(server.process.pid).threads():
                os.sched_setaffinity(thread.id, cores)
            train_another(server)
            rows, memory, load = watch(server, wanted, Path(folder))
            print(report(rows, memory, load, wanted, len(cores)))
            print(_jobs(server))
        finally:
            server.stop()
            server.end_workers()


def before_others(nice: int) -> None:
    """Where the kernel shares the cores out between sessions, a process's own priority counts within one only."""
    group = Path("/proc/self/autogroup")
    if nice and group.exists():
        os.setsid()
        group.write_text(str(nice), encoding="ascii")
    elif nice:
        os.nice(nice)


def watch(
    server: Server, wanted: argparse.Namespace, folder: Path
) -> tuple[list[dict[str, object]], list[tuple[float, float]], list[float]]:
    """Let the visitors in and wait; their calls, (seconds, MB) of the app, and the machine's load average."""
    app, seconds = psutil.Process(server.process.pid), wanted.minutes * 60
    begun = time.monotonic()
    visitors, memory, load = [], [], []
    for first in range(0, wanted.visitors, _A_PROCESS):
        count = min(_A_PROCESS, wanted.visitors - first)
        command = [sys.executable, str(ROOT / "benchmarks" / "visitor.py"), server.url]
        command += [str(first + 1), str(count), str(wanted.every), str(seconds)]
        with open(folder / f"calls-{first}.jsonl", "wb") as out:
            visitors.append(subprocess.Popen(command, stdout=out, cwd=ROOT))
    if wanted.profile:
        spy = [str(Path(sys.executable).with_name("py-spy")), "record", "-d", str(int(seconds * 0.6)), "-o"]
        subprocess.Popen([*spy, str(wanted.profile), "--pid", str(app.pid), "--nonblocking"])
    while any(one.poll() is None for one in visitors):
        memory.append((time.monotonic() - begun, app.memory_info().rss / 1e6))
        load.append(os.getloadavg()[0])
        time.sleep(_SAMPLE_S)
    lines = [line for path in folder.glob("calls-*.jsonl") for line in path.read_text().splitlines()]
    return [json.loads(line) for line in lines], memory, load


def report(
    rows: list[dict[str, object]],
    memory: list[tuple[float, float]],
    load: list[float],
    wanted: argparse.Namespace,
    cores: int,
) -> str:
    """All of it as Markdown."""
    lines = [
        f"{wanted.visitors} visitors, {wanted.minutes:g} minutes, a call every {wanted.every:g} s each; the app on "
        f"{cores} of {os.cpu_count()} cores, nice {wanted.nice}; load average {min(load):.1f} to {max(load):.1f}",
        "",
        "| call | times | errors | p50 | p95 | longest |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name in sorted({str(row["what"]) for row in rows}):
        mine = [row for row in rows if row["what"] == name]
        took = [float(str(row["seconds"])) * 1000 for row in mine if not row["error"]] or [float("nan")]
        wrong = sum(bool(row["error"]) for row in mine)
        figures = f"{statistics.median(took):.0f} ms | {percentile(took, 0.95):.0f} ms | {max(took):.0f} ms"
        lines.append(f"| {name} | {len(mine)} | {wrong} | {figures} |")
    errors = Counter(str(row["error"]) for row in rows if row["error"])
    lines += ["", *(f"- {count} × {error}" for error, count in errors.most_common(8)), ""]
    settled = [point for point in memory if point[0] >= min(_WARM_UP_S, memory[-1][0] / 2)]
    lines.append(
        f"Memory of the app: {memory[0][1]:.0f} MB at the start, {settled[0][1]:.0f} MB after {settled[0][0]:.0f} s, "
        f"{memory[-1][1]:.0f} MB at the end, {max(size for _, size in memory):.0f} MB at most; slope from there "
        f"{slope(settled):+.2f} MB/min"
    )
    lines.append("Every 30 s, MB: " + ", ".join(f"{size:.0f}" for _, size in memory[::3]))
    return "\n".join(lines)


def slope(points: list[tuple[float, float]]) -> float:
    """Least squares, per minute; points are (seconds, value)."""
    if len(points) < 2:
        return float("nan")
    found = statistics.linear_regression([point[0] / 60 for point in points], [point[1] for point in points])
    return found.slope


def _jobs(server: Server) -> str:
    states = Counter(f"{job.kind} {job.state}" for job in server.store.jobs())
    return "Jobs in the end: " + ", ".join(f"{count} {name}" for name, count in sorted(states.items()))


if __name__ == "__main__":
    main()
