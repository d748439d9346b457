"""`voicefactory doctor` in words: a line for each finding, and under it what to do."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from voicefactory.doctor.finding import Finding

_WIDE = 110


def lines(findings: Iterable[Finding]) -> Iterator[str]:
    """As they are found, since some take a second."""
    for one in findings:
        yield f"{one.level:<8} {one.about:<11} {one.told}"
        if one.remedy:
            margin = " " * 21
            yield textwrap.fill(one.remedy, _WIDE, initial_indent=f"{margin}→ ", subsequent_indent=f"{margin}  ")


def is_sick(findings: Iterable[Finding]) -> bool:
    """Whether something will not work."""
    return any(one.level == "fault" for one in findings)
