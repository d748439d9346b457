"""The guide knows every warning that a clip can have."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import list_sentences  # noqa: E402

GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")


def _warnings() -> list[str]:
    """What the thresholds and the risk say of a clip; notes on where a limit comes from have no figure in them."""
    told: list[str] = []
    for name in ("audio/thresholds.py", "pipeline/risk.py"):
        path = list_sentences.PACKAGE / name
        told += list_sentences._of(ast.parse(path.read_text(encoding="utf-8")), name)
    return [one for one in told if "{0}" in one and not one.startswith(("twice", "a quarter", "{0} letters"))]


def test_every_warning_is_explained() -> None:
    explained = re.findall(r"`([^`]+)`", GUIDE.partition("| Warning |")[2])
    warnings = _warnings()
    assert len(warnings) > 20
    assert [one for one in warnings if not any(words in one for words in explained)] == []
    assert [words for words in explained if not any(words in one for one in list_sentences.templates())] == []


def test_its_pictures_are_there() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", GUIDE)
    assert len(pictures) == 6
    assert [one for one in pictures if not (ROOT / "docs" / one).is_file()] == []
