"""Which weights a run still has: the page asks it, so torch stays out of here."""

from __future__ import annotations

from pathlib import Path


def kept(folder: Path) -> list[tuple[int, Path]]:
    """(step, path) of all weights in `folder`, best and last ones, the earliest first; each step once."""
    found = [path for path in folder.glob("*-*") if (path / "weights.safetensors").exists()]
    by_step = {int(path.name.rpartition("-")[2]): path for path in sorted(found, reverse=True)}
    return sorted(by_step.items())
