"""The engines there are, by name. Adding one is one line here and one package beside this file."""

from __future__ import annotations

import importlib

from voicefactory.engines.base import Engine
from voicefactory.errors import InputError, MissingPackageError

#: name -> module with an `ENGINE`. Its own packages are imported only when it works.
_MODULES = {
    "qwen3-tts": "voicefactory.engines.qwen3_tts",
}
DEFAULT = "qwen3-tts"


def names() -> tuple[str, ...]:
    """Every engine's name, the default first."""
    return tuple(_MODULES)


def get(name: str = DEFAULT) -> Engine:
    """The engine of that name.

    Raises InputError naming the valid ones, MissingPackageError saying what to install.
    """
    if name not in _MODULES:
        raise InputError(f"There is no engine {name!r}. Choose one of: {', '.join(_MODULES)}.")
    try:
        engine: Engine = importlib.import_module(_MODULES[name]).ENGINE
    except ImportError as error:
        raise MissingPackageError(f"The engine {name} needs a package that is not installed: {error}.") from error
    return engine
