"""`voicefactory say` and `say-lines`: what is to be known of what was spoken, and many lines into a zip."""

from __future__ import annotations

import shutil
from pathlib import Path

from voicefactory import files, hardware
from voicefactory.engines import registry
from voicefactory.engines.base import Synthesizer
from voicefactory.errors import Cancelled, InputError
from voicefactory.languages import parse_language
from voicefactory.pipeline.lines import read_lines
from voicefactory.pipeline.lines_zip import LineFile, zip_lines
from voicefactory.pipeline.said import file_name
from voicefactory.pipeline.speaking import Manner, Spoken, speak_pieces
from voicefactory.pipeline.speech_files import FORMS, write_samples
from voicefactory.pipeline.synthesize import voice_facts
from voicefactory.pipeline.text_pieces import text_pieces
from voicefactory.types import OnProgress, Progress, ShouldStop


def notes(voice: Path, speech: Spoken, toy: str) -> list[str]:
    """Sentences for stderr; `toy` is the one about the toy model."""
    engine = registry.get(str(voice_facts(voice).get("engine", registry.DEFAULT)))
    found = [toy] if engine.is_toy(voice) else []
    if speech.notice:
        found.append(f"Note: {speech.notice}")
    if speech.runaway:
        which = ", ".join(map(str, speech.runaway))
        where = f"sentence {which} of {len(speech.parts)}" if len(speech.parts) > 1 else "it"
        found.append(f"Note: {where} did not come to an end and was cut off. Try another --seed.")
    return found


def speak_lines(
    voice: Path,
    source: Path,
    out: Path,
    *,
    form: str,
    language: str,
    speaker: str,
    seed: int,
    device: str,
    on_progress: OnProgress,
    should_stop: ShouldStop,
) -> int:
    """Speak the lines of `source` into the zip `out`; how many there are.

    Finished lines wait in a folder beside `out` until all are there, so that the same command goes on where it was
    stopped. Raises InputError for what is no voice, no list or no kind of file, Cancelled between two sentences.
    """
    if out.suffix.lower() != ".zip":
        raise InputError(f"The lines become a .zip; {out.name!r} is none.")
    if form not in FORMS:
        raise InputError(f"Speech is written as one of {', '.join(FORMS)}, not as {form!r}.")
    if not source.is_file():
        raise InputError(f"There is no file {str(source)!r}. Check the path.")
    facts, texts = voice_facts(voice), read_lines(source)
    manner = Manner(parse_language(language) if language else str(facts.get("language", "auto")), seed, speaker)
    label = str(facts.get("name", voice.name))
    folder = out.with_name(f"{out.name}.parts")
    asked = [files.model_identity(voice) if (voice / "config.json").is_file() else "", manner.language, seed, speaker]
    synthesizer: Synthesizer | None = None
    rows = []
    for number, text in enumerate(texts):
        on_progress(Progress("synthesize", number, len(texts)))
        path = folder / f"{file_name(text, number + 1)}.{form}"
        rows.append(LineFile(path.name, text, label, seed, language))
        if files.is_current(path, [*asked, text]):
            continue
        if synthesizer is None:
            engine = registry.get(str(facts.get("engine", registry.DEFAULT)))
            synthesizer = engine.load(voice, hardware.pick_device(device))
        _one(synthesizer, text, manner, path, label, should_stop)
        files.mark_current(path, [*asked, text])
    zip_lines(folder, rows, out)
    shutil.rmtree(folder)
    on_progress(Progress("synthesize", len(texts), len(texts)))
    return len(texts)


def _one(synthesizer: Synthesizer, text: str, manner: Manner, path: Path, label: str, should_stop: ShouldStop) -> None:
    pieces = text_pieces(text)
    spoken = speak_pieces(synthesizer, pieces, manner, should_stop=should_stop)
    if spoken is None or len(spoken.parts) < len(pieces):
        raise Cancelled("Stopped while the lines were spoken; the finished ones are kept.")
    write_samples(spoken.samples, spoken.sample_rate, path, title=text, voice=label)
