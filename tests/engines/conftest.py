"""Fixtures for engines: the toy in its other shape, and codes of the recordings. Read only: all tests share them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MadeOnce
from tests.engines.engine_data import dataset_of, real_clips
from voicefactory.engines.base import Engine
from voicefactory.engines.registry import get
from voicefactory.types import Codes, never, silent


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The one that `codes` and the toys are of."""
    return get("qwen3-tts")


@pytest.fixture(scope="session")
def toy_1b7(made_once: MadeOnce) -> Path:
    """A toy shaped like the 1.7B model, which takes instructions."""
    from voicefactory.engines.qwen3_tts.toy import build_toy

    return made_once("toy-1b7", lambda path: build_toy(path, size="1b7"))


@pytest.fixture(scope="session")
def codes(engine: Engine, toy: Path, made_once: MadeOnce) -> Codes:
    """Codes of all twelve recordings."""
    return _codes(engine, toy, made_once, 12)


@pytest.fixture(scope="session")
def two_codes(engine: Engine, toy: Path, made_once: MadeOnce) -> Codes:
    """Codes of the two shortest recordings."""
    return _codes(engine, toy, made_once, 2)


def _codes(engine: Engine, toy: Path, made_once: MadeOnce, clips: int) -> Codes:
    """What was made once is not encoded again: extracting tells what is there."""

    def extract(folder: Path) -> Codes:
        dataset = dataset_of(real_clips()[:clips], folder)
        return engine.extract(dataset, toy, folder, device="cpu", on_progress=silent, should_stop=never)

    return extract(made_once(f"codes-{clips}", extract))


@pytest.fixture(scope="module")
def short_breath() -> Iterator[None]:
    """The toy seldom comes to an end, so every text is spoken up to its cap: a lower one saves time."""
    from voicefactory.engines.qwen3_tts import synthesis

    patch = pytest.MonkeyPatch()
    patch.setattr(synthesis, "_SECONDS_BESIDE", 0.8)
    yield
    patch.undo()
