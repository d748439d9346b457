"""Data sets of real clips without the rest of the pipeline."""

from __future__ import annotations

from pathlib import Path

import soundfile

from voicefactory import files
from voicefactory.types import Clip, Dataset, Quality, Reference, Sample

DATA = Path(__file__).parent.parent / "data" / "clips"


def real_clips() -> list[tuple[Path, str]]:
    """(wav, text) of the committed recordings, the shortest first."""
    lines = (DATA / "metadata.csv").read_text(encoding="utf-8").splitlines()
    header = lines[0].split("|")
    rows = [dict(zip(header, line.split("|"), strict=False)) for line in lines[1:]]
    clips = [(DATA / row["file"], row["text"]) for row in rows]
    return sorted(clips, key=lambda clip: soundfile.info(clip[0]).duration)


def dataset_of(clips: list[tuple[Path, str]], folder: Path, language: str = "english") -> Dataset:
    """A data set of whole files, with the first as reference."""
    samples = []
    for index, (audio, text) in enumerate(clips):
        seconds = soundfile.info(audio).duration
        clip = Clip(
            id=f"rec{index:03d}-0",
            recording=f"rec{index:03d}",
            file=audio.name,
            audio=audio,
            start_s=0,
            end_s=seconds,
            seconds=seconds,
            quality=Quality(-3, -20, 30, 0),
            sha256=files.sha256_of(audio),
        )
        samples.append(Sample(clip, text, language))
    reference = Reference(clips[0][0], clips[0][1], samples[0].clip.seconds, 1.0, ("given",), samples[0].clip.id)
    digest = files.fingerprint([[s.clip.sha256, s.text, s.language] for s in samples])
    return Dataset(tuple(samples), reference, folder / "dataset.jsonl", digest)
