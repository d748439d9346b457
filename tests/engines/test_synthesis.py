"""Speaking: the same seed is the same sound, every text has a cap, a runaway is tried again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.engines.engine_data import real_clips
from voicefactory.engines.base import Engine, Training
from voicefactory.engines.qwen3_tts.synthesis import ATTEMPTS, Qwen3Synthesizer, max_frames
from voicefactory.errors import InputError, VoiceFactoryError
from voicefactory.presets import load_preset
from voicefactory.types import Codes, Reference, never, silent

pytestmark = pytest.mark.usefixtures("short_breath")


@pytest.fixture(scope="module")
def voice(engine: Engine, toy: Path, two_codes: Codes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy voice "ann" after one step."""
    folder = tmp_path_factory.mktemp("voice")
    checkpoint = engine.finetune(
        Training(two_codes, toy, load_preset("quick", ["max_steps=1"]), folder / "run", speaker="ann", device="cpu"),
        on_progress=silent,
        should_stop=never,
    )
    out = folder / "voice"
    out.mkdir()
    engine.assemble(checkpoint, out)
    return out


@pytest.fixture(scope="module")
def synthesizer(voice: Path) -> Qwen3Synthesizer:
    return Qwen3Synthesizer(voice, "cpu")


def test_the_same_seed_is_the_same_sound(synthesizer: Qwen3Synthesizer) -> None:
    one, same, other = (synthesizer.speak("Hi.", language="english", seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(one.samples, same.samples)
    assert len(one.samples) != len(other.samples) or not np.array_equal(one.samples, other.samples)
    assert (one.sample_rate, one.seed) == (24_000, 3)
    assert synthesizer.toy


def test_temperature_and_greedy_change_the_sound(synthesizer: Qwen3Synthesizer) -> None:
    plain, cold, greedy = (
        synthesizer.speak("Hi.", language="english", **more)  # type: ignore[arg-type]
        for more in ({}, {"temperature": 0.1}, {"greedy": True})
    )
    assert not np.array_equal(plain.samples, cold.samples)
    assert not np.array_equal(plain.samples, greedy.samples)


def test_length_is_capped_by_the_text() -> None:
    assert max_frames("Hi.") < max_frames("Hi, how are you?") < 12.5 * 10
    assert max_frames("12345678") > max_frames("abcdefgh")
    assert max_frames("今天天气很好") > max_frames("abcdef")


@pytest.fixture
def moody(voice: Path) -> Qwen3Synthesizer:
    """A voice that comes to an end in about half of its attempts: the end of speech is one of its likely sounds."""
    synthesizer = Qwen3Synthesizer(voice, "cpu")
    wrapper = synthesizer.wrapper
    torch.manual_seed(0)
    _, hidden = wrapper.model.generate(
        input_ids=wrapper._tokenize_texts([wrapper._build_assistant_text("Hi.")]),
        languages=["english"],
        speakers=["ann"],
        non_streaming_mode=True,
        max_new_tokens=30,
    )
    typical = hidden[0].mean(0)
    head = wrapper.model.talker.codec_head.weight
    likely = (hidden[0] @ head.T).topk(30).values[:, -1].mean()  # sampling looks at the 50 likeliest
    with torch.no_grad():
        head[wrapper.model.config.talker_config.codec_eos_token_id] = likely * typical / typical.square().sum()
    synthesizer.toy = False  # a toy is not asked twice
    return synthesizer


SEEDS = 5


def test_a_runaway_is_tried_again_with_another_seed(moody: Qwen3Synthesizer) -> None:
    moody.toy = True
    alone = [moody.speak("Hi.", language="english", seed=seed) for seed in range(SEEDS)]
    moody.toy = False
    ended = [not speech.runaway for speech in alone]
    assert any(ended)
    assert not all(ended)
    for seed in range(SEEDS - ATTEMPTS + 1):
        speech = moody.speak("Hi.", language="english", seed=seed)
        first = next((attempt for attempt in range(ATTEMPTS) if ended[seed + attempt]), ATTEMPTS - 1)
        assert speech.seed == seed + first
        assert speech.runaway == (not ended[seed + first])
        assert np.array_equal(speech.samples, alone[seed + first].samples)


def test_a_text_that_never_ends_stops_at_the_cap(synthesizer: Qwen3Synthesizer) -> None:
    speech = synthesizer.speak("Hi.", language="english", greedy=True)
    assert speech.frames <= max_frames("Hi.")


@pytest.mark.parametrize(
    ("text", "language", "sentence"), [("  ", "english", "empty"), ("Hi.", "klingon", "no language")]
)
def test_bad_requests(synthesizer: Qwen3Synthesizer, text: str, language: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        synthesizer.speak(text, language=language)


def test_a_base_model_clones_and_says_when_it_has_nobody_to_clone(toy: Path) -> None:
    base = Qwen3Synthesizer(toy, "cpu")
    audio, text = real_clips()[0]
    for words in (text, ""):
        reference = Reference(audio, words, 3.0, 1.0, ())
        speech = base.speak("Hi.", language="english", reference=reference)
        assert len(speech.samples) > 0
    with pytest.raises(InputError, match="reference"):
        base.speak("Hi.")


def test_a_broken_voice_is_not_offered(engine: Engine, voice: Path, tmp_path: Path) -> None:
    """That a whole one speaks in the clean process, every finished voice proves (tests/unit/test_create.py)."""
    with pytest.raises(VoiceFactoryError, match="not offered"):
        engine.speaks_in_clean_process(voice, "nobody", "Hi.", "english", tmp_path / "none.wav")
