"""Frozen data sets: what training sees, kept so that nothing that happens later can change it.

datasets/<first 12 of the fingerprint>/ holds dataset.jsonl (a row a clip: audio, text, ref_audio, language, clip; paths
relative to the folder), clips.jsonl (where each came from), dataset.json (fingerprint, when, references, statistics)
and the audio itself, as hard links where the disk allows it: they cost no space, and stay when the project's clips are
cleaned, cut anew or deleted. Other clips, texts or references have another fingerprint, so they are another data set
beside the first.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from voicefactory import files
from voicefactory.errors import InputError
from voicefactory.pipeline.dataset import dataset_fingerprint
from voicefactory.project import Project
from voicefactory.types import Clip, Dataset, ExtraText, Quality, Reference, Sample, Transcript

_SHORT = 12  #: digits of a fingerprint that name its folder
_NAMED = 3  #: clips that a sentence names


@dataclass(frozen=True)
class FrozenDataset:
    """One line of the list of frozen data sets."""

    fingerprint: str
    folder: Path
    frozen_at: float  #: Unix seconds
    clips: int
    seconds: float
    languages: tuple[str, ...]
    speakers: tuple[str, ...]  #: empty: one, called after the project
    statistics: Mapping[str, Any]  #: `Statistics.to_json` at that time

    @property
    def name(self) -> str:
        """What a person calls it: the first 12 digits."""
        return self.fingerprint[:_SHORT]


def datasets_folder(project: Project) -> Path:
    """Where the frozen data sets of a project lie."""
    return project.root / "datasets"


def freeze(project: Project, dataset: Dataset, statistics: Mapping[str, Any] | None = None) -> Dataset:
    """Freeze `dataset`; what is returned has the frozen audio. One that is frozen already is checked and taken.

    Raises InputError if a clip's audio is not what it was when it was cut.
    """
    folder = datasets_folder(project) / dataset.fingerprint[:_SHORT]
    if (folder / "dataset.json").is_file():
        with contextlib.suppress(InputError):  # somebody changed it: the project still has the originals
            return load_frozen(project, dataset.fingerprint)
    with files.writing_folder(folder) as aside:
        references = _freeze_references(aside, dataset)
        rows = [_freeze_clip(aside, sample) for sample in dataset.samples]
        files.write_jsonl(aside / "clips.jsonl", rows)
        frozen = _dataset(aside, dataset.fingerprint, references, rows, _texts(dataset), dataset.extra_texts)
        files.write_jsonl(aside / "dataset.jsonl", _relative_rows(frozen, aside))
        about = {
            "fingerprint": dataset.fingerprint,
            "frozen_at": time.time(),
            "clips": len(rows),
            "seconds": round(sum(sample.clip.seconds for sample in dataset.samples), 3),
            "languages": sorted({sample.language for sample in dataset.samples}),
            "references": references,
            "extra_texts": [asdict(extra) for extra in dataset.extra_texts],
            "statistics": dict(statistics or {}),
        }
        files.write_json(aside / "dataset.json", about)
    return load_frozen(project, dataset.fingerprint)


def load_frozen(project: Project, fingerprint: str) -> Dataset:
    """The frozen data set with that fingerprint (or its first digits, six at least), every file checked.

    Raises InputError if there is none, or if what lies there is no longer what was frozen, naming the difference.
    """
    folder = _find(project, fingerprint)
    about = files.read_json(folder / "dataset.json")
    rows = files.read_jsonl(folder / "clips.jsonl")
    said = {row["clip"]: row for row in files.read_jsonl(folder / "dataset.jsonl") if row["audio"]}
    texts = [said.get(row["id"], {}) for row in rows]
    expected = [(folder / row["audio"], row["sha256"]) for row in (*rows, *about["references"])]
    missing = [path.name for path, _ in expected if not path.is_file()]
    other = [path.name for path, digest in expected if path.is_file() and files.sha256_of(path) != digest]
    gone = sum(not text for text in texts)
    if missing or other or gone or len(rows) != about["clips"]:
        told = [f"{len(missing)} missing ({_some(missing)})"] if missing else []
        told += [f"{len(other)} with other content ({_some(other)})"] if other else []
        told += [f"{gone or abs(len(rows) - about['clips'])} without their row"] if not told else []
        raise InputError(
            f"The frozen data set {folder.name} is no longer what was frozen: {'; '.join(told)}. Freeze the data again."
        )
    extra = [ExtraText(**row) for row in about["extra_texts"]]
    dataset = _dataset(folder, about["fingerprint"], about["references"], rows, texts, extra)
    digests = {row["speaker"]: row["sha256"] for row in about["references"]}
    several = {} if "" in digests else digests
    if dataset_fingerprint(dataset.samples, next(iter(digests.values())), several, extra) != about["fingerprint"]:
        raise InputError(
            f"The frozen data set {folder.name} is no longer what was frozen: a text or a reference was changed in its "
            "files. Freeze the data again."
        )
    return dataset


def list_frozen(project: Project) -> list[FrozenDataset]:
    """Every frozen data set, the newest first; fast, nothing is checked."""
    found = []
    for path in datasets_folder(project).glob("*/dataset.json"):
        about = files.read_json(path)
        found.append(
            FrozenDataset(
                about["fingerprint"],
                path.parent,
                about["frozen_at"],
                about["clips"],
                about["seconds"],
                tuple(about["languages"]),
                tuple(row["speaker"] for row in about["references"] if row["speaker"]),
                about["statistics"],
            )
        )
    return sorted(found, key=lambda one: one.frozen_at, reverse=True)


def changes_since(frozen: FrozenDataset, clips: Sequence[Clip], transcripts: Sequence[Transcript]) -> str:
    """What is different in the project now, in words; empty if training now would see the same clips and texts."""
    rows = {row["clip"]: row for row in files.read_jsonl(frozen.folder / "dataset.jsonl") if row["audio"]}
    sounds = {row["id"]: row["sha256"] for row in files.read_jsonl(frozen.folder / "clips.jsonl")}
    texts = {row.clip: row for row in transcripts if row.text.strip() and not row.dropped}
    now = {clip.id: clip for clip in clips if clip.id in texts}
    both = rows.keys() & now.keys()
    counts = {
        "added": len(now.keys() - rows.keys()),
        "left out": len(rows.keys() - now.keys()),
        "with another text or language": sum(
            (rows[clip]["text"], rows[clip]["language"], rows[clip].get("instruct", ""))
            != (texts[clip].text, texts[clip].language, texts[clip].instruct)
            for clip in both
        ),
        "with other sound": sum(sounds[clip] != now[clip].sha256 for clip in both),
    }
    return ", ".join(f"{count} {'clip' if count == 1 else 'clips'} {what}" for what, count in counts.items() if count)


def _find(project: Project, fingerprint: str) -> Path:
    known = {path.parent.name: path.parent for path in datasets_folder(project).glob("*/dataset.json")}
    wanted = fingerprint.strip().lower()[:_SHORT]
    matching = [folder for name, folder in known.items() if len(wanted) >= 6 and name.startswith(wanted)]
    if len(matching) == 1:
        return matching[0]
    listed = f"There are: {', '.join(sorted(known))}." if known else "None is frozen yet."
    raise InputError(f"There is no frozen data set {fingerprint!r}. {listed}")


def _freeze_clip(folder: Path, sample: Sample) -> dict[str, Any]:
    """Put the clip's audio into the folder; its row of clips.jsonl."""
    clip = sample.clip
    target = folder / "audio" / f"{clip.id}.wav"
    _link(clip.audio, target)
    if files.sha256_of(target) != clip.sha256:
        raise InputError(
            f"The clip {clip.id} of {clip.file} was changed on the disk since it was cut. Prepare the recordings again."
        )
    return {**asdict(clip), "audio": f"audio/{target.name}"}


