"""What judging found: figures with intervals, the best voice, and whether training was worth it; and its JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from voicefactory.pipeline.blind_test import BlindTest, load_blind_test, outcome
from voicefactory.pipeline.intervals import Interval, by_sentence, mean_interval, share_interval
from voicefactory.pipeline.judge_case import REAL, ZERO_SHOT, Case, Subject
from voicefactory.pipeline.judge_pick import Floors, Pick, Result, floors, pick
from voicefactory.pipeline.judge_scores import MEASURES, OwnVoice
from voicefactory.pipeline.judge_speak import Utterance
from voicefactory.pipeline.judge_worth import Worth, with_ears, worth
from voicefactory.project import Project


@dataclass(frozen=True)
class Judged:
    """One utterance and what it is worth."""

    utterance: Utterance
    heard: str
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Judgement:
    """Everything that was found; `path` is its JSON."""

    path: Path
    case: Case
    own: OwnVoice
    judged: Mapping[str, Sequence[Judged]]  #: Subject.id → its utterances
    results: Mapping[str, Result]
    floors: Floors
    pick: Pick
    compared: str  #: Subject.id of the voice that `worth` is about; empty without a trained voice
    measured: Worth | None  #: by the measures alone; None without a trained voice or without a zero-shot clone
    worth: Worth | None  #: with the person's own blind test, if there is one
    asr: str
    notes: tuple[str, ...]


def conclude(
    case: Case, own: OwnVoice, judged: Mapping[str, Sequence[Judged]], *, asr: str, notes: Sequence[str], path: Path
) -> Judgement:
    """Means, the pick and the verdict, from the utterances of each of the case's subjects."""
    results = {one.id: result_of(one, judged[one.id]) for one in case.subjects}
    limits = floors(own.ranges, case.language)
    trained = [results[one.id] for one in case.subjects if one.kind in ("voice", "checkpoint")]
    picked = pick(trained, limits)
    voices = [one.id for one in case.subjects if one.kind == "voice"]
    compared = picked.chosen or next(iter(voices), "")
    measured = worth(results[compared], results[ZERO_SHOT], limits) if compared and ZERO_SHOT in results else None
    answer = _heard_worth(measured, compared, load_blind_test(case.project))
    return Judgement(path, case, own, judged, results, limits, picked, compared, measured, answer, asr, tuple(notes))


def worth_of(row: Mapping[str, Any], ears: BlindTest | None) -> Worth | None:
    """The verdict in a judgement's JSON with a blind test that was finished since; None if it has none."""
    told = row.get("worth_measured") or row["worth"]
    measured = Worth(told["verdict"], told["sentence"], {}) if told else None
    return _heard_worth(measured, str(row.get("compared", "")), ears)


def _heard_worth(measured: Worth | None, compared: str, ears: BlindTest | None) -> Worth | None:
    """With what the person heard, if the test is finished and about these two."""
    if measured and ears and ears.next is None and (ears.trained, ears.zero_shot) == (compared, ZERO_SHOT):
        return with_ears(measured, outcome(ears))
    return measured


def result_of(subject: Subject, judged: Sequence[Judged]) -> Result:
    """Means with intervals of one subject's utterances, sentence by sentence."""
    per_sentence = {
        name: by_sentence((one.utterance.sentence, one.scores[name]) for one in judged if name in one.scores)
        for name in MEASURES
    }
    intervals = {
        name: share_interval(list(values.values())) if MEASURES[name].event else mean_interval(list(values.values()))
        for name, values in per_sentence.items()
    }
    means: dict[str, Interval] = {name: one for name, one in intervals.items() if one is not None}
    return Result(subject.id, subject.label, means, per_sentence)


def to_json(found: Judgement) -> dict[str, Any]:
    """What is written down and what `voicefactory judge --json` prints; audio is relative to the project."""
    case = found.case
    return {
        "project": str(case.project.root),
        "language": case.language,
        "asr": found.asr,
        "toy": case.toy,
        "recordings": len(case.recordings),
        "recordings_unseen": case.unseen,
        "notes": list(found.notes),
        "measures": {name: asdict(one) for name, one in MEASURES.items()},
        "own": {name: asdict(one) for name, one in found.own.ranges.items()},
        "chars_per_s": round(found.own.chars_per_s, 2),
        "floors": asdict(found.floors),
        "subjects": [_subject_row(found, one) for one in case.subjects],
        "pick": {"chosen": found.pick.chosen, "sentence": found.pick.sentence},
        "compared": found.compared,
        "worth": found.worth.to_json() if found.worth else None,
        "worth_measured": found.measured.to_json() if found.measured else None,
    }


def _subject_row(found: Judgement, subject: Subject) -> dict[str, Any]:
    means = found.results[subject.id].means
    return {
        "id": subject.id,
        "kind": subject.kind,
        "label": subject.label,
        "passes": None if subject.id == REAL else not found.floors.failures(found.results[subject.id]),
        "failures": [] if subject.id == REAL else found.floors.failures(found.results[subject.id]),
        "measures": {name: {**one.to_json(), **placed(found.own, subject, name, one)} for name, one in means.items()},
        "utterances": [_utterance_row(found.case.project, one) for one in found.judged[subject.id]],
    }


def placed(own: OwnVoice, subject: Subject, name: str, mean: Interval) -> dict[str, str]:
    """Where a mean lies in the range of the recordings; of events and of the recordings themselves nothing is told."""
    if name not in own.ranges or subject.id == REAL:
        return {}
    return {"place": own.ranges[name].place(mean.mean, MEASURES[name].grain)}


def _utterance_row(project: Project, one: Judged) -> dict[str, Any]:
    said = one.utterance
    return {
        "sentence": said.sentence,
        "take": said.take,
        "text": said.text,
        "heard": one.heard,
        "audio": project.relative(said.audio),
        "retried": said.retried,
        "scores": {name: round(value, 4) for name, value in one.scores.items()},
    }
