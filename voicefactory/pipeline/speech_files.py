"""Speech as a file: wav, flac or mp3, with what it is written into it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from voicefactory import __version__, files
from voicefactory.errors import InputError

SYNTHETIC = "Synthetic speech"  #: stands in every file
#: Name → how libsndfile writes it. Speech as mp3 comes to about 60 kbit/s so.
FORMS: Mapping[str, Mapping[str, Any]] = {
    "wav": {"format": "WAV", "subtype": "PCM_16"},
    "flac": {"format": "FLAC", "subtype": "PCM_16"},
    "mp3": {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": "VARIABLE", "compression_level": 0.3},
}
_TITLE_LETTERS = 120


def check_output(out: Path) -> None:
    """Raise InputError unless `out` names a sound file that can be written."""
    if out.suffix.lower().removeprefix(".") not in FORMS:
        raise InputError(f"Speech is written as .wav, .flac or .mp3; {out.name!r} is none of them.")


def write_samples(samples: npt.NDArray[np.float32], rate: int, out: Path, *, title: str = "", voice: str = "") -> None:
    """Write mono audio as the suffix of `out` says, 16-bit or mp3, whole or not at all.

    `title` and `voice` become the file's title and artist; that the speech is synthetic stands in it always.
    """
    form = FORMS[out.suffix.lower().removeprefix(".")]
    with files.writing(out) as aside, soundfile.SoundFile(aside, "w", rate, 1, **form) as file:
        file.comment = SYNTHETIC
        file.software = f"VoiceFactory {__version__}"
        if title:
            file.title = " ".join(title.split())[:_TITLE_LETTERS]
        if voice:
            file.artist = voice
        file.write(samples)
