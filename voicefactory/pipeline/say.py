"""Say texts, by one or by several, and keep what was said: the work behind "Speak", many lines and side by side.

Each finished piece is written at once, so that it can be heard while the next is spoken, and so that somebody who goes
on after a stop does not wait for it again.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import soundfile

from voicefactory import files
from voicefactory.errors import Cancelled, InputError
from voicefactory.languages import AUTO, parse_language
from voicefactory.pipeline.lines_zip import LineFile, zip_lines
from voicefactory.pipeline.said import Heard, SpeechRequest, Take, begin, file_name, keep_takes
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.speaking import Manner, Part, Spoken, speak_pieces
from voicefactory.pipeline.speech_files import FORMS, write_samples
from voicefactory.pipeline.tellers import RECORDING, Teller, find_teller, load
from voicefactory.pipeline.text_pieces import Piece, text_pieces
from voicefactory.project import Project
from voicefactory.types import OnProgress, Progress, ShouldStop, never, silent

_STOPPED = "Stopped while it was spoken; what was spoken is kept."


def say(
    project: Project,
    request: SpeechRequest,
    *,
    device: str = "auto",
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> Heard:
    """Speak what is asked for into speech/<name>/; what lies there already is not spoken again.

    Raises InputError for what cannot be said or read, and Cancelled between two pieces: a text that was begun is kept
    as far as it was spoken, unless it is one of several lines.
    """
    if request.form not in FORMS:
        raise InputError(f"Speech is written as one of {', '.join(FORMS)}, not as {request.form!r}.")
    pieces = [text_pieces(text) for text in request.texts]
    entry = begin(project, request)
    work = _Work(project, entry, pieces, device, on_progress, should_stop)
    try:
        for number, name in enumerate(request.tellers):
            work.by(number, name)
    finally:
        if request.several and work.takes:
            _zip_lines(entry, list(work.takes.values()))
    shutil.rmtree(entry.folder / "pieces", ignore_errors=True)
    (entry.folder / "pieces.jsonl").unlink(missing_ok=True)
    return Heard(entry.folder, entry.request, entry.asked, tuple(work.takes.values()))


class _Work:
    """One request while it is worked on."""

    def __init__(
        self,
        project: Project,
        entry: Heard,
        pieces: list[list[Piece]],
        device: str,
        on_progress: OnProgress,
        should_stop: ShouldStop,
    ) -> None:
        self.project, self.entry, self.pieces, self.device = project, entry, pieces, device
        self.on_progress, self.should_stop = on_progress, should_stop
        self.takes = {(take.teller, take.text): take for take in entry.takes}
        spoken = [name for name in entry.request.tellers if not name.startswith(f"{RECORDING}:")]
        self.total = len(spoken) * sum(map(len, pieces))
        self.done = 0

    def by(self, number: int, name: str) -> None:
        """Let one of them say every text."""
        if name.startswith(f"{RECORDING}:"):
            self._recording(number, name)
            return
        request = self.entry.request
        missing = [at for at in range(len(request.texts)) if not self._is_whole(number, at)]
        self.done += sum(len(pieces) for at, pieces in enumerate(self.pieces) if at not in missing)
        if not missing:
            return
        self.on_progress(Progress("synthesize", self.done, self.total))
        teller = find_teller(
            self.project, name, engine=request.engine, reference=request.reference, on_progress=self.on_progress
        )
        for at in missing:
            if self.should_stop():
                raise Cancelled(_STOPPED)
            self._text(number, at, teller)

    def _is_whole(self, number: int, at: int) -> bool:
        take = self.takes.get((number, at))
        return take is not None and take.pieces == take.of and self.entry.file(take).is_file()

    def _text(self, number: int, at: int, teller: Teller) -> None:
        request, pieces = self.entry.request, self.pieces[at]
        synthesizer = load(teller, self.device)
        spoken_in = parse_language(request.language) if request.language else teller.language
        if not request.language and spoken_in not in synthesizer.languages:
            spoken_in = AUTO
        speaker = request.speaker if request.speaker in synthesizer.speakers else ""
        begun, before = _Pieces(self.entry.folder, f"{number}-{at}"), self.done

        def on_part(piece: int, part: Part) -> None:
            begun.keep(piece, part)
            self.done = before + piece + 1
            self.on_progress(Progress("synthesize", self.done, self.total))

        spoken = speak_pieces(
            synthesizer,
            pieces,
            Manner(spoken_in, request.seed, speaker, teller.reference),
            known=begun.known,
            on_part=on_part,
            should_stop=self.should_stop,
        )
        stopped = spoken is None or len(spoken.parts) < len(pieces)
        if spoken is not None and not (stopped and request.several):
            self._keep(number, at, spoken)
        if stopped:
            raise Cancelled(_STOPPED)
        begun.forget()

    def _keep(self, number: int, at: int, spoken: Spoken) -> None:
        request = self.entry.request
        text, label = request.texts[at], request.labels[number]
        several_speak = len(request.tellers) > 1
        name = file_name(text, at + 1 if request.several else 0, f"{number + 1}-{label}" if several_speak else "")
        path = self.entry.folder / f"{name}.{request.form}"
        write_samples(spoken.samples, spoken.sample_rate, path, title=text, voice=label)
        self.takes[number, at] = Take(
            number,
            at,
            path.name,
            round(spoken.seconds, 3),
            spoken.seed,
            len(spoken.parts),
            len(self.pieces[at]),
            spoken.runaway,
            spoken.notice,
        )
        keep_takes(self.entry.folder, self.takes)

    def _recording(self, number: int, name: str) -> None:
        """What the person said, as it is."""
        if self._is_whole(number, 0):
            return
        wanted = name.partition(":")[2]
        clip = next((clip for clip in load_clips(self.project) if clip.id == wanted), None)
        if clip is None or not clip.audio.is_file():
            raise InputError("The recording is not there any more. Choose another one.")
        path = self.entry.folder / f"{file_name(self.entry.request.labels[number])}{clip.audio.suffix}"
        with files.writing(path) as aside:
            shutil.copyfile(clip.audio, aside)
        self.takes[number, 0] = Take(number, 0, path.name, clip.seconds, 0, 1, 1)
        keep_takes(self.entry.folder, self.takes)


class _Pieces:
    """What was spoken so far of one text, as wavs that can be heard one after the other."""

    def __init__(self, folder: Path, take: str) -> None:
        self._folder, self._take = folder, take
        rows = files.read_jsonl(folder / "pieces.jsonl")
        self._rows = [row for row in rows if row["take"] == take and (folder / row["file"]).is_file()]

    def known(self, number: int) -> Part | None:
        if number >= len(self._rows):
            return None
        row = self._rows[number]
        samples, rate = soundfile.read(self._folder / row["file"], dtype="float32")
        return Part(row["text"], samples, rate, row["seed"], row["runaway"], row["notice"])

    def keep(self, number: int, part: Part) -> None:
        if number < len(self._rows):
            return
        file = f"pieces/{self._take}-{number:04d}.wav"
        write_samples(part.samples, part.sample_rate, self._folder / file)
        told = {"text": part.text, "seed": part.seed, "runaway": part.runaway, "notice": part.notice}
        self._rows.append({"take": self._take, "file": file, "seconds": part.seconds, **told})
        files.write_jsonl(self._folder / "pieces.jsonl", self._rows)

    def forget(self) -> None:
        """The whole is there. What a browser plays at this moment it has a copy of."""
        (self._folder / "pieces.jsonl").unlink(missing_ok=True)
        for row in self._rows:
            (self._folder / row["file"]).unlink(missing_ok=True)


def pieces_so_far(folder: Path) -> list[tuple[Path, float]]:
    """(file, seconds) of what was spoken so far of the text that is being spoken."""
    return [(folder / row["file"], float(row["seconds"])) for row in files.read_jsonl(folder / "pieces.jsonl")]


def _zip_lines(entry: Heard, takes: list[Take]) -> None:
    request = entry.request
    rows = [
        LineFile(take.file, request.texts[take.text], request.labels[take.teller], take.seed, request.language)
        for take in takes
    ]
    zip_lines(entry.folder, rows, entry.zip)
