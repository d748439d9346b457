"""All checks, in the order in which a person would mend things."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from voicefactory.doctor import cards, models, packages, place
from voicefactory.doctor.finding import Finding, fault

_CHECKS: tuple[tuple[str, Callable[[Path], Iterator[Finding]]], ...] = (
    ("settings", place.settings_that_are_set),
    ("offline", place.offline),
    ("home", place.home_folder),
    ("disk", place.disk),
    ("jobs", place.job_table),
    ("app", place.app),
    ("python", packages.python),
    ("packages", packages.versions),
    ("engine", packages.engines),
    ("watermark", packages.watermark),
    ("driver", cards.driver),
    ("torch", cards.torch_and_cards),
    ("sound", models.decoding),
    ("whisper", models.whisper),
    ("base model", models.base_model),
)


def examine() -> Iterator[Finding]:
    """What every check finds, as it is found. Takes a few seconds, most of them for importing torch."""
    home = place.home_of()
    for about, check in _CHECKS:
        try:
            yield from check(home)
        except Exception as error:  # noqa: BLE001 - what is broken here is what the others are for
            told = f"This could not be checked: {type(error).__name__}: {str(error).strip() or 'no reason given'}"
            yield fault(about, told.splitlines()[0], "See the other lines; with VOICEFACTORY_DEBUG=1 run what fails.")
