"""What an engine promises. The pipeline and the page know engines only through this."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from voicefactory.presets import Hyperparameters, Preset
from voicefactory.types import Checkpoint, Codes, Dataset, OnProgress, Reference, Sample, ShouldStop


@dataclass(frozen=True)
class EngineSpec:
    """What the page and the command line show of an engine, without importing its packages."""

    name: str
    title: str
    sample_rate: int  #: Hz
    languages: tuple[str, ...]  #: engine names; "auto" is always allowed beside them
    base_models: tuple[str, ...]  #: offered first to last: Hub ids, and "toy"
    install_hint: str  #: what to type when its packages are missing


@dataclass(frozen=True)
class Speech:
    """One synthesized text."""

    samples: npt.NDArray[np.float32]  #: mono, at `sample_rate`
    sample_rate: int  #: Hz
    seed: int  #: the seed that was used in the end
    runaway: bool  #: True if no attempt came to an end before the length cap
    frames: int
    notice: str = ""  #: a sentence about what could not be done as asked


@dataclass(frozen=True)
class PlannedClip:
    """What is known of a clip before it is encoded."""

    id: str  #: Clip.id
    seconds: float
    text: str


@dataclass(frozen=True)
class Plan:
    """What a run will be and need, computed before anything is loaded. An estimate."""

    preset: Hyperparameters  #: with every auto settled
    training_clips: int
    held_out_clips: int
    steps: int  #: of the optimiser
    memory: dict[str, int]  #: bytes at the peak, by what they are for
    flops: float  #: floating-point operations of the whole run

    @property
    def peak_bytes(self) -> int:
        """Memory that must be free."""
        return sum(self.memory.values())


class Synthesizer(Protocol):
    """A loaded voice or base model."""

    languages: tuple[str, ...]
    speakers: tuple[str, ...]  #: the newest last; empty for a base model
    takes_instructions: bool
    toy: bool  #: True if it makes noise instead of speech

    def speak(
        self,
        text: str,
        *,
        language: str = "auto",
        seed: int = 0,
        temperature: float | None = None,
        greedy: bool = False,
        reference: Reference | None = None,
        speaker: str | None = None,
        instruct: str = "",
    ) -> Speech:
        """Speak `text`: with `reference` as a zero-shot clone of it, otherwise with the trained voice.

        `speaker` is one of `speakers`, otherwise the newest; `instruct` says how to speak, and is left out with a
        notice where the model takes no instructions. Raises InputError for empty text, a language that the model
        does not speak, or a speaker that it does not have.
        """
        ...


@dataclass(frozen=True)
class Training:
    """A training run, as it is asked for."""

    codes: Codes
    model: Path  #: the base model's folder
    preset: Preset
    run: Path  #: the folder that the run fills, and goes on in
    speaker: str  #: lower-case, of the clips that name none
    device: str  #: cpu or cuda:N; several that train together: "cuda:0,cuda:1"
    sentences: tuple[str, ...] = ()  #: spoken at every measurement, to hear how the voice comes along
    language: str = ""  #: which they are spoken in
    recordings: tuple[Sample, ...] = ()  #: of the speaker, which what is spoken is measured against; empty = it is not


#: Audio file (mono, 24 kHz) → who speaks in it, as a unit vector. Raises InputError for silence.
EmbedSpeaker = Callable[[Path], npt.NDArray[np.float32]]


class Engine(Protocol):
    """One text-to-speech model family that can be fine-tuned."""

    spec: EngineSpec

    def resolve_model(self, model: str, home: Path, on_progress: OnProgress) -> Path:
        """Turn "toy", a Hub id or a directory into a local model directory.

        Raises InputError for a directory that is no such model, ModelUnavailableError without a network.
        """
        ...

    def default_model(self) -> str:
        """The best base model that can be had here: without a network and a cache, "toy"."""
        ...

    def is_toy(self, model: Path) -> bool:
        """True if the model makes noise instead of speech."""
        ...

    def speakers(self, model: Path) -> tuple[str, ...]:
        """Who the model or voice in this folder can speak as, the newest last. Loads no torch."""
        ...

    def extract(
        self, dataset: Dataset, model: Path, out: Path, *, device: str, on_progress: OnProgress, should_stop: ShouldStop
    ) -> Codes:
        """Encode every clip into codec tokens: out/<engine>-<tokenizer>/codes.jsonl.

        Texts without audio are spoken by `model` itself; those that it cannot say are in the result's `refused`.
        """
        ...

    def plan(
        self, model: str, home: Path, clips: Sequence[PlannedClip], preset: Preset, *, cuda: bool, fetch: bool
    ) -> Plan | None:
        """What training on `clips` will need on a CUDA card, or on the CPU. Loads no torch.

        `model` is as for `resolve_model`. None if its sizes are not known: it is not on this machine, and may not
        be asked for (`fetch`) or cannot be. Raises InputError without clips, or for a folder that is no model.
        """
        ...

    def speaking_memory(self, model: str, home: Path, *, cuda: bool) -> int | None:
        """Bytes that must be free to speak with a voice or a base model; None if it is not on this machine.

        `model` is as for `resolve_model`. Loads no torch. Raises InputError for a folder that is no model.
        """
        ...

    def finetune(self, training: Training, *, on_progress: OnProgress, should_stop: ShouldStop) -> Checkpoint:
        """Train until the preset is fulfilled, resuming from the run's last checkpoint.

        Raises Cancelled after saving when `should_stop` says so, SelfCheckError before the first step.
        """
        ...

    def held_out(self, clips: Sequence[str], preset: Preset) -> tuple[str, ...]:
        """Those of `clips` (ids) that training with `preset` never sees; empty where there are too few of them."""
        ...

    def kept_checkpoints(self, run: Path, speaker: str, model: Path) -> list[Checkpoint]:
        """Weights that the run in this folder still has, the earliest step first. `model` is its base model."""
        ...

    def speaker_encoder(self, model: Path, device: str) -> EmbedSpeaker:
        """The model's own ear for voices, alone, without the rest of the model."""
        ...

    def assemble(self, checkpoint: Checkpoint, out: Path, strength: float = 1.0) -> None:
        """Write a complete model directory at `out` from a checkpoint: weights once, the codec linked.

        `strength` multiplies what training changed: 1 is the checkpoint, 0 the base model with the speaker added.
        """
        ...

    def assemble_zero_shot(self, model: Path, reference: Reference, speaker: str, out: Path) -> None:
        """Write a complete voice at `out` that was not trained: the base `model` with a `reference` that it imitates.

        It is loaded, packaged and published as any other voice; without a reference given, it speaks as this one.
        """
        ...

    def load(self, source: Path, device: str) -> Synthesizer:
        """Load a voice or a base model for synthesis."""
        ...

    def speaks_in_clean_process(self, voice: Path, speaker: str, text: str, language: str, out: Path) -> None:
        """Load the voice in a process that imports only the engine's own package, and speak.

        Raises VoiceFactoryError if it does not.
        """
        ...

    def adapter_example(self, base_model: str, speaker: str, language: str) -> str:
        """As `example`, with `base_model` and the adapter in adapter/ instead of the merged weights."""
        ...

    def zero_shot_example(self, reference: Reference, language: str) -> str:
        """As `example`, for a voice that was not trained."""
        ...

    def example(self, speaker: str, language: str) -> str:
        """Three lines of Python that speak with the voice from its folder."""
        ...