def _freeze_references(folder: Path, dataset: Dataset) -> list[dict[str, Any]]:
    """Put the references into the folder; their rows of dataset.json, the first one first."""
    rows = []
    for number, (speaker, found) in enumerate((dataset.references or {"": dataset.reference}).items(), 1):
        target = folder / "reference" / f"{number}.wav"
        _link(found.audio, target)
        digest = files.sha256_of(target)
        rows.append({**asdict(found), "audio": f"reference/{target.name}", "speaker": speaker, "sha256": digest})
    return rows


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise InputError(f"The audio {source.name} is gone from the project. Prepare the recordings again.") from None
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, target)


def _texts(dataset: Dataset) -> list[dict[str, Any]]:
    return [
        {"text": one.text, "language": one.language, "speaker": one.speaker, "instruct": one.instruct}
        for one in dataset.samples
    ]


def _dataset(
    folder: Path,
    fingerprint: str,
    references: Sequence[Mapping[str, Any]],
    clips: Sequence[Mapping[str, Any]],
    texts: Sequence[Mapping[str, Any]],
    extra: Sequence[ExtraText] = (),
) -> Dataset:
    """The data set whose audio lies in `folder`."""
    samples = tuple(
        Sample(_clip(folder, clip), row["text"], row["language"], row.get("speaker", ""), row.get("instruct", ""))
        for clip, row in zip(clips, texts, strict=True)
    )
    told = {row["speaker"]: _reference(folder, row) for row in references}
    first = next(iter(told.values()))
    by_speaker = told if "" not in told else {}
    return Dataset(samples, first, folder / "dataset.jsonl", fingerprint, by_speaker, tuple(extra))


def _clip(folder: Path, row: Mapping[str, Any]) -> Clip:
    quality = Quality(**{**row["quality"], "verdicts": tuple(row["quality"]["verdicts"])})
    return Clip(**{**row, "audio": folder / row["audio"], "quality": quality})


def _reference(folder: Path, row: Mapping[str, Any]) -> Reference:
    own = {key: value for key, value in row.items() if key not in ("speaker", "sha256")}
    return Reference(**{**own, "audio": folder / row["audio"], "reasons": tuple(row["reasons"])})


def _relative_rows(dataset: Dataset, folder: Path) -> Iterator[dict[str, Any]]:
    for row in dataset.rows():
        audio = Path(row["audio"]).relative_to(folder).as_posix() if row["audio"] else ""
        yield {**row, "audio": audio, "ref_audio": Path(row["ref_audio"]).relative_to(folder).as_posix()}


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")
