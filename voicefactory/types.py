"""The nouns: Recording → Clip → Transcript → Dataset → Codes → Checkpoint → Voice.

Each is frozen, and each is made by one function of `voicefactory.pipeline`. Paths are absolute in
memory; the JSONL files on disk store them relative to the project, so that a project can be moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SAMPLE_RATE = 24_000  #: Hz, of every recording, clip and synthesized sample
MIN_CLIP_S, MAX_CLIP_S = 1.0, 20.0  #: seconds
MIN_REFERENCE_S, MAX_REFERENCE_S = 3.0, 10.0  #: seconds


@dataclass(frozen=True)
class Refused:
    """An input that was not used, and why. Nothing disappears without one of these."""

    file: str  #: the name as the person knows it
    reason: str  #: a sentence


@dataclass(frozen=True)
class Recording:
    """One source file, decoded: mono, 24 kHz, 16-bit, at a sensible level."""

    id: str  #: first 16 hex digits of the source's SHA-256
    file: str  #: the name as the person knows it, e.g. "takes/one.mp3"
    audio: Path
    seconds: float
    source_rate: int  #: Hz
    source_channels: int
    gain_db: float  #: applied to reach the target loudness
    notes: tuple[str, ...] = ()  #: e.g. "cut off: 2.1 of 5.0 s could be read"


@dataclass(frozen=True)
class Quality:
    """Measured on one clip. Decibels are relative to full scale."""

    peak_dbfs: float
    rms_dbfs: float  #: of the parts where someone speaks
    snr_db: float  #: speech against the pauses
    clipped_share: float  #: share of samples at full scale, 0 to 1
    verdicts: tuple[str, ...] = ()  #: in words; empty = nothing to complain about


@dataclass(frozen=True)
class Clip:
    """A stretch of one recording with speech in it, 1 to 20 s; at its edges up to 0.25 s of room quiet."""

    id: str  #: "<recording id>-<index>"
    recording: str  #: Recording.id
    file: str  #: Recording.file
    audio: Path
    start_s: float  #: in the recording
    end_s: float
    seconds: float  #: of the audio; with the quiet added at edges it may be more than end_s - start_s
    quality: Quality
    sha256: str  #: of the clip's audio file
    original_sha256: str = ""  #: of the audio as it was cut, if `audio` was cleaned since; else empty

    @property
    def said_sha256(self) -> str:
        """What a text belongs to: the audio as it was cut. Cleaning changes the sound, not the words."""
        return self.original_sha256 or self.sha256


@dataclass(frozen=True)
class Transcript:
    """What is said in a clip."""

    clip: str  #: Clip.id
    text: str
    language: str  #: engine's name, or "auto" when nobody said and nobody listened
    confidence: float  #: 0 to 1; 1 for texts that a person gave or edited
    source: str  #: "whisper", "given" or "edited"
    dropped: bool = False  #: the person does not want this clip
    speaker: str = ""  #: who says it, lower-case; empty = the texts do not tell
    instruct: str = ""  #: how it is said, as an instruction to the model; empty = none


@dataclass(frozen=True)
class Reference:
    """The clip that tells the model whose voice it is."""

    audio: Path
    text: str
    seconds: float
    score: float  #: 0 to 1, higher is better
    reasons: tuple[str, ...]
    clip: str = ""  #: Clip.id; empty for a file that the person brought


@dataclass(frozen=True)
class Sample:
    """One row of a data set: a clip, its text, its language."""

    clip: Clip
    text: str
    language: str
    speaker: str = ""  #: lower-case; empty = the project's
    instruct: str = ""  #: how it is said; empty = no instruction


@dataclass(frozen=True)
class ExtraText:
    """One row of a data set without audio: the base model itself says it, and is trained on what it said."""

    id: str  #: takes the place of a clip's
    text: str
    language: str
    speaker: str = ""  #: lower-case; empty = the project's
    place: str = ""  #: where it came from, as the person knows it: "more.txt, line 3"


@dataclass(frozen=True)
class Dataset:
    """What training sees: the accepted samples, and one reference for all of them or for each speaker."""

    samples: tuple[Sample, ...]
    reference: Reference  #: of the first speaker
    path: Path  #: dataset.jsonl
    fingerprint: str  #: of audio, texts, languages, speakers, instructions and references
    references: Mapping[str, Reference] = field(default_factory=dict)  #: of each speaker, where there are several
    extra_texts: tuple[ExtraText, ...] = ()

    def reference_of(self, speaker: str) -> Reference:
        """The reference of a sample's or a text's `speaker`."""
        return self.references.get(speaker, self.reference)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Those of dataset.jsonl: audio (empty for texts without), text, ref_audio, language, clip, and where
        they are told speaker and instruct."""
        for sample in self.samples:
            yield self._row(str(sample.clip.audio), sample.clip.id, sample, instruct=sample.instruct)
        for extra in self.extra_texts:
            yield self._row("", extra.id, extra)

    def _row(self, audio: str, identifier: str, said: Sample | ExtraText, **told: str) -> dict[str, Any]:
        told = {"speaker": said.speaker, **told}
        return {
            "audio": audio,
            "text": said.text,
            "ref_audio": str(self.reference_of(said.speaker).audio),
            "language": said.language,
            "clip": identifier,
            **{key: value for key, value in told.items() if value},
        }


@dataclass(frozen=True)
class Codes:
    """Codec tokens of a data set. They belong to the engine and the tokenizer that made them."""

    path: Path  #: codes.jsonl: audio, text, ref_audio, audio_codes (frames × codebooks), language, clip, …
    engine: str
    tokenizer: str  #: fingerprint of the tokenizer's weights
    frame_rate: float  #: frames per second
    codebooks: int
    fingerprint: str
    refused: tuple[Refused, ...] = ()  #: texts without audio that the model could not say


@dataclass(frozen=True)
class Checkpoint:
    """Trained weights of a run at a step, resumable."""

    path: Path
    step: int
    speaker: str  #: lower-case, as the model looks it up
    base_model: Path
    drift: str = ""  #: why training was stopped, if the voice drifted away; the weights are from before that


@dataclass(frozen=True)
class Voice:
    """A finished voice: a folder that plain `Qwen3TTSModel.from_pretrained` loads."""

    path: Path
    speaker: str
    language: str
    zip: Path | None = None
    samples: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Progress:
    """Where a piece of work is. `total` is 0 while nobody knows."""

    step: str  #: ingest, segment, transcribe, analyse, reference, extract, finetune, synthesize, package, publish
    done: float = 0
    total: float = 0
    message: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    notice: bool = False  #: the message is to be read even by someone who looks later


OnProgress = Callable[[Progress], None]
ShouldStop = Callable[[], bool]


def silent(progress: Progress) -> None:
    """An `OnProgress` that tells nobody."""


def never() -> bool:
    """A `ShouldStop` that goes on."""
    return False
