"""From clips with texts to a voice: a frozen data set, and what is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voicefactory import files, hardware
from voicefactory.engines import registry
from voicefactory.pipeline.dataset import make_dataset
from voicefactory.pipeline.extra_texts import check_texts_allowed, read_extra_texts
from voicefactory.pipeline.extract import extract
from voicefactory.pipeline.finetune import finetune
from voicefactory.pipeline.frozen import freeze, load_frozen
from voicefactory.pipeline.package import assemble_voice, package
from voicefactory.pipeline.plan import planned_clips, planned_of, wait_for_card
from voicefactory.pipeline.reference import reference, references
from voicefactory.pipeline.refusals import load_refused, write_refused
from voicefactory.pipeline.request import Request
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.speakers import parse_speakers, who_says
from voicefactory.pipeline.statistics import statistics
from voicefactory.pipeline.steps import timed
from voicefactory.pipeline.synthesize import synthesize_samples
from voicefactory.pipeline.transcripts import load_transcripts
from voicefactory.presets import Preset, load_preset
from voicefactory.project import Project
from voicefactory.types import (
    Clip,
    Dataset,
    ExtraText,
    OnProgress,
    Progress,
    Reference,
    Refused,
    ShouldStop,
    Transcript,
    Voice,
    never,
    silent,
)


@dataclass(frozen=True)
class Created:
    """A finished voice and the files on the way to it."""

    project: Project
    run: Path
    voice: Voice
    codes: Path
    reference: Reference
    dataset: Dataset
    refused: list[Refused]
    metrics: dict[str, Any]  #: the last row of metrics.jsonl
    toy: bool
    drift: str = ""  #: why training was stopped, if the voice drifted away from its speaker
    seconds: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """What `voicefactory create --json` prints. Paths are absolute."""
        return {
            "project": str(self.project.root),
            "name": self.project.name,
            "speaker": self.voice.speaker,
            "language": self.voice.language,
            "run": str(self.run),
            "voice": str(self.voice.path),
            "zip": str(self.voice.zip),
            "codes": str(self.codes),
            "reference": str(self.reference.audio),
            "references": {speaker: str(found.audio) for speaker, found in self.dataset.references.items()},
            "samples": [str(sample) for sample in self.voice.samples],
            "clips": len(self.dataset.samples),
            "refused": [{"file": one.file, "reason": one.reason} for one in self.refused],
            "metrics": self.metrics,
            "toy": self.toy,
            "drift": self.drift,
            "seconds": {step: round(seconds, 3) for step, seconds in self.seconds.items()},
        }


def train(
    project: Project, request: Request, *, on_progress: OnProgress = silent, should_stop: ShouldStop = never
) -> Created:
    """reference → extract → finetune → synthesize → package, on what `prepare` left (and a person edited).

    Only a frozen data set is trained on: the one that the request names, or what is there now, which is frozen first.
    """
    seconds: dict[str, float] = {}
    engine = registry.get(request.engine)
    preset = load_preset(request.preset, request.overrides)
    frozen = load_frozen(project, request.dataset) if request.dataset else None
    name = request.model or engine.default_model()
    wanted = request.device
    if request.wait_gpu:
        wanted = wait_for_card(
            project,
            planned_of(frozen) if frozen else planned_clips(load_clips(project), load_transcripts(project)),
            engine=request.engine,
            model=str(engine.resolve_model(name, project.home, on_progress)),
            preset=preset,
            device=wanted,
            on_progress=on_progress,
            should_stop=should_stop,
        )
    device = hardware.pick_device(wanted)
    together = hardware.pick_devices(request.train_devices) if request.train_devices else device
    dataset = timed(
        seconds,
        "reference",
        on_progress,
        lambda: frozen or freeze_dataset(project, request, on_progress=on_progress),
    )
    model = engine.resolve_model(name, project.home, on_progress)
    toy = engine.is_toy(model)
    if toy:
        on_progress(Progress("extract", message="The toy model makes noise, not speech: it shows the way only."))
    codes = timed(
        seconds,
        "extract",
        on_progress,
        lambda: extract(project, dataset, engine, model, device, on_progress=on_progress, should_stop=should_stop),
    )
    language = _spoken_language(dataset)
    run, checkpoint = timed(
        seconds,
        "finetune",
        on_progress,
        lambda: finetune(
            project,
            codes,
            engine,
            model,
            preset,
            together,
            language=language,
            dataset=dataset,
            on_progress=on_progress,
            should_stop=should_stop,
        ),
    )
    voice = assemble_voice(project, run, checkpoint, engine)
    samples = timed(
        seconds,
        "synthesize",
        on_progress,
        lambda: synthesize_samples(
            voice,
            run / "samples",
            engine,
            language=language,
            device=device,
            speakers={who: _spoken_language(dataset, who) for who in dataset.references},
            on_progress=on_progress,
        ),
    )
    facts = {"base_model": name, "consent": request.consent, "toy": toy}
    if checkpoint.drift:
        facts["drift"] = checkpoint.drift
    if dataset.extra_texts:
        facts["extra_texts"] = len(dataset.extra_texts) - len(codes.refused)
    finished = timed(
        seconds,
        "package",
        on_progress,
        lambda: package(
            project, voice, run, dataset, preset, engine, samples, language, facts, on_progress=on_progress
        ),
    )
    metrics = files.read_jsonl(run / "metrics.jsonl")
    return Created(
        project,
        run,
        finished,
        codes.path,
        dataset.reference,
        dataset,
        load_refused(project),
        metrics[-1] if metrics else {},
        toy,
        checkpoint.drift,
        seconds,
    )


def freeze_dataset(project: Project, request: Request, *, on_progress: OnProgress = silent) -> Dataset:
    """Freeze what training with `request` would see now (see frozen.py). Raises InputError if anything is missing."""
    preset = load_preset(request.preset, request.overrides)
    dataset = _dataset(project, request, preset, load_clips(project), load_transcripts(project), on_progress)
    return freeze(project, dataset, statistics(project).to_json())


def _dataset(
    project: Project,
    request: Request,
    preset: Preset,
    clips: Sequence[Clip],
    transcripts: Sequence[Transcript],
    on_progress: OnProgress,
) -> Dataset:
    """Who speaks, a reference for each of them, and the data set. Raises InputError if anything is missing."""
    clips, speakers = who_says(project, clips, transcripts, parse_speakers(request.speakers))
    by_speaker: dict[str, Reference] = {}
    if speakers:
        by_speaker = references(project, clips, transcripts, speakers, on_progress=on_progress)
        chosen = next(iter(by_speaker.values()))
        if request.reference:
            told = (
                "There are several speakers, so each has a reference of their own; the one that you chose is not used."
            )
            on_progress(Progress("reference", message=told, notice=True))
    else:
        chosen = reference(project, clips, transcripts, wanted=request.reference, on_progress=on_progress)
    extra: list[ExtraText] = []
    refused: list[Refused] = []
    if request.extra_texts:
        check_texts_allowed(preset)
        language = _most([row.language for row in transcripts if row.text.strip() and not row.dropped])
        extra, refused = read_extra_texts(Path(request.extra_texts), language, list(by_speaker))
    write_refused(project, "texts", refused)
    return make_dataset(
        project, clips, transcripts, chosen, speakers=speakers, references=by_speaker, extra_texts=extra
    )


def _spoken_language(dataset: Dataset, speaker: str = "") -> str:
    """The language of most clips, or of most of `speaker`'s: how the voice is asked to speak when nobody says
    otherwise."""
    return _most([sample.language for sample in dataset.samples if speaker in ("", sample.speaker)])


def _most(values: list[str]) -> str:
    return max(sorted(set(values)), key=values.count)
