"""Fixtures for engines: the toy model in both shapes."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy shaped like the 0.6B model."""
    from voicefactory.engines.qwen3_tts.toy import build_toy

    path = tmp_path_factory.mktemp("toy-0b6")
    build_toy(path)
    return path


@pytest.fixture(scope="session")
def toy_1b7(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy shaped like the 1.7B model, which takes instructions."""
    from voicefactory.engines.qwen3_tts.toy import build_toy

    path = tmp_path_factory.mktemp("toy-1b7")
    build_toy(path, size="1b7")
    return path
