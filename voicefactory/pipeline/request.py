"""What a person asks for, as the command, the page and the Python API write it down."""

from __future__ import annotations

from dataclasses import dataclass

from voicefactory.engines import registry
from voicefactory.pipeline.spoken_form import AS_WRITTEN


@dataclass(frozen=True)
class Request:
    """What a person asks for. Every field has a default that suits most people; all are plain text,
    so that a job can be written down and picked up by another process."""

    engine: str = registry.DEFAULT
    model: str = ""  #: toy, a Hub id or a directory; empty = the engine's default
    preset: str = "quick"  #: a name or a YAML file
    overrides: tuple[str, ...] = ()  #: key=value for single keys of the preset
    language: str = "auto"
    transcripts: str = ""  #: a file or folder with texts; empty = Whisper listens
    asr: str = "auto"  #: Whisper model: a name, a directory, or auto
    numbers: str = AS_WRITTEN  #: as written, or in words: what becomes of numbers in Whisper's texts
    reference: str = ""  #: an audio file or a clip's id; empty = the best clip
    clean: str = ""  #: what to do to the clips: highpass, denoise, level, with commas between; empty = nothing
    speakers: str = "one"  #: one, or folders: the first folder inside of what is given names the speaker
    extra_texts: str = ""  #: a file with sentences that nobody recorded, for presets that train the text embedding
    device: str = "auto"  #: auto, cpu, cuda:N
    train_devices: str = ""  #: several that train together, such as cuda:0,cuda:1; empty = `device` alone
    wait_gpu: bool = False  #: training waits until a card has the memory it needs
    dnsmos: bool = True  #: rate the sound of every clip as listeners would; the slow one of the measures
    dataset: str = ""  #: fingerprint of a frozen data set to train on; empty = freeze what is there now
    consent: str = ""  #: who said that this voice may be used, and when; goes into the card
