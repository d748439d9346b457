"""What the data set is like, and whether it is enough: the figures, the warnings, and what would help most.

Counted are the clips that training would see: those with a text that the person did not drop. Kept in statistics.json
until a clip, a text or the analysis changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from voicefactory import files
from voicefactory.languages import AUTO, WHISPER_CODES
from voicefactory.pipeline.analyse import load_voices
from voicefactory.pipeline.coverage import Coverage, coverage, coverage_from_json
from voicefactory.pipeline.prompts import prompt_set
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.transcripts import load_transcripts
from voicefactory.project import Project
from voicefactory.types import Clip, Transcript

#: Minutes from which on a data set is called so, what that means, and the least that is missing to the next.
#: Rules of thumb from what people report of fine-tuning; not verified here with real weights.
ENOUGH = (
    (0.0, "not enough", "With less than a minute the base model's zero-shot copy will most likely be better."),
    (1.0, "a try", "One to three minutes are enough to try the way out; expect little more than zero-shot."),
    (3.0, "a start", "Three to ten minutes can carry the sound of a voice, less so its manner of speaking."),
    (10.0, "good", "Ten to thirty minutes are what most good voices were made of."),
    (30.0, "plenty", "With half an hour or more, better recordings help more than further ones."),
)
BASIS = "This is a rule of thumb, not measured with this model."
LENGTHS_S = (0.0, 2.0, 3.0, 5.0, 8.0, 12.0, 16.0, 20.0)  #: edges of the histogram, seconds; the last bin is open
#: The same for speech above the pauses, dB; what is fainter than the pauses counts to the first.
SNR_DB = (0.0, 10.0, 20.0, 30.0, 40.0, 50.0)
_VERSION = 2  # raise it when the same project gives other statistics

#: Shares of the clips above which a warning is given.
NOISY_DB, _NOISY_SHARE = 20.0, 0.2
_SHORT_S, _SHORT_SHARE = 2.0, 0.3
_DOUBTFUL, _DOUBTFUL_SHARE = 0.6, 0.1
_OTHER_LANGUAGE_SHARE = 0.02
_REPEATED = 3  # times, and this share of the clips
_REPEATED_SHARE = 0.05
_COVERED = 0.9


@dataclass(frozen=True)
class Statistics:
    """A data set in figures and sentences."""

    minutes: float
    clips: int
    left_out: int  #: clips without a text, or dropped
    languages: dict[str, int]  #: language → clips, the commonest first
    lengths: tuple[int, ...]  #: clips in each bin of LENGTHS_S
    snr: tuple[int, ...]  #: clips in each bin of SNR_DB
    coverage: Coverage | None  #: of the commonest language; None if nobody knows the language
    warnings: tuple[str, ...]
    level: str  #: one of ENOUGH's names
    enough: str  #: the answer, in two sentences
    best_help: str  #: what would help most, a sentence

    def to_json(self) -> dict[str, Any]:
        """For --json, the page and dataset.json."""
        return {
            **asdict(self),
            "minutes": round(self.minutes, 2),
            "lengths": [
                {"from_s": low, "to_s": high, "clips": count}
                for low, high, count in zip(LENGTHS_S, (*LENGTHS_S[1:], None), self.lengths, strict=True)
            ],
            "snr": [
                {"from_db": low, "to_db": high, "clips": count}
                for low, high, count in zip(SNR_DB, (*SNR_DB[1:], None), self.snr, strict=True)
            ],
        }


def statistics(project: Project) -> Statistics:
    """The statistics of what training would see now. Fast: nothing but text and figures is read."""
    path, stamp = project.root / "statistics.json", _stamp(project)
    if path.exists():
        kept = files.read_json(path)
        if kept.get("stamp") == stamp:
            return _from_json(kept["statistics"])
    found = _count(project, load_clips(project), load_transcripts(project))
    files.write_json(path, {"stamp": stamp, "statistics": asdict(found)})
    return found


def _count(project: Project, clips: Sequence[Clip], transcripts: Sequence[Transcript]) -> Statistics:
    texts = {row.clip: row for row in transcripts if row.text.strip() and not row.dropped}
    used = [clip for clip in clips if clip.id in texts]
    said = [texts[clip.id] for clip in used]
    minutes = sum(clip.seconds for clip in used) / 60
    languages = dict(Counter(row.language for row in said).most_common())
    main = next((name for name in languages if name in WHISPER_CODES), AUTO)
    covered = coverage([row.text for row in said if row.language == main], main) if said else None
    warnings = _warnings(project, used, said, languages)
    level, meaning = max((least, name, words) for least, name, words in ENOUGH if minutes >= least)[1:]
    enough = (
        f"You have {_minutes(minutes)}: {level}. {meaning} {BASIS}" if used else "There is no clip with a text yet."
    )
    return Statistics(
        minutes=minutes,
        clips=len(used),
        left_out=len(clips) - len(used),
        languages=languages,
        lengths=_histogram([clip.seconds for clip in used], LENGTHS_S),
        snr=_histogram([clip.quality.snr_db for clip in used], SNR_DB),
        coverage=covered,
        warnings=tuple(warnings),
        level=level,
        enough=enough,
        best_help=_best_help(minutes, used, warnings, covered, main),
    )


def _histogram(values: Sequence[float], edges: Sequence[float]) -> tuple[int, ...]:
    """How many lie in each bin; the last is open, and what lies below the first counts to it."""
    counts = [0] * len(edges)
    for value in values:
        counts[max((at for at, low in enumerate(edges) if value >= low), default=0)] += 1
    return tuple(counts)


def _warnings(
    project: Project, clips: Sequence[Clip], said: Sequence[Transcript], languages: dict[str, int]
) -> list[str]:
    """What speaks against this data, the gravest first."""
    if not clips:
        return []
    told = [voices.sentence for voices in load_voices(project) if voices.sentence]
    count = len(clips)
    noisy = sum(clip.quality.snr_db < NOISY_DB for clip in clips)
    if noisy > _NOISY_SHARE * count:
        told.append(f"Noise: in {noisy} of {count} clips speech is less than {NOISY_DB:g} dB above the pauses.")
    main = next(iter(languages))
    others = {name: number for name, number in languages.items() if name != main}
    if sum(others.values()) > _OTHER_LANGUAGE_SHARE * count:
        named = ", ".join(f"{number} in {name}" for name, number in others.items())
        told.append(f"Several languages: {languages[main]} clips are in {main}, {named}. Check that it is so.")
    doubtful = sum(row.confidence < _DOUBTFUL for row in said)
    if doubtful > _DOUBTFUL_SHARE * count:
        told.append(f"Doubtful texts: of {doubtful} clips Whisper is less than {_DOUBTFUL:.0%} sure. Listen to them.")
    spoken = Counter(" ".join(row.text.casefold().split()) for row in said)
    text, times = spoken.most_common(1)[0]
    if times >= _REPEATED and times > _REPEATED_SHARE * count:
        told.append(f"One sentence again and again: “{text[:60]}” is said {times} times. Keep the best two of them.")
    short = sum(clip.seconds < _SHORT_S for clip in clips)
    if short > _SHORT_SHARE * count:
        told.append(f"Short clips: {short} of {count} have less than {_SHORT_S:g} s; 3 to 12 s teach more.")
    return told


def _best_help(
    minutes: float, clips: Sequence[Clip], warnings: Sequence[str], covered: Coverage | None, language: str
) -> str:
    """The one thing to do next."""
    if not clips:
        return "Add recordings, or read sentences aloud on the page."
    goal = next((goal for goal in (3.0, 10.0) if minutes < goal), None)
    if goal is not None:
        offer = ""
        if language in WHISPER_CODES:
            needed, read = goal * 60 - minutes * 60, 0.0
            count = 0
            for prompt in prompt_set(language):
                if read >= needed:
                    break
                read, count = read + prompt.seconds, count + 1
            offer = f", for example by reading {count} of our sentences aloud"
        return f"More speech helps most: record another {_minutes(goal - minutes)}{offer}."
    if warnings:
        return f"See to this first: {warnings[0]}"
    if covered is not None and covered.share < _COVERED:
        return f"{covered.words()} Read the {len(covered.prompts)} sentences that bring them."
    if minutes < 30:
        return "Listen to the clips with the highest risk and correct or drop them; then more speech, up to 30 minutes."
    return "Listen to the clips with the highest risk, and correct or drop them."


def _minutes(minutes: float) -> str:
    return f"{minutes * 60:.0f} seconds" if minutes < 1.5 else f"{minutes:.0f} minutes"


def _stamp(project: Project) -> list[Any]:
    """Changes when anything that the statistics are made of does."""
    stamp: list[Any] = [_VERSION]
    for path in (project.clips_jsonl, project.transcripts_jsonl, project.root / "analysis" / "voices.json"):
        state = path.stat() if path.exists() else None
        stamp.append([state.st_mtime_ns, state.st_size, state.st_ino] if state else None)
    return stamp


def _from_json(kept: dict[str, Any]) -> Statistics:
    covered = kept["coverage"]
    return Statistics(
        **{
            **kept,
            "lengths": tuple(kept["lengths"]),
            "snr": tuple(kept["snr"]),
            "warnings": tuple(kept["warnings"]),
            "coverage": coverage_from_json(covered) if covered else None,
        }
    )
