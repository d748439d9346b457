"""judge: finished voice (or a project's) → a Judgement: figures with intervals, the best voice, and was it worth it.

Leaves judge/<voice or "project">.json in the project, and every spoken sentence with what was heard in it beside, so
that a stopped judgement goes on where it was. docs/judging.md says what each number means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from voicefactory import files
from voicefactory.errors import Cancelled, InputError
from voicefactory.pipeline.judge_case import REAL, Case, JudgeRequest, find_case
from voicefactory.pipeline.judge_listen import Judge, Sound
from voicefactory.pipeline.judge_scores import OwnVoice, scores
from voicefactory.pipeline.judge_sentences import judge_sentences
from voicefactory.pipeline.judge_speak import Utterance, judge_folder, recordings, speak
from voicefactory.pipeline.judgement import Judged, Judgement, conclude, to_json
from voicefactory.pipeline.prompts import Prompt
from voicefactory.project import Project
from voicefactory.types import OnProgress, Progress, ShouldStop, never, silent

TOY_NOTE = "The toy model makes noise, not speech: these figures show the way only."


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
    said = {REAL: recordings(case), **_said(case, sentences, request.seeds, on_progress, should_stop)}
    sounds = _listen(project, ear, said, on_progress, should_stop)
    own = OwnVoice(sounds[REAL], [one.text for one in said[REAL]], case.language)
    found = conclude(
        case,
        own,
        {name: _judged(said[name], sounds[name], own, recorded=name == REAL) for name in said},
        asr=ear.found.name,
        notes=_notes(case, ear, len(sentences), request.sentences),
        path=judgement_path(project, request.voice),
    )
    files.write_json(found.path, to_json(found))
    return found


def judgement_path(project: Project, voice: str) -> Path:
    """Where the judgement of a voice (its folder), or of all of a project's (empty), lies or will lie."""
    return judge_folder(project) / f"{Path(voice).name or 'project'}.json"


def _judged(said: Sequence[Utterance], sounds: Sequence[Sound], own: OwnVoice, *, recorded: bool) -> list[Judged]:
    if recorded:
        return [Judged(*row) for row in zip(said, (sound.heard for sound in sounds), own.scores, strict=True)]
    return [
        Judged(one, sound.heard, scores(sound, one.text, own, runaway=one.runaway))
        for one, sound in zip(said, sounds, strict=True)
    ]


def _notes(case: Case, ear: Judge, sentences: int, wanted: int) -> list[str]:
    few = f"Only {sentences} sentences are left that the voice was not trained on." if sentences < wanted else ""
    told = [TOY_NOTE if case.toy else "", ear.found.notice, few, *case.notes]
    return [note for note in told if note]


def _said(
    case: Case, sentences: Sequence[Prompt], takes: int, on_progress: OnProgress, should_stop: ShouldStop
) -> dict[str, list[Utterance]]:
    speaking = [one for one in case.subjects if one.id != REAL]
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
