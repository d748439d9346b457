"""The log: whole lines from several processes, and nothing in them that is anybody's business."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from voicefactory import owners
from voicefactory.jobs import log

TOKEN, PROJECT = "hf_PLANTED0123456789", "Anna Müller's voice"


def lines_of(home: Path) -> list[dict[str, Any]]:
    files = sorted(log.log_file(home).parent.glob("app.jsonl*"))
    return [json.loads(line) for path in files for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_line_has_the_event_the_time_and_its_fields(home: Path) -> None:
    log.event("job", job="20261122-010203-0a1b2c3d", kind="train", state="running", device="cuda:1", seconds=1.23456)
    (line,) = lines_of(home)
    assert line["time"].endswith("+00:00")
    assert line["pid"] == os.getpid()
    told = {"event": "job", "job": "20261122-010203-0a1b2c3d", "kind": "train", "state": "running"}
    assert told.items() <= line.items()
    assert (line["device"], line["seconds"]) == ("cuda:1", 1.235)


def test_tokens_names_texts_and_files_stay_out(home: Path) -> None:
    log.event("job", job="1", owner=TOKEN, error_kind=f"Bearer {TOKEN}", reason=PROJECT, project="anna", text="secret")
    log.event(f"upload of {PROJECT}", kind="/home/anna/recordings/one.wav", state="line\nbreak")
    written = log.log_file(home).read_text(encoding="utf-8")
    for private in (TOKEN, "PLANTED", "Anna", "anna", "secret", "one.wav", "break", "Müller"):
        assert private not in written
    assert [line["event"] for line in lines_of(home)] == ["job", "[left out]"]


def test_an_owner_is_a_digest_that_is_used_nowhere_else(home: Path) -> None:
    for owner in ("hf:anna", "v-0123456789abcdef01234567", "hf:anna", "local"):
        log.event("job", owner=owner)
    account, browser, again, local = [str(line["owner"]) for line in lines_of(home)]
    assert account == again
    assert account != browser
    assert local == "local"
    assert "anna" not in account
    assert owners.short_digest("hf:anna")[:8] not in account
    assert "0123456789" not in browser


def test_processes_that_write_at_once_lose_no_line(home: Path) -> None:
    code = (
        "import sys; from voicefactory.jobs import log; log.MAX_BYTES = 8_000; log.KEPT = 100\n"
        "for number in range(200): log.event('job', job=sys.argv[1], count=number)"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, name]) for name in "abc"]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0]
    assert len(list((home / "log").glob("app.jsonl.*"))) > 3
    found = {(line["job"], line["count"]) for line in lines_of(home)}
    assert found == {(name, number) for name in "abc" for number in range(200)}


def test_a_log_that_cannot_be_written_stops_nothing(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log.event("one")
    shutil.rmtree(home / "log")
    (home / "log").write_text("in the way")
    log.event("two")
    log._logger.cache_clear()
    log.event("three")
    assert "Traceback" not in capfd.readouterr().err
