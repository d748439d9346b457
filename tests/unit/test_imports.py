"""Imports follow the architecture: ui, cli → jobs → pipeline → engines → everything below. Never upward."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "voicefactory"

#: Layers from the top. A module may import its own layer and those below.
LAYERS = [
    {"app"},
    {"__main__"},
    {"ui", "cli"},
    {"doctor"},
    {"jobs"},
    {"pipeline"},
    {"engines"},
    {
        "audio",
        "device_memory",
        "driver",
        "probe",
        "project",
        "files",
        "types",
        "presets",
        "languages",
        "settings",
        "quotas",
        "usage",
        "hardware",
        "errors",
        "owners",
        "",
    },
]
#: Packages that only one corner may know.
ONLY_IN = {
    "gradio": ("app.py", "voicefactory/ui/"),
    "typer": ("voicefactory/cli/", "voicefactory/__main__.py"),
    "rich": ("voicefactory/cli/",),
    "qwen_tts": ("voicefactory/engines/qwen3_tts/",),
    "transformers": ("voicefactory/engines/",),
    "pynvml": ("voicefactory/hardware.py", "voicefactory/driver.py"),
    "sqlite3": ("voicefactory/jobs/",),
}
#: What takes long to import, and may not be at the top of a module that every command loads.
HEAVY = {"torch", "gradio", "transformers", "faster_whisper", "huggingface_hub", "librosa", "scipy", "pynvml"}


def sources() -> list[Path]:
    return [ROOT / "app.py", *sorted(PACKAGE.rglob("*.py"))]


def imports_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full name of every import, at any depth; `from a import b` gives a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute here"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) in ("importlib.import_module", "import_module", "__import__")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node.lineno, str(node.args[0].value)


def layer_of(name: str) -> int:
    """Which layer a module of ours belongs to, 0 = the top; `name` is dotted."""
    parts = name.split(".")
    unit = "app" if parts[0] == "app" else (parts[1] if len(parts) > 1 else "")
    if parts[0] == "voicefactory" and not (PACKAGE / unit).is_dir() and not (PACKAGE / f"{unit}.py").exists():
        unit = ""  # a name out of voicefactory/__init__.py
    for depth, units in enumerate(LAYERS):
        if unit in units:
            return depth
    raise AssertionError(f"{name} belongs to no layer: add {unit!r} to LAYERS")


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def violations(path: Path, tree: ast.AST) -> list[str]:
    """Every import in `tree`, the source of `path`, that the architecture does not allow."""
    relative, own = path.relative_to(ROOT).as_posix(), module_name(path)
    found = []
    for line, name in imports_of(tree):
        top = name.split(".")[0]
        where = f"{relative}:{line} imports {name}"
        if top == "voicefactory":
            if layer_of(name) < layer_of(own):
                found.append(f"{where}, which is above it")
            if name.startswith("voicefactory.engines."):
                own_engine = relative.split("/")[2] if relative.startswith("voicefactory/engines/") else ""
                if name.split(".")[2] not in ("base", "registry", own_engine):
                    found.append(f"{where}: of engines/, only base and registry are known elsewhere")
        allowed = ONLY_IN.get(top)
        if allowed and not any(
            relative == place or (place[-1] == "/" and relative.startswith(place)) for place in allowed
        ):
            found.append(f"{where}, which belongs to {' and '.join(allowed)}")
    return found


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_go_downward(path: Path) -> None:
    assert violations(path, ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("voicefactory/audio/decode.py", "from voicefactory.pipeline.ingest import ingest"),
        ("voicefactory/pipeline/ingest.py", "def f():\n    import voicefactory.jobs.store"),
        ("voicefactory/pipeline/ingest.py", "import gradio as gr"),
        ("voicefactory/jobs/worker.py", "from voicefactory import ui"),
        ("voicefactory/jobs/worker.py", "from voicefactory.engines.qwen3_tts import toy"),
        ("voicefactory/ui/app.py", "from voicefactory.engines import qwen3_tts"),
        ("voicefactory/pipeline/extract.py", "import qwen_tts.core"),
        ("voicefactory/types.py", "import importlib\nimportlib.import_module('voicefactory.cli')"),
    ],
)
def test_a_violation_is_found(place: str, code: str) -> None:
    assert violations(ROOT / place, ast.parse(code))


def test_the_commands_that_only_look_load_nothing_heavy() -> None:
    """`voicefactory --help` answers at once because of this."""
    code = "import sys, voicefactory.cli; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    assert not HEAVY & set(done.stdout.split())
