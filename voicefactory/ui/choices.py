"""What a browser chose from a list, checked: a request can name anything, also what the page has never offered.

The command line takes a folder or a file where it takes a name, and so may the person at this computer on the page. For
anybody else a path would open what lies on this machine, voices of others among it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from voicefactory.errors import InputError
from voicefactory.owners import LOCAL
from voicefactory.presets import preset_files
from voicefactory.ui import models, text

_HUB_NAME = re.compile(r"(?!.*\.\.)\w[\w.-]*/\w[\w.-]*", re.ASCII)


def preset(name: str) -> str:
    """One of the presets that come along. Raises InputError for everything else, files among it."""
    if name not in preset_files():
        raise InputError(f"There is no preset {name!r}. Choose one of: {', '.join(sorted(preset_files()))}.")
    return name


def base_model(engine: str, model: str | None, owner: str) -> str:
    """A base model: one that is offered, or by its name on the Hub; the default if none is named.

    Raises InputError for a folder, unless it is the person at this computer who asks.
    """
    wanted = (model or "").strip() or models.default(engine)
    if owner == LOCAL or wanted == models.TOY or wanted in models.offered(engine):
        return wanted
    if not _HUB_NAME.fullmatch(wanted) or Path(wanted).exists():
        raise InputError(text.MODEL_UNKNOWN)
    return wanted


def whisper_size(name: str | None, offered: Collection[str], owner: str) -> str:
    """A size of Whisper out of those that are offered. Raises InputError for what is none.

    The person at this computer may name a folder.
    """
    wanted = (name or "").strip()
    if not wanted or (owner != LOCAL and wanted not in offered):
        raise InputError(text.ASR_FIRST)
    return wanted
