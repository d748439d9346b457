"""Texts that recordings bring along: an LJSpeech or Common Voice data set, audio with metadata, .txt beside the audio.

Looked for in folders and zips before anything is decoded. A table counts only if it names recordings that lie
there; any other text file is left to `ingest`, which reports it. What is found is taken as given texts; recordings
without one are listened to. Of a Common Voice data set only the recordings that its table names are read: clips/
holds also those that its readers refused.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from voicefactory.errors import InputError
from voicefactory.languages import parse_language
from voicefactory.pipeline.given_texts import METADATA_NAMES, GivenText, read_transcripts
from voicefactory.pipeline.sources import is_junk, is_zip, shown_name, walk
from voicefactory.pipeline.transcripts import Row, update_rows
from voicefactory.project import Project, speaker_key
from voicefactory.types import Clip, Recording, Refused, Transcript

COMMON_VOICE_TABLES = (("validated.tsv",), ("train.tsv", "dev.tsv", "test.tsv"))  #: the first that is there
_COMMON_VOICE_OTHERS = {
    *("other.tsv", "invalidated.tsv", "reported.tsv", "clip_durations.tsv", "times.txt", "validated_sentences.tsv"),
    *("unvalidated_sentences.tsv", "train.tsv", "dev.tsv", "test.tsv", "validated.tsv"),
}
_AUDIO = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".webm", ".aiff", ".aif", ".mp4", ".aac"}
_MOST_TABLE_BYTES = 200_000_000


@dataclass
class FoundTexts:
    """What the recordings brought. Files are named as `ingest` names them."""

    texts: dict[str, GivenText] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)  #: rows that cannot be used
    left_out: set[str] = field(default_factory=set)  #: what is no recording, or not to be read
    places: list[str] = field(default_factory=list)  #: the tables and folders, for the person

    def recordings_with_text(self, recordings: Iterable[Recording]) -> set[str]:
        """Ids of the recordings that have one."""
        return {recording.id for recording in recordings if recording.file in self.texts}


def find_texts(paths: Sequence[Path]) -> FoundTexts:
    """Look for texts among `paths`. Raises InputError for a path that does not exist."""
    found = FoundTexts()
    single: dict[str, Path | str] = {}
    seen: Counter[str] = Counter()
    for name, path in walk(paths):
        if isinstance(path, Path) and is_zip(path):
            packed = _Zip(path, name)
            seen.update(packed.names)
            _look(found, packed)
        else:
            seen[name] += 1
            single[name] = path
    _look(found, _Files(single))
    for name in [name for name in found.texts if seen[name] > 1]:
        del found.texts[name]
        told = "Two of the given files have this name, so nobody knows whose its text is. Rename one of the folders."
        found.refused.append(Refused(name, told))
    return found


def give_found_texts(project: Project, clips: Sequence[Clip], found: FoundTexts, language: str) -> list[Refused]:
    """Write the found texts beside their clips; what a person edited or dropped stays. Returns what was not usable."""
    refused = list(found.refused)
    given: dict[str, Row] = {}
    for clip in clips:
        text = found.texts.get(clip.file)
        if text is None:
            continue
        try:
            speaker = speaker_key(text.speaker) if text.speaker else ""
        except InputError as reason:
            refused.append(Refused(clip.file, f"Its speaker {text.speaker[:40]!r} cannot be used. {reason}"))
            continue
        spoken = _language(text.language, language)
        row = Transcript(clip.id, text.text, spoken, 1.0, "given", speaker=speaker, instruct=text.instruct)
        given[clip.id] = Row(row, clip.said_sha256)

    def change(rows: dict[str, Row]) -> None:
        for identifier, row in given.items():
            old = rows.get(identifier)
            kept = old is not None and old.sha256 == row.sha256
            if not (kept and old and (old.transcript.source == "edited" or old.transcript.dropped)):
                rows[identifier] = row

    if given:
        update_rows(project, change)
    return refused


class _Files:
    """Files of folders, by the names that they are shown under."""

    def __init__(self, paths: dict[str, Path | str]) -> None:
        self._paths = {name: path for name, path in paths.items() if isinstance(path, Path)}
        self.names = list(self._paths)

    def read(self, name: str, scratch: Path) -> Path:
        return self._paths[name]


class _Zip:
    """Entries of a zip; one is unpacked when it is read."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._entries: dict[str, str] = {}
        try:
            with zipfile.ZipFile(path) as archive:
                for entry in archive.infolist():
                    if not entry.is_dir() and not is_junk(entry.filename) and entry.file_size <= _MOST_TABLE_BYTES:
                        self._entries[f"{name}/{shown_name(entry.filename)}"] = entry.filename
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            pass  # ingest says so
        self.names = list(self._entries)

    def read(self, name: str, scratch: Path) -> Path:
        out = scratch / PurePosixPath(name).name
        left = _MOST_TABLE_BYTES
        with zipfile.ZipFile(self._path) as archive, archive.open(self._entries[name]) as packed, open(out, "wb") as to:
            while left > 0 and (block := packed.read(min(left, 1 << 20))):
                left -= len(block)
                to.write(block)
        return out


