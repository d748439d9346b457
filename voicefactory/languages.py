"""The languages a voice can be made in: the engine's name for each, and Whisper's code."""

from __future__ import annotations

from voicefactory.errors import InputError

AUTO = "auto"

#: engine name -> Whisper code; the ten languages of Qwen3-TTS.
WHISPER_CODES = {
    "chinese": "zh",
    "english": "en",
    "french": "fr",
    "german": "de",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "portuguese": "pt",
    "russian": "ru",
    "spanish": "es",
}
NAMES = {code: name for name, code in WHISPER_CODES.items()}


def parse_language(value: str) -> str:
    """Return the engine's name for `value` ("English", "en", "auto").

    Raises InputError naming the valid ones.
    """
    wanted = value.strip().lower()
    name = NAMES.get(wanted, wanted)
    if name == AUTO or name in WHISPER_CODES:
        return name
    valid = ", ".join([AUTO, *WHISPER_CODES])
    raise InputError(f"{value!r} is not a language this can train. Choose one of: {valid}.")
