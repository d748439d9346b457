"""What the page knows of base models: which are offered, which comes first, which make noise."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path

from voicefactory.engines import registry
from voicefactory.errors import VoiceFactoryError
from voicefactory.settings import settings

TOY = "toy"


@functools.lru_cache(maxsize=8)
def default(engine: str) -> str:
    """The base model that is offered first. Asked once: the answer may need the network."""
    return settings().model or registry.get(engine).default_model()


def offered(engine: str) -> list[str]:
    """The base models to choose from, the default among them."""
    return list(dict.fromkeys([default(engine), *registry.get(engine).spec.base_models]))


def is_toy(engine: str, model: str) -> bool:
    """True if this base model, or the voice in this folder, makes noise instead of speech."""
    model = model.strip() if model else default(engine)
    if model == TOY:
        return True
    path = Path(model).expanduser()
    with contextlib.suppress(VoiceFactoryError, OSError):
        return path.is_dir() and registry.get(engine).is_toy(path)
    return False


def speakers(engine: str, voice: str) -> list[str]:
    """Who the voice in this folder can speak as, the newest first; nobody for a base model."""
    path = Path(voice).expanduser()
    with contextlib.suppress(VoiceFactoryError, OSError):
        return list(reversed(registry.get(engine).speakers(path))) if path.is_dir() else []
    return []
