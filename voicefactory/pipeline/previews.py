"""Previews: what the base model makes of a reference without any training, to hear before the choice.

Leaves previews/<key>.wav; the same reference, model, text and seed are spoken once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from voicefactory import files, hardware
from voicefactory.engines import registry
from voicefactory.engines.base import Synthesizer
from voicefactory.errors import Cancelled, InputError
from voicefactory.languages import AUTO, parse_language
from voicefactory.pipeline.sentences import SENTENCES
from voicefactory.pipeline.synthesize import write_speech
from voicefactory.project import Project
from voicefactory.types import OnProgress, Progress, Reference, ShouldStop, never, silent

_VERSION = 1  # raise it when the same request sounds different


def previews(
    project: Project,
    references: Sequence[Reference],
    engine: str = registry.DEFAULT,
    model: str = "",
    *,
    language: str = AUTO,
    text: str = "",
    seed: int = 0,
    device: str = "auto",
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> list[Path]:
    """The base `model` speaking as a zero-shot clone of each reference: wavs that are made once and then found again.

    `model` empty is the engine's default; `text` empty is a sentence in `language`. Loading a real model takes memory
    and time, so this belongs into a worker. Raises InputError and ModelUnavailableError as the engine does, and
    Cancelled between two; finished ones stay.
    """
    language = parse_language(language)
    wanted = [find_preview(project, one, engine, model, language=language, text=text, seed=seed) for one in references]
    synthesizer: Synthesizer | None = None
    for done, (reference, path) in enumerate(zip(references, wanted, strict=True)):
        on_progress(Progress("preview", done, len(wanted)))
        if path.exists():
            continue
        if should_stop():
            raise Cancelled("Stopped while the previews were spoken; the finished ones are kept.")
        if not reference.audio.is_file():
            raise InputError("The reference's audio is gone. Prepare the recordings again.")
        if synthesizer is None:
            source = _model(project, engine, model, on_progress)
            synthesizer = registry.get(engine).load(source, hardware.pick_device(device))
        spoken = language if language in synthesizer.languages else AUTO
        speech = synthesizer.speak(_text(text, language), language=spoken, seed=seed, reference=reference)
        write_speech(speech, path)
    on_progress(Progress("preview", len(wanted), len(wanted)))
    return wanted


def find_preview(
    project: Project,
    reference: Reference,
    engine: str = registry.DEFAULT,
    model: str = "",
    *,
    language: str = AUTO,
    text: str = "",
    seed: int = 0,
) -> Path:
    """Where the preview lies, or will lie: the page looks whether it exists, and loads nothing."""
    key = {
        "version": _VERSION,
        "reference": files.sha256_of(reference.audio) if reference.audio.is_file() else "",
        "reference_text": reference.text,
        "engine": engine,
        "model": _identity(engine, model),
        "text": _text(text, language),
        "language": language,
        "seed": seed,
    }
    return project.root / "previews" / f"{files.fingerprint(key)[:16]}.wav"


def _text(text: str, language: str) -> str:
    return " ".join(text.split()) or SENTENCES[language][0]


def _model(project: Project, engine: str, model: str, on_progress: OnProgress) -> Path:
    chosen = registry.get(engine)
    return chosen.resolve_model(model or chosen.default_model(), project.home, on_progress)


def _identity(engine: str, model: str) -> str:
    """A directory may be trained further, so its content counts; a name on the Hub is the name."""
    name = model or registry.get(engine).default_model()
    directory = Path(name).expanduser()
    return files.model_identity(directory) if (directory / "config.json").is_file() else name
