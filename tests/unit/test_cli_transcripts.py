"""`voicefactory transcripts`, as a person types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from voicefactory.cli import run
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.transcripts import load_transcripts
from voicefactory.project import Project


@pytest.fixture
def home(prepared_project: Callable[[Path], Project], tmp_path: Path) -> Path:
    prepared_project(tmp_path)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    return dict(json.loads(capsys.readouterr().out))


def test_rows_a_file_and_sizes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = ["transcripts", "Anna", "--home", str(home), "--json"]
    assert run(base) == 0
    rows = said(capsys)["rows"]
    assert isinstance(rows, list)
    assert len(rows) == 12
    assert {"clip", "text", "confidence", "source"} <= set(rows[0])

    out = home / "anna.zip"
    assert run([*base, "--export", "ljspeech", "--out", str(out), "--asr-sizes"]) == 0
    done = said(capsys)
    assert done["exported"] == {"path": str(out), "clips": 12, "left_out": 0, "notes": []}
    sizes = done["asr"]
    assert isinstance(sizes, list)
    assert "tiny.en" in [one["name"] for one in sizes if one["on_this_machine"]]
    assert out.is_file()

    assert run([*base[:-1], "--asr-sizes"]) == 0
    assert "not on this machine" in capsys.readouterr().out


def test_a_second_opinion_on_the_riskiest(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Given texts have no Whisper behind them, so tiny.en is a second listener."""
    base = ["transcripts", "Anna", "--home", str(home)]
    assert run([*base, "--second-opinion", "tiny.en", "--worst", "2", "--json"]) == 0
    rows = said(capsys)["rows"]
    assert isinstance(rows, list)
    heard = [row for row in rows if "opinion" in row]
    assert len(heard) == 2
    assert all(0 <= row["opinion"]["disagreement"] < 0.5 for row in heard)
    assert run([*base, "--numbers", "in words"]) == 0
    assert "0 texts were written anew." in capsys.readouterr().out  # they are a person's


def test_mistakes_are_one_sentence(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = ["transcripts", "Anna", "--home", str(home)]
    assert run([*base, "--export", "srt"]) == 2
    assert "Give both: --export FORMAT and --out FILE." in capsys.readouterr().err
    assert run([*base, "--export", "srt", "--out", str(home / "a.srt")]) == 2
    assert "There are 12 recordings" in capsys.readouterr().err
    assert run([*base, "--numbers", "roman"]) == 2
    assert run(["transcripts", "Nobody", "--home", str(home)]) == 2
    project = Project.open("anna", home)
    assert len(load_clips(project)) == len(load_transcripts(project)) == 12
