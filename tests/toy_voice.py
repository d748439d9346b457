"""A finished voice without training: an adapter with random numbers, merged into the toy as a run does it."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

from voicefactory import files
from voicefactory.engines.qwen3_tts.adapters import add_adapter, is_adapter
from voicefactory.engines.qwen3_tts.model import load_model
from voicefactory.engines.registry import get
from voicefactory.pipeline.dataset import make_dataset
from voicefactory.pipeline.frozen import freeze
from voicefactory.pipeline.package import zip_voice
from voicefactory.pipeline.reference import reference
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.transcripts import load_transcripts
from voicefactory.presets import load_preset, settle
from voicefactory.project import Project
from voicefactory.types import Checkpoint

RUN = "lora-0123abcd"
STEPS = (2, 4)  #: that the run has kept; the voice is of the last


def give_voice(project: Project, toy: Path) -> Path:
    """Give a prepared project a run with an adapter and the voice of it; the voice's folder."""
    clips, texts = load_clips(project), load_transcripts(project)
    dataset = freeze(project, make_dataset(project, clips, texts, reference(project, clips, texts)))
    preset = settle(load_preset("lora", ["max_steps=4", "eval_fraction=0.1"]), len(clips), 60.0)
    run = project.runs / RUN
    net = load_model(toy, device="cpu", dtype=torch.float32, as_base=True).model
    add_adapter(net, preset)
    generator = torch.Generator().manual_seed(7)
    for step in STEPS:
        for name, parameter in net.named_parameters():
            if "lora_B" in name:
                parameter.data.normal_(0, 0.02 * step, generator=generator)
        folder = run / "checkpoints" / f"step-{step:06d}"
        folder.mkdir(parents=True)
        weights = {name: one.detach().clone() for name, one in net.named_parameters() if is_adapter(name)}
        save_file(weights, folder / "weights.safetensors")
    preset.save(run / "preset.yaml")
    save_file({project.speaker: torch.full((64,), 0.3)}, run / "speaker.safetensors")
    name = dataset.fingerprint
    files.write_json(run / "dataset.json", {"fingerprint": name, "folder": f"datasets/{name[:12]}"})
    files.write_json(run / "finished.json", {"checkpoint": project.relative(folder), "step": STEPS[-1]})
    voice = project.voices / RUN
    voice.mkdir(parents=True)
    get().assemble(Checkpoint(folder, STEPS[-1], project.speaker, toy), voice)
    facts = {"name": project.name, "speaker": project.speaker, "speakers": [project.speaker], "language": "english"}
    more = {"engine": "qwen3-tts", "base_model": str(toy), "dataset": name, "toy": True}
    files.write_json(voice / "voice.json", {**facts, **more})
    files.write_text(voice / "example.py", "")
    zip_voice(voice, voice.with_name(f"{RUN}.zip"))
    return voice
