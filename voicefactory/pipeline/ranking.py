"""Which clip makes the best reference, and why: every clip by what is known of it, the best dozen by ear as well.

| Part | Weight | Full marks | None |
|---|---|---|---|
| signal | 0.30 | speech 40 dB above the pauses; DNSMOS 3.5 where it was measured | 15 dB; DNSMOS 2 |
| words | 0.20 | a person wrote the text, or Whisper is sure of it | Whisper is not sure |
| length | 0.15 | 5 to 8 s: enough to know a voice by, short enough to leave room for the text | 3 s away from that |
| sentence | 0.10 | begins like one and ends with . ! ? | neither |
| typical | 0.10 | nearest to the average of all clips' voices (analyse) | farthest; without an analysis: half |
| steady | 0.15 | pitch within 5 semitones, level within 1.5 dB from second to second, quiet edges | 8 semitones, 4 dB |

Each complaint about the clip costs 0.15. Full marks for steady are near the 90th percentile of forty studio
clips (4.8 semitones, 2.1 dB, edges 46 dB down); the weights are judgement.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from voicefactory.audio.steadiness import Steadiness, steadiness
from voicefactory.audio.wav import read_wav
from voicefactory.pipeline.analyse import VOICE_DISTANCE, Analysis
from voicefactory.types import MAX_REFERENCE_S, MIN_REFERENCE_S, Clip, Reference, Transcript

WEIGHTS = {"signal": 0.3, "words": 0.2, "length": 0.15, "sentence": 0.1, "typical": 0.1, "steady": 0.15}
SHORT_LIST = 12  #: so many of the best are opened and measured
_VERDICT_COST = 0.15
_SNR_DB, _DNSMOS = (15.0, 40.0), (2.0, 3.5)  # poor, good
_IDEAL_S = (5.0, 8.0)
_PITCH_SEMITONES, _DRIFT_DB, _EDGES_DB = (8.0, 5.0), (4.0, 1.5), (-15.0, -30.0)  # poor, good
_TYPICAL_SHARE = 0.5
_NEIGHBOURS_S = 30.0  # of one recording: clips so near each other sound alike
_SAME_WORDS = 0.5
_COUNT = 3


def rank_references(
    clips: Sequence[Clip], transcripts: Sequence[Transcript], analysis: Mapping[str, Analysis] | None = None
) -> list[Reference]:
    """Every accepted clip as a reference, best first: those of 3 to 10 s, or the nearest if there are none.

    `analysis` is clip id → what `analyse` found. Scores are 0 to 1. Only the best dozen are opened, so thousands
    of clips take no longer than a few.
    """
    analysis = analysis or {}
    texts = {row.clip: row for row in transcripts if row.text and not row.dropped}
    accepted = [clip for clip in clips if clip.id in texts]
    nearer = _nearer_than(accepted, analysis)
    fitting = [clip for clip in accepted if _misfit_s(clip) == 0]
    if fitting:
        by_figures = sorted(
            ((_judged(clip, texts[clip.id], analysis, nearer), clip) for clip in fitting),
            key=lambda pair: -pair[0].score,
        )
        heard = [_heard(found, clip) for found, clip in by_figures[:SHORT_LIST]]
        return sorted([*heard, *(found for found, _ in by_figures[SHORT_LIST:])], key=lambda found: -found.score)
    nearest = sorted(accepted, key=lambda clip: (_misfit_s(clip), -clip.quality.snr_db))
    return [_judged(clip, texts[clip.id], analysis, nearer) for clip in nearest]


def three_candidates(ranked: Sequence[Reference], clips: Sequence[Clip]) -> list[Reference]:
    """The best three of `ranked` that differ: not two of the same half minute, nor of the same words.

    Where that leaves fewer than three, the best of the others fill up.
    """
    by_id = {clip.id: clip for clip in clips}
    chosen: list[Reference] = []
    for found in ranked:
        if len(chosen) == _COUNT:
            break
        if not any(_alike(found, other, by_id) for other in chosen):
            chosen.append(found)
    rest = (found for found in ranked if found not in chosen)
    chosen += [found for found, _ in zip(rest, range(_COUNT - len(chosen)), strict=False)]
    return sorted(chosen, key=lambda found: -found.score)


def _misfit_s(clip: Clip) -> float:
    return max(MIN_REFERENCE_S - clip.seconds, clip.seconds - MAX_REFERENCE_S, 0.0)


def _judged(
    clip: Clip, transcript: Transcript, analysis: Mapping[str, Analysis], nearer: Mapping[str, float]
) -> Reference:
    """Score and reasons by what is known without opening the clip; what is heard in it comes on top."""
    known = analysis.get(clip.id)
    verdicts = known.verdicts if known else clip.quality.verdicts
    signal = _between(clip.quality.snr_db, *_SNR_DB)
    if known and "dnsmos" in known.measures:
        signal = (signal + _between(known.measures["dnsmos"], *_DNSMOS)) / 2
    shortest, longest = _IDEAL_S
    off_s = max(shortest - clip.seconds, clip.seconds - longest, 0.0)
    begins, ends = _begins(transcript.text), _ends(transcript.text)
    parts = {
        "signal": signal,
        "words": transcript.confidence,
        "length": max(0.0, 1 - off_s / 3),
        "sentence": (begins + ends) / 2,
        "typical": nearer.get(clip.id, 0.5),
    }
    reasons = [f"{clip.seconds:.1f} s long", f"speech is {clip.quality.snr_db:.0f} dB above the pauses"]
    if transcript.source == "whisper":
        reasons.append(f"Whisper is {transcript.confidence:.0%} sure of the words")
    else:
        reasons.append("a person wrote its text")
    reasons.append("a complete sentence" if begins and ends else "not a complete sentence, by its text")
    if nearer.get(clip.id, 0.0) >= _TYPICAL_SHARE:
        reasons.append(f"typical of the speaker: nearer to the average voice than {nearer[clip.id]:.0%} of the clips")
    if clip.seconds < MIN_REFERENCE_S:
        reasons.append(f"no clip has the {MIN_REFERENCE_S:g} to {MAX_REFERENCE_S:g} s that a reference should have")
    score = sum(WEIGHTS[part] * value for part, value in parts.items()) - _VERDICT_COST * len(verdicts)
    return Reference(
        audio=clip.audio,
        text=transcript.text,
        seconds=clip.seconds,
        score=round(max(0.0, score), 4),
        reasons=(*reasons, *verdicts),
        clip=clip.id,
    )


def _heard(found: Reference, clip: Clip) -> Reference:
    """The same with what is heard in the clip: is it spoken evenly, do its edges lie in pauses?"""
    measured = _steadiness(clip.audio, clip.sha256)
    if measured is None:
        return found
    pitch = 0.5 if measured.pitch_semitones is None else _between(measured.pitch_semitones, *_PITCH_SEMITONES)
    drift, edges = _between(measured.drift_db, *_DRIFT_DB), _between(measured.edges_db, *_EDGES_DB)
    told = []
    if measured.pitch_semitones is not None and pitch + drift >= 2:
        told.append("spoken evenly")
    elif measured.pitch_semitones is not None and pitch == 0:
        told.append(f"its pitch moves a lot ({measured.pitch_semitones:.0f} semitones)")
    elif drift == 0:
        told.append(f"its level moves a lot ({measured.drift_db:.0f} dB)")
    if edges == 0:
        told.append("someone speaks right at its edge")
    score = found.score + WEIGHTS["steady"] * (pitch + drift + edges) / 3
    return replace(found, score=round(min(1.0, score), 4), reasons=(*found.reasons, *told))


@functools.lru_cache(maxsize=1_000)
def _steadiness(audio: Path, sha256: str) -> Steadiness | None:
    try:
        return steadiness(read_wav(audio))
    except (OSError, RuntimeError):  # gone or damaged: then it is judged by what is known
        return None


def _nearer_than(clips: Sequence[Clip], analysis: Mapping[str, Analysis]) -> dict[str, float]:
    """Clip id → share of the clips whose voice is farther from the average than its own."""
    known = {
        clip.id: analysis[clip.id].measures[VOICE_DISTANCE]
        for clip in clips
        if clip.id in analysis and VOICE_DISTANCE in analysis[clip.id].measures
    }
    ordered = sorted(known, key=lambda clip: known[clip])
    return {clip: 1 - place / len(ordered) for place, clip in enumerate(ordered, 1)}


def _begins(text: str) -> bool:
    """A sentence begins with a capital, a digit or a script without capitals; ¿ ¡ and quotes may stand before it."""
    first = next((char for char in text if char.isalnum()), "")
    return bool(first) and not first.islower()


def _ends(text: str) -> bool:
    return bool(re.search(r"[.!?…。！？][\"'”’»」』)]*$", text.strip()))


def _alike(one: Reference, other: Reference, clips: Mapping[str, Clip]) -> bool:
    first, second = clips.get(one.clip), clips.get(other.clip)
    if first and second and first.recording == second.recording:
        return abs(first.start_s - second.start_s) < _NEIGHBOURS_S
    words, others = _words(one.text), _words(other.text)
    return len(words & others) >= _SAME_WORDS * max(1, min(len(words), len(others)))


def _words(text: str) -> set[str]:
    """Words, or pairs of characters where words are not parted."""
    if re.search(r"[\u3040-\u30ff\u3400-\u9fff]", text):
        return {text[at : at + 2] for at in range(len(text) - 1)}
    return set(re.findall(r"\w+", text.casefold()))


def _between(value: float, poor: float, good: float) -> float:
    return min(1.0, max(0.0, (value - poor) / (good - poor)))
