"""What is believed of what Whisper writes: words that the sound can hold, as they were said."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import Word, get_suppressed_tokens

from tests.conftest import CLIPS
from voicefactory import files
from voicefactory.audio.wav import write_wav
from voicefactory.pipeline.asr import open_asr
from voicefactory.pipeline.hearing import Heard, _join, phantom
from voicefactory.pipeline.transcribe import transcribe
from voicefactory.project import Project
from voicefactory.types import SAMPLE_RATE, Clip, Quality


@pytest.mark.parametrize(
    ("text", "confidence", "speech_s", "no_speech", "doubt"),
    [
        ("Thank you for watching!", 0.9, 0.4, 0.1, "4 words in 0.4 s of speech"),
        ("ご視聴ありがとうございました", 0.9, 0.5, 0.1, "8 words in 0.5 s of speech"),
        ("Thank you.", 0.49, 2.0, 0.8, "Whisper itself takes it for silence"),
        ("Thank you. " * 12, 0.9, 20.0, 0.1, "the text goes round in circles"),
        ("Thank you.", 0.9, 0.5, 0.9, ""),  # sure of its words: someone may well say so
        ("Thank you.", 0.49, 2.0, 0.1, ""),  # unsure, but there is speech: a person will look
        ("Yes.", 0.5, 0.1, 0.2, ""),  # one word is never too many
        ("No, no, no, no!", 0.9, 1.0, 0.1, ""),
        ("", 0.0, 0.0, 1.0, ""),
    ],
)
def test_a_text_is_judged_by_the_sound(
    text: str, confidence: float, speech_s: float, no_speech: float, doubt: str
) -> None:
    assert phantom(Heard(text, confidence), speech_s, no_speech) == doubt


def test_too_little_speech_gets_no_text(tmp_path: Path) -> None:
    """150 ms of a voice in silence; Whisper tiny.en makes "Do you know what I'm saying?" of it."""
    scrap, _ = soundfile.read(CLIPS / "wavs" / "allison_agent-user.wav", dtype="float32", start=6_000, stop=9_600)
    sound = np.zeros(4 * SAMPLE_RATE, dtype=np.float32)
    sound[SAMPLE_RATE : SAMPLE_RATE + len(scrap)] = scrap
    audio = tmp_path / "snippet.wav"
    write_wav(audio, [sound])
    clip = Clip("a-0000", "a", "a.wav", audio, 0, 4, 4, Quality(-3, -20, 40, 0), files.sha256_of(audio))
    transcripts, refused = transcribe(Project.create("Anna", tmp_path), [clip], asr="tiny.en")
    assert transcripts == []
    assert refused[0].file == "a.wav"
    assert re.search(r"nothing in it, for there is only 0\.\d s of speech", refused[0].reason)


def test_nothing_that_is_said_is_masked() -> None:
    """Whisper is told to leave out signs like music notes, never letters; and its words are taken as they are."""
    _, model = open_asr("tiny.en", "cpu")
    tokenizer = Tokenizer(model.hf_tokenizer, multilingual=False)
    left_out = set(get_suppressed_tokens(tokenizer, [-1]))
    for strong in (" damn", " shit", " fuck", " bloody", " Damn"):
        assert not left_out & set(tokenizer.encode(strong))
    words = [
        Word(0, 1, word, 0.9) for word in (" Oh,", " shit!", ' "Damn', ' it,"', " she", " said\N{HORIZONTAL ELLIPSIS}")
    ]
    assert _join(words).text == 'Oh, shit! "Damn it," she said\N{HORIZONTAL ELLIPSIS}'
    assert np.isclose(_join(words).confidence, 0.9)
