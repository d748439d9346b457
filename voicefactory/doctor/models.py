"""Reading sound, and the models that listen and speak: which will be used, and are they on this machine?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from voicefactory.doctor.finding import Finding, fault, ok, warning
from voicefactory.engines import registry
from voicefactory.errors import VoiceFactoryError
from voicefactory.languages import AUTO
from voicefactory.settings import settings

_RATE, _SECONDS = 16_000, 0.5


def decoding(home: Path) -> Iterator[Finding]:
    """Write half a second as m4a, which only PyAV can, and read it as a recording. No ffmpeg program is needed."""
    from voicefactory.audio.decode import open_sound

    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / "trial.m4a"
        _write_m4a(trial)
        with open_sound(trial) as sound:
            heard = sum(len(block) for block in sound.blocks) / sound.rate
    if heard < _SECONDS / 2:
        remedy = "Run: pip install --force-reinstall -r requirements.txt"
        yield fault("sound", f"Of {_SECONDS} s of m4a, {heard:.2f} s were read.", remedy)
    else:
        yield ok("sound", "m4a is read without an ffmpeg program")


def whisper(home: Path) -> Iterator[Finding]:
    """Which Whisper model listens here. Nothing is downloaded for this."""
    from voicefactory.pipeline import asr

    wanted = settings().asr
    if Path(wanted).expanduser().is_dir():
        try:
            yield ok("whisper", str(asr.resolve_asr(wanted).path))
        except VoiceFactoryError as error:
            yield fault("whisper", str(error), "Correct VOICEFACTORY_ASR.")
        return
    on_gpu = asr.gpu_count() > 0
    name = (asr.ON_GPU if on_gpu else asr.ON_CPU) if wanted in ("", AUTO) else wanted
    where = "on the GPU" if on_gpu else "on the CPU"
    if asr.local_model(name):
        yield ok("whisper", f"{name}, {where}; it is on this machine")
        return
    others = [one for one in asr.model_names() if asr.local_model(one)]
    here = f"{name} is not on this machine; {', '.join(others) or 'no other'} is"
    if not _offline():
        yield warning("whisper", f"{here}.", "It is downloaded at first use, which needs the network.")
    elif wanted in ("", AUTO) and others:
        yield warning("whisper", f"{here}, which will listen.", f"Unset HF_HUB_OFFLINE once, so that {name} can come.")
    else:
        yield fault("whisper", f"{here}, and nothing may be downloaded.", "Unset HF_HUB_OFFLINE, or bring the model.")


def base_model(home: Path) -> Iterator[Finding]:
    """What training starts from."""
    from huggingface_hub import try_to_load_from_cache

    wanted = settings().model or registry.get().default_model()
    folder = Path(wanted).expanduser()
    weights = ("model.safetensors", "model.safetensors.index.json")
    if wanted == "toy":
        told = "The toy model, which makes noise: the real one is not on this machine, or was not asked for."
        remedy = "Connect this machine to the network once, or give a folder with the model (VOICEFACTORY_MODEL)."
        yield warning("base model", told, remedy)
    elif folder.is_dir():
        yield ok("base model", wanted)
    elif folder.is_absolute():
        yield fault("base model", f"There is no folder {wanted}.", "Correct VOICEFACTORY_MODEL.")
    elif any(isinstance(try_to_load_from_cache(wanted, name), str) for name in weights):
        yield ok("base model", f"{wanted}; it is on this machine")
    else:
        yield warning(
            "base model", f"{wanted} is not on this machine.", f"It comes at first use; or: hf download {wanted}"
        )


def _offline() -> bool:
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def _write_m4a(path: Path) -> None:
    import av

    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream("aac", rate=_RATE)
        silence = np.zeros((1, int(_RATE * _SECONDS)), np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        frame.rate = _RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
