"""What is no Qwen3-TTS model is refused in a sentence, before anything is loaded."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from voicefactory.engines.qwen3_tts.model import load_model, resolve_model, tensor_files
from voicefactory.engines.registry import get
from voicefactory.errors import InputError, ModelUnavailableError, VoiceFactoryError
from voicefactory.types import silent


def no_config(path: Path) -> None:
    (path / "config.json").unlink()


def not_json(path: Path) -> None:
    (path / "config.json").write_text("{", encoding="utf-8")


def another_model(path: Path) -> None:
    (path / "config.json").write_text(json.dumps({"model_type": "llama"}), encoding="utf-8")


def another_tokenizer(path: Path) -> None:
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    (path / "config.json").write_text(json.dumps({**config, "tokenizer_type": "qwen3_tts_tokenizer_25hz"}))


def no_codec(path: Path) -> None:
    shutil.rmtree(path / "speech_tokenizer")


def cut_off_weights(path: Path) -> None:
    weights = path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])


def no_speaker_encoder(path: Path) -> None:
    weights = load_file(path / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if not name.startswith("speaker_encoder.")}
    save_file(kept, path / "model.safetensors")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (no_config, "no readable config.json"),
        (not_json, "no readable config.json"),
        (another_model, "is not a Qwen3-TTS model"),
        (another_tokenizer, "12 Hz"),
        (no_codec, "speech_tokenizer/config.json is missing"),
        (cut_off_weights, "no readable model.safetensors"),
        (no_speaker_encoder, "no speaker encoder"),
    ],
)
def test_damaged_folders(toy: Path, tmp_path: Path, damage: Callable[[Path], None], sentence: str) -> None:
    model = tmp_path / "model"
    shutil.copytree(toy, model)
    damage(model)
    with pytest.raises(InputError, match=sentence):
        resolve_model(str(model), tmp_path, silent)


def test_a_whole_folder_passes(toy: Path, tmp_path: Path) -> None:
    assert resolve_model(str(toy), tmp_path, silent) == toy.resolve()


@pytest.mark.parametrize("name", ["no such id !", "a/b/c", "./missing"])
def test_names_that_are_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"folder"):
        resolve_model(name, tmp_path, silent)


def test_a_hub_id_without_a_network_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match="toy"):
        resolve_model("Qwen/Qwen3-TTS-12Hz-0.6B-Base", tmp_path, silent)


def test_the_toy_is_built_once_and_marked(tmp_path: Path) -> None:
    engine = get("qwen3-tts")
    path = engine.resolve_model("toy", tmp_path, silent)
    assert engine.is_toy(path)
    stamp = (path / "model.safetensors").stat().st_mtime_ns
    assert engine.resolve_model("toy", tmp_path, silent) == path
    assert (path / "model.safetensors").stat().st_mtime_ns == stamp
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    assert 15e6 < size < 30e6


def test_without_a_network_the_default_is_the_toy() -> None:
    assert get("qwen3-tts").default_model() == "toy"


def test_unknown_engine_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="qwen3-tts"):
        get("nonesuch")
    assert issubclass(InputError, VoiceFactoryError)


class _Bomb:
    """What runs when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.trace,)


def test_a_pickle_is_never_opened(toy: Path, tmp_path: Path) -> None:
    folder, trace = tmp_path / "model", tmp_path / "ran"
    shutil.copytree(toy, folder)
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"weight": _Bomb(trace)}))
    with pytest.raises(InputError, match="no readable model"):
        resolve_model(str(folder), tmp_path, silent)
    with pytest.raises(OSError, match="safetensors"):
        load_model(folder, device="cpu", dtype=torch.float32, as_base=True)
    assert not trace.exists()
    pickle.loads((folder / "pytorch_model.bin").read_bytes())  # so that it would have been seen
    assert trace.exists()


@pytest.mark.parametrize("file", ["../other/model.safetensors", "/etc/model.safetensors", "..", "a/../b.safetensors"])
def test_an_index_does_not_lead_out_of_its_folder(toy: Path, tmp_path: Path, file: str) -> None:
    """Else a model on the Hub could name the weights of somebody else's voice on this machine."""
    folder = tmp_path / "model"
    shutil.copytree(toy, folder)
    index = {"weight_map": dict.fromkeys(tensor_files(toy), file)}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(InputError, match="no readable model"):
        resolve_model(str(folder), tmp_path, silent)
