"""A real full disk while a checkpoint is written: one sentence, and the last checkpoint is whole."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from voicefactory.engines.base import Engine, Training
from voicefactory.engines.qwen3_tts.checkpoint import checkpoints
from voicefactory.errors import DiskFullError, as_sentence
from voicefactory.presets import load_preset
from voicefactory.types import Codes, Progress, never, silent


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 200 MB: room for three checkpoints of the toy."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small file system needs root")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)  # a traceback still maps a file there


def test_the_last_checkpoint_survives_and_training_goes_on(
    engine: Engine, toy: Path, two_codes: Codes, small_disk: Path
) -> None:
    run = small_disk / "run"
    preset = load_preset("quick", ["max_steps=6", "save_every_steps=2"])
    filler = small_disk / "filler"

    def fill_after_the_first_checkpoint(progress: Progress) -> None:
        if progress.done == 3:
            with open(filler, "wb") as out:
                out.write(b"x" * 130_000_000)

    def train(on_progress: object = silent) -> int:
        return engine.finetune(
            Training(two_codes, toy, preset, run, speaker="ann", device="cpu"),
            on_progress=on_progress,  # type: ignore[arg-type]
            should_stop=never,
        ).step

    with pytest.raises(OSError, match="No space left") as caught:
        train(fill_after_the_first_checkpoint)
    sentence = as_sentence(caught.value)
    assert isinstance(sentence, DiskFullError)
    assert "everything finished so far is kept" in str(sentence)
    assert [path.name for path in checkpoints(run / "checkpoints")] == ["step-000002"]
    filler.unlink()
    assert train() == 6
