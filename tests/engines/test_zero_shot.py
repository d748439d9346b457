"""A model folder with a reference in it speaks as that, without being told."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np

from tests.engines.engine_data import real_clips
from voicefactory import files
from voicefactory.engines.base import Engine
from voicefactory.engines.qwen3_tts import synthesis
from voicefactory.types import Reference


def test_a_voice_without_training_imitates_its_own_reference(engine: Engine, toy: Path, tmp_path: Path) -> None:
    clips = real_clips()
    references = [Reference(clips[at][0], clips[at][1], 4.0, 1.0, ()) for at in (0, 3)]
    voices = [tmp_path / "one", tmp_path / "other"]
    for voice, reference in zip(voices, references, strict=True):
        voice.mkdir()
        engine.assemble_zero_shot(toy, reference, "ann", voice)
        assert (voice / "model.safetensors").samefile(toy / "model.safetensors")  # linked: it costs no space
        assert engine.is_toy(voice)
        assert engine.speakers(voice) == ("ann",)
    assert engine.speakers(toy) == ()
    assert len({files.model_identity(folder) for folder in (toy, *voices)}) == 3  # nobody takes one for another
    base, voice = synthesis.Qwen3Synthesizer(toy, "cpu"), synthesis.Qwen3Synthesizer(voices[1], "cpu")
    own = voice.speak("Hi.", language="english", seed=1, speaker="Ann")
    told = base.speak("Hi.", language="english", seed=1, reference=references[1])
    assert np.array_equal(own.samples, told.samples)
    example = engine.zero_shot_example(references[1], "english")
    assert len(ast.parse(example).body) == 3
    assert repr(references[1].text) in example
    without_text = Reference(clips[0][0], "", 4.0, 1.0, ())
    assert "x_vector_only_mode=True" in engine.zero_shot_example(without_text, "english")
