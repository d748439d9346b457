"""List what the work may tell a person, as templates: "{0}" stands for a figure or a name.

python scripts/list_sentences.py              all of them, as JSON
python scripts/list_sentences.py --missing    by language, what voicefactory/ui/translations lacks or has too much
"""

from __future__ import annotations

import argparse
import ast
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "voicefactory"
TRANSLATIONS = PACKAGE / "ui" / "translations"
#: The page has its own sentences, and the command line stays English; so does what goes into files.
_SILENT = (
    *("ui/", "cli", "doctor/", "settings.py"),
    *("pipeline/card.py", "pipeline/judge_report.py", "pipeline/judge_plots.py"),
)
_SILENT_FILES = (
    "pipeline/sentences.py",
    "pipeline/judge_sentences.py",
    "__main__.py",
    "presets.py",
)
#: These tell reasons, which are parts of sentences.
_REASONS = (
    "audio/thresholds.py",
    "pipeline/coverage.py",
    "pipeline/judge_pick.py",
    "pipeline/judge_scores.py",
    "pipeline/judge_worth.py",
    "pipeline/ranking.py",
    "pipeline/reading.py",
    "pipeline/risk.py",
    "pipeline/statistics.py",
    "probe/drift.py",
)
_SENTENCE = re.compile(r"[A-Z“{].*[.:}]", re.DOTALL)
#: Words that fill a gap of a sentence.
_WORDS = (
    "{0} seconds",
    "{0} minutes",
    "good",
    "plenty",
    "faster",
    "slower",
    "louder",
    "quieter",
    "Zero-shot clone",
    "Recordings",
    "Likeness",
    "Pace",
    "Voice {0}",
)
_CODE = re.compile(r"[<>=]|^--|\b(SELECT|INSERT|UPDATE|CREATE|DELETE|ALTER)\b|\.(py|json|wav)\b")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--missing", action="store_true", help="compare with the translations")
    if not parser.parse_args().missing:
        print(json.dumps(templates(), ensure_ascii=False, indent=1))
        return
    for path in sorted(TRANSLATIONS.glob("*.told.json")):
        known = json.loads(path.read_text(encoding="utf-8"))
        lacking = [template for template in templates() if template not in known]
        old = [template for template in known if template not in templates()]
        print(json.dumps({"file": path.name, "missing": lacking, "too much": old}, ensure_ascii=False, indent=1))


@functools.cache
def templates() -> list[str]:
    """Every sentence and reason, in the order of the files, each once."""
    found = dict.fromkeys(_WORDS)
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(_SILENT) and name not in _SILENT_FILES:
            found |= dict.fromkeys(_of(ast.parse(path.read_text(encoding="utf-8")), name))
    return list(found)


def _of(tree: ast.Module, name: str) -> Iterator[str]:
    raised = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Raise) for part in ast.walk(node)}
    inner = set(_inside(tree))
    for node in ast.walk(tree):
        words = None if id(node) in inner else _template(node)
        words = words and words.strip()
        if words and (id(node) in raised or _SENTENCE.fullmatch(words) or name in _REASONS):
            yield from (one for one in _single(words) if _says_something(one))


def _single(words: str) -> list[str]:
    """Sentence by sentence where one of them is a gap: nobody could tell where that one ends."""
    if not re.search(r"(?<=[.?]) \{\d+\}( [A-Z{]|$)|^\{\d+\} (?=[A-Z][a-z]+\b)", words):
        return [words]
    pieces = re.split(r"(?<=[.?]) (?=[A-Z“{])|(?<=^\{0\}) (?=[A-Z][a-z]+\b)", words)
    return [_numbered(re.sub(r"\{\d+\}", "{}", piece)) for piece in pieces]


def _says_something(words: str) -> bool:
    said = re.sub(r"\{\d+\}", "", words)
    return len(said.split()) >= 2 and re.search("[a-z]{2}", said) is not None and not _CODE.search(words)


def _inside(tree: ast.Module) -> Iterator[int]:
    """What is no sentence of its own: documentation, and pieces of f-strings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)
        if isinstance(node, ast.JoinedStr):
            yield from (id(part) for part in node.values)


def _template(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _numbered(node.value)
    if isinstance(node, ast.JoinedStr):
        pieces = [part.value if isinstance(part, ast.Constant) else "{x}" for part in node.values]
        return _numbered("".join(str(piece) for piece in pieces))
    return None


def _numbered(words: str) -> str:
    """Its gaps as {0}, {1}, …"""
    pieces = re.split(r"\{\w*(?::[^{}]*)?\}", words)
    return "".join(f"{piece}{{{number}}}" for number, piece in enumerate(pieces[:-1])) + pieces[-1]


if __name__ == "__main__":
    main()
