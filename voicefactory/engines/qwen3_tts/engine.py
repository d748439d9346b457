"""Qwen3-TTS as an `Engine`: what the pipeline and the page see of it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from voicefactory.engines.base import EmbedSpeaker, EngineSpec, Plan, PlannedClip, Synthesizer, Training
from voicefactory.errors import VoiceFactoryError
from voicefactory.languages import WHISPER_CODES
from voicefactory.presets import Preset
from voicefactory.types import Checkpoint, Codes, Dataset, OnProgress, Reference, ShouldStop

_CLEAN_PROCESS_TIMEOUT_S = 1800.0


class Qwen3TTS:
    """See `Engine` in `engines.base` for what each method promises. torch is imported when one is called."""

    spec = EngineSpec(
        name="qwen3-tts",
        title="Qwen3-TTS 12 Hz",
        sample_rate=24_000,
        languages=tuple(WHISPER_CODES),
        base_models=("Qwen/Qwen3-TTS-12Hz-0.6B-Base", "Qwen/Qwen3-TTS-12Hz-1.7B-Base", "toy"),
        install_hint="pip install qwen-tts==0.1.1",
    )

    def resolve_model(self, model: str, home: Path, on_progress: OnProgress) -> Path:
        from voicefactory.engines.qwen3_tts.model import resolve_model

        return resolve_model(model, home, on_progress)

    def default_model(self) -> str:
        from voicefactory.engines.qwen3_tts.facts import default_model

        return default_model()

    def is_toy(self, model: Path) -> bool:
        from voicefactory.engines.qwen3_tts.facts import is_toy

        return is_toy(model)

    def speakers(self, model: Path) -> tuple[str, ...]:
        from voicefactory.engines.qwen3_tts.facts import speakers

        return speakers(model)

    def extract(
        self, dataset: Dataset, model: Path, out: Path, *, device: str, on_progress: OnProgress, should_stop: ShouldStop
    ) -> Codes:
        from voicefactory.engines.qwen3_tts.codes import extract

        return extract(dataset, model, out, device=device, on_progress=on_progress, should_stop=should_stop)

    def plan(
        self, model: str, home: Path, clips: Sequence[PlannedClip], preset: Preset, *, cuda: bool, fetch: bool
    ) -> Plan | None:
        from voicefactory.engines.qwen3_tts.planning import plan_run
        from voicefactory.engines.qwen3_tts.sizes import find_config, model_sizes

        found = find_config(model, home, fetch=fetch)
        return plan_run(model_sizes(*found), clips, preset, cuda=cuda) if found else None

    def speaking_memory(self, model: str, home: Path, *, cuda: bool) -> int | None:
        from voicefactory.engines.qwen3_tts.memory import speaking_memory
        from voicefactory.engines.qwen3_tts.sizes import find_config, model_sizes

        found = find_config(model, home, fetch=False)
        return speaking_memory(model_sizes(*found), cuda=cuda) if found else None

    def finetune(self, training: Training, *, on_progress: OnProgress, should_stop: ShouldStop) -> Checkpoint:
        from voicefactory.engines.qwen3_tts.finetune import finetune
        from voicefactory.engines.qwen3_tts.ranks import devices_of, finetune_together

        together = len(devices_of(training.device)) > 1
        train = finetune_together if together else finetune
        return train(training, on_progress=on_progress, should_stop=should_stop)

    def held_out(self, clips: Sequence[str], preset: Preset) -> tuple[str, ...]:
        from voicefactory.engines.qwen3_tts.data_order import split_held_out

        return tuple(clips[index] for index in split_held_out(clips, preset.eval_fraction, preset.seed)[1])

    def kept_checkpoints(self, run: Path, speaker: str, model: Path) -> list[Checkpoint]:
        from voicefactory.engines.qwen3_tts.kept import kept

        return [Checkpoint(path, step, speaker, model) for step, path in kept(run / "checkpoints")]

    def speaker_encoder(self, model: Path, device: str) -> EmbedSpeaker:
        from voicefactory.engines.qwen3_tts.speaker import lone_encoder

        return lone_encoder(model, device)

    def assemble(self, checkpoint: Checkpoint, out: Path, strength: float = 1.0) -> None:
        from voicefactory.engines.qwen3_tts.assemble import assemble

        assemble(checkpoint, out, strength)

    def assemble_zero_shot(self, model: Path, reference: Reference, speaker: str, out: Path) -> None:
        from voicefactory.engines.qwen3_tts.zero_shot import assemble_zero_shot

        assemble_zero_shot(model, reference, speaker, out)

    def load(self, source: Path, device: str) -> Synthesizer:
        from voicefactory.engines.qwen3_tts.synthesis import Qwen3Synthesizer

        return Qwen3Synthesizer(source, device)

    def speaks_in_clean_process(self, voice: Path, speaker: str, text: str, language: str, out: Path) -> None:
        from voicefactory.engines.qwen3_tts.synthesis import TOY_FRAMES, max_frames

        frames = min(max_frames(text), TOY_FRAMES) if self.is_toy(voice) else max_frames(text)
        script = Path(__file__).with_name("clean_process.py")
        command = [sys.executable, "-I", str(script), str(voice), speaker, language, str(frames), str(out)]
        with tempfile.TemporaryDirectory() as elsewhere:
            result = subprocess.run(
                command,
                input=text,
                cwd=elsewhere,
                capture_output=True,
                text=True,
                timeout=_CLEAN_PROCESS_TIMEOUT_S,
                check=False,
            )
        if result.returncode != 0 or not out.exists():
            reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
            raise VoiceFactoryError(
                f"The finished voice did not speak in a fresh process, so it is not offered: {reason}"
            )

    def adapter_example(self, base_model: str, speaker: str, language: str) -> str:
        from voicefactory.engines.qwen3_tts.adapters import example

        return example(base_model, speaker, language)

    def zero_shot_example(self, reference: Reference, language: str) -> str:
        from voicefactory.engines.qwen3_tts.zero_shot import example

        return example(reference, language)

    def example(self, speaker: str, language: str) -> str:
        return (
            "from qwen_tts import Qwen3TTSModel\n"
            'voice = Qwen3TTSModel.from_pretrained(".")\n'
            f"waves, rate = voice.generate_custom_voice("
            f'text="Hello.", speaker={speaker!r}, language={language!r})\n'
        )


ENGINE = Qwen3TTS()
