"""A data set on the Hugging Face Hub, by name among the paths: hf:owner/name, hf:owner/name:config:split.

Rows of parquet (with the audio inside) are streamed through the `datasets` library and never decoded there: the
bytes become files of ours under hub/<name>/, and their texts metadata.jsonl beside them. A repository of audio
files and a table is downloaded file by file. Either way what comes out is a folder like any other, whose texts
`found_texts` finds. What was fetched before is not fetched again, and a killed run goes on at its row.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from voicefactory import files
from voicefactory.errors import Cancelled, InputError, ModelUnavailableError
from voicefactory.pipeline.refusals import write_refused
from voicefactory.project import Project
from voicefactory.quotas import Room, room_for
from voicefactory.settings import settings
from voicefactory.types import OnProgress, Progress, Refused, ShouldStop, never, silent

PREFIX = "hf:"
_NAME = re.compile(
    r"hf:(?P<repo>(?!.*(?:\.\.|--))\w[\w.-]*/\w[\w.-]*)(?::(?P<config>[\w.-]+))?(?::(?P<split>[\w.-]+))?", re.ASCII
)
_AUDIO_COLUMNS = ("audio", "speech", "wav", "file")
_TEXT_COLUMNS = ("sentence", "text", "transcription", "transcript", "normalized_text", "raw_text")
_MORE_COLUMNS = {"language": "language", "locale": "language", "speaker": "speaker"}
_AUDIO_SUFFIXES = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".webm", ".aiff", ".mp4"}
_TABLE_SUFFIXES = {".csv", ".jsonl", ".tsv", ".txt", ".zip"}
_ROWS_AT_ONCE = 16  # held in memory
_SAVED_EVERY = 64  # rows; a killed run loses at most so many
_MB = 1_000_000
_STOPPED = "Stopped while fetching from the Hub; what has arrived is kept."


@dataclass(frozen=True)
class HubName:
    """owner/name of a data set, its configuration and its split; empty = the only one, and train."""

    repo: str
    config: str = ""
    split: str = ""

    @property
    def folder(self) -> str:
        return "-".join(part for part in (self.repo.replace("/", "--"), self.config, self.split) if part)


@dataclass
class _Arriving:
    """What is fetched, until there is no room for more; the rest comes when there is."""

    room: Room
    bytes: float = 0.0
    full: str = ""  #: why nothing more is fetched

    def add(self, size: int) -> bool:
        """Count what arrives; whether there is room for it."""
        self.bytes += size
        self.full = self.room.why_not(0, self.bytes)
        return not self.full


def is_hub_name(path: Path) -> bool:
    """True for what is meant as a name on the Hub."""
    return path.as_posix().startswith(PREFIX)


def parse_hub_name(path: Path) -> HubName:
    """Raises InputError if it does not read hf:owner/name[:config[:split]]."""
    found = _NAME.fullmatch(path.as_posix())
    if not found:
        raise InputError(
            f"{path.as_posix()!r} is not a data set's name. Write hf:owner/name, hf:owner/name:config or "
            "hf:owner/name:config:split."
        )
    return HubName(found["repo"], found["config"] or "", found["split"] or "")


def fetch_hub_data(
    project: Project,
    paths: Sequence[Path],
    *,
    or_refuse: bool = False,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> list[Path]:
    """The paths with the folder of what was fetched in the place of each name on the Hub.

    Raises InputError for a data set that does not exist, is gated or has no audio, ModelUnavailableError if the
    Hub cannot be reached and nothing was fetched before, Cancelled when told to stop. With `or_refuse`, a data
    set that cannot be fetched is refused with that reason, and what arrived of it is used.
    """
    local: list[Path] = []
    refused: list[Refused] = []
    for path in paths:
        if is_hub_name(path):
            name = parse_hub_name(path)
            folder = project.root / "hub" / name.folder
            try:
                refused += _fetch(name, folder, _Arriving(room_for(project)), on_progress, should_stop)
            except (InputError, ModelUnavailableError) as reason:
                if not or_refuse:
                    raise
                refused.append(Refused(path.as_posix(), str(reason)))
            if folder.is_dir():
                local.append(folder)
        else:
            local.append(path)
    write_refused(project, "hub", refused)
    return local


def _fetch(
    name: HubName, folder: Path, arriving: _Arriving, on_progress: OnProgress, should_stop: ShouldStop
) -> list[Refused]:
    done = folder.with_name(f"{folder.name}.json")
    if done.exists():
        return [Refused(**row) for row in files.read_json(done)["refused"]]
    on_progress(Progress("hub", message=f"{name.repo} is being looked up."))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        listed = _listed(name)
        if any(PurePosixPath(file).suffix.lower() == ".parquet" for file in listed):
            refused = _stream(name, folder, arriving, on_progress, should_stop)
        else:
            refused = _download(name, listed, folder, arriving, on_progress, should_stop)
    except OSError as error:
        raise _in_words(name, error) from error
    if arriving.full:
        return [Refused(f"hf:{name.repo}", arriving.full), *refused]
    files.write_json(done, {"refused": [{"file": row.file, "reason": row.reason} for row in refused]})
    return refused


def _listed(name: HubName) -> dict[str, int]:
    """File → bytes of everything in the repository. Raises InputError if there is none for us."""
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError
    from huggingface_hub.hf_api import RepoFile

    if constants.HF_HUB_OFFLINE:
        raise ModelUnavailableError(
            f"The data set {name.repo} is on the Hub, and HF_HUB_OFFLINE is set. Unset it, or bring the files."
        )
    try:
        tree = HfApi().list_repo_tree(name.repo, repo_type="dataset", recursive=True)
        return {entry.path: entry.size for entry in tree if isinstance(entry, RepoFile)}
    except GatedRepoError:
        raise InputError(
            f"The data set {name.repo} is gated. Accept its terms on its page, log in with 'hf auth login', and run "
            "it again."
        ) from None
    except RepositoryNotFoundError:
        raise InputError(
            f"There is no data set {name.repo} on the Hub, or it is private. Check the name, or log in with "
            "'hf auth login'."
        ) from None
    except HfHubHTTPError as error:
        raise _in_words(name, error) from error


def _in_words(name: HubName, error: Exception) -> Exception:
    from voicefactory.errors import as_sentence

    if isinstance(error, OSError) and (known := as_sentence(error)):
        return known
    first = str(error).strip().split("\n")[0][:200]
    return ModelUnavailableError(
        f"The data set {name.repo} could not be fetched: {first or type(error).__name__}. Check the network and run "
        "it again; what has arrived is kept."
    )


def _stream(
    name: HubName, folder: Path, arriving: _Arriving, on_progress: OnProgress, should_stop: ShouldStop
) -> list[Refused]:
    """Rows of parquet → files and metadata.jsonl."""
    table = folder.with_name(f"{folder.name}.rows.jsonl")  # all rows, so that a killed run knows where it was
    rows = files.read_jsonl(table)
    seen = rows[-1]["row"] + 1 if rows else 0
    rest, columns, total = _rows(name, seen)
    most = settings().max_hub_clips
    audio, text = _columns(name, columns)
    refused: list[Refused] = []
    for number, row in enumerate(rest, start=seen):
        if should_stop():
            files.write_jsonl(table, rows)
            raise Cancelled(_STOPPED)
        if number >= most:
            told = f"Only its first {most} rows were taken. VOICEFACTORY_MAX_HUB_CLIPS says how many may be."
            refused.append(Refused(f"hf:{name.repo}", told))
            break
        kept = _keep(row, number, audio, text, folder)
        if kept["file"] and not arriving.add((folder / kept["file"]).stat().st_size):
            (folder / kept["file"]).unlink()
            break
        rows.append({"row": number, **kept})
        if len(rows) % _SAVED_EVERY == 0:
            files.write_jsonl(table, rows)
        on_progress(Progress("hub", number + 1, total and min(total, most), f"{number + 1} rows of {name.repo}"))
    files.write_jsonl(table, rows)
    broken = [row for row in rows if not row["file"]]
    refused += [Refused(f"hf:{name.repo}, row {row['row']}", "It has no audio.") for row in broken]
    if with_text := [row for row in rows if row["file"] and row["text"]]:
        files.write_jsonl(folder / "metadata.jsonl", with_text)
    return refused


def _rows(name: HubName, first: int) -> tuple[Iterator[dict[str, Any]], list[str], int]:
    """Rows from number `first` on, undecoded; the columns; and how many rows there are in all, 0 = nobody knows."""
    from datasets import get_dataset_config_names, load_dataset
    from datasets.exceptions import DatasetNotFoundError

    config = name.config
    try:
        if not config:
            known = get_dataset_config_names(name.repo)
            if len(known) > 1:
                listed = ", ".join(known[:12])
                raise InputError(
                    f"{name.repo} has several parts. Choose one: hf:{name.repo}:PART with one of {listed}."
                )
        stream = load_dataset(name.repo, config or None, split=name.split or "train", streaming=True)
    except (ValueError, DatasetNotFoundError) as error:
        raise InputError(f"{name.repo} cannot be read so: {str(error).strip().splitlines()[0][:300]}") from None
    splits = (stream.info.splits or {}).get(name.split or "train")
    total = int(splits.num_examples or 0) if splits else 0
    arrow = stream.with_format("arrow")
    columns = list(stream.column_names or next(iter(arrow.iter(1))).column_names)
    return _rows_from(first, arrow.iter(_ROWS_AT_ONCE)), columns, total


def _rows_from(first: int, tables: Iterator[Any]) -> Iterator[dict[str, Any]]:
    """The library's own `skip` counts differently when it gives tables, so rows are passed over here."""
    for table in tables:
        if first < table.num_rows:
            yield from table.slice(first).to_pylist()
        first = max(0, first - table.num_rows)


