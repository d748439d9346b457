"""analyse: Clips and Transcripts → an Analysis of each: what it measures, what is wrong with it, in words.

The sound is measured once (pipeline/measuring.py); text, pace and likeness to the other clips are worked out anew,
which takes a moment. Limits: audio/thresholds.py. Leaves analysis.jsonl, and analysis/voices.json with who seems to
speak in the project.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from voicefactory import files
from voicefactory.audio.pace import PACE, pace, written_in
from voicefactory.audio.sound_measures import DNSMOS, SOUND, VOICE
from voicefactory.audio.thresholds import complaints
from voicefactory.pipeline.foreign import LEAST_CLIPS, Voices, distances, voices
from voicefactory.pipeline.measuring import Measured, measured_sounds
from voicefactory.pipeline.second_opinion import disagreements, opinions_path
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.transcripts import load_transcripts
from voicefactory.project import Project
from voicefactory.types import Clip, OnProgress, Progress, ShouldStop, Transcript, never, silent

VOICE_DISTANCE = "voice_distance"
_FROM_CUTTING = ("snr_db", "clipped_share")
_OF_TEXT = (*PACE, "confidence", "disagreement")
_HIDES_THE_VOICE = ("snr_db", "clipped_share")  # noise of 15 dB moves a voice as far as another person is
_DULLS_THE_VOICE, _DULL_DIFFERS = "bandwidth_hz", 1.2  # a telephone moves it less: so much more may it differ
_MANY = 0.5  # where so many clips have the fault, they are alike again
_DROPPED = "You dropped it, so it is not compared with the others."
_FEW = f"There are fewer than {LEAST_CLIPS} clips of this speaker that sound alike, too few to compare."
_HIDDEN = "Its noise or clipping hides who speaks, so it is not compared with the clean clips."
_LEFT_OUT = "DNSMOS was left out; it takes five times as long as everything else."


@dataclass(frozen=True)
class Analysis:
    """What one clip measures. Names and units of `measures` are those of audio/thresholds.py."""

    clip: str  #: Clip.id
    measures: dict[str, float]  #: those that could be measured
    missing: dict[str, str]  #: measure → why it is missing, a sentence
    verdicts: tuple[str, ...]  #: what is wrong, in words; empty = nothing to complain about


def analyse(
    project: Project,
    clips: Sequence[Clip],
    transcripts: Sequence[Transcript],
    *,
    dnsmos: bool = True,
    speakers: Mapping[str, str] | None = None,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> list[Analysis]:
    """Measure every clip; the result is in the order of `clips`, whatever fails on single ones.

    `dnsmos` is the slow measure; without it, what an earlier call found is kept. `speakers`: clip id → who says it,
    where there are several and the transcripts do not tell. Raises Cancelled.
    """
    sounds = measured_sounds(project, clips, dnsmos=dnsmos, on_progress=on_progress, should_stop=should_stop)
    said = {row.clip: row for row in transcripts}
    told = {**(speakers or {}), **{row.clip: row.speaker for row in transcripts if row.speaker}}
    far, why_not, heard = _far_from_centre(clips, sounds, said, told)
    rows: list[dict[str, Any]] = []
    for clip in clips:
        measures, missing = _of_sound(clip, sounds[clip.sha256])
        if clip.id in far:
            measures[VOICE_DISTANCE] = round(far[clip.id], 3)
        else:
            missing[VOICE_DISTANCE] = missing.pop(VOICE, "") or why_not.get(clip.id, _DROPPED)
        rows.append({"clip": clip.id, "sha256": clip.sha256, "measures": measures, "missing": missing})
    differ = _disagreements(project)
    found = [_analysis(row, said.get(row["clip"]), differ) for row in rows]
    files.write_json(project.root / "analysis" / "voices.json", [asdict(one) for one in heard])
    files.write_jsonl(
        project.root / "analysis.jsonl",
        ({**row, **asdict(one)} for row, one in zip(rows, found, strict=True)),
    )
    on_progress(Progress("analyse", len(clips), len(clips), _summary(found)))
    return found


def load_analysis(
    project: Project, clips: Sequence[Clip] | None = None, transcripts: Sequence[Transcript] | None = None
) -> dict[str, Analysis]:
    """Clip id → what `analyse` found, of the clips whose audio is still the same.

    Texts count as they are now: an edited one has its new pace at once. Whoever has the project's clips and
    transcripts at hand gives them: reading them again takes longer than all the rest.
    """
    said = {row.clip: row for row in (load_transcripts(project) if transcripts is None else transcripts)}
    current = {clip.id: clip.sha256 for clip in (load_clips(project) if clips is None else clips)}
    rows = files.read_jsonl(project.root / "analysis.jsonl")
    kept = [row for row in rows if current.get(row["clip"]) == row["sha256"]]
    differ = _disagreements(project)
    return {row["clip"]: _analysis(row, said.get(row["clip"]), differ) for row in kept}


def _disagreements(project: Project) -> dict[str, float]:
    return disagreements(project) if opinions_path(project).exists() else {}


def load_voices(project: Project) -> list[Voices]:
    """Who seemed to speak when `analyse` last ran, one entry for each speaker of the project that was told."""
    path = project.root / "analysis" / "voices.json"
    if not path.exists():
        return []
    return [
        Voices(**{**row, "foreign": tuple(row["foreign"]), "second": tuple(row["second"])})
        for row in files.read_json(path)
    ]


def _of_sound(clip: Clip, sound: Measured) -> tuple[dict[str, float], dict[str, str]]:
    """What the clip's audio measures; signal-to-noise and clipping are those of cutting, which knew the source."""
    measures, missing = dict(sound.measures), dict(sound.missing)
    if sound.readable:
        measures |= {name: float(getattr(clip.quality, name)) for name in _FROM_CUTTING}
        measures["noise_floor_dbfs"] = round(clip.quality.rms_dbfs - clip.quality.snr_db, 1)
    else:
        why = missing["duration_s"]
        missing |= dict.fromkeys((*_FROM_CUTTING, "noise_floor_dbfs"), why)
    if DNSMOS not in measures:
        missing.setdefault(DNSMOS, _LEFT_OUT)
    order = [*SOUND, *_FROM_CUTTING, "noise_floor_dbfs", DNSMOS]
    return {name: measures[name] for name in order if name in measures}, missing


