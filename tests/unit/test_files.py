"""A file that exists is whole, whatever happens while it is written."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from voicefactory import files
from voicefactory.errors import DiskFullError, VoiceFactoryError, as_sentence

#: Writes half, tells, and waits to be killed.
HALF_WRITTEN = """
import pathlib, sys, time
from voicefactory import files
with files.{how}(pathlib.Path(sys.argv[1])) as aside:
    (aside / "part" if aside.is_dir() else aside).write_text("half")
    print("half", flush=True)
    time.sleep(60)
"""


def kill_half_way(how: str, target: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HALF_WRITTEN.format(how=how), str(target)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "half\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=120)


@pytest.mark.parametrize("how", ["writing", "writing_folder"])
def test_killed_while_writing_the_old_one_is_still_whole(how: str, tmp_path: Path) -> None:
    target = tmp_path / "out.wav"
    if how == "writing":
        files.write_text(target, "old")
    else:
        target.mkdir()
        (target / "part").write_text("old")
    kill_half_way(how, target)
    assert (target if how == "writing" else target / "part").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2
    files.remove_leftovers(tmp_path, older_than_s=0)
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("how", ["writing", "writing_folder"])
def test_killed_the_first_time_there_is_nothing(how: str, tmp_path: Path) -> None:
    kill_half_way(how, tmp_path / "sub" / "out")
    assert not (tmp_path / "sub" / "out").exists()


def test_an_error_while_writing_leaves_no_trace(tmp_path: Path) -> None:
    def write_and_fail(how: Callable[[Path], AbstractContextManager[Path]]) -> None:
        with how(tmp_path / "out") as aside:
            assert aside.parent == tmp_path
            raise RuntimeError

    for how in (files.writing, files.writing_folder):
        with pytest.raises(RuntimeError):
            write_and_fail(how)
    assert list(tmp_path.iterdir()) == []


def test_the_temporary_name_keeps_the_suffix_and_the_result_can_be_read_by_others(tmp_path: Path) -> None:
    with files.writing(tmp_path / "one.flac") as aside:
        assert aside.suffix == ".flac"
        aside.write_bytes(b"x")
    assert stat.S_IMODE((tmp_path / "one.flac").stat().st_mode) == 0o644
    with files.writing_folder(tmp_path / "two") as aside:
        (aside / "x").write_text("")
    assert stat.S_IMODE((tmp_path / "two").stat().st_mode) == 0o755


def test_a_folder_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    for name in ("first", "second"):
        with files.writing_folder(tmp_path / "voice") as aside:
            (aside / name).write_text(name)
    assert [path.name for path in (tmp_path / "voice").iterdir()] == ["second"]
    assert [path.name for path in tmp_path.iterdir()] == ["voice"]


def test_jsonl_survives_a_writer_killed_in_a_line(tmp_path: Path) -> None:
    rows = [{"text": "Grüße \u2028 und mehr"}, {"text": 'two "quotes"\nand a line'}]
    files.write_jsonl(tmp_path / "rows.jsonl", rows)
    assert files.read_jsonl(tmp_path / "rows.jsonl") == rows
    with open(tmp_path / "rows.jsonl", "a", encoding="utf-8") as out:
        out.write('{"text": "cut o')
    assert files.read_jsonl(tmp_path / "rows.jsonl") == rows
    assert files.read_jsonl(tmp_path / "none.jsonl") == []


def test_current_means_there_and_from_the_same_inputs(tmp_path: Path) -> None:
    output, inputs = tmp_path / "codes.jsonl", {"b": [1, "ü"], "a": None}
    assert not files.is_current(output, inputs)
    files.write_text(output, "x")
    assert not files.is_current(output, inputs), "nobody said what it was made from"
    files.mark_current(output, inputs)
    assert files.is_current(output, {"a": None, "b": [1, "ü"]})
    assert not files.is_current(output, {"a": 0, "b": [1, "ü"]})
    output.unlink()
    assert not files.is_current(output, inputs)


def test_digests(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc" * 1_000_000)
    done = subprocess.run(["sha256sum", tmp_path / "x"], capture_output=True, text=True, check=True)
    assert files.sha256_of(tmp_path / "x") == done.stdout.split()[0]
    assert files.fingerprint({"a": 1, "b": 2}) == files.fingerprint({"b": 2, "a": 1})
    assert files.fingerprint({"a": 1}) != files.fingerprint({"a": "1"})


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_a_sentence() -> None:
    try:
        with open("/dev/full", "w") as full:
            full.write("x")
    except OSError as error:
        known = as_sentence(error)
        assert isinstance(known, DiskFullError)
        assert "Free some space" in str(known)
    else:
        pytest.fail("/dev/full took it")


def test_other_errors_of_the_system_and_of_ours() -> None:
    refused = as_sentence(PermissionError(13, "no", "/root/x"))
    assert isinstance(refused, VoiceFactoryError)
    assert "/root/x" in str(refused)
    memory = as_sentence(MemoryError())
    assert memory is not None
    assert "not enough memory" in str(memory)
    assert as_sentence(json.JSONDecodeError("x", "", 0)) is None


def test_a_reader_of_the_old_file_never_sees_the_new_one_half_written(tmp_path: Path) -> None:
    """The new file takes the old one's place in one step; writing into the old one would be seen by its readers."""
    path = tmp_path / "rows.txt"
    files.write_text(path, "old " * 1000)
    with open(path, encoding="utf-8") as reader:
        with files.writing(path) as aside:
            aside.write_text("new", encoding="utf-8")
            assert path.read_text(encoding="utf-8") == "old " * 1000
        assert reader.read() == "old " * 1000
    assert path.read_text(encoding="utf-8") == "new"
