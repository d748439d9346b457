"""The whole way in one call: what the command, the page's worker and the Python API share."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from voicefactory import files, hardware
from voicefactory.engines import registry
from voicefactory.languages import AUTO, parse_language
from voicefactory.pipeline.analyse import analyse
from voicefactory.pipeline.asr import resolve_asr
from voicefactory.pipeline.clean import clean, parse_steps
from voicefactory.pipeline.dataset import make_dataset
from voicefactory.pipeline.extra_texts import check_texts_allowed, read_extra_texts
from voicefactory.pipeline.extract import extract
from voicefactory.pipeline.finetune import finetune
from voicefactory.pipeline.found_texts import FoundTexts, find_texts, give_found_texts
from voicefactory.pipeline.frozen import freeze, load_frozen
from voicefactory.pipeline.given_texts import are_timed, read_transcripts
from voicefactory.pipeline.hub_data import fetch_hub_data, is_hub_name
from voicefactory.pipeline.ingest import ingest
from voicefactory.pipeline.package import assemble_voice, package
from voicefactory.pipeline.plan import planned_clips, planned_of, wait_for_card
from voicefactory.pipeline.reference import reference, references
from voicefactory.pipeline.refusals import load_refused, write_refused
from voicefactory.pipeline.segment import load_clips, segment
from voicefactory.pipeline.speakers import check_folders, parse_speakers, speakers_of_folders, who_says
from voicefactory.pipeline.spoken_form import AS_WRITTEN, parse_numbers
from voicefactory.pipeline.statistics import statistics
from voicefactory.pipeline.synthesize import synthesize_samples
from voicefactory.pipeline.takes import give_texts, load_takes
from voicefactory.pipeline.transcribe import transcribe
from voicefactory.pipeline.transcripts import bring_transcripts, load_transcripts
from voicefactory.presets import Preset, load_preset
from voicefactory.project import Project
from voicefactory.types import (
    Clip,
    Dataset,
    ExtraText,
    OnProgress,
    Progress,
    Recording,
    Reference,
    Refused,
    ShouldStop,
    Transcript,
    Voice,
    never,
    silent,
)

_T = TypeVar("_T")


@dataclass(frozen=True)
class Request:
    """What a person asks for. Every field has a default that suits most people; all are plain text,
    so that a job can be written down and picked up by another process."""

    engine: str = registry.DEFAULT
    model: str = ""  #: toy, a Hub id or a directory; empty = the engine's default
    preset: str = "quick"  #: a name or a YAML file
    overrides: tuple[str, ...] = ()  #: key=value for single keys of the preset
    language: str = "auto"
    transcripts: str = ""  #: a file or folder with texts; empty = Whisper listens
    asr: str = "auto"  #: Whisper model: a name, a directory, or auto
    numbers: str = AS_WRITTEN  #: as written, or in words: what becomes of numbers in Whisper's texts
    reference: str = ""  #: an audio file or a clip's id; empty = the best clip
    clean: str = ""  #: what to do to the clips: highpass, denoise, level, with commas between; empty = nothing
    speakers: str = "one"  #: one, or folders: the first folder inside of what is given names the speaker
    extra_texts: str = ""  #: a file with sentences that nobody recorded, for presets that train the text embedding
    device: str = "auto"  #: auto, cpu, cuda:N
    train_devices: str = ""  #: several that train together, such as cuda:0,cuda:1; empty = `device` alone
    wait_gpu: bool = False  #: training waits until a card has the memory it needs
    dnsmos: bool = True  #: rate the sound of every clip as listeners would; the slow one of the measures
    dataset: str = ""  #: fingerprint of a frozen data set to train on; empty = freeze what is there now
    consent: str = ""  #: who said that this voice may be used, and when; goes into the card


@dataclass(frozen=True)
class Prepared:
    """Recordings with what is said in them, ready to be looked at."""

    recordings: list[Recording]
    clips: list[Clip]
    transcripts: list[Transcript]
    refused: list[Refused]
    seconds: dict[str, float]  #: how long each step took


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
            "seconds": {step: round(seconds, 3) for step, seconds in self.seconds.items()},
        }


def create(
    project: Project,
    paths: Sequence[Path],
    request: Request,
    *,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> Created:
    """Make a voice from `paths` (audio files, folders, zips). What an earlier call finished is taken over.

    Raises InputError for anything wrong with the input, Cancelled when `should_stop` says so; both leave
    everything that was finished.
    """
    check_request(request)
    if Path(request.model).expanduser().is_dir():  # a wrong folder is noticed before Whisper has listened
        registry.get(request.engine).resolve_model(request.model, project.home, on_progress)
    kept = [path.as_posix() if is_hub_name(path) else str(path.expanduser().resolve()) for path in paths]
    project.update_info(paths=kept)
    prepared = prepare(project, paths, request, on_progress=on_progress, should_stop=should_stop)
    created = train(project, request, on_progress=on_progress, should_stop=should_stop)
    created.seconds.update({**prepared.seconds, **created.seconds})
    return created


def check_request(request: Request) -> None:
    """Notice a mistake before the first minute of work. Raises InputError."""
    registry.get(request.engine)
    preset = load_preset(request.preset, request.overrides)
    parse_language(request.language)
    parse_speakers(request.speakers)
    parse_numbers(request.numbers)
    parse_steps(request.clean)
    if request.extra_texts:
        check_texts_allowed(preset)
        read_extra_texts(Path(request.extra_texts), AUTO)
    hardware.pick_device(request.device)
    if request.train_devices:
        hardware.pick_devices(request.train_devices)
    if request.wait_gpu:
        hardware.check_can_wait(request.device)
    if request.transcripts:
        read_transcripts(Path(request.transcripts).expanduser())
    elif Path(request.asr).expanduser().is_dir():
        resolve_asr(request.asr, request.device)


def prepare(
    project: Project,
    paths: Sequence[Path],
    request: Request,
    *,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> Prepared:
    """ingest → segment → (clean, if asked) → transcribe → analyse. Raises InputError if nothing usable is left."""
    files.remove_leftovers(project.root)
    seconds: dict[str, float] = {}
    listen: dict[str, Any] = {"on_progress": on_progress, "should_stop": should_stop}
    given = Path(request.transcripts).expanduser() if request.transcripts else None
    language = parse_language(request.language)
    if any(map(is_hub_name, paths)):
        names = paths
        paths = _timed(seconds, "hub", on_progress, lambda: fetch_hub_data(project, names, **listen))
    found = FoundTexts() if given else find_texts(paths)
    if found.texts:
        told = f"{len(found.texts)} texts came with the recordings ({', '.join(found.places[:2])})."
        on_progress(Progress("ingest", message=told, notice=True))
    recordings, _ = _timed(
        seconds,
        "ingest",
        on_progress,
        lambda: ingest(project, paths, companions=[given] if given else [], left_out=found.left_out, **listen),
    )
    if request.speakers == "folders":
        check_folders(recordings)
    with_text = found.recordings_with_text(recordings) | {take.recording for take in load_takes(project).values()}
    clips, _ = _timed(
        seconds,
        "segment",
        on_progress,
        lambda: segment(
            project,
            recordings,
            keep_whole=(given is not None and not are_timed(given)) or with_text,
            asr="" if given else request.asr,
            language=language,
            device=request.device,
            **listen,
        ),
    )
    write_refused(project, "found", give_found_texts(project, clips, found, language))
    if request.clean:
        steps: dict[str, Any] = parse_steps(request.clean)
        cut = clips
        clips = _timed(seconds, "clean", on_progress, lambda: clean(project, cut, **steps, **listen))
    if given:
        transcripts, _ = _timed(
            seconds, "transcribe", on_progress, lambda: bring_transcripts(project, clips, given, language=language)
        )
        transcripts = give_texts(project, clips)
    else:
        give_texts(project, clips)
        transcripts, _ = _timed(
            seconds,
            "transcribe",
            on_progress,
            lambda: transcribe(
                project,
                clips,
                language=language,
                asr=request.asr,
                device=request.device,
                numbers=request.numbers,
                **listen,
            ),
        )
    speakers = speakers_of_folders(clips) if request.speakers == "folders" else {}
    _timed(
        seconds,
        "analyse",
        on_progress,
        lambda: analyse(project, clips, transcripts, dnsmos=request.dnsmos, speakers=speakers, **listen),
    )
    return Prepared(recordings, clips, transcripts, load_refused(project), seconds)


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
    dataset = _timed(
        seconds,
        "reference",
        on_progress,
        lambda: frozen or freeze_dataset(project, request, on_progress=on_progress),
    )
    model = engine.resolve_model(name, project.home, on_progress)
    toy = engine.is_toy(model)
    if toy:
        on_progress(Progress("extract", message="The toy model makes noise, not speech: it shows the way only."))
    codes = _timed(
        seconds,
        "extract",
        on_progress,
        lambda: extract(project, dataset, engine, model, device, on_progress=on_progress, should_stop=should_stop),
    )
    language = _spoken_language(dataset)
    run, checkpoint = _timed(
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
            dataset=dataset.fingerprint,
            on_progress=on_progress,
            should_stop=should_stop,
        ),
    )
    voice = assemble_voice(project, run, checkpoint, engine)
    samples = _timed(
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
    if dataset.extra_texts:
        facts["extra_texts"] = len(dataset.extra_texts) - len(codes.refused)
    finished = _timed(
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


def _timed(seconds: dict[str, float], step: str, on_progress: OnProgress, work: Callable[[], _T]) -> _T:
    on_progress(Progress(step))
    begun = time.monotonic()
    result = work()
    seconds[step] = time.monotonic() - begun
    return result
