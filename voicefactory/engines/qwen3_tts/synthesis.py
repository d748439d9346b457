"""Speak: with a trained voice, or with a base model as a zero-shot clone of a reference.

The model sometimes never stops, so every text has a cap on its length; what runs into the cap is tried
again with another seed.
"""

from __future__ import annotations

import math
import re
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import torch

from voicefactory.engines.base import Speech
from voicefactory.engines.qwen3_tts.codes import FRAME_RATE, SAMPLES_PER_FRAME
from voicefactory.engines.qwen3_tts.facts import (
    REFERENCE,
    is_toy,
    own_reference,
    read_config,
    speakers,
    takes_instructions,
)
from voicefactory.engines.qwen3_tts.model import load_model
from voicefactory.errors import InputError
from voicefactory.languages import AUTO
from voicefactory.types import Reference

ATTEMPTS = 3
TOY_FRAMES = 25  #: two seconds
#: generous upper bounds on how long text takes to say, in seconds
_SECONDS_PER_LETTER = 0.15
_SECONDS_PER_IDEOGRAPH = 0.6  # also kana and hangul syllables
_SECONDS_PER_DIGIT = 0.8
_SECONDS_BESIDE = 3.0  #: for breath, pauses and a slow start
_NOT_HEARD_SMALL = (
    "Models of the size 0.6B take no instructions, so this one was left out. Use a voice of the size 1.7B."
)
_NOT_HEARD_CLONING = "A base model that imitates a reference takes no instructions, so this one was left out."


def max_frames(text: str) -> int:
    """The most frames (12.5 a second) that saying `text` can need."""
    seconds = _SECONDS_BESIDE
    for char in text:
        if char.isdigit():
            seconds += _SECONDS_PER_DIGIT
        elif unicodedata.category(char) == "Lo":
            seconds += _SECONDS_PER_IDEOGRAPH
        else:
            seconds += _SECONDS_PER_LETTER
    return math.ceil(seconds * FRAME_RATE)


class Qwen3Synthesizer:
    """A loaded Qwen3-TTS model directory; see `Synthesizer` in `engines.base`."""

    def __init__(self, source: Path, device: str) -> None:
        bf16 = device.startswith("cuda") and torch.cuda.is_bf16_supported()
        dtype = torch.bfloat16 if bf16 else torch.float32
        config = read_config(source)
        self.cloning = config.get("tts_model_type") == "base"
        self.wrapper = load_model(source, device=device, dtype=dtype, as_base=self.cloning)
        self.toy = is_toy(source)
        self.languages = tuple(config["talker_config"]["codec_language_id"])
        self.speakers = speakers(source)
        self.takes_instructions = takes_instructions(source)
        self._prompts: dict[Path, Any] = {}
        own = own_reference(source)
        #: what a voice without training imitates when nothing else is given
        self._own = Reference(source / REFERENCE, own["text"], 0.0, 1.0, ()) if own else None

    def speak(
        self,
        text: str,
        *,
        language: str = AUTO,
        seed: int = 0,
        temperature: float | None = None,
        greedy: bool = False,
        reference: Reference | None = None,
        speaker: str | None = None,
        instruct: str = "",
    ) -> Speech:
        """Speak `text` as `speaker` (the newest, if nobody is named), or with a base model as a clone of `reference`.

        `instruct` says how; where the model takes no instructions, `Speech.notice` says that it was left out.

        The same seed gives the same samples on the same machine. What does not stop before the cap is tried
        again with the next seed, up to three times (greedy: once), and marked as a runaway after that.
        """
        text = re.sub(r"\s+", " ", text).strip()
        if not text:
            raise InputError("The text is empty. Write what the voice should say.")
        if language != AUTO and language not in self.languages:
            raise InputError(f"This voice has no language {language!r}. Choose auto or {', '.join(self.languages)}.")
        speaker = self._known(speaker)
        instruct, notice = self._heard(instruct)
        cap = max_frames(text)
        if self.toy and not greedy:  # it rarely comes to an end, and two seconds of noise are enough
            cap = min(cap, TOY_FRAMES)
        sampling: dict[str, Any] = {"max_new_tokens": cap + 1}
        if greedy:
            sampling |= {"do_sample": False, "subtalker_dosample": False, "repetition_penalty": 1.0}
        elif temperature is not None:
            sampling |= {"temperature": temperature, "subtalker_temperature": temperature}
        for attempt in range(1 if greedy or self.toy else ATTEMPTS):
            torch.manual_seed(seed + attempt)
            samples, rate = self._generate(text, language, reference, speaker, instruct, sampling)
            frames = round(len(samples) / SAMPLES_PER_FRAME)
            runaway = frames >= cap
            if not runaway:
                break
        return Speech(samples, rate, seed + attempt, runaway, frames, notice)

    def _known(self, speaker: str | None) -> str:
        """The speaker's name as the model has it; the newest one if nobody is named, empty for a base model."""
        if not speaker:
            return self.speakers[-1] if self.speakers else ""
        wanted = " ".join(speaker.split()).lower()
        if wanted in self.speakers:
            return wanted
        if not self.speakers:
            raise InputError("A base model has no speakers: it imitates a reference. Leave the speaker out.")
        raise InputError(f"This voice has no speaker {speaker!r}. It has: {', '.join(self.speakers)}.")

    def _heard(self, instruct: str) -> tuple[str, str]:
        """The instruction as the model is given it, and what there is to say about it."""
        instruct = instruct.strip()
        if instruct and (self.cloning or not self.takes_instructions):
            return "", _NOT_HEARD_CLONING if self.cloning else _NOT_HEARD_SMALL
        return instruct, ""

    def _generate(
        self,
        text: str,
        language: str,
        reference: Reference | None,
        speaker: str,
        instruct: str,
        sampling: dict[str, Any],
    ) -> tuple[npt.NDArray[np.float32], int]:
        if self.cloning:
            reference = reference or self._own
            if reference is None:
                raise InputError("A base model speaks as a clone of a reference. Give a reference recording.")
            waves, rate = self.wrapper.generate_voice_clone(
                text=text,
                language=language,
                voice_clone_prompt=self._prompt(reference),
                non_streaming_mode=True,  # text first, the layout that training uses
                **sampling,
            )
        else:
            waves, rate = self.wrapper.generate_custom_voice(
                text=text, speaker=speaker, language=language, instruct=instruct or None, **sampling
            )
        return np.asarray(waves[0], dtype=np.float32), int(rate)

    def _prompt(self, reference: Reference) -> Any:
        """The reference as the model takes it, prepared once: with its text it is continued, without it only
        the sound of the voice counts."""
        if reference.audio not in self._prompts:
            samples, rate = soundfile.read(reference.audio, dtype="float32")
            self._prompts[reference.audio] = self.wrapper.create_voice_clone_prompt(
                ref_audio=(samples, rate),
                ref_text=reference.text or None,
                x_vector_only_mode=not reference.text,
            )
        return self._prompts[reference.audio]
