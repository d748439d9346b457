"""What a run says at its measurements: spoken, measured against the speaker's clips, and never in training's way."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from voicefactory.engines.base import EmbedSpeaker, Training
from voicefactory.engines.qwen3_tts.facts import is_toy
from voicefactory.engines.qwen3_tts.runlog import RunLog
from voicefactory.engines.qwen3_tts.speaker import lone_encoder, speaker_embedding
from voicefactory.errors import is_out_of_memory
from voicefactory.presets import Preset
from voicefactory.probe.measuring import Spoken
from voicefactory.probe.watch import Watch


class Aloud:
    """Speaks, and lets `watch` measure it. When memory runs out at that, the run goes on in silence."""

    def __init__(self, speak: Callable[[], list[Spoken]], watch: Watch | None, log: RunLog) -> None:
        self._speak, self._watch, self._log = speak, watch, log
        self._silent = False

    def at(self, step: int) -> dict[str, Any]:
        """heard: names of the files; probe_seconds, if it was measured: what speaking and measuring took."""
        if self._silent:
            return {}
        began = time.monotonic()
        try:
            spoken = self._speak()
            reading = self._watch.read(step, spoken, began) if self._watch and spoken else None
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            self._silent = True
        else:
            told = {"probe_seconds": reading.seconds} if reading else {}
            return {"heard": [one.audio.name for one in spoken], **told}
        torch.cuda.empty_cache()  # after the error and what it held on to are gone
        self._log.line(f"memory ran out while sentences were spoken after step {step}: training goes on without them")
        return {}


def begin_watch(wanted: Training, preset: Preset, net: Any, step: int, device: str) -> Watch | None:
    """The probe of a run that stands at `step`; None if the preset or the recordings do not allow one."""
    toy = is_toy(wanted.model)
    if preset.probe == "none" or not preset.speak_at_evaluations or not (wanted.recordings and wanted.sentences):
        return None
    return Watch.begin(
        wanted.run,
        wanted.recordings,
        _ear(wanted, preset, net, device),
        up_to=step,
        stops=preset.probe == "stop" or (preset.probe == "auto" and not toy),
        drift_pace=preset.drift_pace,
        drift_likeness=preset.drift_likeness,
        noise=toy,
    )


def stopped_by_drift(drift: str) -> str:
    """What a person is told."""
    return f"Training was stopped because the voice drifted away from its speaker. {drift}"


def _ear(wanted: Training, preset: Preset, net: Any, device: str) -> EmbedSpeaker:
    """The model's speaker encoder as it was before training: the one that is loaded. Where that one is trained, a copy,
    loaded for each sentence and let go, since its memory is in no plan."""
    if not preset.train_speaker_encoder:
        return functools.partial(_embed, net)

    def copied(audio: Path) -> npt.NDArray[np.float32]:
        return lone_encoder(wanted.model, "cpu")(audio)

    return copied


def _embed(net: Any, audio: Path) -> npt.NDArray[np.float32]:
    embedding = speaker_embedding(net, audio)
    return np.asarray((embedding / embedding.norm()).cpu().numpy(), dtype=np.float32)
