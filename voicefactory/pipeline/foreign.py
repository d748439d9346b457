"""Clips of another speaker: how far each clip's voice is from the project's centre.

A voice is a direction (audio/speaker_encoder.py), its distance 1 - cosine. The centre must not be moved by the
clips that it is to find: it starts at the clip that is nearest to the others (a medoid, by the median), and is
then the mean of the nearest clips only. Short clips scatter more, so how far a clip may be depends on how much
speech is in it; the figures come from four speakers with 250 to 700 clips each (benchmarks/foreign.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voicefactory.audio.speaker_encoder import Embedding

LEAST_CLIPS = 5  #: with fewer nobody can say which of them is the odd one
_SPEECH_S = (0.8, 1.0, 1.5, 2.0, 3.0, 5.0)  # seconds of speech in a clip …
_MAY_DIFFER = (0.32, 0.29, 0.25, 0.225, 0.20, 0.18)  # … and how far from the centre one speaker's clips lie
_NEAREST = 0.6  # share of the clips that the centre is the mean of
_ROUNDS = 10
_CANDIDATES = 1000  # clips among which the medoid is looked for: 5,000 × 5,000 distances take seconds
_SAME_VOICE_S = 1.2  # shorter ones say too little to found a second speaker on
_SECOND_SPEAKER = 0.15  # share of the clips from which on it is worth asking: two speakers?
_LEAST_SECOND = 5

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Voices:
    """Who seems to speak in a project."""

    compared: int  #: clips whose voice could be compared
    foreign: tuple[str, ...] = ()  #: clips of another voice than the rest
    second: tuple[str, ...] = ()  #: those of them that are one voice by themselves
    sentence: str = ""  #: "Two speakers? …", or that some clips are foreign; empty = one speaker


def may_differ(speech_s: npt.ArrayLike) -> Floats:
    """How far from the centre (1 - cosine) a clip with so many seconds of speech may be."""
    return np.asarray(np.interp(np.asarray(speech_s, dtype=np.float64), _SPEECH_S, _MAY_DIFFER))


def distances(embeddings: npt.NDArray[np.float32], speech_s: npt.ArrayLike) -> Floats:
    """Distance of each of `embeddings` (clips × 256, unit vectors) from their robust centre, in units of what is
    allowed for its `speech_s`: above 1 it is another voice. Needs LEAST_CLIPS."""
    allowed = may_differ(speech_s)
    every = max(1, -(-len(embeddings) // _CANDIDATES))
    sample = embeddings[::every]
    likeness = sample @ sample.T
    medoid = np.median((1 - likeness) / allowed[::every], axis=1).argmin()
    return _refined(embeddings, allowed, sample[medoid])


def _refined(embeddings: npt.NDArray[np.float32], allowed: Floats, start: Embedding) -> Floats:
    """Distances from the mean of the nearest clips, found from `start` on."""
    found: Floats = (1 - embeddings @ start) / allowed
    for _ in range(_ROUNDS):
        nearest = found <= np.quantile(found, _NEAREST)
        centre = np.average(embeddings[nearest], axis=0, weights=1 / allowed[nearest])
        before, found = found, (1 - embeddings @ (centre / np.linalg.norm(centre))) / allowed
        if np.allclose(before, found, atol=1e-6):
            break
    return found


def voices(
    clips: list[str], embeddings: npt.NDArray[np.float32], speech_s: Mapping[str, float], found: Floats
) -> Voices:
    """What `distances` found, in words. `speech_s` and `found` go with `clips`."""
    foreign = np.flatnonzero(found > 1)
    if not len(foreign):
        return Voices(len(clips))
    names = tuple(clips[index] for index in foreign)
    sure = np.array([index for index in foreign if speech_s[clips[index]] >= _SAME_VOICE_S], dtype=int)
    second: tuple[str, ...] = ()
    if len(sure) >= _LEAST_SECOND:
        among = distances(embeddings[sure], [speech_s[clips[index]] for index in sure])
        second = tuple(clips[index] for index, far in zip(sure, among, strict=True) if far <= 1)
    share = len(names) / len(clips)
    if len(second) >= max(_LEAST_SECOND, len(sure) / 2) and share >= _SECOND_SPEAKER:
        said = (
            f"Two speakers? {share:.0%} of the clips ({len(names)} of {len(clips)}) sound like another person than "
            "the rest. Drop one of the two, or name the speakers."
        )
    elif share >= _SECOND_SPEAKER:
        said = (
            f"Several speakers? {len(names)} of {len(clips)} clips sound like others than the rest, and not like "
            "one person. Listen to them, and drop those that are somebody else."
        )
    else:
        said = f"{len(names)} of {len(clips)} clips may be of another speaker. Listen to them first."
    return Voices(len(clips), names, second, said)
