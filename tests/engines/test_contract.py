"""What every engine in the registry must do: made from recordings, a voice that is loaded, speaks and is kept."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.engines.engine_data import dataset_of, real_clips
from voicefactory.engines import registry
from voicefactory.engines.base import Training
from voicefactory.errors import Cancelled, InputError
from voicefactory.languages import WHISPER_CODES
from voicefactory.presets import load_preset, preset_files
from voicefactory.types import Codes, never, silent

pytestmark = [
    pytest.mark.parametrize("name", registry.names(), scope="module"),
    pytest.mark.usefixtures("short_breath"),
]


def test_the_page_can_show_it_without_its_packages(name: str) -> None:
    """Registry, spec and default model cost no torch: the page's process stays small and quick."""
    program = (
        "import sys; from voicefactory.engines import registry\n"
        f"engine = registry.get({name!r}); engine.default_model()\n"
        "heavy = {'torch', 'transformers', 'qwen_tts'} & set(sys.modules); sys.exit(str(heavy) if heavy else 0)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_the_spec_is_complete(name: str) -> None:
    spec = registry.get(name).spec
    assert spec.name == name
    assert spec.title
    assert spec.sample_rate == 24_000
    assert set(spec.languages) <= set(WHISPER_CODES)
    assert "toy" in spec.base_models
    assert "install" in spec.install_hint


@pytest.fixture(scope="module")
def prepared(name: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Codes]:
    """The engine's toy, and codes of two clips."""
    folder = tmp_path_factory.mktemp(name)
    engine = registry.get(name)
    model = engine.resolve_model("toy", folder, silent)
    dataset = dataset_of(real_clips()[:2], folder)
    codes = engine.extract(dataset, model, folder / "codes", device="cpu", on_progress=silent, should_stop=never)
    assert codes.engine == name
    return model, codes


@pytest.mark.parametrize("preset", preset_files())
def test_every_preset_trains_the_toy_to_a_voice_that_speaks(
    name: str, preset: str, prepared: tuple[Path, Codes], tmp_path: Path
) -> None:
    """Those that need a GPU are refused on a CPU with a sentence, before anything starts."""
    engine, (model, codes) = registry.get(name), prepared
    numbers = load_preset(preset, ["max_steps=2"])
    training = Training(codes, model, numbers, tmp_path / "run", speaker="zoë", device="cpu")
    if numbers.adapter == "qlora":
        with pytest.raises(InputError, match="NVIDIA GPU"):
            engine.finetune(training, on_progress=silent, should_stop=never)
        return
    checkpoint = engine.finetune(training, on_progress=silent, should_stop=never)
    assert checkpoint.step == 2
    out = tmp_path / "voice"
    out.mkdir()
    engine.assemble(checkpoint, out)
    voice = engine.load(out, "cpu")
    assert "zoë" in voice.speakers
    assert voice.toy
    assert engine.is_toy(out)
    speech = voice.speak("Hi.", language="english", seed=1)
    assert speech.samples.dtype == np.float32
    assert np.abs(speech.samples).max() > 0.01
    assert len(ast.parse(engine.example("zoë", "english")).body) == 3


def test_cancel_and_codes_of_another_engine(name: str, prepared: tuple[Path, Codes], tmp_path: Path) -> None:
    engine, (model, codes) = registry.get(name), prepared
    training = Training(codes, model, load_preset("quick"), tmp_path / "run", speaker="ann", device="cpu")
    with pytest.raises(Cancelled, match="can go on"):
        engine.finetune(training, on_progress=silent, should_stop=lambda: True)
    foreign = type(codes)(codes.path, "another", codes.tokenizer, 25.0, 8, codes.fingerprint)
    with pytest.raises(InputError, match="another"):
        engine.finetune(replace(training, codes=foreign), on_progress=silent, should_stop=never)
