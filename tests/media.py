"""Test recordings in every format that a person may bring, encoded on the spot with soundfile and PyAV."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import soundfile
import soxr

Samples = npt.NDArray[np.float32]


def tone(seconds: float, rate: int = 24_000, hertz: float = 220.0, level: float = 0.3) -> Samples:
    """A plain sine: sound, but no speech."""
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def encode(path: Path, samples: Samples, rate: int, kind: str) -> Path:
    """Write mono samples as wav, flac, mp3, ogg, opus, aiff (soundfile) or m4a, webm, mp4 with pictures (PyAV)."""
    by_soundfile = {
        "wav": ("WAV", "PCM_16"),
        "flac": ("FLAC", "PCM_16"),
        "mp3": ("MP3", "MPEG_LAYER_III"),
        "ogg": ("OGG", "VORBIS"),
        "opus": ("OGG", "OPUS"),
        "aiff": ("AIFF", "PCM_24"),
    }
    if kind in by_soundfile:
        container, subtype = by_soundfile[kind]
        soundfile.write(path, samples, rate, format=container, subtype=subtype)
    else:
        _encode_av(
            path, samples, rate, *{"m4a": ("ipod", "aac"), "webm": ("webm", "libopus"), "mp4": ("mp4", "aac")}[kind]
        )
    return path


def _encode_av(path: Path, samples: Samples, rate: int, container: str, codec: str) -> None:
    rate, samples = 48_000, soxr.resample(samples, rate, 48_000)
    with av.open(str(path), "w", format=container) as out:
        pictures = (
            out.add_stream("mpeg4", rate=5, width=64, height=48, pix_fmt="yuv420p") if container == "mp4" else None
        )
        sound = out.add_stream(codec, rate=rate, layout="mono")
        sound.bit_rate = 96_000
        if pictures is not None:
            for _ in range(int(5 * len(samples) / rate)):
                picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), dtype=np.uint8), format="rgb24")
                out.mux(pictures.encode(picture))
            out.mux(pictures.encode(None))
        frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), format="fltp", layout="mono")
        frame.sample_rate = rate
        to_codec = av.AudioResampler(format=sound.format, layout="mono", rate=rate, frame_size=sound.frame_size or 960)
        for piece in (*to_codec.resample(frame), *to_codec.resample(None)):
            out.mux(sound.encode(piece))
        out.mux(sound.encode(None))


def likeness(a: Samples, b: Samples) -> float:
    """Highest normalised correlation of two signals over all shifts: 1 for the same waveform."""
    size = len(a) + len(b)
    correlation = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    return float(np.abs(correlation).max() / np.sqrt(np.square(a).sum() * np.square(b).sum()))
