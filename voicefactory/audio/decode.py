"""Read the sound of any file in blocks, by its content and never by its extension.

libsndfile reads wav, flac, ogg, opus and aiff. PyAV reads what it cannot: m4a, webm, the sound track of a
video; and mp3, since the decoder in libsndfile fills stderr with complaints about sound files. Both get an
open file instead of a name, so that neither guesses by the extension nor opens anything else: no playlist,
no address, no second file.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import soundfile

from voicefactory.errors import InputError

Block = npt.NDArray[np.float32]

_BLOCK_FRAMES = 8192  # small, because libsndfile gives up a whole block at a damaged place
_RATES = range(4_000, 768_001)  # Hz
_MAX_CHANNELS = 64
_UNKNOWN_FRAMES = 2**60  # libsndfile's way to say that the header does not tell
_CONTAINERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,eac3,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,"
    "ogg,tta,voc,w64,wav,wv"
)
_DAMAGED_PACKETS = 100  # after so many, what follows is not worth waiting for


@dataclass
class Sound:
    """An open file. `blocks` gives (frames, channels) float32, full scale 1.0, and can be read once."""

    rate: int  #: Hz
    channels: int
    seconds: float | None  #: as the header says; None if it does not
    blocks: Iterator[Block]
    damage: list[str] = field(default_factory=list)  #: filled while reading, in words


@contextlib.contextmanager
def open_sound(path: Path) -> Iterator[Sound]:
    """Open a file for reading. Raises InputError with a sentence if there is no sound in it."""
    with contextlib.ExitStack() as closing:
        yield _open(path, closing)


def _open(path: Path, closing: contextlib.ExitStack) -> Sound:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise InputError("It is not a file.")
    if status.st_size == 0:
        raise InputError("The file is empty (0 bytes).")
    try:
        sound = _open_soundfile(path, closing)
    except (soundfile.LibsndfileError, _IsMp3):
        try:
            sound = _open_av(path, closing)
        except av.FFmpegError:
            raise InputError(why_unreadable(path)) from None
    if sound.rate not in _RATES or not 1 <= sound.channels <= _MAX_CHANNELS:
        raise InputError(f"It says it has {sound.channels} channels at {sound.rate} Hz, which no recording has.")
    return sound


def why_unreadable(path: Path) -> str:
    """Say what a file without sound is instead."""
    with open(path, "rb") as file:
        start = file.read(4096)
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")):
        return "It is an archive, which is not opened here. Unpack it, or bring one zip with the recordings in it."
    if start.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF")):
        return "It is not a recording: it is a picture or a document."
    with contextlib.suppress(UnicodeDecodeError):
        text = start[: max(len(start) - 3, 1)].decode("utf-8", errors="strict")
        if all(char.isprintable() or char in "\r\n\t\f\ufeff" for char in text):
            return "It is not a recording: it is a text file."
    if start[4:8] == b"ftyp":
        return "It is cut off: its index is missing, so nothing can be played. Copy it again from where it came."
    return "It is not a recording that can be read. Use wav, flac, mp3, ogg, opus, m4a, webm or aiff."


class _IsMp3(Exception):  # noqa: N818 - a fork in the road, not an error
    """Leave it to PyAV."""


def _open_soundfile(path: Path, closing: contextlib.ExitStack) -> Sound:
    # A descriptor has no name, so the extension cannot mislead.
    descriptor = os.open(path, os.O_RDONLY)
    closing.callback(os.close, descriptor)
    file = closing.enter_context(soundfile.SoundFile(descriptor, closefd=False))
    if file.format == "MP3":
        raise _IsMp3
    frames: int | None = file.frames if file.frames < _UNKNOWN_FRAMES else None
    # When a chunk is longer than the file, libsndfile corrects the length and tells only its log.
    wrong_length = re.search(r"(?:data|SSND|riff) *: (\d+) \(should be (\d+)\)", file.extra_info)
    if wrong_length and frames is not None:
        said, there = (int(size) for size in wrong_length.groups())
        if there < said < 0xFFFF_0000:  # a recorder that never came back writes 0 or 4 GB
            frames = frames * said // max(there, 1)
    seconds = frames / file.samplerate if frames is not None and file.samplerate else None
    sound = Sound(file.samplerate, file.channels, seconds, iter(()))
    sound.blocks = _soundfile_blocks(file, sound)
    return sound


def _soundfile_blocks(file: soundfile.SoundFile, sound: Sound) -> Iterator[Block]:
    read = 0
    try:
        while len(block := file.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)):
            read += len(block)
            yield block
    except soundfile.LibsndfileError:
        sound.damage.append("damaged")
    _note_missing(sound, read / sound.rate)


def _open_av(path: Path, closing: contextlib.ExitStack) -> Sound:
    file = closing.enter_context(_Nameless(path))
    container = closing.enter_context(
        av.open(file, options={"format_whitelist": _CONTAINERS, "protocol_whitelist": ""}, metadata_errors="replace")
    )
    stream = container.streams.best("audio")
    if not isinstance(stream, av.AudioStream):
        raise InputError("There is no sound in it, only pictures.")
    seconds = None
    if stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration:
        seconds = container.duration / av.time_base
    sound = Sound(stream.rate, stream.channels, seconds, iter(()))
    sound.blocks = _av_blocks(container, stream, sound)
    return sound


class _Nameless:
    """An open file that does not tell its name, by which FFmpeg would guess the format."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "rb")  # noqa: SIM115 - closed by __exit__
        self.read, self.seek, self.tell = self._file.read, self._file.seek, self._file.tell

    def __enter__(self) -> _Nameless:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _av_blocks(container: av.container.InputContainer, stream: av.AudioStream, sound: Sound) -> Iterator[Block]:
    """Decode one audio stream; a damaged packet is skipped, as a player would."""
    # Frames of a compressed stream are short; larger ones save most of the time in Python.
    to_float = av.AudioResampler(format="flt", layout=stream.layout, rate=stream.rate, frame_size=_BLOCK_FRAMES)
    read = 0
    for frame in _av_frames(container, stream, sound):
        try:
            converted = to_float.resample(frame)
        except (av.FFmpegError, ValueError):  # the stream changed its rate or channels on the way
            sound.damage.append("damaged")
            break
        for piece in converted:
            block = piece.to_ndarray().reshape(-1, sound.channels).astype(np.float32, copy=False)
            read += len(block)
            yield block
    _note_missing(sound, read / sound.rate)


def _av_frames(
    container: av.container.InputContainer, stream: av.AudioStream, sound: Sound
) -> Iterator[av.AudioFrame | None]:
    damaged = 0
    packets = container.demux(stream)
    while damaged < _DAMAGED_PACKETS:
        try:
            packet = next(packets, None)
            if packet is None:
                break
            yield from packet.decode()
        except av.FFmpegError:
            damaged += 1
    if damaged:
        sound.damage.append("damaged")
    yield None  # empties the converter


def _note_missing(sound: Sound, read_s: float) -> None:
    """Headers of compressed files are estimates, so a little less than promised is no damage."""
    if sound.seconds is not None and read_s < 0.98 * sound.seconds - 0.2:
        sound.damage.append(f"cut off: {read_s:.1f} of {sound.seconds:.1f} s could be read")