def _columns(name: HubName, columns: list[str]) -> tuple[str, str]:
    audio = next((column for column in _AUDIO_COLUMNS if column in columns), None)
    if audio is None:
        raise InputError(f"{name.repo} has no column of audio; its columns are {', '.join(columns)}.")
    return audio, next((column for column in _TEXT_COLUMNS if column in columns), "")


def _keep(row: dict[str, Any], number: int, audio: str, text: str, folder: Path) -> dict[str, str]:
    """Write a row's sound under a name of ours; what metadata.jsonl says of it. `file` is empty without sound."""
    sound = row.get(audio)
    content = sound.get("bytes") if isinstance(sound, dict) else sound if isinstance(sound, bytes) else None
    if not content or len(content) > settings().max_recording_mb * _MB:
        return {"file": "", "text": ""}
    told = str(sound.get("path") or "") if isinstance(sound, dict) else ""
    suffix = PurePosixPath(told).suffix.lower()
    path = folder / f"{number:06d}{suffix if suffix in _AUDIO_SUFFIXES else '.wav'}"
    with files.writing(path) as aside:
        aside.write_bytes(content)
    more = {ours: str(row[theirs]) for theirs, ours in _MORE_COLUMNS.items() if isinstance(row.get(theirs), str)}
    return {"file": path.name, "text": str(row.get(text) or "") if text else "", **more}


