"""Text → speech, with a finished voice or with a base model as a clone of a reference."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from voicefactory import files, hardware
from voicefactory.engines import registry
from voicefactory.engines.base import Engine, Speech, Synthesizer
from voicefactory.errors import Cancelled, InputError
from voicefactory.languages import parse_language
from voicefactory.pipeline.sentences import SENTENCES
from voicefactory.pipeline.speaking import Manner, Spoken, speak_pieces
from voicefactory.pipeline.speech_files import check_output, write_samples
from voicefactory.pipeline.text_pieces import text_pieces
from voicefactory.project import slug
from voicefactory.types import OnProgress, Progress, Reference, ShouldStop, never, silent


def synthesize(
    source: Path,
    text: str,
    out: Path,
    *,
    engine: str = "",
    language: str = "",
    seed: int = 0,
    temperature: float | None = None,
    greedy: bool = False,
    device: str = "auto",
    reference: Reference | None = None,
    speaker: str = "",
    instruct: str = "",
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> Spoken:
    """Speak `text` with the voice (or base model) in the folder `source`; write it to `out` (wav, flac or mp3, 24 kHz).

    A text of any length is spoken sentence by sentence (see text_pieces.py). `language` empty is the one that the voice
    was trained in; "auto" leaves it to the model; `speaker` empty is the newest one; `instruct` says how to speak. The
    same seed gives the same sound on the same machine. Raises InputError for what is no voice, empty text, an unknown
    language or speaker, or a file type that cannot be written; Cancelled between two sentences, after what was spoken
    has been written.
    """
    facts = voice_facts(source)
    spoken_in = parse_language(language) if language else str(facts.get("language", "auto"))
    check_output(out)
    pieces = text_pieces(text)
    synthesizer = registry.get(engine or str(facts.get("engine", registry.DEFAULT))).load(
        source, hardware.pick_device(device)
    )
    spoken = speak_pieces(
        synthesizer,
        pieces,
        Manner(spoken_in, seed, speaker, reference, temperature, greedy, instruct),
        on_part=lambda number, part: on_progress(Progress("synthesize", number + 1, len(pieces))),
        should_stop=should_stop,
    )
    if spoken is not None:
        write_samples(spoken.samples, spoken.sample_rate, out, title=text, voice=str(facts.get("name", "")))
    if spoken is None or len(spoken.parts) < len(pieces):
        raise Cancelled("Stopped while the text was spoken; what was spoken is written." if spoken else "Stopped.")
    return spoken


def synthesize_samples(
    voice: Path,
    out: Path,
    engine: Engine,
    *,
    language: str,
    device: str,
    speakers: Mapping[str, str] | None = None,
    on_progress: OnProgress = silent,
) -> list[Path]:
    """Let a new voice say its first sentences in `language`: out/1.wav, out/2.wav. Sentences that are there are kept.

    With several `speakers` (name → language) each says one: out/1-anna.wav, out/2-ben.wav.
    """
    if speakers:
        lines = [(SENTENCES[own][at % 2], own, name) for at, (name, own) in enumerate(speakers.items())]
        paths = [out / f"{number}-{slug(name)}.wav" for number, name in enumerate(speakers, 1)]
    else:
        lines = [(sentence, language, "") for sentence in SENTENCES[language]]
        paths = [out / f"{number}.wav" for number in range(1, len(lines) + 1)]
    inputs = {"voice": files.sha256_of(voice / "config.json"), "sentences": [sentence for sentence, _, _ in lines]}
    synthesizer: Synthesizer | None = None
    for done, ((sentence, spoken, speaker), path) in enumerate(zip(lines, paths, strict=True)):
        on_progress(Progress("synthesize", done, len(paths)))
        if files.is_current(path, inputs):
            continue
        synthesizer = synthesizer or engine.load(voice, device)
        write_speech(synthesizer.speak(sentence, language=spoken, speaker=speaker or None), path)
        files.mark_current(path, inputs)
    on_progress(Progress("synthesize", len(paths), len(paths)))
    return paths


def voice_facts(source: Path) -> dict[str, object]:
    """voice.json of a finished voice; empty for a model that we did not make. Raises InputError for no folder."""
    if not source.is_dir():
        raise InputError(f"There is no folder {source}. Give the folder of a voice.")
    path = source / "voice.json"
    return dict(files.read_json(path)) if path.exists() else {}


def write_speech(speech: Speech, out: Path) -> None:
    """Write what was spoken, whole or not at all."""
    write_samples(speech.samples, speech.sample_rate, out)
