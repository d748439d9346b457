"""Which clips a finished voice was not trained on: those to compare it with fairly."""

from __future__ import annotations

from pathlib import Path

from voicefactory import files
from voicefactory.engines import registry
from voicefactory.pipeline.synthesize import voice_facts
from voicefactory.presets import load_preset
from voicefactory.project import Project


def held_out_clips(project: Project, voice: str) -> tuple[str, ...]:
    """Ids of clips, from the frozen data set of the voice's run; empty if nothing was held out, or nobody knows."""
    run, about = project.runs / voice, project.runs / voice / "dataset.json"
    if not about.is_file() or not (run / "preset.yaml").is_file():
        return ()
    frozen: Path = project.root / files.read_json(about)["folder"]
    clips = [str(row["clip"]) for row in files.read_jsonl(frozen / "dataset.jsonl")]
    facts = voice_facts(project.voices / voice)
    engine = registry.get(str(facts.get("engine", registry.DEFAULT)))
    return engine.held_out(clips, load_preset(str(run / "preset.yaml")))
