"""Extraction: batched equals alone equals the package, bounded, cached, cancellable."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from tests.engines.engine_data import dataset_of, real_clips
from voicefactory import files
from voicefactory.engines.qwen3_tts.codes import SAMPLES_PER_FRAME, batches_by_length, encode, extract
from voicefactory.engines.qwen3_tts.upstream import qwen
from voicefactory.errors import Cancelled
from voicefactory.types import Progress, never, silent


def test_codes_do_not_depend_on_the_batch_and_equal_the_package(toy: Path) -> None:
    tokenizer = qwen().Qwen3TTSTokenizer.from_pretrained(str(toy / "speech_tokenizer"))
    waves = [soundfile.read(audio, dtype="float32")[0] for audio, _ in real_clips()[:5]]
    waves.append(waves[0][: 10 * SAMPLES_PER_FRAME])
    together = encode(tokenizer.model, waves)
    for wave, codes in zip(waves, together, strict=True):
        assert codes.shape == (-(-len(wave) // SAMPLES_PER_FRAME), 16)
        assert np.array_equal(codes, encode(tokenizer.model, [wave])[0])
        whole = np.pad(wave, (0, -len(wave) % SAMPLES_PER_FRAME))
        assert torch.equal(torch.from_numpy(codes), tokenizer.encode([whole], sr=24_000).audio_codes[0])
    assert len({int(code) for codes in together for code in codes[:, 0]}) > 50  # not one code for everything


def test_rows_are_those_the_field_knows_and_edits_cost_nothing(toy: Path, tmp_path: Path) -> None:
    dataset = dataset_of(real_clips()[:3], tmp_path)
    codes = extract(dataset, toy, tmp_path / "codes", device="cpu", on_progress=silent, should_stop=never)
    rows = files.read_jsonl(codes.path)
    assert [set(row) for row in rows] == [{"audio", "text", "ref_audio", "audio_codes", "language", "clip"}] * 3
    assert all(0 <= code < 2048 for row in rows for frame in row["audio_codes"] for code in frame)
    written = {path: path.stat().st_mtime_ns for path in (codes.path.parent / "cache").iterdir()}
    samples = [dataclasses.replace(dataset.samples[0], text="Something else."), *dataset.samples[1:]]
    edited = dataclasses.replace(dataset, samples=tuple(samples), fingerprint="edited")
    again = extract(edited, toy, tmp_path / "codes", device="cpu", on_progress=silent, should_stop=never)
    assert files.read_jsonl(again.path)[0]["text"] == "Something else."
    assert again.fingerprint != codes.fingerprint
    assert {path: path.stat().st_mtime_ns for path in (codes.path.parent / "cache").iterdir()} == written


def test_batches_stay_within_their_budget_and_lose_nothing() -> None:
    rng = np.random.default_rng(0)
    seconds = [*rng.uniform(1, 20, 200), 90.0]
    batches = list(batches_by_length(seconds, 60.0))
    assert sorted(index for batch in batches for index in batch) == list(range(201))
    assert batches[0] == [200]  # longer than the budget: alone
    for batch in batches[1:]:
        assert len(batch) * max(seconds[index] for index in batch) <= 60.0


def test_cancelling_keeps_what_is_encoded(toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extract.__globals__["BATCH_SECONDS"], "cpu", 6.0)
    dataset = dataset_of(real_clips()[:4], tmp_path)
    told: list[Progress] = []
    with pytest.raises(Cancelled):
        extract(
            dataset,
            toy,
            tmp_path / "codes",
            device="cpu",
            on_progress=told.append,
            should_stop=lambda: told[-1].done >= 1,
        )
    kept = list((tmp_path / "codes").glob("*/cache/*.npy"))
    assert 1 <= len(kept) < 4
    assert not list((tmp_path / "codes").glob("*/codes.jsonl"))
    told.clear()
    extract(dataset, toy, tmp_path / "codes", device="cpu", on_progress=told.append, should_stop=never)
    assert told[0].done == len(kept)