def _look(found: FoundTexts, files: _Files | _Zip) -> None:
    by_folder: dict[str, dict[str, str]] = defaultdict(dict)  # folder → lower-case name → shown name
    for name in files.names:
        folder, _, last = name.rpartition("/")
        by_folder[folder][last.lower()] = name
    covered: list[str] = []
    with tempfile.TemporaryDirectory(prefix="voicefactory-") as scratch:
        for folder, inside in sorted(by_folder.items()):
            if any(folder == one or folder.startswith(f"{one}/") for one in covered):
                continue
            for tables in (*((one,) for one in METADATA_NAMES), *COMMON_VOICE_TABLES):
                there = [inside[table] for table in tables if table in inside]
                if there and _take_tables(found, files, folder, there, Path(scratch)):
                    covered.append(folder)
                    break
        for inside in by_folder.values():
            _take_single_texts(found, files, inside, Path(scratch))


def _take_tables(found: FoundTexts, files: _Files | _Zip, folder: str, tables: list[str], scratch: Path) -> bool:
    """Take the rows of tables that lie in `folder`; False if they name nothing that lies there."""
    rows: list[GivenText] = []
    try:
        for table in tables:
            rows += read_transcripts(files.read(table, scratch))
    except (InputError, OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError):
        return False  # no table of texts, or not readable: ingest tells
    below = [name for name in files.names if not folder or name.startswith(f"{folder}/")]
    places = _Names(below, folder)
    texts: dict[str, GivenText] = {}
    refused: list[Refused] = []
    for row in rows:
        name = places.find(row.file)
        shown = f"{tables[0]}, {row.file}"
        if name is None:
            refused.append(Refused(shown, "Its audio is not there, or its name fits several files."))
        elif row.problem or not row.text:
            refused.append(Refused(shown, row.problem or "Its text is empty."))
        elif name in texts and texts[name].text != row.text:
            refused.append(Refused(shown, "It has a second, different text; the first one was taken."))
        else:
            texts[name] = row
    if not texts:
        return False
    found.texts.update(texts)
    found.refused += refused
    found.places += tables
    found.left_out.update(tables)
    if tables[0].endswith(".tsv"):
        found.left_out.update(name for name in below if PurePosixPath(name).name.lower() in _COMMON_VOICE_OTHERS)
        unnamed = [name for name in below if _is_audio(name) and name not in texts]
        found.left_out.update(unnamed)
        if unnamed:
            table = PurePosixPath(tables[0]).name
            told = f"{len(unnamed)} of its recordings were not read, because {table} does not name them."
            found.refused.append(Refused(folder or tables[0], told))
    return True


def _take_single_texts(found: FoundTexts, files: _Files | _Zip, inside: dict[str, str], scratch: Path) -> None:
    """A .txt beside the audio of the same name."""
    audio = {PurePosixPath(name).stem: name for name in inside.values() if _is_audio(name)}
    for name in inside.values():
        path = PurePosixPath(name)
        if path.suffix.lower() != ".txt" or path.stem not in audio or audio[path.stem] in found.texts:
            continue
        found.left_out.add(name)
        try:
            text = files.read(name, scratch).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            found.refused.append(Refused(name, "It is not UTF-8 text. Save it as UTF-8, then bring it again."))
            continue
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError):
            found.refused.append(Refused(name, "It cannot be read. Pack it, or copy it, again."))
            continue
        if not text.strip():
            found.refused.append(Refused(name, "It is empty, so its recording is listened to."))
            continue
        found.texts[audio[path.stem]] = GivenText(name, " ".join(text.split()))
        found.places.append(name)


class _Names:
    """Finds a file below a folder by the name that a table gives it, with or without folder and extension."""

    def __init__(self, names: Iterable[str], folder: str) -> None:
        self._whole: dict[str, list[str]] = defaultdict(list)
        self._last: dict[str, list[str]] = defaultdict(list)
        for name in names:
            if _is_audio(name):
                for key in _keys(name.removeprefix(f"{folder}/")):
                    self._whole[key].append(name)
                for key in _keys(PurePosixPath(name).name):
                    self._last[key].append(name)

    def find(self, wanted: str) -> str | None:
        plain = wanted.strip().replace("\\", "/").removeprefix("./")
        for known, key in ((self._whole, plain), (self._last, PurePosixPath(plain).name)):
            if len(names := known.get(key, [])) == 1:
                return names[0]
        return None


def _keys(name: str) -> Iterator[str]:
    yield name
    if _is_audio(name):
        yield name[: -len(PurePosixPath(name).suffix)]


def _is_audio(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in _AUDIO


def _language(told: str, otherwise: str) -> str:
    """The engine's name for what a data set calls its language ("de", "zh-CN"); `otherwise` if it tells none."""
    short = told.strip().lower().split("-")[0].split("_")[0]
    try:
        return parse_language(short) if short else otherwise
    except InputError:  # one that no voice can be trained in by name
        return otherwise
