"""A project's texts for other programs: LJSpeech, JSONL with the public trainers' keys, SRT, WebVTT.

What was dropped, or has no text, is left out. Everything written here is read back by `bring_transcripts`.
"""

from __future__ import annotations

import json
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from voicefactory import files
from voicefactory.errors import InputError
from voicefactory.pipeline.reference import load_reference
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.subtitles import Cue, to_srt, to_vtt
from voicefactory.pipeline.transcripts import load_rows, load_transcripts
from voicefactory.project import Project, slug
from voicefactory.types import Clip, Transcript

FORMATS = ("ljspeech", "jsonl", "srt", "vtt")
_NO_REFERENCE = "No reference is chosen yet, so the rows have no ref_audio."
_PACKED_ON = (1980, 1, 1, 0, 0, 0)  # the same texts give the same zip

_Pairs = Sequence[tuple[Clip, Transcript]]


@dataclass(frozen=True)
class Exported:
    """What was written."""

    path: Path
    clips: int
    left_out: int  #: clips that were dropped or have no text
    notes: tuple[str, ...] = ()  #: sentences that a person should read


def export(project: Project, form: str, out: Path) -> Exported:
    """Write the texts of a project to `out`, whole or not at all.

    - ljspeech: a zip of metadata.csv (id|as heard|text) and wavs/<id>.wav.
    - jsonl: audio, text, ref_audio, language (speaker, instruct where told) a line. A .jsonl names the files where
      they are; a .zip carries them beside data.jsonl.
    - srt, vtt: times of the clips in their recording. Several recordings need a .zip, which gets a file for each.

    Raises InputError for an unknown format, a name that does not fit it, or a project without texts.
    """
    form = form.strip().lower()
    if form not in FORMATS:
        raise InputError(f"Texts cannot be written as {form!r}. Choose one of: {', '.join(FORMATS)}.")
    out = out.expanduser()
    if out.is_dir():
        raise InputError(f"{out} is a folder. Give the file to write, for example {out / example(form)}.")
    clips = load_clips(project)
    texts = {row.clip: row for row in load_transcripts(project) if not row.dropped}
    pairs = [(clip, texts[clip.id]) for clip in clips if clip.id in texts]
    if not pairs:
        raise InputError(f"{project.name} has no texts to write yet.")
    writers: dict[str, Callable[[Project, _Pairs, Path], tuple[str, ...]]] = {
        "ljspeech": _ljspeech,
        "jsonl": _jsonl,
        "srt": _srt,
        "vtt": _vtt,
    }
    notes = writers[form](project, pairs, out)
    return Exported(out, len(pairs), len(clips) - len(pairs), notes)


def example(form: str) -> str:
    """A file name that fits a format."""
    return {"ljspeech": "voice.zip", "jsonl": "voice.jsonl"}.get(form, f"voice.{form}")


def _ljspeech(project: Project, pairs: _Pairs, out: Path) -> tuple[str, ...]:
    _must_end(out, ".zip", "ljspeech")
    rows = load_rows(project)
    lines, barred = [], 0
    for clip, transcript in pairs:
        heard = rows[clip.id].heard or transcript.text
        barred += "|" in transcript.text
        lines.append("|".join((clip.id, _unbarred(heard), _unbarred(transcript.text))) + "\n")
    _zip(out, {"metadata.csv": "".join(lines)}, [clip for clip, _ in pairs])
    return (f"In {barred} texts the sign | was left out: it separates the columns.",) if barred else ()


def _unbarred(text: str) -> str:
    return " ".join(text.replace("|", " ").split())


def _jsonl(project: Project, pairs: _Pairs, out: Path) -> tuple[str, ...]:
    found = load_reference(project)
    zipped = out.suffix.lower() == ".zip"
    if not zipped:
        _must_end(out, ".jsonl", "jsonl")
    shown = ("reference.wav" if zipped else str(found.audio)) if found else ""
    rows = [
        _row(clip, transcript, f"wavs/{clip.id}.wav" if zipped else str(clip.audio), shown)
        for clip, transcript in pairs
    ]
    if zipped:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        more = {"reference.wav": found.audio} if found else {}
        _zip(out, {"data.jsonl": lines}, [clip for clip, _ in pairs], more)
    else:
        files.write_jsonl(out, rows)
    return () if found else (_NO_REFERENCE,)


def _row(clip: Clip, transcript: Transcript, audio: str, reference: str) -> dict[str, Any]:
    told = {"speaker": transcript.speaker, "instruct": transcript.instruct}
    return {
        "audio": audio,
        "text": transcript.text,
        **({"ref_audio": reference} if reference else {}),
        "language": transcript.language,
        **{key: value for key, value in told.items() if value},
    }


def _srt(project: Project, pairs: _Pairs, out: Path) -> tuple[str, ...]:
    return _subtitles(pairs, out, "srt", to_srt)


def _vtt(project: Project, pairs: _Pairs, out: Path) -> tuple[str, ...]:
    return _subtitles(pairs, out, "vtt", to_vtt)


def _subtitles(pairs: _Pairs, out: Path, form: str, written: Callable[[Iterable[Cue]], str]) -> tuple[str, ...]:
    by_recording: dict[str, list[tuple[Clip, Transcript]]] = defaultdict(list)
    for clip, transcript in pairs:
        by_recording[clip.recording].append((clip, transcript))
    contents = {
        identifier: written(Cue(clip.start_s, clip.end_s, text.text, text.speaker) for clip, text in spoken)
        for identifier, spoken in by_recording.items()
    }
    if out.suffix.lower() == ".zip":
        names = _names({identifier: spoken[0][0].file for identifier, spoken in by_recording.items()})
        _zip(out, {f"{names[identifier]}.{form}": content for identifier, content in contents.items()}, [])
    elif len(contents) > 1:
        raise InputError(
            f"There are {len(contents)} recordings, and each gets its own subtitles: give a zip to write, for example "
            f"{out.with_suffix('.zip')}."
        )
    else:
        _must_end(out, f".{form}", form)
        files.write_text(out, next(iter(contents.values())))
    return ()


def _names(shown: dict[str, str]) -> dict[str, str]:
    """A file name for each recording, like its own; two of the same get their id."""
    stems = {identifier: _safe(PurePosixPath(file.replace("\\", "/")).stem) for identifier, file in shown.items()}
    lower = [stem.casefold() for stem in stems.values()]
    return {
        identifier: stem if stem and lower.count(stem.casefold()) == 1 else f"{stem or 'recording'}-{identifier}"
        for identifier, stem in stems.items()
    }


def _safe(stem: str) -> str:
    """A name without what file systems do not take; `slug` where nothing is left of it."""
    kept = "".join(char for char in stem if char.isprintable() and char not in '<>:"/\\|?*').strip(". ")
    return kept[:120] or slug(stem)


def _must_end(out: Path, suffix: str, form: str) -> None:
    if out.suffix.lower() != suffix:
        raise InputError(f"{form} is written as a {suffix} file. Call it {out.with_suffix(suffix).name}.")


def _zip(out: Path, texts: dict[str, str], clips: Sequence[Clip], more: dict[str, Path] | None = None) -> None:
    sounds = {f"wavs/{clip.id}.wav": clip.audio for clip in clips} | (more or {})
    with files.writing(out) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as archive:
        for name, text in texts.items():
            archive.writestr(zipfile.ZipInfo(name, _PACKED_ON), text.encode())
        for name, audio in sounds.items():
            with archive.open(zipfile.ZipInfo(name, _PACKED_ON), "w") as target, open(audio, "rb") as source:
                while block := source.read(1 << 20):
                    target.write(block)
