"""The whole way in one call: what the command, the page's worker and the Python API share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from voicefactory import hardware
from voicefactory.engines import registry
from voicefactory.languages import AUTO, parse_language
from voicefactory.pipeline.asr import resolve_asr
from voicefactory.pipeline.clean import parse_steps
from voicefactory.pipeline.extra_texts import check_texts_allowed, read_extra_texts
from voicefactory.pipeline.given_texts import read_transcripts
from voicefactory.pipeline.hub_data import is_hub_name
from voicefactory.pipeline.prepare import prepare
from voicefactory.pipeline.request import Request
from voicefactory.pipeline.speakers import parse_speakers
from voicefactory.pipeline.spoken_form import parse_numbers
from voicefactory.pipeline.train import Created, train
from voicefactory.presets import load_preset
from voicefactory.project import Project
from voicefactory.types import OnProgress, ShouldStop, never, silent


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
