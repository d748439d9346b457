"""Was the sentence read, and can the take be used? By real Whisper and the same measures as every clip.

The page records one prompt at a time and calls `check_reading`; then `keep_take` (takes.py) if it is ok or the person
wants it anyway, otherwise it shows the reason and the person reads again. Nothing is written here.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import soxr

from voicefactory.audio.convert import convert
from voicefactory.audio.quality import measure
from voicefactory.audio.vad import VAD_RATE, speech_in, speech_stretches
from voicefactory.audio.wav import Samples, read_wav
from voicefactory.errors import InputError
from voicefactory.languages import AUTO, WHISPER_CODES
from voicefactory.pipeline.asr import Asr, open_asr
from voicefactory.pipeline.prompts import Prompt, reading_seconds
from voicefactory.pipeline.takes import PADDING_S
from voicefactory.pipeline.wording import Said, compare
from voicefactory.settings import settings
from voicefactory.types import MAX_CLIP_S, MIN_CLIP_S, SAMPLE_RATE, Quality

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

#: Share of the words (characters) that may be wrong. A half sentence has 0.5. Small Whisper models mishear 4 % of
#: English and 10 to 14 % of other languages; Japanese is written in several ways.
MOST_WRONG = {"english": 0.25, "japanese": 0.45}
_MOST_WRONG = 0.35
_GAP = 3  #: so many words of the sentence missing in a row are a part that was left out
_GAP_CHARACTERS = 6
_QUIET_DBFS, _TOO_QUIET_DBFS = -42.0, -50.0  #: speech as it was recorded
_NOISY_DB, _TOO_NOISY_DB = 20.0, 12.0  #: speech above the pauses
_CLIPPED = 0.0005  #: share of samples at full scale
_PACE = (0.45, 2.5)  #: of the time that the sentence usually takes


@dataclass(frozen=True)
class Reading:
    """What was found out about one take of one prompt."""

    prompt: Prompt
    ok: bool
    reasons: tuple[str, ...]  #: why it should be read again; sentences, empty if ok
    notes: tuple[str, ...]  #: what could be better, though it can be used
    heard: str  #: Whisper's text; empty if it could not listen
    error_rate: float | None  #: 0 = every word as written; None if Whisper could not check it
    words: tuple[Said, ...]  #: of the prompt, and whether each was heard
    seconds: float  #: of the speech with the quiet that is kept around it
    start_s: float  #: of the speech, in the audio
    end_s: float
    level_dbfs: float  #: of the speech as it was recorded
    quality: Quality | None  #: None if there is no speech

    @property
    def missing(self) -> tuple[str, ...]:
        """The words of the prompt that were not heard."""
        return tuple(word.text for word in self.words if not word.said)

    def to_json(self) -> dict[str, Any]:
        """For the page and scripts."""
        return {
            "prompt": self.prompt.id,
            "ok": self.ok,
            "reasons": list(self.reasons),
            "notes": list(self.notes),
            "heard": self.heard,
            "error_rate": self.error_rate,
            "missing": list(self.missing),
            "seconds": self.seconds,
            "level_dbfs": self.level_dbfs,
            "snr_db": self.quality.snr_db if self.quality else None,
        }


def check_reading(audio: Path, prompt: Prompt, model: WhisperModel) -> Reading:
    """Listen to a take of `prompt` in any audio file, and judge it.

    `model` comes from `listener`. A model that hears English only cannot check other languages: then only the sound
    is judged, and a note says so. What cannot be decoded at all is not ok, with the reason; nothing is raised.
    """
    with tempfile.TemporaryDirectory() as scratch:
        wav = Path(scratch) / "take.wav"
        try:
            converted = convert(audio, wav, max_minutes=settings().max_recording_minutes)
        except InputError as reason:
            return _unusable(prompt, f"{reason} Record it again.")
        samples = read_wav(wav)
    probabilities = speech_in(samples)
    speech = speech_stretches(probabilities, min_pause_s=0.1)
    if not speech:
        return _unusable(prompt, "No speech was heard in it. Check the microphone, then read the sentence again.")
    start_s, end_s = speech[0].start_s, speech[-1].end_s
    quality, unusable = measure(samples, probabilities, full_scale=10 ** (converted.gain_db / 20))
    level_dbfs = round(quality.rms_dbfs - converted.gain_db, 1)
    reasons = _about_length(end_s - start_s)
    bad, notes = _about_sound(quality, level_dbfs, unusable)
    reasons += bad
    heard = ""
    error_rate: float | None = None
    words: tuple[Said, ...] = ()
    if model.model.is_multilingual or prompt.language == "english":
        cut = samples[round(max(0.0, start_s - PADDING_S) * SAMPLE_RATE) : round((end_s + PADDING_S) * SAMPLE_RATE)]
        heard = _hear(model, cut, prompt.language)
        found = compare(prompt.text, heard, prompt.language)
        error_rate, words = found.error_rate, found.words
        reasons += _about_words(found.words, found.error_rate, found.added, heard, prompt.language)
    else:
        notes.append("Whether the sentence was read could not be checked: this Whisper model hears English only.")
    if not reasons:  # of half a sentence the pace says nothing
        notes += _about_pace(end_s - start_s, prompt)
    return Reading(
        prompt=prompt,
        ok=not reasons,
        reasons=tuple(reasons),
        notes=tuple(notes),
        heard=heard,
        error_rate=error_rate,
        words=words,
        seconds=round(end_s - start_s + 2 * PADDING_S, 2),
        start_s=start_s,
        end_s=end_s,
        level_dbfs=level_dbfs,
        quality=quality,
    )


def reading_of(row: Mapping[str, Any]) -> Reading:
    """The reading whose `dataclasses.asdict` was written down."""
    quality = row["quality"] and Quality(**{**row["quality"], "verdicts": tuple(row["quality"]["verdicts"])})
    told = {name: tuple(row[name]) for name in ("reasons", "notes")}
    words = tuple(Said(**word) for word in row["words"])
    return Reading(**{**row, **told, "prompt": Prompt(**row["prompt"]), "words": words, "quality": quality})


@functools.lru_cache(maxsize=1)
def listener(asr: str = AUTO, device: str = AUTO) -> tuple[Asr, WhisperModel]:
    """The Whisper model for `check_reading`, loaded once a process. Raises as `asr.open_asr`."""
    return open_asr(asr, device)


def _unusable(prompt: Prompt, reason: str) -> Reading:
    words = tuple(Said(word, False) for word in prompt.text.split())
    return Reading(prompt, False, (reason,), (), "", None, words, 0.0, 0.0, 0.0, -100.0, None)


def _hear(model: WhisperModel, samples: Samples, language: str) -> str:
    segments, _ = model.transcribe(
        soxr.resample(samples, SAMPLE_RATE, VAD_RATE),
        language=WHISPER_CODES[language],
        condition_on_previous_text=False,
        without_timestamps=True,
    )
    return " ".join("".join(segment.text for segment in segments).split())


def _about_length(seconds: float) -> list[str]:
    if seconds + 2 * PADDING_S > MAX_CLIP_S:
        return [f"It took {seconds:.0f} s; at most {MAX_CLIP_S:g} s can be used. Read it again with shorter pauses."]
    if seconds < MIN_CLIP_S:
        return [f"There is only {seconds:.1f} s of speech in it. Read the whole sentence."]
    return []


def _about_sound(quality: Quality, level_dbfs: float, unusable: str | None) -> tuple[list[str], list[str]]:
    """What speaks against the take, and what could be better."""
    reasons, notes = [], []
    if level_dbfs < _TOO_QUIET_DBFS or (unusable and level_dbfs < _QUIET_DBFS):
        reasons.append(f"It is too quiet ({level_dbfs:.0f} dBFS). Turn the microphone up, or move closer to it.")
    elif level_dbfs < _QUIET_DBFS:
        notes.append(f"It is rather quiet ({level_dbfs:.0f} dBFS). A little closer to the microphone would be better.")
    elif unusable:
        reasons.append(f"It cannot be used: {unusable}.")
    if quality.snr_db < _TOO_NOISY_DB:
        reasons.append(f"It is too noisy: you are {quality.snr_db:.0f} dB above the background. Find a quieter place.")
    elif quality.snr_db < _NOISY_DB:
        notes.append(f"There is some noise: you are {quality.snr_db:.0f} dB above the background.")
    if quality.clipped_share > _CLIPPED:
        reasons.append("It is too loud: the peaks are cut off. Turn the microphone down, or move away from it.")
    return reasons, notes


def _about_pace(seconds: float, prompt: Prompt) -> list[str]:
    share = seconds / reading_seconds(prompt.text, prompt.language)
    if share < _PACE[0]:
        return ["That was very fast. Take your time, unless you want a voice in a hurry."]
    if share > _PACE[1]:
        return ["That was very slow, or had long pauses. The voice will speak as you read."]
    return []


def _about_words(words: tuple[Said, ...], error_rate: float, added: int, heard: str, language: str) -> list[str]:
    said = sum(word.said for word in words)
    if not heard or said <= 0.2 * len(words):
        return [
            f"Another sentence was heard: “{_short(heard)}”." if heard else "No word was understood. Read it again."
        ]
    by_character = language in ("chinese", "japanese", "korean")
    gap = _longest_gap(words, _GAP_CHARACTERS if by_character else _GAP)
    if gap is not None:
        first, last = gap
        part = ("" if by_character else " ").join(word.text for word in words[first:last])
        if last == len(words):
            return [f"The end is missing: “{_short(part)}”. Read the whole sentence."]
        return [f"{'The beginning' if first == 0 else 'A part'} was not heard: “{_short(part)}”. Read it again."]
    if error_rate > MOST_WRONG.get(language, _MOST_WRONG):
        more = f" and {added} were added" if added > 2 else ""
        return [f"{len(words) - said} of {len(words)} words were not heard as written{more}. Read it again."]
    return []


def _longest_gap(words: tuple[Said, ...], least: int) -> tuple[int, int] | None:
    """The longest row of words that were not heard (first, last + 1), if it has at least `least`."""
    gaps, first = [], None
    for at, word in enumerate((*words, Said("", True))):
        if not word.said and first is None:
            first = at
        elif word.said and first is not None:
            gaps.append((first, at))
            first = None
    longest = max(gaps, key=lambda gap: gap[1] - gap[0], default=(0, 0))
    return longest if longest[1] - longest[0] >= least else None


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
