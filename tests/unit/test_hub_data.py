"""Data sets by name: the real clients against a Hub on 127.0.0.1, in a process of their own (the tests are offline)."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import GivenClip
from tests.loopback_datasets import DataSet, LoopbackDatasets
from voicefactory.errors import InputError, ModelUnavailableError
from voicefactory.pipeline.found_texts import find_texts
from voicefactory.pipeline.hub_data import fetch_hub_data, is_hub_name, parse_hub_name
from voicefactory.pipeline.refusals import load_refused
from voicefactory.project import Project

PROGRAM = """
import json, os, sys
from pathlib import Path
from voicefactory.errors import Cancelled, VoiceFactoryError
from voicefactory.pipeline.hub_data import fetch_hub_data
from voicefactory.pipeline.refusals import load_refused
from voicefactory.project import Project
from voicefactory.settings import settings
from voicefactory.usage import bytes_of
project = Project(Path(sys.argv[1]))
for word in sys.argv[2:]:
    word, _, room = word.partition("#")
    os.environ["VOICEFACTORY_MAX_OWNER_GB"] = str((bytes_of(project) + int(room)) / 1e9) if room else "0"
    settings.cache_clear()
    name, _, stop_after = word.partition("@")
    seen = []
    try:
        folders = fetch_hub_data(
            project, [Path(name)], on_progress=seen.append,
            should_stop=lambda: bool(stop_after) and seen[-1].done >= int(stop_after),
        )
        told = [row.reason for row in load_refused(project)] if room else []
        print(json.dumps(["fetched", *map(str, folders), *told]))
    except VoiceFactoryError as error:
        print(json.dumps([type(error).__name__, str(error)]))
