"""What cleaning does to real clips with noise added: signal-to-noise and DNSMOS before and after, and its speed.

    python -m benchmarks.cleaning [--clips 6]

The recordings of tests/data get noise 10 dB below the speech: white, rumble (below 60 Hz, with mains hum), and babble
(five other clips at once). "SI-SDR" compares with the clip before the noise came, sample by sample after one gain
(Le Roux et al. 2019), so a clip that came back 1 ms late would lose it; DNSMOS is the overall score (P.835).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from voicefactory.audio import cleaning
from voicefactory.audio.listener_score import listener_score

WAVS = Path(__file__).parent.parent / "tests" / "data" / "clips" / "wavs"
RATE = 24_000
NOISE_DB = 10.0
Samples = npt.NDArray[np.float32]
WAYS = (("denoise",), ("highpass",), ("highpass", "denoise", "level"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=6)
    arguments = parser.parse_args()
    everything = [soundfile.read(path, dtype="float32")[0] for path in sorted(WAVS.glob("*.wav"))]
    clips = everything[: arguments.clips]
    kinds: dict[str, Callable[[int, Samples], Samples]] = {
        "none": lambda index, clip: np.zeros_like(clip),
        "white": _white,
        "rumble and hum": _rumble,
        "babble": lambda index, clip: _babble(everything[arguments.clips :], clip),
    }
    print(f"{len(clips)} clips, {sum(map(len, clips)) / RATE:.0f} s; means over them.\n")
    print("| Noise, 10 dB below | cleaned by | SI-SDR before → after, dB | DNSMOS before → after | LUFS before → after "
          "| seconds per second of audio |")  # fmt: skip
    print("|---|---|---|---|---|---|")
    for name, kind in kinds.items():
        noisy = [_mixed(clip, kind(index, clip)) for index, clip in enumerate(clips)]
        before = [listener_score(samples, RATE) for samples in noisy]
        for way in WAYS:
            began = time.process_time()
            after = [_cleaned(samples, way) for samples in noisy]
            speed = (time.process_time() - began) / (sum(map(len, clips)) / RATE)
            scores = [listener_score(samples, RATE) for samples in after]
            sdr = [np.mean([_si_sdr(clip, one) for clip, one in zip(clips, side, strict=True)])
                   for side in (noisy, after)]  # fmt: skip
            loud = [np.mean([cleaning.loudness_of(one) or -70 for one in side]) for side in (noisy, after)]
            sdrs = "- → " if name == "none" else f"{sdr[0]:.1f} → "
            print(f"| {name} | {', '.join(way)} | {sdrs}{sdr[1]:.1f} | {np.mean(before):.2f} → {np.mean(scores):.2f} "
                  f"| {loud[0]:.1f} → {loud[1]:.1f} | {speed:.2f} |", flush=True)  # fmt: skip


def _cleaned(samples: Samples, way: Sequence[str]) -> Samples:
    for step in way:
        samples = getattr(cleaning, step)(samples)
    return samples


def _mixed(clip: Samples, noise: Samples) -> Samples:
    if not noise.any():
        return clip
    speech = np.sqrt(np.square(clip[np.abs(clip) > 0.01]).mean())
    level = speech * 10 ** (-NOISE_DB / 20) / np.sqrt(np.square(noise).mean())
    mixed = 0.5 * (clip + level * noise)
    return np.clip(mixed, -1, 1).astype(np.float32)


def _white(index: int, clip: Samples) -> Samples:
    return np.random.default_rng(index).standard_normal(len(clip)).astype(np.float32)


def _rumble(index: int, clip: Samples) -> Samples:
    from scipy.signal import butter, sosfilt

    slow = sosfilt(butter(4, 60, fs=RATE, output="sos"), _white(index, clip))
    hum = np.sin(2 * np.pi * 50 * np.arange(len(clip)) / RATE)
    return (slow / np.sqrt(np.square(slow).mean()) + hum).astype(np.float32)


def _babble(others: Sequence[Samples], clip: Samples) -> Samples:
    return sum((np.resize(other, len(clip)) for other in others[:5]), np.zeros_like(clip))


def _si_sdr(wanted: Samples, heard: Samples) -> float:
    gain = float(np.dot(wanted, heard) / np.dot(wanted, wanted))
    return float(10 * np.log10(np.square(gain * wanted).sum() / (np.square(heard - gain * wanted).sum() + 1e-9)))


if __name__ == "__main__":
    main()
