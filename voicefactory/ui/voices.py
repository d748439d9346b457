"""Who can speak on the page: finished voices, base models as imitations, and what can be compared with them.

A choice is known by its name, as in pipeline/tellers.py.
"""

from __future__ import annotations

from pathlib import Path

from voicefactory.engines import registry
from voicefactory.errors import InputError
from voicefactory.pipeline.held_out import held_out_clips
from voicefactory.pipeline.tellers import BASE, CHECKPOINT, STRENGTH, VOICE, other_weights
from voicefactory.project import Project
from voicefactory.ui import models, text
from voicefactory.ui.cache import cached
from voicefactory.ui.state import FinishedVoice, State
from voicefactory.ui.views import shortened

_RECORDINGS = 50  #: that are offered to compare with
_LETTERS = 60  #: of what is said in one


def voices(state: State) -> list[tuple[str, str]]:
    """(shown, name): the finished voices, the newest first, then base models that can imitate the reference."""
    if state.project is None:
        return []
    found = [(title_of(voice), f"{VOICE}:{voice.identifier}") for voice in state.voices]
    if not state.references and not state.remembered("own_reference"):
        return found
    job = state.latest("train")
    model = str(job.request["model"]) if job else models.default(registry.DEFAULT)
    return [*found, (text.ZERO_SHOT.format(model=model), f"{BASE}:{model}")]


def title_of(voice: FinishedVoice) -> str:
    """What a finished voice is called, and that it was not trained."""
    return voice.title if voice.trained else text.UNTRAINED.format(voice=voice.title)


def comparable(state: State) -> list[tuple[str, str]]:
    """(shown, name): the voices, other weights that their runs have kept, and adapters at several strengths."""
    if state.project is None:
        return []
    titles = {voice.identifier: voice.title for voice in state.voices}
    return [*voices(state), *((_weights_label(name, titles), name) for name in _other_weights(state, state.project))]


def recordings(state: State) -> list[tuple[str, str]]:
    """(shown, clip id): what the person said, first what training never heard."""
    if state.project is None:
        return []
    project = state.project
    sources = [project.clips_jsonl, project.transcripts_jsonl, *(voice.zip for voice in state.voices)]
    found = cached("recordings beside", project.root, sources, lambda: _recordings(state))
    return [(text.BESIDE_UNHEARD.format(text=said) if unheard else said, clip) for clip, said, unheard in found]


def said_in(state: State, clip: str) -> str:
    """The text of a clip. Raises InputError if it has none any more."""
    row = state.transcript.get(clip)
    if row is None or not row.text.strip():
        raise InputError(text.BESIDE_GONE)
    return row.text


def label(choices: list[tuple[str, str]], name: str) -> str:
    """What the choice of that name is called. Raises InputError if it is not offered."""
    found = next((shown for shown, value in choices if value == name), None)
    if found is None:
        raise InputError(text.CHOOSE_VOICE)
    return found


def folder_of(state: State, name: str) -> Path | None:
    """The folder of a finished voice; None for a base model."""
    wanted = name.removeprefix(f"{VOICE}:")
    return next((one.folder for one in state.voices if one.identifier == wanted), None)


def engine_of(state: State) -> str:
    """The engine that base models are for."""
    job = state.latest("train")
    return str(job.request["engine"]) if job else registry.DEFAULT


def speakers_of(state: State, name: str | None) -> list[str]:
    """Who a voice can speak as, the newest first; nobody if there is nothing to choose."""
    folder = folder_of(state, name) if name else None
    names = models.speakers(engine_of(state), str(folder)) if folder else []
    return names if len(names) > 1 else []


def one_of(state: State, name: str | None, speaker: str | None) -> tuple[str, str, str]:
    """A chosen voice as it is known and as it is shown, and its speaker, or nothing where it has no such speaker.

    Raises InputError if there is no voice, or not this one.
    """
    offered = voices(state)
    if not offered:
        raise InputError(text.NO_VOICE)
    chosen = name or ""
    shown = label(offered, chosen)
    return chosen, shown, speaker if speaker and speaker in speakers_of(state, chosen) else ""


def is_noise(state: State, name: str | None) -> bool:
    """Whether a choice makes noise instead of speech."""
    if not name:
        return False
    folder = folder_of(state, name)
    return models.is_toy(engine_of(state), str(folder) if folder else name.removeprefix(f"{BASE}:"))


def _other_weights(state: State, project: Project) -> list[str]:
    sources = [voice.zip for voice in state.voices]
    return cached("other weights", project.root, sources, lambda: other_weights(project))


def _weights_label(name: str, titles: dict[str, str]) -> str:
    kind, run, last = name.split(":")
    sentence = {CHECKPOINT: text.CHECKPOINT_AT, STRENGTH: text.STRENGTH_AT}[kind]
    return sentence.format(voice=titles.get(run, run), number=last)


def _recordings(state: State) -> list[tuple[str, str, bool]]:
    """Clip id, what is said in it, whether training never heard it."""
    unheard = set(_held_out(state))
    said = {row.clip: row.text.strip() for row in state.transcripts if not row.dropped and row.text.strip()}
    clips = sorted((clip.id for clip in state.clips if clip.id in said), key=lambda clip: clip not in unheard)
    return [(clip, shortened(said[clip], _LETTERS), clip in unheard) for clip in clips[:_RECORDINGS]]


def _held_out(state: State) -> list[str]:
    """Ids of the clips that the newest voice was not trained on."""
    trained = [voice for voice in state.voices if voice.trained]
    if state.project is None or not trained:
        return []
    project, newest = state.project, trained[0]
    return list(cached("held out", newest.zip, [newest.zip], lambda: held_out_clips(project, newest.identifier)))