def _download(
    name: HubName,
    listed: dict[str, int],
    folder: Path,
    arriving: _Arriving,
    on_progress: OnProgress,
    should_stop: ShouldStop,
) -> list[Refused]:
    """A repository of audio files and a table → the same files here; the library skips those that are whole."""
    from huggingface_hub import hf_hub_download

    limits = settings()
    parts = [part for part in (name.config, name.split) if part]
    inside = [file for file in listed if all(part in PurePosixPath(file).parts for part in parts)]
    audio = [file for file in inside if PurePosixPath(file).suffix.lower() in _AUDIO_SUFFIXES]
    tables = [file for file in inside if PurePosixPath(file).suffix.lower() in _TABLE_SUFFIXES]
    if not audio and not any(file.lower().endswith(".zip") for file in tables):
        raise InputError(
            f"There is no audio in {name.repo} that can be read: neither parquet nor audio files nor zips."
        )
    refused = []
    if len(audio) > limits.max_hub_clips:
        told = f"Only its first {limits.max_hub_clips} recordings were taken. VOICEFACTORY_MAX_HUB_CLIPS says how many."
        refused.append(Refused(f"hf:{name.repo}", told))
    wanted = [*tables, *audio[: limits.max_hub_clips]]
    total, done = sum(listed[file] for file in wanted) / _MB, 0.0
    for file in wanted:
        if should_stop():
            raise Cancelled(_STOPPED)
        on_progress(Progress("hub", done, total, f"{done:.0f} of {total:.0f} MB, {file}"))
        if listed[file] > limits.max_recording_mb * _MB:
            refused.append(Refused(f"hf:{name.repo}/{file}", "It is larger than one recording may be."))
        elif not (folder / file).exists() and not arriving.add(listed[file]):
            break
        else:
            hf_hub_download(name.repo, file, repo_type="dataset", local_dir=folder)
        done += listed[file] / _MB
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # the library's notes on what is whole
    return refused
