"""dataset: accepted clips with their texts and references → dataset.jsonl, what training sees.

Its paths are absolute, because trainers other than ours read this file too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from voicefactory import files
from voicefactory.pipeline.reference import no_usable_clip
from voicefactory.project import Project
from voicefactory.types import Clip, Dataset, ExtraText, Reference, Sample, Transcript


def make_dataset(
    project: Project,
    clips: Sequence[Clip],
    transcripts: Sequence[Transcript],
    reference: Reference,
    *,
    speakers: Mapping[str, str] | None = None,
    references: Mapping[str, Reference] | None = None,
    extra_texts: Sequence[ExtraText] = (),
) -> Dataset:
    """Pair clips with their texts, leaving out those that were dropped or have none.

    Where there are several speakers, `speakers` is clip id → name, and `references` holds one for each. Rows of
    `extra_texts` have no audio. Raises InputError naming the first reasons if nothing is left.
    """
    speakers, references = speakers or {}, references or {}
    texts = {row.clip: row for row in transcripts if row.text.strip() and not row.dropped}
    samples = tuple(
        Sample(
            clip,
            texts[clip.id].text,
            texts[clip.id].language,
            speakers.get(clip.id, ""),
            texts[clip.id].instruct,
        )
        for clip in clips
        if clip.id in texts
    )
    if not samples:
        raise no_usable_clip(project, transcripts)
    digest = files.fingerprint(_contents(samples, reference, references, extra_texts))
    dataset = Dataset(samples, reference, project.dataset_jsonl, digest, dict(references), tuple(extra_texts))
    files.write_jsonl(project.dataset_jsonl, dataset.rows())
    return dataset


def _contents(
    samples: Sequence[Sample],
    reference: Reference,
    references: Mapping[str, Reference],
    extra_texts: Sequence[ExtraText],
) -> dict[str, Any]:
    """What the fingerprint is of. What most data sets do not have takes no part in theirs."""
    contents: dict[str, Any] = {
        "samples": [[sample.clip.sha256, sample.text, sample.language, *_told(sample)] for sample in samples],
        "reference": files.sha256_of(reference.audio),
    }
    if references:
        contents["references"] = {name: files.sha256_of(found.audio) for name, found in references.items()}
    if extra_texts:
        contents["texts"] = [[extra.text, extra.language, extra.speaker] for extra in extra_texts]
    return contents


def _told(sample: Sample) -> list[list[str]]:
    pairs = (("speaker", sample.speaker), ("instruct", sample.instruct))
    return [[key, value] for key, value in pairs if value]
