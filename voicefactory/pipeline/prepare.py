"""From recordings to clips with texts and measures: everything before someone has to look at them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from voicefactory import files
from voicefactory.languages import parse_language
from voicefactory.pipeline.analyse import analyse
from voicefactory.pipeline.clean import clean, parse_steps
from voicefactory.pipeline.found_texts import FoundTexts, find_texts, give_found_texts
from voicefactory.pipeline.given_texts import are_timed
from voicefactory.pipeline.hub_data import fetch_hub_data, is_hub_name
from voicefactory.pipeline.ingest import ingest
from voicefactory.pipeline.refusals import load_refused, write_refused
from voicefactory.pipeline.request import Request
from voicefactory.pipeline.segment import segment
from voicefactory.pipeline.speakers import check_folders, speakers_of_folders
from voicefactory.pipeline.steps import timed
from voicefactory.pipeline.takes import give_texts, load_takes
from voicefactory.pipeline.transcribe import transcribe
from voicefactory.pipeline.transcripts import bring_transcripts
from voicefactory.project import Project
from voicefactory.types import (
    Clip,
    OnProgress,
    Progress,
    Recording,
    Refused,
    ShouldStop,
    Transcript,
    never,
    silent,
)

_T = TypeVar("_T")


@dataclass(frozen=True)
class Prepared:
    """Recordings with what is said in them, ready to be looked at."""

    recordings: list[Recording]
    clips: list[Clip]
    transcripts: list[Transcript]
    refused: list[Refused]
    seconds: dict[str, float]  #: how long each step took


def prepare(
    project: Project,
    paths: Sequence[Path],
    request: Request,
    *,
    hub_or_refuse: bool = False,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> Prepared:
    """ingest → segment → (clean, if asked) → transcribe → analyse. Raises InputError if nothing usable is left.

    With `hub_or_refuse`, a data set of the Hub that cannot be fetched is refused, and the rest goes on.
    """
    files.remove_leftovers(project.root)
    given = Path(request.transcripts).expanduser() if request.transcripts else None
    steps = _Steps(project, request, given, parse_language(request.language), on_progress, should_stop)
    if any(map(is_hub_name, paths)):
        paths = steps.fetch(paths, or_refuse=hub_or_refuse)
    found = FoundTexts() if given else find_texts(paths)
    if found.texts:
        told = f"{len(found.texts)} texts came with the recordings ({', '.join(found.places[:2])})."
        on_progress(Progress("ingest", message=told, notice=True))
    recordings = steps.take_in(paths, found)
    if request.speakers == "folders":
        check_folders(recordings)
    clips = steps.cut(recordings, found)
    write_refused(project, "found", give_found_texts(project, clips, found, steps.language))
    if request.clean:
        clips = steps.clean(clips)
    transcripts = steps.write_down(clips)
    steps.analyse(clips, transcripts)
    return Prepared(recordings, clips, transcripts, load_refused(project), steps.seconds)


@dataclass
class _Steps:
    """Each step with what it needs of the request; how long it took is noted."""

    project: Project
    request: Request
    given: Path | None  #: texts that the person brings
    language: str
    on_progress: OnProgress
    should_stop: ShouldStop
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def _listen(self) -> dict[str, Any]:
        return {"on_progress": self.on_progress, "should_stop": self.should_stop}

    def _timed(self, step: str, work: Callable[[], _T]) -> _T:
        return timed(self.seconds, step, self.on_progress, work)

    def fetch(self, names: Sequence[Path], *, or_refuse: bool) -> Sequence[Path]:
        return self._timed("hub", lambda: fetch_hub_data(self.project, names, or_refuse=or_refuse, **self._listen))

    def take_in(self, paths: Sequence[Path], found: FoundTexts) -> list[Recording]:
        companions = [self.given] if self.given else []
        recordings, _ = self._timed(
            "ingest",
            lambda: ingest(self.project, paths, companions=companions, left_out=found.left_out, **self._listen),
        )
        return recordings

    def cut(self, recordings: list[Recording], found: FoundTexts) -> list[Clip]:
        """At pauses; a recording whose whole text is known stays whole."""
        with_text = found.recordings_with_text(recordings)
        with_text |= {take.recording for take in load_takes(self.project).values()}
        clips, _ = self._timed(
            "segment",
            lambda: segment(
                self.project,
                recordings,
                keep_whole=(self.given is not None and not are_timed(self.given)) or with_text,
                asr="" if self.given else self.request.asr,
                language=self.language,
                device=self.request.device,
                **self._listen,
            ),
        )
        return clips

    def clean(self, clips: list[Clip]) -> list[Clip]:
        chosen: dict[str, Any] = parse_steps(self.request.clean)
        return self._timed("clean", lambda: clean(self.project, clips, **chosen, **self._listen))

    def write_down(self, clips: list[Clip]) -> list[Transcript]:
        """The texts that were brought, or what Whisper hears."""
        given = self.given
        if given:
            self._timed("transcribe", lambda: bring_transcripts(self.project, clips, given, language=self.language))
            return give_texts(self.project, clips)
        give_texts(self.project, clips)
        transcripts, _ = self._timed(
            "transcribe",
            lambda: transcribe(
                self.project,
                clips,
                language=self.language,
                asr=self.request.asr,
                device=self.request.device,
                numbers=self.request.numbers,
                **self._listen,
            ),
        )
        return transcripts

    def analyse(self, clips: list[Clip], transcripts: list[Transcript]) -> None:
        speakers = speakers_of_folders(clips) if self.request.speakers == "folders" else {}
        self._timed(
            "analyse",
            lambda: analyse(
                self.project, clips, transcripts, dnsmos=self.request.dnsmos, speakers=speakers, **self._listen
            ),
        )
