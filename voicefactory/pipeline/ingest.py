"""ingest: files, folders and zips → Recordings: mono, 24 kHz, 16-bit, at a sensible level.

Leaves recordings/<id>.wav with recordings/<id>.json beside it (so a killed run goes on where it was),
recordings.jsonl and refused/ingest.jsonl. The two lists hold exactly what the given paths give.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from voicefactory import files
from voicefactory.audio.convert import convert
from voicefactory.errors import Cancelled, InputError
from voicefactory.pipeline.given_texts import METADATA_NAMES
from voicefactory.pipeline.refusals import write_refused
from voicefactory.pipeline.sources import Source, count_sources, sources
from voicefactory.project import Project
from voicefactory.settings import settings
from voicefactory.types import OnProgress, Progress, Recording, Refused, ShouldStop, never, silent

_VERSION = 1  # raise it when the same source gives another recording
_MB = 1_000_000


def ingest(
    project: Project,
    paths: Sequence[Path],
    *,
    companions: Sequence[Path] = (),
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> tuple[list[Recording], list[Refused]]:
    """Decode everything that `paths` give; what was decoded before (same content) is taken as it is.

    `companions` are transcript files, or folders of .txt, that lie among the recordings and are not
    reported as refused. Raises InputError for a path that does not exist, Cancelled when told to stop.
    """
    project.recordings.mkdir(parents=True, exist_ok=True)
    companion_files, companion_folders = _split_companions(companions)
    recordings: dict[str, Recording] = {}
    refused: list[Refused] = []
    total = count_sources(paths)
    for done, source in enumerate(sources(paths, project.recordings)):
        if should_stop():
            raise Cancelled("Stopped while reading recordings; the finished ones are kept.")
        on_progress(Progress("ingest", done, max(total, done + 1), source.file))
        if isinstance(source, Refused):
            refused.append(source)
        elif not _is_companion(source.path, companion_files, companion_folders):
            try:
                _add(_ingest_one(project, source, should_stop), recordings)
            except InputError as reason:
                refused.append(Refused(source.file, str(reason)))
    taken = list(recordings.values())
    files.write_jsonl(project.recordings_jsonl, (_row(project, recording) for recording in taken))
    write_refused(project, "ingest", refused)
    _remove_others(project.recordings, recordings)
    on_progress(Progress("ingest", total, total, f"{len(taken)} recordings"))
    return taken, refused


def load_recordings(project: Project) -> list[Recording]:
    """The recordings as the last `ingest` left them."""
    return [_recording(project, row) for row in files.read_jsonl(project.recordings_jsonl)]


def _add(recording: Recording, recordings: dict[str, Recording]) -> None:
    if first := recordings.get(recording.id):
        raise InputError(f"It has the same content as {first.file}, which is taken already.")
    recordings[recording.id] = recording


def _ingest_one(project: Project, source: Source, should_stop: ShouldStop) -> Recording:
    limits = settings()
    size = source.path.stat().st_size
    if size > limits.max_recording_mb * _MB:
        raise InputError(f"It is larger than {limits.max_recording_mb:g} MB, the most that one recording may have.")
    identifier = files.sha256_of(source.path)[:16]
    audio = project.recordings / f"{identifier}.wav"
    sidecar = audio.with_suffix(".json")
    if audio.exists() and sidecar.exists():
        row = files.read_json(sidecar)
        if row["version"] == _VERSION:
            return _recording(project, {**row, "file": source.file})
    converted = convert(source.path, audio, max_minutes=limits.max_recording_minutes, should_stop=should_stop)
    recording = Recording(
        id=identifier,
        file=source.file,
        audio=audio,
        seconds=converted.seconds,
        source_rate=converted.source_rate,
        source_channels=converted.source_channels,
        gain_db=converted.gain_db,
        notes=converted.notes,
    )
    files.write_json(sidecar, {"version": _VERSION, **_row(project, recording)})
    return recording


def _row(project: Project, recording: Recording) -> dict[str, Any]:
    return {
        "id": recording.id,
        "file": recording.file,
        "audio": project.relative(recording.audio),
        "seconds": recording.seconds,
        "source_rate": recording.source_rate,
        "source_channels": recording.source_channels,
        "gain_db": recording.gain_db,
        "notes": list(recording.notes),
    }


def _recording(project: Project, row: dict[str, Any]) -> Recording:
    return Recording(
        id=row["id"],
        file=row["file"],
        audio=project.root / row["audio"],
        seconds=row["seconds"],
        source_rate=row["source_rate"],
        source_channels=row["source_channels"],
        gain_db=row["gain_db"],
        notes=tuple(row["notes"]),
    )


def _split_companions(companions: Sequence[Path]) -> tuple[set[Path], set[Path]]:
    resolved = [Path(path).expanduser().resolve() for path in companions]
    return {path for path in resolved if path.is_file()}, {path for path in resolved if path.is_dir()}


def _is_companion(path: Path, companion_files: set[Path], companion_folders: set[Path]) -> bool:
    resolved = path.resolve()
    if resolved in companion_files:
        return True
    is_text = resolved.suffix.lower() == ".txt" or resolved.name in METADATA_NAMES
    return is_text and any(folder in resolved.parents for folder in companion_folders)


def _remove_others(folder: Path, recordings: Iterable[str]) -> None:
    """What these paths no longer give is deleted: a removed recording is gone, not hidden."""
    keep = set(recordings)
    for path in folder.iterdir():
        if path.suffix in (".wav", ".json") and path.stem not in keep and not path.name.startswith(".aside-"):
            path.unlink(missing_ok=True)
