"""zero_shot: reference → Voice without any training: the base model that imitates it, packaged like a trained voice.

For whom training was not worth it. It is the clone that the judge compares with: the same model, the same reference.
Leaves voices/zero-shot-<digest>/ and its zip. The folder has the reference in it, since that is the voice.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from voicefactory import __version__, files
from voicefactory.errors import InputError
from voicefactory.languages import AUTO
from voicefactory.pipeline.blind_test import load_blind_test
from voicefactory.pipeline.card import zero_shot_card
from voicefactory.pipeline.judge import judgement_path
from voicefactory.pipeline.judge_case import ZERO_SHOT, Case, JudgeRequest, find_case
from voicefactory.pipeline.judgement import worth_of
from voicefactory.pipeline.package import Texts, complete, list_voices
from voicefactory.pipeline.synthesize import synthesize_samples, voice_facts
from voicefactory.project import Project
from voicefactory.types import OnProgress, Reference, Voice, silent


@dataclass(frozen=True)
class ZeroShotRequest:
    """What a person asks for."""

    base: str = ""  #: toy, a Hub id or a directory; empty = the one that the newest voice was made from
    reference: str = ""  #: an audio file or a clip's id; empty = that of the newest voice, otherwise the project's
    language: str = ""  #: empty = that of the recordings
    device: str = AUTO
    consent: str = ""  #: as it was given; empty = what the project remembers


def zero_shot(project: Project, request: ZeroShotRequest, *, on_progress: OnProgress = silent) -> Voice:
    """Package the base model with a reference as a voice, unless it is there. It has spoken in a process of its own.

    Raises InputError and ModelUnavailableError as `find_case`, VoiceFactoryError if it does not speak.
    """
    wanted = JudgeRequest(
        base=request.base, reference=request.reference, language=request.language, device=request.device
    )
    case = find_case(project, wanted, on_progress=on_progress)
    clone = next((one for one in case.subjects if one.id == ZERO_SHOT), None)
    if clone is None or clone.model is None or clone.reference is None:
        raise InputError(" ".join(["Without a base model there is nothing that could imitate.", *case.notes]))
    voice = project.voices / f"zero-shot-{clone.key[:8]}"
    inputs = {"clone": clone.key, "version": 1}
    if not files.is_current(voice, inputs):
        with files.writing_folder(voice) as aside:
            case.engine.assemble_zero_shot(clone.model, clone.reference, project.speaker, aside)
        files.mark_current(voice, inputs)
    work = project.root / "zero-shot" / voice.name
    samples = synthesize_samples(
        voice, work, case.engine, language=case.language, device=case.device, on_progress=on_progress
    )
    reference = clone.reference
    facts = _facts(project, request, case, reference)

    def texts() -> Texts:
        example = case.engine.zero_shot_example(reference, case.language)
        described = {**facts, "created": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())}
        return Texts(example, zero_shot_card(described, example), described)

    return complete(
        voice,
        case.engine,
        samples,
        texts,
        {**inputs, "samples": [files.sha256_of(path) for path in samples], **facts},
        speaker=project.speaker,
        language=case.language,
        clean=work / "clean.wav",
        on_progress=on_progress,
    )


def _facts(project: Project, request: ZeroShotRequest, case: Case, reference: Reference) -> dict[str, Any]:
    """voice.json but for the time at which it is made."""
    trained = [facts for voice in list_voices(project) if not (facts := voice_facts(voice)).get("zero_shot")]
    newest: dict[str, Any] = dict(trained[0]) if trained else {}
    base = request.base or str(newest.get("base_model", "")) or case.engine.default_model()
    return {
        "name": project.name,
        "speaker": project.speaker,
        "speakers": [project.speaker],
        "language": case.language,
        "engine": case.engine.spec.name,
        "sample_rate": case.engine.spec.sample_rate,
        "base_model": base,
        "consent": request.consent or str(newest.get("consent", "")) or str(project.info.get("consent", "")),
        "toy": case.toy,
        "zero_shot": True,
        "reference": {"seconds": round(reference.seconds, 1), "text": reference.text},
        "verdict": _verdict(project),
        "made_with": f"VoiceFactory {__version__}",
    }


def _verdict(project: Project) -> str:
    """Why training was not worth it, if that was found out; empty if it was not."""
    path = judgement_path(project, "")
    worth = worth_of(files.read_json(path), load_blind_test(project)) if path.is_file() else None
    return worth.sentence if worth and worth.verdict == "no" else ""
