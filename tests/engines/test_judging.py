"""What judging asks of an engine: its ear alone, the clips that training never saw, the weights that were kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from tests.conftest import GivenClip
from voicefactory.engines.qwen3_tts.data_order import split_held_out
from voicefactory.engines.qwen3_tts.kept import kept
from voicefactory.engines.qwen3_tts.model import load_model
from voicefactory.engines.qwen3_tts.speaker import speaker_embedding
from voicefactory.engines.registry import get
from voicefactory.errors import InputError
from voicefactory.presets import load_preset


def test_the_ear_alone_hears_what_the_whole_model_hears(
    toy: Path, twelve_clips: list[GivenClip], tmp_path: Path
) -> None:
    whole = load_model(toy, device="cpu", dtype=torch.float32, as_base=True).model
    alone = get("qwen3-tts").speaker_encoder(toy, "cpu")
    for clip in twelve_clips[:3]:
        expected = speaker_embedding(whole, clip.path).numpy()
        heard = alone(clip.path)
        assert heard.dtype == np.float32
        assert np.allclose(heard, expected / np.linalg.norm(expected), atol=1e-5)
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(24_000, dtype=np.float32), 24_000)
    with pytest.raises(InputError, match="silent"):
        alone(silence)


def test_held_out_clips_are_those_of_training() -> None:
    engine, preset = get("qwen3-tts"), load_preset("quick")
    clips = [f"recording{at}-0000" for at in range(40)]
    held_out = engine.held_out(clips, preset)
    training, apart = split_held_out(clips, preset.eval_fraction, preset.seed)
    assert held_out == tuple(clips[at] for at in apart)
    assert held_out
    assert not {clips[at] for at in training} & set(held_out)
    assert engine.held_out(clips[:5], preset) == ()


def test_weights_that_were_kept_are_found_once_each(tmp_path: Path) -> None:
    for name in ("step-000010", "step-000020", "best-000010", "best-000005", "step-000030"):
        (tmp_path / name).mkdir()
        if name != "step-000030":  # half-written, or emptied
            (tmp_path / name / "weights.safetensors").touch()
    found = kept(tmp_path)
    assert [step for step, _ in found] == [5, 10, 20]
    assert kept(tmp_path / "nowhere") == []
