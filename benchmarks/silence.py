"""How often does Whisper write words where nobody speaks? A plain script against `transcribe`.

    python -m benchmarks.silence [--folder DIR] [--base]

DIR holds WAV files without speech (mono, 24 kHz, 16-bit), named <kind><number>.wav; without it: digital silence, noise
and hum made here, and the pauses of the recordings in tests/data, joined and raised. The committed recordings lie in
between, so that windows hold both, and their word error is told. `segment` would refuse most of these clips before;
here they are given to `transcribe` as they are.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections import Counter
from pathlib import Path

import jiwer
import numpy as np
import numpy.typing as npt

from benchmarks.transcription import DEFAULT, _normalised, _texts
from tests.whisper_base import join_whisper_base
from voicefactory import files
from voicefactory.audio.vad import speech_in
from voicefactory.audio.wav import read_wav, write_wav
from voicefactory.pipeline.asr import open_asr
from voicefactory.pipeline.transcribe import transcribe
from voicefactory.pipeline.windows import WHISPER_RATE
from voicefactory.project import Project
from voicefactory.types import SAMPLE_RATE, Clip, Quality

Samples = npt.NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--base", action="store_true", help="Whisper base instead of tiny.en")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        asr = str(join_whisper_base(folder / "base")) if arguments.base else "tiny.en"
        mute = arguments.folder or _made(folder / "mute")
        mute_clips = [_clip(path) for path in sorted(mute.glob("*.wav"))]
        texts = {Path(file).stem: text for file, text in _texts(DEFAULT, 12).items()}
        spoken = [_clip(DEFAULT / "wavs" / f"{stem}.wav") for stem in texts]
        mixed = _mixed(mute_clips, spoken)
        ways = {"plain script, one by one": _plain(mixed, asr), "transcribe": _product(mixed, asr, folder)}
        kinds = Counter(_kind(clip) for clip in mute_clips)
        print(f"{len(mute_clips)} clips without speech, Whisper {Path(asr).name}\n")
        print("| way | " + " | ".join(f"{kind} ({count})" for kind, count in kinds.items()) + " | all | word error |")
        print("|---" * (len(kinds) + 3) + "|")
        for name, heard in ways.items():
            wrong = Counter(_kind(clip) for clip in mute_clips if any(map(str.isalnum, heard.get(clip.id, ""))))
            error = jiwer.wer(
                [_normalised(texts[clip.recording]) for clip in spoken],
                [_normalised(heard.get(clip.id, "")) for clip in spoken],
            )
            cells = " | ".join(str(wrong[kind]) for kind in kinds)
            print(f"| {name} | {cells} | {wrong.total()} of {len(mute_clips)} | {error:.1%} |")
        for name, heard in ways.items():
            said = Counter(heard.get(clip.id, "").strip() for clip in mute_clips)
            print(f"\n{name}: " + (", ".join(f"{text!r} {n} x" for text, n in said.most_common() if text) or "nothing"))


def _kind(clip: Clip) -> str:
    return re.split(r"[\d_]", clip.recording)[0]


def _clip(path: Path) -> Clip:
    seconds = len(read_wav(path)) / SAMPLE_RATE
    name, sha256 = path.stem, files.sha256_of(path)
    return Clip(f"{name}-0000", name, path.name, path, 0.0, seconds, seconds, Quality(-3, -20, 40, 0), sha256)


def _mixed(mute: list[Clip], spoken: list[Clip]) -> list[Clip]:
    every = max(1, len(mute) // len(spoken))
    mixed: list[Clip] = []
    for number, clip in enumerate(mute):
        mixed.append(clip)
        if number % every == every - 1 and number // every < len(spoken):
            mixed.append(spoken[number // every])
    return mixed


def _plain(clips: list[Clip], asr: str) -> dict[str, str]:
    _, model = open_asr(asr, "cpu")
    heard = {}
    for clip in clips:
        segments, _ = model.transcribe(read_wav(clip.audio, rate=WHISPER_RATE), language="en")
        heard[clip.id] = " ".join(segment.text.strip() for segment in segments)
    return heard


def _product(clips: list[Clip], asr: str, folder: Path) -> dict[str, str]:
    project = Project.create("benchmark", folder)
    transcripts, _ = transcribe(project, clips, language="english", asr=asr, device="cpu")
    return {row.clip: row.text for row in transcripts}


def _made(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    folder.mkdir()
    pauses = _pauses()
    for number in range(8):
        length = round((2 + 2 * number) * SAMPLE_RATE)
        time = np.arange(length) / SAMPLE_RATE
        level = 10 ** ((-60 + 4 * number) / 20)
        sounds = {
            "silence": np.zeros(length),
            "dither": rng.integers(-1, 2, length) / 32768,
            "noise": level * rng.standard_normal(length),
            "hum": level * sum(np.sin(2 * np.pi * 50 * part * time) / part for part in range(1, 9)),
            "pauses": _raised(np.resize(pauses[rng.permutation(len(pauses))[0] :], length), level),
            "scrap": _scrap(number),
        }
        for name, samples in sounds.items():
            write_wav(folder / f"{name}{number}.wav", [np.asarray(samples, dtype=np.float32)])
    return folder


def _pauses() -> Samples:
    """Every stretch of the committed recordings that is no speech for sure, one after another."""
    kept = []
    for path in sorted((DEFAULT / "wavs").glob("*.wav")):
        samples = read_wav(path)
        window = SAMPLE_RATE * 32 // 1000
        for index, probability in enumerate(speech_in(samples)):
            if probability < 0.15:
                kept.append(samples[index * window : (index + 1) * window])
    return np.concatenate(kept)


def _scrap(number: int) -> Samples:
    """150 ms of a voice, too short for a word, in 4 s of silence."""
    sound = np.zeros(4 * SAMPLE_RATE, dtype=np.float32)
    path = sorted((DEFAULT / "wavs").glob("*.wav"))[number]
    sound[SAMPLE_RATE : SAMPLE_RATE * 115 // 100] = read_wav(path, 0.75, 0.9)
    return sound


def _raised(samples: Samples, level: float) -> Samples:
    return np.asarray(samples * level / max(float(np.sqrt(np.mean(samples**2))), 1e-9), dtype=np.float32)


if __name__ == "__main__":
    main()
