"""Texts that recordings bring along: an LJSpeech or Common Voice data set, audio with metadata, .txt or subtitles
beside the audio.

Looked for in folders and zips before anything is decoded. A table counts only if it names recordings that lie
there; any other text file is left to `ingest`, which reports it. What is found is taken as given texts; recordings
without one are listened to. Of a Common Voice data set only the recordings that its table names are read: clips/
holds also those that its readers refused.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from voicefactory.errors import InputError
from voicefactory.languages import parse_language
from voicefactory.pipeline.cue_matching import texts_of_clips
from voicefactory.pipeline.found_files import UNREADABLE, AudioNames, FoundFiles, InFolders, InZip, is_audio
from voicefactory.pipeline.given_texts import METADATA_NAMES, GivenText, cues_of, read_transcripts
from voicefactory.pipeline.sources import is_zip, walk
from voicefactory.pipeline.subtitles import are_subtitles
from voicefactory.pipeline.transcripts import Row, update_rows
from voicefactory.project import Project, speaker_key
from voicefactory.types import Clip, Recording, Refused, Transcript

COMMON_VOICE_TABLES = (("validated.tsv",), ("train.tsv", "dev.tsv", "test.tsv"))  #: the first that is there
_COMMON_VOICE_OTHERS = {
    *("other.tsv", "invalidated.tsv", "reported.tsv", "clip_durations.tsv", "times.txt", "validated_sentences.tsv"),
    *("unvalidated_sentences.tsv", "train.tsv", "dev.tsv", "test.tsv", "validated.tsv"),
}
_BESIDE = (".txt", ".srt", ".vtt")


@dataclass
class FoundTexts:
    """What the recordings brought. Files are named as `ingest` names them."""

    texts: dict[str, GivenText] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)  #: rows that cannot be used
    cues: dict[str, list[GivenText]] = field(default_factory=dict)  #: subtitles, of recordings without a text
    left_out: set[str] = field(default_factory=set)  #: what is no recording, or not to be read
    places: list[str] = field(default_factory=list)  #: the tables and folders, for the person

    def recordings_with_text(self, recordings: Iterable[Recording]) -> set[str]:
        """Ids of the recordings that have one text for all of it: they stay whole."""
        return {recording.id for recording in recordings if recording.file in self.texts}


def find_texts(paths: Sequence[Path]) -> FoundTexts:
    """Look for texts among `paths`. Raises InputError for a path that does not exist."""
    found = FoundTexts()
    single: dict[str, Path | str] = {}
    seen: Counter[str] = Counter()
    for name, path in walk(paths):
        if isinstance(path, Path) and is_zip(path):
            packed = InZip(path, name)
            seen.update(packed.names)
            _look(found, packed)
        else:
            seen[name] += 1
            single[name] = path
    _look(found, InFolders(single))
    for name in [name for name in (*found.texts, *found.cues) if seen[name] > 1]:
        found.texts.pop(name, None)
        found.cues.pop(name, None)
        told = "Two of the given files have this name, so nobody knows whose its text is. Rename one of the folders."
        found.refused.append(Refused(name, told))
    return found


def give_found_texts(project: Project, clips: Sequence[Clip], found: FoundTexts, language: str) -> list[Refused]:
    """Write the found texts beside their clips; what a person edited or dropped stays. Returns what was not usable."""
    refused = list(found.refused)
    given: dict[str, Row] = {}
    told, unfit = _texts_of_cues(clips, found)
    refused += unfit
    for clip in clips:
        text = told.get(clip.id) or found.texts.get(clip.file)
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


def _texts_of_cues(clips: Sequence[Clip], found: FoundTexts) -> tuple[dict[str, GivenText], list[Refused]]:
    """Clip id → what the subtitles beside its recording say in it; clips that they do not fit are listened to."""
    told: dict[str, GivenText] = {}
    unfit: list[Refused] = []
    for file, cues in found.cues.items():
        pieces = [clip for clip in clips if clip.file == file]
        fitting, _ = texts_of_clips(pieces, cues)
        told.update(fitting)
        if len(fitting) < len(pieces):
            less = f"Its subtitles fit {len(fitting)} of {len(pieces)} clips; the others are listened to."
            unfit.append(Refused(cues[0].file, less))
    return told, unfit


def _look(found: FoundTexts, files: FoundFiles) -> None:
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


def _take_tables(found: FoundTexts, files: FoundFiles, folder: str, tables: list[str], scratch: Path) -> bool:
    """Take the rows of tables that lie in `folder`; False if they name nothing that lies there."""
    rows: list[GivenText] = []
    try:
        for table in tables:
            rows += read_transcripts(files.read(table, scratch))
    except (InputError, *UNREADABLE):
        return False  # no table of texts, or not readable: ingest tells
    below = [name for name in files.names if not folder or name.startswith(f"{folder}/")]
    places = AudioNames(below, folder)
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
        unnamed = [name for name in below if is_audio(name) and name not in texts]
        found.left_out.update(unnamed)
        if unnamed:
            table = PurePosixPath(tables[0]).name
            told = f"{len(unnamed)} of its recordings were not read, because {table} does not name them."
            found.refused.append(Refused(folder or tables[0], told))
    return True


def _take_single_texts(found: FoundTexts, files: FoundFiles, inside: dict[str, str], scratch: Path) -> None:
    """A .txt, .srt or .vtt beside the audio of the same name."""
    audio = {PurePosixPath(name).stem: name for name in inside.values() if is_audio(name)}
    for name in inside.values():
        path = PurePosixPath(name)
        whose = audio.get(path.stem) or audio.get(_without_language(path.stem))
        if path.suffix.lower() not in _BESIDE or whose is None or whose in found.texts or whose in found.cues:
            continue
        found.left_out.add(name)
        text = _read(found, files, name, scratch)
        if not text:
            continue
        if path.suffix.lower() == ".txt":
            found.texts[whose] = GivenText(name, " ".join(text.split()))
        elif are_subtitles(text):
            found.cues[whose] = cues_of(text, name)
        else:
            found.refused.append(Refused(name, "There are no subtitles in it, so its recording is listened to."))
            continue
        found.places.append(name)


def _read(found: FoundTexts, files: FoundFiles, name: str, scratch: Path) -> str:
    """The content of a text file with line ends as \\n; empty, with the reason among the refused, if there is none."""
    problem = ""
    try:
        text = files.read(name, scratch).read_text(encoding="utf-8-sig")
        problem = "" if text.strip() else "It is empty, so its recording is listened to."
    except UnicodeDecodeError:
        problem = "It is not UTF-8 text. Save it as UTF-8, then bring it again."
    except UNREADABLE:
        problem = "It cannot be read. Pack it, or copy it, again."
    if problem:
        found.refused.append(Refused(name, problem))
    return "" if problem else text


def _without_language(stem: str) -> str:
    """talk.en → talk: how video sites name their subtitles."""
    before, _, last = stem.rpartition(".")
    return before if re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]{2,4})?", last) else stem


def _language(told: str, otherwise: str) -> str:
    """The engine's name for what a data set calls its language ("de", "zh-CN"); `otherwise` if it tells none."""
    short = told.strip().lower().split("-")[0].split("_")[0]
    try:
        return parse_language(short) if short else otherwise
    except InputError:  # one that no voice can be trained in by name
        return otherwise
