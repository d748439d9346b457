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
    digests = {name: files.sha256_of(found.audio) for name, found in references.items()}
    digest = dataset_fingerprint(samples, files.sha256_of(reference.audio), digests, extra_texts)
    dataset = Dataset(samples, reference, project.dataset_jsonl, digest, dict(references), tuple(extra_texts))
    files.write_jsonl(project.dataset_jsonl, dataset.rows())
    return dataset


def dataset_fingerprint(
    samples: Sequence[Sample], reference: str, references: Mapping[str, str], extra_texts: Sequence[ExtraText]
) -> str:
    """Hex digest of everything that training sees. What most data sets do not have takes no part in theirs.

    `reference` and `references` (of each speaker, where there are several) are the SHA-256 of their audio.
    """
    contents: dict[str, Any] = {
        "samples": [[sample.clip.sha256, sample.text, sample.language, *_told(sample)] for sample in samples],
        "reference": reference,
    }
    if references:
        contents["references"] = dict(references)
    if extra_texts:
        contents["texts"] = [[extra.text, extra.language, extra.speaker] for extra in extra_texts]
    return files.fingerprint(contents)


def _told(sample: Sample) -> list[list[str]]:
    pairs = (("speaker", sample.speaker), ("instruct", sample.instruct))
    return [[key, value] for key, value in pairs if value]
