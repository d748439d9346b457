"""Who can say a text, by a name that a request can hold, and how they are loaded.

voice:<folder in voices>          a finished voice
base:<model>                      a base model that imitates the project's reference, without training
checkpoint:<run>:<step>           other weights that a run has kept
strength:<run>:<number>           a finished voice with its adapter multiplied by a number
recording:<clip>                  what the person said; nothing is loaded for it
"""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicefactory import files, hardware
from voicefactory.engines import registry
from voicefactory.engines.base import Engine, Synthesizer
from voicefactory.errors import InputError, ModelUnavailableError
from voicefactory.pipeline.reference import look_up_reference
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.synthesize import voice_facts
from voicefactory.pipeline.transcripts import load_transcripts
from voicefactory.presets import load_preset
from voicefactory.project import Project
from voicefactory.types import Checkpoint, OnProgress, Reference, silent

VOICE, BASE, CHECKPOINT, STRENGTH, RECORDING = "voice", "base", "checkpoint", "strength", "recording"
#: That are offered of an adapter; 1 is the finished voice itself.
STRENGTHS = (0.5, 0.75, 1.25)


@dataclass(frozen=True)
class Teller:
    """One that can speak, found but not loaded."""

    engine: Engine
    model: Path | None  #: None: it is assembled from `checkpoint` first
    checkpoint: Checkpoint | None = None
    strength: float = 1.0
    reference: Reference | None = None  #: that a base model imitates
    language: str = "auto"  #: which it speaks if nobody says

    @property
    def key(self) -> str:
        """Tells one that is loaded from another."""
        if self.checkpoint is None:
            assert self.model is not None
            return files.fingerprint([self.engine.spec.name, files.model_identity(self.model)])
        at, written = str(self.checkpoint.path), self.checkpoint.path.stat().st_mtime_ns
        base = files.model_identity(self.checkpoint.base_model)
        return files.fingerprint([self.engine.spec.name, at, written, base, self.strength])


def find_teller(
    project: Project,
    name: str,
    *,
    engine: str = registry.DEFAULT,
    reference: str = "",
    on_progress: OnProgress = silent,
) -> Teller:
    """The one behind a name. Raises InputError if it is not there (any more), ModelUnavailableError as engines do.

    `engine` and `reference` are for base models: the latter as in `Request`, empty = the project's.
    """
    kind, _, rest = name.partition(":")
    if kind == VOICE and (facts := _facts(project, rest)):
        told = str(facts.get("language", "auto"))
        return Teller(registry.get(str(facts.get("engine", engine))), project.voices / rest, language=told)
    if kind == BASE:
        chosen = registry.get(engine)
        model = chosen.resolve_model(rest, project.home, on_progress)
        given = look_up_reference(project, load_clips(project), load_transcripts(project), reference)
        return Teller(chosen, model, reference=given, language=str(project.info.get("language", "auto")))
    run, _, last = rest.rpartition(":")
    for step, teller in _kept(project, run, on_progress) if kind in (CHECKPOINT, STRENGTH) else ():
        if kind == CHECKPOINT and str(step) == last:
            return teller
        if kind == STRENGTH and step == _used(project, run) and _number(last) is not None:
            return Teller(teller.engine, None, teller.checkpoint, _number(last) or 0.0, None, teller.language)
    raise InputError("One of those that should speak is not there any more. Choose again.")


def other_weights(project: Project) -> list[str]:
    """Names of the checkpoints that finished runs have kept beside their voice, then of the strengths of adapters.

    Loads no model, and asks nobody for one.
    """
    found: list[str] = []
    for voice in sorted(project.voices.glob("*/voice.json")):
        run = voice.parent.name
        facts, used = _facts(project, run), _used(project, run)
        if not facts or not (project.runs / run).is_dir():
            continue
        if len(facts.get("speakers", ())) <= 1:
            known = registry.get(str(facts.get("engine", registry.DEFAULT)))
            kept = [one.step for one in known.kept_checkpoints(project.runs / run, project.speaker, Path())]
            found += [f"{CHECKPOINT}:{run}:{step}" for step in kept if step != used]
            if used in kept and load_preset(str(project.runs / run / "preset.yaml")).adapter != "none":
                found += [f"{STRENGTH}:{run}:{strength:g}" for strength in STRENGTHS]
    return sorted(found, key=lambda name: name.startswith(STRENGTH))


def load(teller: Teller, device: str = "auto") -> Synthesizer:
    """Load one, unless it was the last to be loaded in this process: that one is kept, and only that one.

    It also stays where it is: the card that is free now may be another one because of it.
    """
    return _warm.get(f"{teller.key} {device}", lambda: _load(teller, hardware.pick_device(device)))


def _load(teller: Teller, device: str) -> Synthesizer:
    if teller.checkpoint is None:
        assert teller.model is not None
        return teller.engine.load(teller.model, device)
    with tempfile.TemporaryDirectory(prefix=".aside-", dir=teller.checkpoint.path.parent.parent) as aside:
        teller.engine.assemble(teller.checkpoint, Path(aside), teller.strength)
        return teller.engine.load(Path(aside), device)


class _Warm:
    """The model that was loaded last."""

    def __init__(self) -> None:
        self._key = ""
        self._model: Synthesizer | None = None

    def get(self, key: str, make: Callable[[], Synthesizer]) -> Synthesizer:
        if self._model is None or key != self._key:
            self._model = None  # before the next one takes as much memory again
            gc.collect()
            self._model = make()
            self._key = key
        return self._model


_warm = _Warm()


def _facts(project: Project, voice: str) -> dict[str, Any]:
    """voice.json of a finished voice of the project; empty for anything else, also a path out of it."""
    folder = project.voices / voice
    if not voice or folder.parent != project.voices or not (folder / "voice.json").is_file():
        return {}
    return voice_facts(folder)


def _used(project: Project, run: str) -> int | None:
    """The step that a finished run's voice was made of."""
    finished = project.runs / run / "finished.json"
    return int(files.read_json(finished)["step"]) if finished.is_file() else None


def _kept(project: Project, run: str, on_progress: OnProgress) -> Iterator[tuple[int, Teller]]:
    facts = _facts(project, run)
    if not facts:
        return
    engine = registry.get(str(facts.get("engine", registry.DEFAULT)))
    try:
        base = engine.resolve_model(str(facts["base_model"]), project.home, on_progress)
    except (InputError, ModelUnavailableError) as reason:
        raise InputError(f"These weights need the base model of the voice. {reason}") from reason
    for one in engine.kept_checkpoints(project.runs / run, project.speaker, base):
        yield one.step, Teller(engine, None, one, language=str(facts.get("language", "auto")))


def _number(value: str) -> float | None:
    try:
        found = float(value)
    except ValueError:
        return None
    return found if 0 <= found <= 2 else None
