"""ingest: files, folders and zips → Recordings: mono, 24 kHz, 16-bit, at a sensible level.

Leaves recordings/<id>.wav with recordings/<id>.json beside it (so a killed run goes on where it was),
recordings.jsonl and refused/ingest.jsonl. The two lists hold exactly what the given paths give.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from voicefactory import files
from voicefactory.audio.convert import convert
from voicefactory.errors import InputError
from voicefactory.pipeline.given_texts import METADATA_NAMES
from voicefactory.pipeline.refusals import write_refused
from voicefactory.pipeline.sources import Source, amount_of, sources
from voicefactory.pipeline.workers import Tell, finished, worker_count
from voicefactory.project import Project
from voicefactory.quotas import Room, room_for
from voicefactory.settings import settings
from voicefactory.types import OnProgress, Progress, Recording, Refused, ShouldStop, never, silent

_VERSION = 1  # raise it when the same source gives another recording
_MB = 1_000_000
_FEW_FILES, _FEW_MB = 60, 60.0  # below both, starting processes takes longer than it saves


@dataclass(frozen=True)
class _Task:
    """One source for a worker."""

    project: Path
    source: Source
    max_mb: float
    max_minutes: float


@dataclass
class _Entry:
    """One source, and what became of it."""

    task: _Task
    megabytes: float
    outcome: Recording | Refused | None = None

    def forget(self) -> None:
        """Delete what was unpacked for it."""
        if self.task.source.temporary:
            self.task.source.path.unlink(missing_ok=True)


def ingest(
    project: Project,
    paths: Sequence[Path],
    *,
    companions: Sequence[Path] = (),
    left_out: Collection[str] = (),
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> tuple[list[Recording], list[Refused]]:
    """Decode everything that `paths` give; what was decoded before (same content) is taken as it is.

    Many files are decoded by several processes; order and result do not depend on how many. `companions` are
    transcript files, or folders of .txt, that lie among the recordings and are not reported as refused;
    `left_out` names sources for which somebody else accounts. From the first recording on that is more than `quotas`
    leaves room for, all are refused. Raises InputError for a path that does not
    exist, Cancelled when told to stop.
    """
    project.recordings.mkdir(parents=True, exist_ok=True)
    amount = amount_of(paths)
    companion_files, companion_folders = _split_companions(companions)
    limits = settings()
    room, before = room_for(project), frozenset(path.stem for path in project.recordings.glob("*.wav"))
    counted = _Counted(room, before)
    found: list[_Entry | Refused] = []  # in the order of the paths
    entries: list[_Entry] = []  # those of them that workers were given
    done_mb = 0.0

    def tasks() -> Iterator[_Task]:
        for source in sources(paths, project.recordings):
            if isinstance(source, Refused):
                found.append(source)
            elif source.file in left_out or _is_companion(source.path, companion_files, companion_folders):
                _Entry(_Task(project.root, source, 0, 0), 0).forget()
            elif counted.full:  # by what comes before it, so it need not be decoded
                _Entry(_Task(project.root, source, 0, 0), 0).forget()
                found.append(Refused(source.file, counted.full))
            else:
                task = _Task(project.root, source, limits.max_recording_mb, limits.max_recording_minutes)
                entries.append(_Entry(task, source.path.stat().st_size / _MB))
                found.append(entries[-1])
                yield task

    def tell(shares: dict[int, float], file: str = "") -> None:
        done = min(amount.megabytes, done_mb + sum(entries[number].megabytes * shares[number] for number in shares))
        said = f"{done:.0f} of {amount.megabytes:.0f} MB" + (f", {file}" if file else "")
        on_progress(Progress("ingest", done, amount.megabytes, said))

    few = amount.files < _FEW_FILES and amount.megabytes < _FEW_MB
    tell({})
    try:
        for number, outcome in finished(
            _ingest_one,
            tasks(),
            workers=1 if few else worker_count(amount.files),
            should_stop=should_stop,
            on_shares=tell,
            stopped="Stopped while reading recordings; the finished ones are kept.",
        ):
            entry = entries[number]
            entry.outcome = outcome
            counted.add(outcome)
            entry.forget()
            done_mb += entry.megabytes
            tell({}, entry.task.source.file)
    finally:
        for entry in entries:
            entry.forget()
    taken, refused = _sorted_out(found, _Counted(room, before))
    files.write_jsonl(project.recordings_jsonl, (_row(project, recording) for recording in taken))
    write_refused(project, "ingest", refused)
    _remove_others(project.recordings, {recording.id for recording in taken})
    on_progress(Progress("ingest", amount.megabytes, amount.megabytes, f"{len(taken)} recordings"))
    return taken, refused


def load_recordings(project: Project) -> list[Recording]:
    """The recordings as the last `ingest` left them."""
    return [_recording(project, row) for row in files.read_jsonl(project.recordings_jsonl)]


class _Counted:
    """How long the recordings are in all, each content once, and how many bytes those are that were not there before.

    Once there is no room for one, there is none for those after it: what is taken does not depend on what was decoded
    first.
    """

    def __init__(self, room: Room, before: Collection[str]) -> None:
        self._room, self._before = room, before
        self._known: set[str] = set()
        self._seconds = self._bytes = 0.0
        self.full = ""  #: why nothing more is taken

    def add(self, outcome: Recording | Refused) -> str:
        """Count what became of a source; why it is not taken, or empty."""
        if isinstance(outcome, Recording) and outcome.id not in self._known and not self.full:
            self._known.add(outcome.id)
            self._seconds += outcome.seconds
            self._bytes += 0 if outcome.id in self._before else outcome.audio.stat().st_size
            self.full = self._room.why_not(self._seconds, self._bytes)
        return self.full


def _sorted_out(found: Sequence[_Entry | Refused], counted: _Counted) -> tuple[list[Recording], list[Refused]]:
    """What was taken and what was not, in the order of the sources; the same content counts once."""
    taken: dict[str, Recording] = {}
    refused: list[Refused] = []
    for one in found:
        outcome = one.outcome if isinstance(one, _Entry) else one
        if isinstance(outcome, Recording):
            if first := taken.get(outcome.id):
                outcome = Refused(outcome.file, f"It has the same content as {first.file}, which is taken already.")
            elif reason := counted.add(outcome):
                outcome = Refused(outcome.file, reason)
            else:
                taken[outcome.id] = outcome
        if isinstance(outcome, Refused):
            refused.append(outcome)
    return list(taken.values()), refused


def _ingest_one(task: _Task, tell: Tell, should_stop: ShouldStop) -> Recording | Refused:
    try:
        return _converted(task, tell, should_stop)
    except InputError as reason:
        return Refused(task.source.file, str(reason))
    except FileNotFoundError:
        if task.source.path.exists():
            raise
        return Refused(task.source.file, "It was taken away while the recordings were being read.")


def _converted(task: _Task, tell: Tell, should_stop: ShouldStop) -> Recording:
    project, source = Project(task.project), task.source
    if source.path.stat().st_size > task.max_mb * _MB:
        raise InputError(f"It is larger than {task.max_mb:g} MB, the most that one recording may have.")
    identifier = files.sha256_of(source.path)[:16]
    audio = project.recordings / f"{identifier}.wav"
    sidecar = audio.with_suffix(".json")
    if audio.exists() and sidecar.exists():
        row = files.read_json(sidecar)
        if row["version"] == _VERSION:
            return replace(_recording(project, row), file=source.file)
    converted = convert(source.path, audio, max_minutes=task.max_minutes, should_stop=should_stop, tell=tell)
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


def _remove_others(folder: Path, keep: Collection[str]) -> None:
    """What these paths no longer give is deleted: a removed recording is gone, not hidden."""
    for path in folder.iterdir():
        if path.suffix in (".wav", ".json") and path.stem not in keep and not path.name.startswith(".aside-"):
            path.unlink(missing_ok=True)
