"""What several commands share: the home that --home names, a file to write, the word on the toy."""

from __future__ import annotations

import os
from pathlib import Path

from voicefactory.errors import InputError

TOY = "Note: the toy model makes noise, not speech. It is there to try the way out."


def use_home(home: Path | None) -> None:
    """--home is for everything below, also for processes that it starts."""
    if home is not None:
        from voicefactory.settings import settings

        os.environ["VOICEFACTORY_HOME"] = str(home.expanduser().resolve())
        settings.cache_clear()


def refuse_folder(out: Path, example: str) -> None:
    """Raise InputError if what should be written is a folder."""
    if out.is_dir():
        raise InputError(f"{out} is a folder. Give the file to write, for example {out / example}.")
