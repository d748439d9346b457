"""Python and the installed packages, against what VoiceFactory needs and what it was tested with."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import platform
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from voicefactory import __version__
from voicefactory.doctor.finding import Finding, fault, ok, warning
from voicefactory.engines import registry
from voicefactory.errors import MissingPackageError

_PYTHONS = SpecifierSet(">=3.10,<3.13")
_PINS = Path(__file__).resolve().parents[2] / "requirements.txt"  #: in a checkout
_OPTIONAL = {"bitsandbytes"}


def python(home: Path) -> Iterator[Finding]:
    """Whether it is one of those that the packages exist for."""
    version = platform.python_version()
    if version not in _PYTHONS:
        yield fault("python", f"Python {version} is not supported.", "Install Python 3.11, and run make app again.")
    else:
        yield ok("python", f"{version}, VoiceFactory {__version__}")


def versions(home: Path) -> Iterator[Finding]:
    """What is missing, does not fit, or differs from what was tested."""
    needed, tested = _ranges(), _pins()
    wrong = 0
    for name in sorted({**tested, **needed}):
        wanted = needed.get(name) or tested[name]
        found = _installed(wanted.name)
        remedy = f"Run: pip install '{str(tested.get(name) or wanted).partition(';')[0].strip()}'"
        if found is None and name in _OPTIONAL:
            yield warning("packages", f"{name} is not installed: no 4-bit weights, no 8-bit optimiser.", remedy)
        elif found is None:
            yield fault("packages", f"{name} is not installed.", remedy)
        elif name in needed and not needed[name].specifier.contains(found, prereleases=True):
            yield fault("packages", f"{name} {found} does not fit: {needed[name].specifier} is needed.", remedy)
        elif name in tested and not tested[name].specifier.contains(found, prereleases=True):
            yield warning("packages", f"{name} is {found}; {tested[name].specifier} was tested.", remedy)
        else:
            continue
        wrong += 1
    if not wrong:
        yield ok("packages", f"{len({**tested, **needed})} packages, as needed" + (" and as tested" if tested else ""))


def engines(home: Path) -> Iterator[Finding]:
    """Whether each can be looked at. Its packages are imported when it works, since that takes long."""
    for name in registry.names():
        try:
            spec = registry.get(name).spec
        except MissingPackageError as error:
            yield fault("engine", str(error), "Run: pip install -r requirements.txt")
        else:
            yield ok("engine", f"{spec.title} ({name})")


def watermark(home: Path) -> Iterator[Finding]:
    """resemble-perth, if it is there: without what it needs it imports well and marks nothing."""
    if importlib.util.find_spec("perth") is None:
        yield ok("watermark", "resemble-perth is not installed (optional): speech is not watermarked")
    elif getattr(importlib.import_module("perth"), "PerthImplicitWatermarker", None) is None:
        remedy = "Run: pip install 'setuptools<81', and a torchaudio of the same version as torch."
        yield fault("watermark", "resemble-perth is installed, and cannot mark anything.", remedy)
    else:
        yield ok("watermark", "resemble-perth can mark speech")


def _ranges() -> dict[str, Requirement]:
    """What the installed package says it needs; empty if it runs from a checkout without being installed."""
    try:
        lines = importlib.metadata.requires("voicefactory") or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    return _here(Requirement(line) for line in lines)


def _pins() -> dict[str, Requirement]:
    """What was tested: requirements.txt of the checkout; empty without one."""
    if not _PINS.is_file():
        return {}
    lines = (line.partition(" #")[0].strip() for line in _PINS.read_text(encoding="utf-8").splitlines())
    return _here(Requirement(line) for line in lines if line and not line.startswith("#"))


def _here(wanted: Iterator[Requirement]) -> dict[str, Requirement]:
    """Those that count on this machine, by name."""
    return {one.name.lower(): one for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})}


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