"""


def parquet(clips: list[GivenClip]) -> bytes:
    """As the Hub stores a data set with an audio column; the last row has no sound."""
    rows: list[dict[str, Any]] = [{"bytes": clip.path.read_bytes(), "path": clip.path.name} for clip in clips]
    table = pa.table({"audio": [*rows, None], "sentence": [*(clip.text for clip in clips), "Nothing."]})
    features = {
        "audio": {"_type": "Audio", "sampling_rate": 24_000},
        "sentence": {"dtype": "string", "_type": "Value"},
    }
    written = io.BytesIO()
    about = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(table.replace_schema_metadata(about), written, row_group_size=2)
    return written.getvalue()


@pytest.fixture(scope="module")
def outcomes(
    tmp_path_factory: pytest.TempPathFactory, twelve_clips: list[GivenClip]
) -> tuple[Project, list[list[str]], list[list[str]]]:
    """What one process got, and what a second one got for the same names, and what the server was asked then."""
    project = Project.create("Anna", tmp_path_factory.mktemp("home"))
    words = pa.table({"text": ["no sound here"]})
    only_text = io.BytesIO()
    pq.write_table(words, only_text)
    folder = {
        "data/metadata.csv": f"file_name,transcription\nwavs/one.wav,{twelve_clips[0].text}\n".encode(),
        "data/wavs/one.wav": twelve_clips[0].path.read_bytes(),
        "README.md": b"about it",
    }
    sets = {
        "anna/rows": DataSet({"data/train-00000-of-00001.parquet": parquet(twelve_clips[:4])}),
        "anna/folder": DataSet(folder),
        "anna/much": DataSet({"data/train-00000-of-00001.parquet": parquet(twelve_clips[:4])}),
        "anna/files": DataSet({clip.path.name: clip.path.read_bytes() for clip in twelve_clips[:4]}),
        "anna/gated": DataSet({}, gated=True),
        "anna/words": DataSet({"train.parquet": only_text.getvalue()}),
        "anna/pictures": DataSet({"cat.png": b"\x89PNG"}),
    }
    names = ["hf:anna/rows@2", "hf:anna/rows", "hf:anna/folder", "hf:anna/gated", "hf:anna/none", "hf:anna/words"]
    names += ["hf:anna/pictures", "hf:anna/rows:default:test"]
    room = sum(clip.path.stat().st_size for clip in twelve_clips[:2]) + 20_000
    names += [f"hf:anna/much#{room}", "hf:anna/much", f"hf:anna/files#{room}"]

    def run(hub: LoopbackDatasets, wanted: list[str]) -> list[list[str]]:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(project.root), *wanted],
            env={
                **os.environ,
                "HF_ENDPOINT": hub.url,
                "HF_HUB_OFFLINE": "0",
                "HF_HOME": str(project.root.parent / "hf"),
                "HF_HUB_DISABLE_XET": "1",
            },
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    with LoopbackDatasets(sets) as hub:
        first = run(hub, names)
        hub.paths.clear()
        again = run(hub, ["hf:anna/rows", "hf:anna/folder"])
        asked = [hub.paths]
    return project, first, [*again, *asked]


def test_rows_become_files_with_their_texts_and_go_on_where_they_were(
    outcomes: tuple[Project, list[list[str]], list[list[str]]], twelve_clips: list[GivenClip]
) -> None:
    project, (stopped, fetched, *_), _ = outcomes
    assert stopped == ["Cancelled", "Stopped while fetching from the Hub; what has arrived is kept."]
    folder = Path(fetched[1])
    assert folder == project.root / "hub" / "anna--rows"
    assert [path.read_bytes() for path in sorted(folder.glob("*.wav"))] == [
        clip.path.read_bytes() for clip in twelve_clips[:4]
    ]
    found = find_texts([folder])
    assert {name: row.text for name, row in found.texts.items()} == {
        f"anna--rows/00000{index}.wav": clip.text for index, clip in enumerate(twelve_clips[:4])
    }
    about = json.loads((project.root / "hub" / "anna--rows.json").read_text())
    assert about["refused"] == [{"file": "hf:anna/rows, row 4", "reason": "It has no audio."}]


def test_a_folder_of_audio_keeps_its_table(
    outcomes: tuple[Project, list[list[str]], list[list[str]]], twelve_clips: list[GivenClip]
) -> None:
    folder = Path(outcomes[1][2][1])
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {
        "data/metadata.csv",
        "data/wavs/one.wav",
    }
    assert [row.text for row in find_texts([folder]).texts.values()] == [twelve_clips[0].text]


def test_what_was_fetched_is_not_fetched_again(outcomes: tuple[Project, list[list[str]], list[list[str]]]) -> None:
    _, first, again = outcomes
    assert again == [first[1], first[2], []]


def test_what_cannot_be_had_is_said_in_a_sentence(outcomes: tuple[Project, list[list[str]], list[list[str]]]) -> None:
    gated, unknown, words, pictures, split = outcomes[1][3:8]
    assert [kind for kind, _ in (gated, unknown, words, pictures, split)] == ["InputError"] * 5
    assert gated[1].startswith("The data set anna/gated is gated. Accept its terms")
    assert unknown[1].startswith("There is no data set anna/none on the Hub, or it is private.")
    assert words[1] == "anna/words has no column of audio; its columns are text."
    assert pictures[1].startswith("There is no audio in anna/pictures")
    assert "test" in split[1]


def test_no_more_is_fetched_than_there_is_room_for_and_the_rest_later(
    outcomes: tuple[Project, list[list[str]], list[list[str]]], twelve_clips: list[GivenClip]
) -> None:
    project, first, _ = outcomes
    (_, folder, why), whole, (_, others, why_files) = first[8:]
    assert "There is no room left for it: one person may have" in why
    assert "There is no room left for it: one person may have" in why_files
    assert whole == ["fetched", folder]
    assert len(list(Path(folder).glob("*.wav"))) == 4
    assert len(list(Path(others).glob("*.wav"))) == 2
    assert not (project.root / "hub" / "anna--files.json").exists()
    assert (project.root / "hub" / "anna--much.json").exists()


def test_names(tmp_path: Path) -> None:
    assert is_hub_name(Path("hf:anna/rows"))
    assert not is_hub_name(tmp_path)
    name = parse_hub_name(Path("hf:anna/rows:en:validation"))
    assert (name.repo, name.config, name.split) == ("anna/rows", "en", "validation")
    for wrong in ("hf:anna", "hf:anna/rows/../x", "hf:anna/rows:a:b:c", "hf:an na/rows"):
        with pytest.raises(InputError, match="is not a data set's name"):
            parse_hub_name(Path(wrong))


def test_offline_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    project = Project.create("Anna", tmp_path)
    with pytest.raises(ModelUnavailableError, match="HF_HUB_OFFLINE is set"):
        fetch_hub_data(project, [Path("hf:anna/rows")])


def test_on_the_page_what_cannot_be_fetched_stops_nothing_else(tmp_path: Path) -> None:
    project, mine = Project.create("Anna", tmp_path), tmp_path / "mine"
    local = fetch_hub_data(project, [Path("hf:anna/rows"), mine], or_refuse=True)
    assert mine in local
    (refused,) = load_refused(project)
    assert refused.file == "hf:anna/rows"
    assert "HF_HUB_OFFLINE is set" in refused.reason
