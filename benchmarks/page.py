"""How quick the page is with many clips: first view, a page of the list, a pick, a decision, a filter, undo.

python benchmarks/page.py [--clips 5000] [--rounds 20] [--training]

The project is made for this: the twelve committed recordings' clips under many names (hard links), sentences of the
prompt set as texts, measures drawn at random with a fixed seed. Times are taken in Chromium, from the key or click
to the change on the screen, over the loopback interface. With --training, another voice is trained (the toy model, on
the CPU) all the while. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.ui import way  # noqa: E402
from tests.ui.conftest import CHROMIUM, Server  # noqa: E402
from voicefactory import files  # noqa: E402
from voicefactory.owners import LOCAL  # noqa: E402
from voicefactory.pipeline.ingest import ingest  # noqa: E402
from voicefactory.pipeline.prompts import prompt_set  # noqa: E402
from voicefactory.pipeline.request import Request  # noqa: E402
from voicefactory.pipeline.segment import load_clips, segment  # noqa: E402
from voicefactory.pipeline.transcripts import load_transcripts  # noqa: E402
from voicefactory.pipeline.worklist import worklist  # noqa: E402
from voicefactory.project import Project  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--training", action="store_true", help="while another voice is trained")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        make_project(Path(home), wanted.clips)
        server = Server(Path(home))
        server.start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        try:
            if wanted.training:
                train_another(server)
            page = server.let_in(browser.new_context(viewport={"width": 1280, "height": 900})).new_page()
            times = measure(page, f"{server.url}/?project=many", wanted.rounds)
        finally:
            browser.close()
            server.stop()
            server.end_workers()
    print(f"\n{wanted.clips} clips; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print("| what | times | p50 | p95 |\n|---|---:|---:|---:|")
    for name, taken in times.items():
        print(f"| {name} | {len(taken)} | {statistics.median(taken):.3f} s | {percentile(taken, 0.95):.3f} s |")


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of them do not pass."""
    return sorted(values)[min(len(values) - 1, round(share * (len(values) - 1)))]


def train_another(server: Server) -> None:
    """A voice from the twelve recordings, trained for longer than all this takes; returns when it trains."""
    project = Project.create("Other", server.home)
    recordings, _ = ingest(project, [ROOT / "tests" / "data" / "clips" / "wavs"])
    segment(project, recordings, keep_whole=True)
    rows = [
        {"clip": clip.id, "audio": project.relative(clip.audio), "text": "A sentence.", "language": "english"}
        | {"confidence": 1.0, "source": "edited", "dropped": False}
        | {"sha256": clip.sha256, "asked": ["tiny.en", "auto"], "heard_in": "en"}
        for clip in load_clips(project)
    ]
    files.write_jsonl(project.transcripts_jsonl, rows)
    asked = Request(model="toy", overrides=("max_steps=20000", "batch_size=4", "probe=none"))
    job = server.store.add("train", LOCAL, project.identifier, dataclasses.asdict(asked))
    while server.store.get(job.id).step != "finetune":
        assert server.store.get(job.id).active, server.story()
        time.sleep(0.5)


