"""judge: finished voice (or a project's) → a Judgement: figures with intervals, the best voice, and was it worth it.

Leaves judge/<voice or "project">.json in the project, and every spoken sentence with what was heard in it beside, so
that a stopped judgement goes on where it was. docs/judging.md says what each number means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from voicefactory import files
from voicefactory.errors import Cancelled, InputError
from voicefactory.pipeline.intervals import Interval, by_sentence, mean_interval, share_interval
from voicefactory.pipeline.judge_case import REAL, ZERO_SHOT, Case, JudgeRequest, Subject, find_case
from voicefactory.pipeline.judge_listen import Judge, Sound
from voicefactory.pipeline.judge_pick import Floors, Pick, Result, floors, pick
from voicefactory.pipeline.judge_scores import MEASURES, OwnVoice, scores
from voicefactory.pipeline.judge_sentences import judge_sentences
from voicefactory.pipeline.judge_speak import Utterance, judge_folder, recordings, speak
from voicefactory.pipeline.judge_worth import Worth, worth
from voicefactory.project import Project
from voicefactory.types import OnProgress, Progress, ShouldStop, never, silent

TOY_NOTE = "The toy model makes noise, not speech: these figures show the way only."


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
    worth: Worth | None  #: None without a trained voice or without a zero-shot clone
    asr: str
    notes: tuple[str, ...]


def judge(
    project: Project, request: JudgeRequest, *, on_progress: OnProgress = silent, should_stop: ShouldStop = never
) -> Judgement:
    """Let all speak the same sentences, listen, and compare them with the speaker's recordings.

    Raises InputError and ModelUnavailableError as `find_case`, `judge_sentences` and `Judge` do, and Cancelled; what
    was said and heard until then is kept.
    """
    if request.seeds < 1:
        raise InputError("Judging takes at least one take of each sentence.")
    case = find_case(project, request, on_progress=on_progress)
    sentences = judge_sentences(case.language, request.sentences, case.trained_on)
    encoder = case.engine.speaker_encoder(case.encoder, case.device)
    ear = Judge(case.language, request.asr, request.device, encoder, files.model_identity(case.encoder))
    speaking = [one for one in case.subjects if one.id != REAL]
    said = _said(case, speaking, sentences, request.seeds, on_progress, should_stop)
    sounds = _listen(project, ear, {REAL: recordings(case), **said}, on_progress, should_stop)
    own = OwnVoice(sounds[REAL], [one.text for one in case.recordings], case.language)
    judged = {REAL: [Judged(*row) for row in zip(recordings(case), _heard(sounds[REAL]), own.scores, strict=True)]}
    for name, utterances in said.items():
        judged[name] = [
            Judged(one, sound.heard, scores(sound, one.text, own, runaway=one.runaway))
            for one, sound in zip(utterances, sounds[name], strict=True)
        ]
    results = {one.id: result_of(one, judged[one.id]) for one in case.subjects}
    found = _conclude(project, request, case, own, judged, results, ear)
    if len(sentences) < request.sentences:
        few = f"Only {len(sentences)} sentences are left that the voice was not trained on."
        found = replace(found, notes=(*found.notes, few))
    files.write_json(found.path, to_json(found))
    return found


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


def judgement_path(project: Project, voice: str) -> Path:
    """Where the judgement of a voice (its folder), or of all of a project's (empty), lies or will lie."""
    return judge_folder(project) / f"{Path(voice).name or 'project'}.json"


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
        "worth": found.worth.to_json() if found.worth else None,
    }


def _said(
    case: Case,
    speaking: Sequence[Subject],
    sentences: Sequence[Any],
    takes: int,
    on_progress: OnProgress,
    should_stop: ShouldStop,
) -> dict[str, list[Utterance]]:
    total, done = len(speaking) * len(sentences) * takes, 0
    said = {}
    for subject in speaking:

        def on_spoken(label: str = subject.label) -> None:
            nonlocal done
            done += 1
            on_progress(Progress("speak", done, total, label))

        said[subject.id] = speak(case, subject, sentences, takes, on_spoken=on_spoken, should_stop=should_stop)
    return said


def _listen(
    project: Project,
    ear: Judge,
    said: Mapping[str, Sequence[Utterance]],
    on_progress: OnProgress,
    should_stop: ShouldStop,
) -> dict[str, list[Sound]]:
    total, done = sum(map(len, said.values())), 0
    sounds: dict[str, list[Sound]] = {name: [] for name in said}
    for name, utterances in said.items():
        for one in utterances:
            if should_stop():
                raise Cancelled("Stopped while listening; what was heard is kept.")
            made = one.audio.is_relative_to(judge_folder(project))
            kept = one.audio.with_suffix(".json") if made else judge_folder(project) / "own" / f"{one.sentence}.json"
            sounds[name].append(ear.listen(one.audio, kept))
            done += 1
            on_progress(Progress("listen", done, total))
    return sounds


def _heard(sounds: Sequence[Sound]) -> list[str]:
    return [sound.heard for sound in sounds]


def _conclude(
    project: Project,
    request: JudgeRequest,
    case: Case,
    own: OwnVoice,
    judged: Mapping[str, Sequence[Judged]],
    results: Mapping[str, Result],
    ear: Judge,
) -> Judgement:
    limits = floors(own.ranges, case.language)
    trained = [results[one.id] for one in case.subjects if one.kind in ("voice", "checkpoint")]
    picked = pick(trained, limits)
    voices = [one.id for one in case.subjects if one.kind == "voice"]
    compared = picked.chosen or (voices[0] if voices else "")
    answer = worth(results[compared], results[ZERO_SHOT], limits) if compared and ZERO_SHOT in results else None
    notes = [*([TOY_NOTE] if case.toy else []), *([ear.found.notice] if ear.found.notice else []), *case.notes]
    path = judgement_path(project, request.voice)
    return Judgement(path, case, own, judged, results, limits, picked, answer, ear.found.name, tuple(notes))


def _subject_row(found: Judgement, subject: Subject) -> dict[str, Any]:
    means = found.results[subject.id].means
    return {
        "id": subject.id,
        "kind": subject.kind,
        "label": subject.label,
        "passes": None if subject.id == REAL else not found.floors.failures(found.results[subject.id]),
        "failures": [] if subject.id == REAL else found.floors.failures(found.results[subject.id]),
        "measures": {name: {**one.to_json(), **_placed(found.own, name, one)} for name, one in means.items()},
        "utterances": [_utterance_row(found.case.project, one) for one in found.judged[subject.id]],
    }


def _placed(own: OwnVoice, name: str, mean: Interval) -> dict[str, str]:
    return {"place": own.ranges[name].place(mean.mean)} if name in own.ranges else {}


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
