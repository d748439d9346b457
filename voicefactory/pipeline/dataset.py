"""dataset: accepted clips with their texts and one reference → dataset.jsonl, what training sees.

Its paths are absolute, because trainers other than ours read this file too.
"""

from __future__ import annotations

from collections.abc import Sequence

from voicefactory import files
from voicefactory.pipeline.reference import no_usable_clip
from voicefactory.project import Project
from voicefactory.types import Clip, Dataset, Reference, Sample, Transcript


def make_dataset(
    project: Project, clips: Sequence[Clip], transcripts: Sequence[Transcript], reference: Reference
) -> Dataset:
    """Pair clips with their texts, leaving out those that were dropped or have none.

    Raises InputError naming the first reasons if nothing is left.
    """
    texts = {row.clip: row for row in transcripts if row.text.strip() and not row.dropped}
    samples = tuple(Sample(clip, texts[clip.id].text, texts[clip.id].language) for clip in clips if clip.id in texts)
    if not samples:
        raise no_usable_clip(project, transcripts)
    files.write_jsonl(
        project.dataset_jsonl,
        (
            {
                "audio": str(sample.clip.audio),
                "text": sample.text,
                "ref_audio": str(reference.audio),
                "language": sample.language,
                "clip": sample.clip.id,
            }
            for sample in samples
        ),
    )
    fingerprint = files.fingerprint(
        {
            "samples": [[sample.clip.sha256, sample.text, sample.language] for sample in samples],
            "reference": files.sha256_of(reference.audio),
        }
    )
    return Dataset(samples, reference, project.dataset_jsonl, fingerprint)
