"""Who is judged against what: the speaker's own recordings, the base model's zero-shot clone, and trained weights.

The recordings are those that training never saw, where there are enough of them; otherwise all, which is said. The
reference is never among them: both the clone and the trained voice were given it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from voicefactory import files, hardware
from voicefactory.engines import registry
from voicefactory.engines.base import Engine
from voicefactory.errors import InputError, ModelUnavailableError
from voicefactory.languages import AUTO, parse_language
from voicefactory.pipeline.frozen import load_frozen
from voicefactory.pipeline.package import list_voices
from voicefactory.pipeline.reference import look_up_reference
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.synthesize import voice_facts
from voicefactory.pipeline.transcripts import load_transcripts
from voicefactory.presets import load_preset
from voicefactory.project import Project
from voicefactory.types import Checkpoint, OnProgress, Reference, Sample, silent

Kind = Literal["real", "zero-shot", "checkpoint", "voice"]
REAL, ZERO_SHOT = "real", "zero-shot"  #: ids of the two that every case has
MOST_RECORDINGS = 30  #: are compared with; more cost time and hardly move a percentile
FEWEST_HELD_OUT = 8  #: with fewer, a range of them says nothing


@dataclass(frozen=True)
class JudgeRequest:
    """What a person asks for; plain text and numbers, so that a job can be written down."""

    voice: str = ""  #: folder of a finished voice; empty = all of the project
    sentences: int = 24
    seeds: int = 2  #: takes of each sentence
    base: str = ""  #: for zero-shot: toy, a Hub id or a directory; empty = the one that the voice was made from
    reference: str = ""  #: for zero-shot: an audio file or a clip's id; empty = the voice's own
    language: str = ""  #: empty = the voice's
    speaker: str = ""  #: empty = the voice's first
    asr: str = AUTO  #: Whisper model
    device: str = AUTO
    checkpoints: bool = True  #: also weights that the voices' runs still have


@dataclass(frozen=True)
class Subject:
    """One that says the sentences. The speaker's recordings are one too, only that they were said already."""

    id: str
    kind: Kind
    label: str  #: for a person
    key: str = ""  #: the same key speaks the same; empty for recordings
    model: Path | None = None  #: folder that `Engine.load` takes; None for recordings and checkpoints
    speaker: str = ""
    reference: Reference | None = None
    checkpoint: Checkpoint | None = None  #: of which a model is assembled first


@dataclass(frozen=True)
class Case:
    """Everything that judging needs to know."""

    project: Project
    engine: Engine
    device: str
    language: str
    recordings: tuple[Sample, ...]
    trained_on: tuple[str, ...]  #: texts
    unseen: bool  #: whether training never saw `recordings`
    subjects: tuple[Subject, ...]
    encoder: Path  #: the model whose own encoder compares voices
    toy: bool
    notes: tuple[str, ...]  #: sentences that a reader of the result has to know


def find_case(project: Project, request: JudgeRequest, *, on_progress: OnProgress = silent) -> Case:
    """Find what there is to judge. Raises InputError for a folder that is no voice, a project without texts, an
    unknown speaker; ModelUnavailableError if a base model that was asked for cannot be had."""
    chosen = [Path(request.voice)] if request.voice else _trained(project)
    facts = [_facts(voice) for voice in chosen]
    first: dict[str, Any] = facts[0] if facts else {}
    engine = registry.get(str(first.get("engine", registry.DEFAULT)))
    speaker = _speaker(first, project, request.speaker)
    samples, given = _samples(project, first, speaker, request.reference)
    own = [sample for sample in samples if sample.speaker in ("", speaker) and sample.clip.id != given.clip]
    runs = [project.runs / voice.name for voice in chosen]
    recordings, unseen = _recordings(engine, runs, samples, own)
    language = parse_language(request.language) if request.language else _language(first, own)
    notes = [_note(unseen, len(recordings))]
    base = _base(
        project, engine, request.base or str(first.get("base_model", "")), bool(request.base), notes, on_progress
    )
    subjects = [Subject(REAL, "real", "Recordings")]
    if base is not None:
        subjects.append(_zero_shot(base, given))
    for voice, run in zip(chosen, runs, strict=True):
        if request.checkpoints and base is not None and len(_speakers(voice)) <= 1:
            subjects += _checkpoints(project, engine, run, base)
        subjects.append(
            Subject(f"voice:{voice.name}", "voice", f"Voice {voice.name}", _key(voice, speaker), voice, speaker)
        )
    if len(subjects) == 1:
        raise InputError(f"There is nothing to judge in {project.name}: no voice, and no base model on this machine.")
    encoder = base or chosen[0]
    return Case(
        project,
        engine,
        hardware.pick_device(request.device),
        language,
        tuple(recordings),
        tuple(sample.text for sample in samples),
        unseen,
        tuple(subjects),
        encoder,
        engine.is_toy(encoder),
        tuple(note for note in notes if note),
    )


