"""How fast a text is spoken: characters and words for every second of speech. Pauses do not count."""

from __future__ import annotations

import re
from collections.abc import Mapping

from voicefactory.languages import AUTO
from voicefactory.types import Transcript

PACE = ("chars_per_s", "words_per_s")
_NO_SPACES = {"chinese": "Chinese", "japanese": "Japanese"}
_DIGIT = 4  # the names of the ten digits in English have 4.0 letters on average
_LEAST_SPEECH_S = 0.3
_KANA = re.compile(r"[\u3040-\u30ff]")
_HANGUL = re.compile(r"[\u1100-\u11ff\uac00-\ud7af]")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


def pace(transcript: Transcript, sound: Mapping[str, float]) -> tuple[dict[str, float], dict[str, str]]:
    """(measures, missing) of a text that is spoken in a clip of which `sound` was measured."""
    if not transcript.text.strip():
        return {}, dict.fromkeys(PACE, "It has no text.")
    if "duration_s" not in sound or "silence_share" not in sound:
        return {}, dict.fromkeys(PACE, "Nobody knows how long someone speaks in it.")
    speech_s = sound["duration_s"] * (1 - sound["silence_share"])
    if speech_s < _LEAST_SPEECH_S:
        return {}, dict.fromkeys(PACE, "No speech was heard in it.")
    language = written_in(transcript)
    measures = {"chars_per_s": round(_letters(transcript.text, language) / speech_s, 2)}
    if language in _NO_SPACES:
        return measures, {"words_per_s": f"{_NO_SPACES[language]} is written without spaces between the words."}
    measures["words_per_s"] = round(sum(any(map(str.isalnum, word)) for word in transcript.text.split()) / speech_s, 2)
    return measures, {}


def written_in(transcript: Transcript) -> str:
    """The engine's name of the language whose limits hold; where nobody said, by the script."""
    if transcript.language != AUTO:
        return transcript.language
    if _KANA.search(transcript.text):
        return "japanese"
    if _HANGUL.search(transcript.text):
        return "korean"
    return "chinese" if _HAN.search(transcript.text) else AUTO


def _letters(text: str, language: str) -> int:
    """Letters; a digit is spoken as a word, or as one syllable where a character is one."""
    digit = 1 if language in (*_NO_SPACES, "korean") else _DIGIT
    return sum(map(str.isalnum, text)) + (digit - 1) * sum(map(str.isdigit, text))