def make_project(home: Path, count: int) -> Project:
    """A project "Many" with `count` clips, texts and measures."""
    project = Project.create("Many", home)
    recordings, _ = ingest(project, [ROOT / "tests" / "data" / "clips" / "wavs"])
    segment(project, recordings, keep_whole=True)
    given, drawn = files.read_jsonl(project.clips_jsonl), random.Random(0)
    sentences = [prompt.text for prompt in prompt_set("english")]
    clips: list[dict[str, Any]] = []
    texts: list[dict[str, Any]] = []
    measured: list[dict[str, Any]] = []
    for number in range(count):
        clip = json.loads(json.dumps(given[number % len(given)]))
        clip["id"] = f"{clip['recording']}-{number:05d}"
        audio = project.clips / f"{clip['id']}.wav"
        os.link(project.root / clip["audio"], audio)
        clip["audio"] = project.relative(audio)
        clip["quality"]["snr_db"] = round(drawn.uniform(5, 45), 2)
        clips.append(clip)
        texts.append(
            {
                "clip": clip["id"],
                "audio": clip["audio"],
                "text": f"{drawn.choice(sentences)} {drawn.choice(sentences)}",
                "language": "english",
                "confidence": round(drawn.uniform(0.3, 1), 4),
                "source": "whisper",
                "dropped": False,
                "sha256": clip["sha256"],
                "asked": ["tiny.en", "auto"],
                "heard_in": "en",
            }
        )
        measures = {
            "duration_s": clip["seconds"],
            "loudness_lufs": round(drawn.gauss(-23, 2), 2),
            "peak_dbfs": -1.0,
            "silence_share": 0.1,
            "bandwidth_hz": 8000.0,
            "snr_db": clip["quality"]["snr_db"],
            "clipped_share": 0.0,
            "noise_floor_dbfs": -60.0,
            "dnsmos": round(drawn.uniform(2, 4), 2),
            "voice_distance": round(drawn.uniform(0.2, 1.1), 3),
        }
        measured.append(
            {"clip": clip["id"], "sha256": clip["sha256"], "measures": measures, "missing": {}, "verdicts": []}
        )
    files.write_jsonl(project.clips_jsonl, clips)
    files.write_jsonl(project.transcripts_jsonl, texts)
    files.write_jsonl(project.root / "analysis.jsonl", measured)
    worklist(project, load_clips(project), load_transcripts(project))  # as the job that prepares leaves it
    return project


def measure(page: Page, url: str, rounds: int) -> dict[str, list[float]]:
    """Seconds of each thing that a person does."""
    times: dict[str, list[float]] = {"first view, nothing in memory": [_timed(lambda: _open(page, url))]}
    times["first view again"] = [_timed(lambda: _open(page, url)) for _ in range(3)]
    way.go_to(page, "2 Transcripts")
    expect(page.locator("#transcripts tr[data-clip]")).to_have_count(50)
    page.wait_for_timeout(15_000)  # what is counted behind the page
    times["another page of the list"] = [
        _seen(page, lambda: page.locator("#page-next").click(), "#transcripts") for _ in range(rounds)
    ]
    names = (number % 50 for number in range(7, 7 + rounds * 3, 3))
    times["a pick"] = [
        _seen(page, lambda row=row: way.cell(page, "#transcripts", row, 1).click(), "#clip-about")  # type: ignore[misc]
        for row in names
    ]
    for what, key in (("looks right", "a"), ("drop", "d"), ("undo", "u")):
        times[what] = [_seen(page, lambda key=key: page.keyboard.press(key), "#clip-about") for _ in range(rounds)]  # type: ignore[misc]
    lists = ("To look at", "All", "Another voice") * 3
    times["another list"] = [
        _seen(page, lambda name=name: page.locator("#show").get_by_text(name).click(), "#page-of")  # type: ignore[misc]
        for name in lists
    ]
    return times


def _open(page: Page, url: str) -> None:
    page.goto(url, wait_until="domcontentloaded")
    expect(page.locator("#seen-rest textarea, #seen-rest input")).not_to_have_value("")


def _timed(act: Callable[[], None]) -> float:
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


def _seen(page: Page, act: Callable[[], None], changed: str) -> float:
    """Seconds from `act` until the text of `changed` is another one, as the browser's own clock tells."""
    page.wait_for_timeout(400)
    page.evaluate(
        """(place) => {
          const found = document.querySelector(`${place} .prose`) || document.querySelector(place);
          const before = found.innerText;
          window.begun = null; window.taken = null;
          const begin = () => { window.begun ??= performance.now(); };
          const once = {capture: true, once: true};
          for (const kind of ['keydown', 'pointerdown']) document.addEventListener(kind, begin, once);
          const look = () => {
            if (window.begun !== null && found.innerText !== before) window.taken = performance.now() - window.begun;
            else requestAnimationFrame(look);
          };
          look();
        }""",
        changed,
    )
    act()
    page.wait_for_function("window.taken !== null", timeout=60_000)
    return float(page.evaluate("window.taken")) / 1000


if __name__ == "__main__":
    main()