def _facts(voice: Path) -> dict[str, Any]:
    facts = voice_facts(voice)
    if not facts:
        raise InputError(f"{voice} is not a finished voice: it has no voice.json. Give a voice's folder, or a project.")
    if facts.get("zero_shot"):
        raise InputError(
            f"{voice.name} was not trained: it is what trained voices are compared with. Judge one of them."
        )
    return facts


def _trained(project: Project) -> list[Path]:
    """The newest first."""
    return [voice for voice in list_voices(project) if not voice_facts(voice).get("zero_shot")]


def _samples(project: Project, facts: dict[str, Any], speaker: str, wanted: str) -> tuple[list[Sample], Reference]:
    """What the voice was made from, and the reference to imitate; without a voice, what is in the project now."""
    clips, transcripts = load_clips(project), load_transcripts(project)
    if facts.get("dataset"):
        dataset = load_frozen(project, str(facts["dataset"]))
        samples = list(dataset.samples)
        if not wanted:
            return samples, dataset.reference_of(speaker)
    else:
        texts = {row.clip: row for row in transcripts if row.text.strip() and not row.dropped}
        known = [(clip, texts[clip.id]) for clip in clips if clip.id in texts]
        samples = [Sample(clip, row.text, row.language, row.speaker) for clip, row in known]
        if not samples:
            raise InputError(
                f"{project.name} has no clip with a text yet. Run create, or prepare it on the page, first."
            )
    return samples, look_up_reference(project, clips, transcripts, wanted)


def _speaker(facts: dict[str, Any], project: Project, wanted: str) -> str:
    known = [str(one) for one in facts.get("speakers", ())] or [project.speaker]
    name = " ".join(wanted.split()).lower() or known[0]
    if name not in known:
        raise InputError(f"This voice has no speaker {wanted!r}. It has: {', '.join(known)}.")
    return name


def _language(facts: dict[str, Any], samples: Sequence[Sample]) -> str:
    told = str(facts.get("language", AUTO))
    if told != AUTO:
        return told
    languages = [sample.language for sample in samples if sample.language != AUTO]
    return max(sorted(set(languages)), key=languages.count, default=AUTO)


def _recordings(
    engine: Engine, runs: Sequence[Path], samples: Sequence[Sample], own: Sequence[Sample]
) -> tuple[list[Sample], bool]:
    """At most MOST_RECORDINGS of `own`, and whether no run saw them. `samples` are all that the runs had: which of
    them were held out depends on all of them."""
    unseen = {sample.clip.id for sample in samples}
    for run in runs:
        used = run / "preset.yaml"
        preset = load_preset(str(used)) if used.exists() else None
        unseen &= set(engine.held_out([sample.clip.id for sample in samples], preset)) if preset else set()
    held_out = [sample for sample in own if sample.clip.id in unseen]
    taken = held_out if len(held_out) >= FEWEST_HELD_OUT else list(own)
    every = max(1, -(-len(taken) // MOST_RECORDINGS))
    return taken[::every], len(held_out) >= FEWEST_HELD_OUT


def _note(unseen: bool, count: int) -> str:
    if unseen:
        return ""
    return (
        f"Fewer than {FEWEST_HELD_OUT} recordings were held out of training, so the voices are compared with {count} "
        "that they were trained on: their likeness may be flattered."
    )


def _base(
    project: Project, engine: Engine, name: str, asked: bool, notes: list[str], on_progress: OnProgress
) -> Path | None:
    try:
        return engine.resolve_model(name or engine.default_model(), project.home, on_progress)
    except (InputError, ModelUnavailableError) as reason:
        if asked:
            raise
        notes.append(f"Without its base model there is no zero-shot clone to compare with. {reason}")
        return None


def _zero_shot(base: Path, given: Reference) -> Subject:
    key = {"model": files.model_identity(base), "reference": files.sha256_of(given.audio), "text": given.text}
    return Subject(ZERO_SHOT, "zero-shot", "Zero-shot clone", files.fingerprint(key)[:16], base, "", given)


def _checkpoints(project: Project, engine: Engine, run: Path, base: Path) -> list[Subject]:
    """Kept weights of a run that are not the voice's own."""
    finished = run / "finished.json"
    used = files.read_json(finished)["step"] if finished.exists() else None
    kept = [one for one in engine.kept_checkpoints(run, project.speaker, base) if one.step != used]
    return [
        Subject(
            f"checkpoint:{run.name}:{one.step}",
            "checkpoint",
            f"Step {one.step} of {run.name}",
            files.fingerprint([run.name, one.path.name, files.model_identity(base)])[:16],
            None,
            project.speaker,
            None,
            one,
        )
        for one in kept
    ]


def _speakers(voice: Path) -> list[str]:
    told = voice_facts(voice).get("speakers")
    return list(told) if isinstance(told, list) else []


def _key(voice: Path, speaker: str) -> str:
    return files.fingerprint([files.model_identity(voice), speaker])[:16]
