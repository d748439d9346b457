"""What the probe of a run compares the voice with: the sentences that it says, and the speaker's own clips."""

from __future__ import annotations

from voicefactory.engines.base import Engine
from voicefactory.errors import InputError
from voicefactory.pipeline.judge_case import FEWEST_HELD_OUT, MOST_RECORDINGS
from voicefactory.pipeline.judge_sentences import judge_sentences
from voicefactory.pipeline.sentences import SENTENCES
from voicefactory.presets import Preset
from voicefactory.types import Dataset, Sample

_MORE = 2  #: sentences of those that the judge asks for, which are longer: a pace of two greetings says little
_ALL = 10_000  #: to choose from
_LONGEST, _LONGEST_BY_CHARACTER = 80, 24  #: characters of one, some 6 s: it takes time and memory at every measurement


def probe_sentences(language: str, dataset: Dataset) -> tuple[str, ...]:
    """The first sentences of a voice in `language`, and two longer ones that it is not trained on."""
    try:
        fresh = judge_sentences(language, _ALL, [sample.text for sample in dataset.samples])
    except InputError:  # no language was named, or all of its sentences are trained on
        fresh = []
    most = _LONGEST_BY_CHARACTER if language in ("chinese", "japanese", "korean") else _LONGEST
    longer = [one.text for one in fresh if most / 2 < len(one.text) <= most][-_MORE:]
    return (*SENTENCES[language], *longer)


def probe_recordings(dataset: Dataset, engine: Engine, preset: Preset) -> tuple[Sample, ...]:
    """Clips of the first speaker, at most MOST_RECORDINGS and evenly spread, without the reference.

    Those that training holds out, if there are enough of them for a range; otherwise all.
    """
    first = dataset.samples[0].speaker
    reference = dataset.reference_of(first).clip
    own = [one for one in dataset.samples if one.speaker == first and one.clip.id != reference]
    apart = set(engine.held_out([str(row["clip"]) for row in dataset.rows()], preset))
    held_out = [one for one in own if one.clip.id in apart]
    taken = held_out if len(held_out) >= FEWEST_HELD_OUT else own
    every = max(1, -(-len(taken) // MOST_RECORDINGS))
    return tuple(taken[::every])
