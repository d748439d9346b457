"""What Whisper makes of clips: heard together in windows of 30 s, and again alone where that left a doubt.

Whisper was trained on subtitles, so where nobody speaks it may still write "Thank you for watching". Such sentences
are not known by a list: a text is not believed when the sound cannot hold it. `PHANTOM` has the evidence.
"""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from voicefactory.audio.vad import SPEECH_ABOVE, WINDOW_S, speech_in
from voicefactory.audio.wav import read_wav
from voicefactory.errors import InputError
from voicefactory.languages import AUTO, NAMES, WHISPER_CODES
from voicefactory.pipeline.asr import Asr, open_asr
from voicefactory.pipeline.windows import WHISPER_RATE, Window, pack
from voicefactory.pipeline.windows import WINDOW_S as FULL_WINDOW_S
from voicefactory.types import Clip

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

_WINDOWS_AT_ONCE = {"cuda": 16, "cpu": 2}  # a CPU gains nothing from more, and a kill loses one batch
_DETECTION_CLIPS = 8
_DOUBTFUL_CONFIDENCE = 0.6
_LETTERS_PER_SECOND = (3.0, 32.0)  # slower or faster than anyone speaks
_REPEATED = 2.2  # text that zlib packs better than this goes round in circles


@dataclass(frozen=True)
class Phantom:
    """When a text that was heard alone is not believed."""

    speech_s: float = 0.3  #: less speech than this (VAD) holds no word
    words_per_speech_second: float = 8.0  #: more than anyone says
    no_speech: float = 0.6  #: Whisper's own probability that nobody speaks, if it is unsure of the words too
    compression: float = _REPEATED  #: the text goes round in circles


PHANTOM = Phantom()


@dataclass(frozen=True)
class Heard:
    """What Whisper made of one clip. `doubt` says why a text was not believed; then `text` is empty."""

    text: str
    confidence: float  #: mean probability of the words, 0 to 1
    doubt: str = ""


NOTHING = Heard("", 0.0)


@dataclass
class Listener:
    """A loaded model, and the language it listens in."""

    found: Asr
    model: WhisperModel
    code: str  #: Whisper's; empty = not settled yet
    language: str  #: the engine's name, or "auto" if it has none for this language
    device: str


def open_listener(asr: str, language: str, device: str) -> Listener:
    """Load a model. With language "auto" and a model of several languages, call `settle` before `hear`.

    Raises InputError for an unknown model, or a language that it does not hear, and ModelUnavailableError.
    """
    found, model = open_asr(asr, device)
    several = bool(model.model.is_multilingual)
    if not several and language not in (AUTO, "english"):
        raise InputError(
            f"The Whisper model {found.name} hears English only, and the language is {language}. Choose another "
            "model (--asr), bring the texts (--transcripts), or set --language english."
        )
    listener = Listener(found, model, "", AUTO, model.model.device)
    if language != AUTO:
        settle(listener, WHISPER_CODES[language])
    elif not several:
        settle(listener, "en")
    return listener


def settle(listener: Listener, code: str) -> None:
    """Listen in the language with Whisper's `code`."""
    listener.code, listener.language = code, NAMES.get(code, AUTO)


def detect_language(model: WhisperModel, clips: Sequence[Clip]) -> str:
    """Whisper's code of the language spoken, from the probabilities over the longest clips together."""
    longest = sorted(clips, key=lambda clip: -clip.seconds)[:_DETECTION_CLIPS]
    sums: dict[str, float] = {}
    for clip in longest:
        _, _, probabilities = model.detect_language(read_wav(clip.audio, rate=WHISPER_RATE))
        for code, probability in probabilities:
            sums[code] = sums.get(code, 0.0) + probability
    return max(sums, key=lambda code: sums[code])


def hear(listener: Listener, clips: Sequence[Clip]) -> Iterator[dict[str, Heard]]:
    """Clip id → what was heard, a batch of windows at a time, in the order of the clips."""
    windows = pack(clips)
    while batch := list(itertools.islice(windows, _WINDOWS_AT_ONCE[listener.device])):
        heard = _hear_together(listener, batch)
        for clip in (clip for window in batch for clip in window.clips):
            if _is_doubtful(heard[clip.id], clip):
                heard[clip.id] = _better(heard[clip.id], _hear_alone(listener, clip), clip)
        yield heard


