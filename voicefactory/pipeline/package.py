"""Checkpoint → Voice: a folder and a zip with weights, card, example and samples, offered once it has spoken."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicefactory import __version__, files
from voicefactory.engines.base import Engine
from voicefactory.errors import InputError
from voicefactory.pipeline.card import model_card
from voicefactory.pipeline.sentences import SENTENCES
from voicefactory.pipeline.synthesize import voice_facts
from voicefactory.presets import Preset, load_preset
from voicefactory.project import Project
from voicefactory.types import Checkpoint, Dataset, OnProgress, Progress, Voice, silent

VOICE_JSON = "voice.json"
#: what belongs to a voice; nothing else is zipped or published
VOICE_FILES = (
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "model.safetensors",
    "vocab.json",
    "merges.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "speech_tokenizer/*.json",
    "speech_tokenizer/*.safetensors",
    "adapter/*.json",
    "adapter/*.safetensors",
    "reference/reference.wav",
    "reference/reference.json",
    "samples/*.wav",
    VOICE_JSON,
    "README.md",
    "example.py",
)


def assemble_voice(project: Project, run: Path, checkpoint: Checkpoint, engine: Engine) -> Path:
    """Write the model directory voices/<run> from a checkpoint, unless it is there."""
    voice = project.voices / run.name
    inputs = {"run": run.name, "step": checkpoint.step}
    if not files.is_current(voice, inputs):
        with files.writing_folder(voice) as aside:
            engine.assemble(checkpoint, aside)
        files.mark_current(voice, inputs)
    return voice


def package(
    project: Project,
    voice: Path,
    run: Path,
    dataset: Dataset,
    preset: Preset,
    engine: Engine,
    samples: Sequence[Path],
    language: str,
    facts: dict[str, Any],
    *,
    on_progress: OnProgress = silent,
) -> Voice:
    """Complete the folder `voice` with card, example and samples, let it speak in a process of its own, zip it.

    `facts` are base_model, consent, toy, and extra_texts if the model was trained on some. voice.json is written
    last of the folder, after the voice has spoken; a folder without it is not a finished voice. Raises
    VoiceFactoryError if it does not speak.
    """
    speaker = _speakers(project, dataset)[0]
    inputs = {"dataset": dataset.fingerprint, "samples": [files.sha256_of(path) for path in samples], **facts}

    def texts() -> Texts:
        example = engine.example(speaker, language)
        described = describe(project, run, dataset, preset, engine, language, facts)
        adapted = engine.adapter_example(facts["base_model"], speaker, language)
        card = model_card(described, example, adapted if (voice / "adapter").is_dir() else "")
        return Texts(example, card, described)

    return complete(
        voice,
        engine,
        samples,
        texts,
        inputs,
        speaker=speaker,
        language=language,
        clean=run / "clean.wav",
        on_progress=on_progress,
    )


@dataclass(frozen=True)
class Texts:
    """What is written beside the weights."""

    example: str  #: Python
    card: str  #: README.md
    described: dict[str, Any]  #: voice.json


def complete(
    voice: Path,
    engine: Engine,
    samples: Sequence[Path],
    texts: Callable[[], Texts],
    inputs: dict[str, Any],
    *,
    speaker: str,
    language: str,
    clean: Path,
    on_progress: OnProgress = silent,
) -> Voice:
    """The end of every voice, unless it was made from these `inputs` before: card, example, samples, a sentence spoken
    in a process of its own (into `clean`), voice.json, zip. Raises VoiceFactoryError if it does not speak."""
    zipped = voice.with_name(voice.name + ".zip")
    if not files.is_current(zipped, inputs):
        on_progress(Progress("package", 0, 3, "Writing the card"))
        for sample in samples:
            with files.writing(voice / "samples" / sample.name) as aside:
                aside.write_bytes(sample.read_bytes())
        written = texts()
        files.write_text(voice / "example.py", written.example)
        files.write_text(voice / "README.md", written.card)
        on_progress(Progress("package", 1, 3, "Letting the voice speak in a fresh process"))
        engine.speaks_in_clean_process(voice, speaker, SENTENCES[language][0], language, clean)
        files.write_json(voice / VOICE_JSON, written.described)
        on_progress(Progress("package", 2, 3, "Zipping"))
        zip_voice(voice, zipped)
        files.mark_current(zipped, inputs)
    on_progress(Progress("package", 3, 3))
    spoken = tuple(voice / "samples" / sample.name for sample in samples)
    return Voice(voice, speaker, language, zipped, spoken)


def describe(
    project: Project,
    run: Path,
    dataset: Dataset,
    preset: Preset,
    engine: Engine,
    language: str,
    facts: dict[str, Any],
) -> dict[str, Any]:
    """voice.json: what a person or a program may want to know about a voice. Nothing of the recordings.

    Its preset is the run's own, in which every number is settled, if the run kept one.
    """
    used = run / "preset.yaml"
    preset = load_preset(str(used)) if used.exists() else preset
    metrics = files.read_jsonl(run / "metrics.jsonl")
    evaluated = [row for row in metrics if "eval_loss" in row]
    return {
        "name": project.name,
        "speaker": _speakers(project, dataset)[0],
        "speakers": _speakers(project, dataset),
        "language": language,
        "engine": engine.spec.name,
        "sample_rate": engine.spec.sample_rate,
        **facts,
        "preset": preset.model_dump(),
        "clips": len(dataset.samples),
        "seconds": round(sum(sample.clip.seconds for sample in dataset.samples), 1),
        "dataset": dataset.fingerprint,
        "metrics": metrics[-1] if metrics else {},
        "eval_loss": [[row["step"], row["eval_loss"]] for row in evaluated],
        "created": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        "made_with": f"VoiceFactory {__version__}",
    }


def _speakers(project: Project, dataset: Dataset) -> list[str]:
    """Who was added to the model, as it knows them."""
    return list(dataset.references) or [project.speaker]


def voice_files(voice: Path) -> list[Path]:
    """The files of a finished voice, in a fixed order. Raises InputError if the folder is none."""
    if not voice_facts(voice) or not (voice / "model.safetensors").exists():
        raise InputError(f"{voice} is not a finished voice: it has no {VOICE_JSON} or no weights.")
    return sorted(path for pattern in VOICE_FILES for path in voice.glob(pattern) if path.is_file())


def zip_voice(voice: Path, out: Path) -> Path:
    """Write a zip of a finished voice: one folder with everything it needs. Raises InputError for other folders.

    Stored, not compressed: weights do not get smaller.
    """
    folder = voice.name
    with files.writing(out) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for path in voice_files(voice):
            archive.write(path, f"{folder}/{path.relative_to(voice).as_posix()}")
    return out


def list_voices(project: Project) -> list[Path]:
    """Finished voices of a project, the newest first."""
    found = [path.parent for path in project.voices.glob(f"*/{VOICE_JSON}")]
    return sorted(found, key=lambda voice: (voice / VOICE_JSON).stat().st_mtime, reverse=True)
