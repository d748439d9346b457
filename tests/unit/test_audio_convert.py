"""Every format is decoded by its content, to mono 24 kHz at a sensible level."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pyloudnorm
import pytest
import soundfile
import soxr

from tests.conftest import GivenClip
from tests.media import encode, likeness, tone
from voicefactory.audio.convert import PEAK_CEILING_DBFS, TARGET_LUFS, convert
from voicefactory.audio.wav import read_wav
from voicefactory.errors import Cancelled, InputError
from voicefactory.types import SAMPLE_RATE

FORMATS = ["wav", "flac", "mp3", "ogg", "opus", "aiff", "m4a", "webm", "mp4"]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("extension", ["own", "wrong", "none"])
def test_every_format_under_any_name(kind: str, extension: str, twelve_clips: list[GivenClip], tmp_path: Path) -> None:
    samples, rate = soundfile.read(twelve_clips[0].path, dtype="float32")
    name = {"own": f"take.{kind}", "wrong": "take.mp3" if kind == "wav" else "take.wav", "none": "take"}[extension]
    source = encode(tmp_path / name, samples, rate, kind)

    converted = convert(source, tmp_path / "out.wav", max_minutes=1)

    info = soundfile.info(tmp_path / "out.wav")
    assert (info.samplerate, info.channels, info.subtype) == (SAMPLE_RATE, 1, "PCM_16")
    assert converted.seconds == pytest.approx(len(samples) / rate, abs=0.1)
    assert converted.seconds == pytest.approx(info.duration)
    assert converted.notes == ()
    assert likeness(read_wav(tmp_path / "out.wav"), samples) > 0.985


@pytest.mark.parametrize("level", [0.005, 0.05, 1.0])
def test_loudness_reaches_the_target_and_peaks_stay_below_the_ceiling(
    level: float, twelve_clips: list[GivenClip], tmp_path: Path
) -> None:
    samples, rate = soundfile.read(twelve_clips[3].path, dtype="float32")
    soundfile.write(tmp_path / "in.wav", samples / np.abs(samples).max() * level, rate, subtype="FLOAT")
    converted = convert(tmp_path / "in.wav", tmp_path / "out.wav", max_minutes=1)
    out = read_wav(tmp_path / "out.wav")
    assert pyloudnorm.Meter(SAMPLE_RATE).integrated_loudness(out) == pytest.approx(TARGET_LUFS, abs=0.3)
    assert 20 * np.log10(np.abs(out).max()) <= PEAK_CEILING_DBFS + 0.01
    assert converted.gain_db == pytest.approx(20 * np.log10(np.abs(out).max() / level), abs=0.1)


def test_a_click_limits_the_gain(tmp_path: Path) -> None:
    samples = tone(4, level=0.01)
    samples[24_000:24_005] = 1.0
    soundfile.write(tmp_path / "in.wav", samples, 24_000, subtype="FLOAT")
    assert convert(tmp_path / "in.wav", tmp_path / "out.wav", max_minutes=1).gain_db == pytest.approx(-1, abs=0.01)


def test_96_khz_with_six_channels(twelve_clips: list[GivenClip], tmp_path: Path) -> None:
    samples, rate = soundfile.read(twelve_clips[2].path, dtype="float32")
    wide = soxr.resample(samples, rate, 96_000)
    channels = np.stack([wide * weight for weight in (1, 1, 0.5, 0, 0.2, 0.2)], axis=1)
    soundfile.write(tmp_path / "in.wav", channels, 96_000, subtype="PCM_24")
    converted = convert(tmp_path / "in.wav", tmp_path / "out.wav", max_minutes=1)
    assert (converted.source_rate, converted.source_channels) == (96_000, 6)
    assert likeness(read_wav(tmp_path / "out.wav"), samples) > 0.99


def test_channels_in_opposite_phase_do_not_cancel_the_voice(twelve_clips: list[GivenClip], tmp_path: Path) -> None:
    samples, rate = soundfile.read(twelve_clips[2].path, dtype="float32")
    soundfile.write(tmp_path / "in.wav", np.stack([0.8 * samples, -samples * 0.9], axis=1), rate)
    converted = convert(tmp_path / "in.wav", tmp_path / "out.wav", max_minutes=1)
    assert "only channel 2 was taken" in converted.notes[0]
    assert likeness(read_wav(tmp_path / "out.wav"), samples) > 0.99


@pytest.mark.slow
def test_a_long_file_is_decoded_twice_and_comes_out_the_same(twelve_clips: list[GivenClip], tmp_path: Path) -> None:
    samples, rate = soundfile.read(twelve_clips[0].path, dtype="float32")
    long = np.tile(samples, int(11 * 60 * rate / len(samples)))
    source = encode(tmp_path / "long.flac", long, rate, "flac")
    converted = convert(source, tmp_path / "out.wav", max_minutes=12)
    out = read_wav(tmp_path / "out.wav")
    assert len(out) == len(long)
    gain = 10 ** (converted.gain_db / 20)
    assert np.abs(out - long * gain).max() < 1e-3  # 16 bits, and a gain that is told with two decimals
    with pytest.raises(InputError, match="longer than 10 minutes"):
        convert(source, tmp_path / "never.wav", max_minutes=10)
    assert not (tmp_path / "never.wav").exists()


def test_a_header_that_lies_about_the_length_is_found_out_while_decoding(tmp_path: Path) -> None:
    """A live recording of a browser says nothing about its length; neither does this wav of 3 minutes."""
    source = tmp_path / "live.wav"
    soundfile.write(source, tone(180), 24_000, subtype="PCM_16")
    content = bytearray(source.read_bytes())
    content[40:44] = (24_000 * 2).to_bytes(4, "little")  # "1 s"; libsndfile believes it
    source.write_bytes(content)
    converted = convert(source, tmp_path / "out.wav", max_minutes=1)
    assert converted.seconds == pytest.approx(1.0)

    live = encode(tmp_path / "live.webm", tone(90), 24_000, "webm")
    duration, void = b"\x44\x89\x88", b"\xec\x89\x88"  # Matroska element ids; the void one is skipped
    assert duration in live.read_bytes()
    live.write_bytes(live.read_bytes().replace(duration, void, 1))
    with pytest.raises(InputError, match="longer than 1 minutes"):
        convert(live, tmp_path / "out2.wav", max_minutes=1)


def test_pictures_without_sound(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "mute.mp4"), "w") as out:
        pictures = out.add_stream("mpeg4", rate=5, width=64, height=48, pix_fmt="yuv420p")
        for _ in range(10):
            out.mux(pictures.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), dtype=np.uint8), format="rgb24")))
        out.mux(pictures.encode(None))
    with pytest.raises(InputError, match="There is no sound in it, only pictures"):
        convert(tmp_path / "mute.mp4", tmp_path / "out.wav", max_minutes=1)


def test_cancel_stops_within_a_file(tmp_path: Path) -> None:
    source = encode(tmp_path / "in.wav", tone(30), 24_000, "wav")
    with pytest.raises(Cancelled):
        convert(source, tmp_path / "out.wav", max_minutes=1, should_stop=lambda: True)
    assert not list(tmp_path.glob("*out*"))