def _hear_together(listener: Listener, windows: list[Window]) -> dict[str, Heard]:
    """One batch; each window begins at a multiple of 30 s, so a word's time says which window it is in."""
    from faster_whisper import BatchedInferencePipeline

    sound = np.zeros(round(FULL_WINDOW_S * WHISPER_RATE) * len(windows), dtype=np.float32)
    loaded = [window.load() for window in windows]
    times = []
    for index, part in enumerate(loaded):
        first = round(index * FULL_WINDOW_S * WHISPER_RATE)
        sound[first : first + len(part.samples)] = part.samples
        times.append({"start": index * FULL_WINDOW_S, "end": index * FULL_WINDOW_S + part.window.seconds})
    segments, _ = BatchedInferencePipeline(listener.model).transcribe(
        sound,
        language=listener.code,
        clip_timestamps=times,
        batch_size=len(windows),
        word_timestamps=True,
        without_timestamps=True,
    )
    words: dict[str, list[Any]] = {clip.id: [] for window in windows for clip in window.clips}
    for segment in segments:
        index = round(segment.seek / 100 / FULL_WINDOW_S)  # seek counts 10 ms
        for word in segment.words or ():
            if clip := loaded[index].clip_of(word.start - index * FULL_WINDOW_S, word.end - index * FULL_WINDOW_S):
                words[clip.id].append(word)
    return {identifier: _join(spoken) for identifier, spoken in words.items()}


def _hear_alone(listener: Listener, clip: Clip) -> Heard:
    """Slower and surer: only where there is speech, and with Whisper's retries at a higher temperature."""
    sound = read_wav(clip.audio, rate=WHISPER_RATE)
    speech_s = float((speech_in(sound, WHISPER_RATE) >= SPEECH_ABOVE).sum()) * WINDOW_S
    if speech_s < PHANTOM.speech_s:
        return replace(NOTHING, doubt=f"there is only {speech_s:.1f} s of speech in it")
    segments = list(
        listener.model.transcribe(
            sound,
            language=listener.code,
            word_timestamps=True,
            vad_filter=True,
            condition_on_previous_text=False,
        )[0]
    )
    heard = _join([word for segment in segments for word in segment.words or ()])
    no_speech = max((segment.no_speech_prob for segment in segments), default=1.0)
    doubt = phantom(heard, speech_s, no_speech)
    return replace(NOTHING, doubt=doubt) if doubt else heard


def phantom(heard: Heard, speech_s: float, no_speech: float) -> str:
    """Why a text cannot have been said, in a few words; empty if it can.

    `speech_s` is how long someone speaks (VAD), `no_speech` Whisper's probability that nobody does.
    """
    if not heard.text:
        return ""
    words = _count_words(heard.text)
    if words > max(1.0, PHANTOM.words_per_speech_second * speech_s):
        return f"{words} words in {speech_s:.1f} s of speech"
    if no_speech > PHANTOM.no_speech and heard.confidence < _DOUBTFUL_CONFIDENCE:
        return "Whisper itself takes it for silence"
    if _compression(heard.text) > PHANTOM.compression:
        return "the text goes round in circles"
    return ""


def _count_words(text: str) -> int:
    """Words; where none are written apart (Chinese, Japanese), two characters count as one."""
    unspaced = len(re.findall("[\u3040-\u30ff\u3400-\u9fff]", text))
    return len(text.split()) + unspaced // 2


def _join(words: list[Any]) -> Heard:
    text = " ".join("".join(word.word for word in words).split())
    if not any(char.isalnum() for char in text):
        return NOTHING
    return Heard(text, float(np.mean([word.probability for word in words])))


def _compression(text: str) -> float:
    encoded = text.encode()
    return len(encoded) / len(zlib.compress(encoded))


def _is_doubtful(heard: Heard, clip: Clip) -> bool:
    if not heard.text or heard.confidence < _DOUBTFUL_CONFIDENCE:
        return True
    slowest, fastest = _LETTERS_PER_SECOND
    return not slowest <= len(heard.text) / clip.seconds <= fastest or _compression(heard.text) > _REPEATED


def _better(together: Heard, alone: Heard, clip: Clip) -> Heard:
    """What was heard alone, unless it is the weaker of two answers; no speech found means no text."""
    if not alone.text:
        return alone if alone.doubt or together.confidence < _DOUBTFUL_CONFIDENCE else together
    if _is_doubtful(alone, clip) and together.confidence > alone.confidence:
        return together
    return alone
