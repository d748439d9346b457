"""What one spoken audio is like, whoever should have said it: heard once, kept beside the audio, never heard again.

Nothing here knows the speaker or the text. Who is compared with whom, and what should have been said, comes later
(judge_scores.py), so that another set of recordings or another rule costs no second hearing.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from voicefactory import files
from voicefactory.audio.listener_score import listener_score
from voicefactory.audio.onset import first_second, level_against_rest_db
from voicefactory.audio.speaker_encoder import Embedding, embed
from voicefactory.audio.vad import SPEECH_ABOVE, VAD_RATE, WINDOW_S, speech_in
from voicefactory.audio.wav import Samples
from voicefactory.engines.base import EmbedSpeaker
from voicefactory.errors import InputError
from voicefactory.languages import WHISPER_CODES
from voicefactory.pipeline.asr import Asr, open_asr

_VERSION = 1  # raise it when the same audio measures something else
_LEAST_S = 0.1  # less is a click


@dataclass(frozen=True)
class Sound:
    """What was found in one audio. Embeddings are unit vectors; None where there is too little voice for one."""

    seconds: float
    speech_s: float  #: of it, by voice activity
    heard: str  #: Whisper's text
    dnsmos: float | None  #: 1 to 5
    voice: Embedding | None  #: by the independent encoder, shape (256,)
    own_voice: Embedding | None  #: by the engine's own encoder
    first_voice: Embedding | None  #: of the first second of sound, by the independent encoder
    first_level_db: float | None  #: of the first second against the rest

    @property
    def silence_share(self) -> float:
        """0 to 1."""
        return 1 - self.speech_s / self.seconds if self.seconds else 1.0


class Judge:
    """The loaded ears: Whisper in one language, two speaker encoders, DNSMOS.

    Raises InputError for a language that the Whisper model does not hear, and as `open_asr`.
    """

    def __init__(self, language: str, asr: str, device: str, own_encoder: EmbedSpeaker, encoder_key: str) -> None:
        self.found: Asr
        self.found, self._whisper = open_asr(asr, device)
        if language != "english" and not self._whisper.model.is_multilingual:
            raise InputError(
                f"The Whisper model {self.found.name} hears English only, and the voice speaks {language}: nobody "
                "could say whether it is understood. Choose another model (--asr)."
            )
        self._code = WHISPER_CODES[language]
        self._own_encoder = own_encoder
        self._inputs = {"version": _VERSION, "asr": str(self.found.path), "code": self._code, "encoder": encoder_key}

    def listen(self, audio: Path, kept: Path) -> Sound:
        """Measure `audio` (mono, 24 kHz), unless `kept` (JSON) has what it measured before."""
        inputs = {**self._inputs, "audio": files.sha256_of(audio)}
        if kept.exists() and (row := files.read_json(kept))["inputs"] == inputs:
            return _from_row(row["sound"])
        sound = self._measure(audio)
        files.write_json(kept, {"inputs": inputs, "sound": _to_row(sound)})
        return _from_row(_to_row(sound))  # as it will be read again

    def _measure(self, audio: Path) -> Sound:
        samples, rate = soundfile.read(audio, dtype="float32")
        if len(samples) < _LEAST_S * rate:
            return Sound(len(samples) / rate, 0.0, "", None, None, None, None, None)
        speaking = speech_in(samples, rate) >= SPEECH_ABOVE
        return Sound(
            seconds=len(samples) / rate,
            speech_s=min(len(samples) / rate, float(speaking.sum()) * WINDOW_S),
            heard=self._hear(samples, rate),
            dnsmos=_or_none(lambda: listener_score(samples, rate)),
            voice=_or_none(lambda: embed(samples, rate)),
            own_voice=_or_none(lambda: self._own_encoder(audio)),
            first_voice=_or_none(lambda: embed(first_second(samples, rate)[0], rate)),
            first_level_db=level_against_rest_db(samples, rate),
        )

    def _hear(self, samples: Samples, rate: int) -> str:
        """The likeliest words. Never a second try at a higher temperature: that may guess the words of mumbling,
        and says something else each time."""
        segments, _ = self._whisper.transcribe(
            soxr.resample(samples, rate, VAD_RATE),
            language=self._code,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
        )
        return " ".join("".join(segment.text for segment in segments).split())


def _or_none(measure: Callable[[], Any]) -> Any:
    """Silence and snippets have no voice and no score, which is a finding, not a failure."""
    try:
        return measure()
    except InputError:
        return None


_VECTORS = ("voice", "own_voice", "first_voice")


def _to_row(sound: Sound) -> dict[str, Any]:
    row = asdict(sound)
    for name in _VECTORS:
        vector = row[name]
        row[name] = None if vector is None else base64.b64encode(vector.astype("<f2").tobytes()).decode()
    return row


def _from_row(row: dict[str, Any]) -> Sound:
    vectors = {
        name: np.frombuffer(base64.b64decode(row[name]), dtype="<f2").astype(np.float32) if row[name] else None
        for name in _VECTORS
    }
    return Sound(**{**row, **vectors})