def _analysis(row: dict[str, Any], transcript: Transcript | None, differ: Mapping[str, float]) -> Analysis:
    """A row of analysis.jsonl with the measures of the text as it is now; `differ`: clip id → disagreement."""
    measures = {name: value for name, value in row["measures"].items() if name not in _OF_TEXT}
    missing = {name: why for name, why in row["missing"].items() if name not in _OF_TEXT}
    if transcript is None:
        missing |= dict.fromkeys(_OF_TEXT, "It has no text.")
        return Analysis(row["clip"], measures, missing, _verdicts(measures, ""))
    of_text, not_of_text = pace(transcript, measures)
    if transcript.source == "whisper":
        of_text["confidence"] = round(transcript.confidence, 3)
    else:
        not_of_text["confidence"] = "A person gave the text, not Whisper."
    if row["clip"] in differ:
        of_text["disagreement"] = round(differ[row["clip"]], 3)
    else:
        not_of_text["disagreement"] = "No second Whisper has listened."
    measures |= of_text
    missing |= not_of_text
    return Analysis(row["clip"], measures, missing, _verdicts(measures, written_in(transcript)))


def _verdicts(measures: Mapping[str, float], language: str) -> tuple[str, ...]:
    return tuple(found.words for found in complaints(measures, language=language))


def _far_from_centre(
    clips: Sequence[Clip],
    sounds: Mapping[str, Measured],
    said: Mapping[str, Transcript],
    told: Mapping[str, str],
) -> tuple[dict[str, float], dict[str, str], list[Voices]]:
    """Clip id → distance from the centre of its speaker's clips; → why it has none; and who seems to speak."""
    groups: dict[str, list[Clip]] = {}
    for clip in clips:
        if sounds[clip.sha256].embedding is not None and not _is_dropped(said.get(clip.id)):
            groups.setdefault(told.get(clip.id, ""), []).append(clip)
    far: dict[str, float] = {}
    why_not: dict[str, str] = {}
    heard = []
    for group in groups.values():
        faults = {clip.id: _faults(clip, sounds[clip.sha256]) for clip in group}
        odd = {
            fault
            for fault in (*_HIDES_THE_VOICE, _DULLS_THE_VOICE)
            if sum(fault in faults[clip.id] for clip in group) < _MANY * len(group)
        }
        alike = [clip for clip in group if not odd & faults[clip.id] & set(_HIDES_THE_VOICE)]
        enough = len(alike) >= LEAST_CLIPS
        why_not |= dict.fromkeys((clip.id for clip in group), _HIDDEN if enough else _FEW)
        if not enough:
            continue
        vectors = np.stack([vector for clip in alike if (vector := sounds[clip.sha256].embedding) is not None])
        speech_s = {clip.id: _speech_s(sounds[clip.sha256]) for clip in alike}
        found = distances(vectors, list(speech_s.values()))
        found /= [_DULL_DIFFERS if _DULLS_THE_VOICE in odd & faults[name] else 1.0 for name in speech_s]
        far.update(zip(speech_s, found.tolist(), strict=True))
        heard.append(voices(list(speech_s), vectors, speech_s, found))
    return far, why_not, heard


def _faults(clip: Clip, sound: Measured) -> set[str]:
    """Names of the measures of `clip` that are beyond their limits."""
    return {found.threshold.measure for found in complaints(_of_sound(clip, sound)[0])}


def _speech_s(sound: Measured) -> float:
    return sound.measures["duration_s"] * (1 - sound.measures.get("silence_share", 0))


def _is_dropped(transcript: Transcript | None) -> bool:
    return transcript is not None and transcript.dropped


def _summary(found: Iterable[Analysis]) -> str:
    """ "12 clips, 3 with something to look at"."""
    rows = list(found)
    return f"{len(rows)} clips, {sum(bool(one.verdicts) for one in rows)} with something to look at"
