"""Texts without audio: one sentence a line. The base model itself says them, and is trained on what it said.

That can only change how texts are read, never the voice, so it is allowed for presets that train nothing but the
text embedding. Nobody has measured what it is good for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from voicefactory.errors import InputError
from voicefactory.pipeline.sources import shown_name
from voicefactory.presets import Preset
from voicefactory.types import ExtraText, Refused

MOST_LETTERS = 300  #: of one line; more than that is more than a clip may have
_MOST_BYTES = 20_000_000


def check_texts_allowed(preset: Preset) -> None:
    """Raise InputError unless `preset` trains the text embedding and nothing else."""
    trained = {key for key, value in preset.model_dump().items() if key.startswith("train_") and value}
    if trained != {"train_text_embedding"} or preset.adapter != "none":
        raise InputError(
            f"Texts without audio (--extra-texts) cannot be used with the preset {preset.name}, which would train the "
            "voice on the model's own speech. Leave them out, or choose the preset text-embedding-only."
        )


def read_extra_texts(path: Path, language: str, speakers: Sequence[str] = ()) -> tuple[list[ExtraText], list[Refused]]:
    """Read the lines of a UTF-8 file; empty ones are skipped. `speakers` take turns.

    Raises InputError if there is no such file, or no usable line in it.
    """
    path = path.expanduser()
    name = shown_name(path.name)
    if not path.is_file():
        raise InputError(f"There is no file with extra texts {shown_name(str(path))!r}. Check the path.")
    if path.stat().st_size > _MOST_BYTES:
        raise InputError(f"{name} is larger than {_MOST_BYTES // 1_000_000} MB, so it is no list of sentences.")
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{name} is not UTF-8 text. Save it as UTF-8, one sentence a line.") from None
    taken: dict[str, ExtraText] = {}
    refused: list[Refused] = []
    for number, line in enumerate(lines, 1):
        text, place = " ".join(line.split()), f"{name}, line {number}"
        if not text:
            continue
        identifier = f"text:{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        if reason := _why_not(text, identifier in taken):
            refused.append(Refused(place, reason))
        else:
            speaker = speakers[len(taken) % len(speakers)] if speakers else ""
            taken[identifier] = ExtraText(identifier, text, language, speaker, place)
    if not taken:
        first = f" {refused[0].file}: {refused[0].reason}" if refused else ""
        raise InputError(f"There is no usable sentence in {name}.{first} Write one sentence a line.")
    return list(taken.values()), refused


def _why_not(text: str, known: bool) -> str:
    if known:
        return "It is there twice; once is enough."
    if not any(char.isalnum() for char in text) or not text.isprintable():
        return "It is not a sentence that can be said."
    if len(text) > MOST_LETTERS:
        return f"It has {len(text)} characters; at most {MOST_LETTERS} are taken. Cut it into sentences."
    return ""
