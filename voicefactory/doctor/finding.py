"""What a check says: how it is, and what to do where it is not well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "fault"]


@dataclass(frozen=True)
class Finding:
    """One line of the examination."""

    about: str  #: what was looked at: one or two words
    level: Level  #: fault: something will not work
    told: str  #: how it is
    remedy: str = ""  #: what to do; empty if nothing is wrong


def ok(about: str, told: str) -> Finding:
    """It is as it should be."""
    return Finding(about, "ok", told)


def warning(about: str, told: str, remedy: str) -> Finding:
    """It works, but perhaps not as meant."""
    return Finding(about, "warning", told, remedy)


def fault(about: str, told: str, remedy: str) -> Finding:
    """It will not work."""
    return Finding(about, "fault", told, remedy)
