"""From recordings to clips with texts and measures: everything before someone has to look at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    seconds: dict[str, float] = {}
    listen: dict[str, Any] = {"on_progress": on_progress, "should_stop": should_stop}
    given = Path(request.transcripts).expanduser() if request.transcripts else None
    language = parse_language(request.language)
    if any(map(is_hub_name, paths)):
        names = paths
        paths = timed(
            seconds, "hub", on_progress, lambda: fetch_hub_data(project, names, or_refuse=hub_or_refuse, **listen)
        )
    found = FoundTexts() if given else find_texts(paths)
    if found.texts:
        told = f"{len(found.texts)} texts came with the recordings ({', '.join(found.places[:2])})."
        on_progress(Progress("ingest", message=told, notice=True))
    recordings, _ = timed(
        seconds,
        "ingest",
        on_progress,
        lambda: ingest(project, paths, companions=[given] if given else [], left_out=found.left_out, **listen),
    )
    if request.speakers == "folders":
        check_folders(recordings)
    with_text = found.recordings_with_text(recordings) | {take.recording for take in load_takes(project).values()}
    clips, _ = timed(
        seconds,
        "segment",
        on_progress,
        lambda: segment(
            project,
            recordings,
            keep_whole=(given is not None and not are_timed(given)) or with_text,
            asr="" if given else request.asr,
            language=language,
            device=request.device,
            **listen,
        ),
    )
    write_refused(project, "found", give_found_texts(project, clips, found, language))
    if request.clean:
        steps: dict[str, Any] = parse_steps(request.clean)
        cut = clips
        clips = timed(seconds, "clean", on_progress, lambda: clean(project, cut, **steps, **listen))
    if given:
        transcripts, _ = timed(
            seconds, "transcribe", on_progress, lambda: bring_transcripts(project, clips, given, language=language)
        )
        transcripts = give_texts(project, clips)
    else:
        give_texts(project, clips)
        transcripts, _ = timed(
            seconds,
            "transcribe",
            on_progress,
            lambda: transcribe(
                project,
                clips,
                language=language,
                asr=request.asr,
                device=request.device,
                numbers=request.numbers,
                **listen,
            ),
        )
    speakers = speakers_of_folders(clips) if request.speakers == "folders" else {}
    timed(
        seconds,
        "analyse",
        on_progress,
        lambda: analyse(project, clips, transcripts, dnsmos=request.dnsmos, speakers=speakers, **listen),
    )
    return Prepared(recordings, clips, transcripts, load_refused(project), seconds)
