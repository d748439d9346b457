"""Pieces are joined without a click, with pauses of the lengths that are written down."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicefactory.errors import InputError
from voicefactory.pipeline.speech_files import SYNTHETIC, check_output, write_samples
from voicefactory.pipeline.speech_joins import PAUSES_S, trimmed, with_pause

RATE = 24_000
LOUD = 0.5 * np.sin(np.arange(RATE, dtype=np.float32) * 0.05)


def silence(seconds: float) -> np.ndarray:
    """With the noise floor of a codec."""
    noise = np.random.default_rng(0).standard_normal(round(seconds * RATE)) * 1e-4
    return noise.astype(np.float32)


@pytest.mark.parametrize("end", ["clause", "sentence", "paragraph"])
def test_between_two_pieces_is_the_pause_whatever_silence_they_came_with(end: str) -> None:
    for before, after in ((0.0, 0.0), (0.5, 0.02), (1.5, 1.5)):
        one = trimmed(np.concatenate([LOUD, silence(before)]), RATE)
        two = trimmed(np.concatenate([silence(after), LOUD]), RATE)
        whole = np.concatenate([with_pause(one, RATE, end), two])  # type: ignore[arg-type]
        quiet = np.flatnonzero(np.abs(whole) > 0.05)
        longest = np.diff(quiet).max() / RATE
        spare = 2 * 0.06  # where a piece brings no silence there is no margin to count
        assert PAUSES_S[end] - spare - 0.05 <= longest <= PAUSES_S[end] + 0.05, (before, after)  # type: ignore[index]
        if before > 0.1 and after > 0.1:
            assert abs(longest - PAUSES_S[end]) < 0.04  # type: ignore[index]


def test_edges_fade_and_a_pause_begins_from_nothing() -> None:
    piece = with_pause(trimmed(np.full(RATE, 0.8, dtype=np.float32), RATE), RATE, "sentence")
    assert abs(piece[0]) < 0.01
    assert np.abs(np.diff(piece)).max() < 0.01  # 0.8 at once would click


def test_silence_and_nothing_stay_as_they_are() -> None:
    for samples in (np.zeros(RATE, dtype=np.float32), np.zeros(0, dtype=np.float32)):
        assert np.array_equal(trimmed(samples, RATE), samples)


@pytest.mark.parametrize("form", ["wav", "flac", "mp3"])
def test_every_form_can_be_read_and_says_that_it_is_synthetic(form: str, tmp_path: Path) -> None:
    out = tmp_path / f"said.{form}"
    write_samples(LOUD, RATE, out, title="Guten Morgen, 早上好", voice="Anna")
    with soundfile.SoundFile(out) as file:
        assert (file.samplerate, file.channels) == (RATE, 1)
        assert (file.title, file.artist, file.comment) == ("Guten Morgen, 早上好", "Anna", SYNTHETIC)
        heard = file.read(dtype="float32")
    assert len(heard) == len(LOUD)
    assert np.abs(heard - LOUD)[1000:-1000].max() < (0.05 if form == "mp3" else 1e-4)


def test_other_forms_are_refused() -> None:
    with pytest.raises(InputError, match=r"\.flac or \.mp3"):
        check_output(Path("a.ogg"))
