"""Who says which clip. Most projects have one speaker, who is called after the project.

Several are told by the transcripts (a `speaker` column) or by folders: with `folders`, the first folder inside
of what was given names the speaker, as in `recordings/anna/one.wav`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from voicefactory.errors import InputError
from voicefactory.pipeline.ingest import load_recordings
from voicefactory.pipeline.refusals import load_refused, write_refused
from voicefactory.project import Project, speaker_key
from voicefactory.types import MAX_REFERENCE_S, MIN_REFERENCE_S, Clip, Recording, Refused, Transcript

How = Literal["one", "folders"]
WAYS: tuple[How, ...] = ("one", "folders")


def parse_speakers(value: str) -> How:
    """Return how speakers are told apart. Raises InputError naming the ways."""
    for way in WAYS:
        if value == way:
            return way
    raise InputError(f"Speakers cannot be told apart by {value!r}. Choose one of: {', '.join(WAYS)}.")


def folder_speaker(file: str) -> str:
    """The speaker of `file` ("recordings/anna/one.wav" → "anna"), or empty if it lies in no speaker's folder.

    Of a zip the name counts as a folder; raises InputError if the folder's name cannot be a speaker's.
    """
    parts = file.split("/")
    if len(parts) < 3:
        return ""
    return speaker_key(parts[1].removesuffix(".zip"))


def check_folders(recordings: Sequence[Recording]) -> None:
    """Raise InputError if no recording lies in a speaker's folder: better now than after Whisper has listened."""
    if recordings and not any(_folder_or_reason(recording.file)[0] for recording in recordings):
        raise InputError(
            f"No recording lies in a speaker's folder: {recordings[0].file} does not. Give one folder with a "
            "folder for each speaker in it."
        )


def speakers_of_folders(clips: Sequence[Clip]) -> dict[str, str]:
    """Clip id → the speaker that its folder names; empty where it names none."""
    return {clip.id: _folder_or_reason(clip.file)[0] for clip in clips}


def who_says(
    project: Project, clips: Sequence[Clip], transcripts: Sequence[Transcript], how: How = "one"
) -> tuple[list[Clip], dict[str, str]]:
    """The clips that somebody says, and clip id → speaker of those with a text; nothing if all are of one speaker.

    What a transcript tells goes before the folder. Leaves refused/speakers.jsonl. Raises InputError naming the
    speaker of whom no clip is left, unless a person dropped them all.
    """
    told = {row.clip: row.speaker for row in transcripts if row.speaker}
    names: dict[str, str] = {}
    refused: dict[str, Refused] = {}
    for clip in clips:
        speaker, reason = told.get(clip.id, ""), ""
        if how == "folders" and not speaker:
            speaker, reason = _folder_or_reason(clip.file)
        if reason:
            refused[clip.file] = Refused(clip.file, reason)
        else:
            names[clip.id] = speaker or project.speaker
    write_refused(project, "speakers", refused.values())
    taken = [clip for clip in clips if clip.id in names]
    with_text = {row.clip for row in transcripts if row.text.strip() and not row.dropped}
    speaking = {clip.id: names[clip.id] for clip in taken if clip.id in with_text}
    wanted = {clip.id: (names[clip.id], clip.file) for clip in taken}
    if how == "folders":
        told_files = {clip.file for clip in taken}
        others = [recording for recording in load_recordings(project) if recording.file not in told_files]
        wanted |= {one.id: (_folder_or_reason(one.file)[0], one.file) for one in others}
    dropped = {names[row.clip] for row in transcripts if row.dropped and row.clip in names}
    for speaker, file in wanted.values():
        if speaker and speaking and speaker not in speaking.values() and speaker not in dropped:
            raise _without_clips(project, speaker, file)
    return taken, speaking if len(set(speaking.values())) > 1 else {}


def _folder_or_reason(file: str) -> tuple[str, str]:
    try:
        speaker = folder_speaker(file)
    except InputError as reason:
        return "", f"Its folder cannot name a speaker. {reason}"
    if not speaker:
        return "", "It lies in no speaker's folder. Put it into one, inside the folder that you give."
    return speaker, ""


def _without_clips(project: Project, speaker: str, file: str) -> InputError:
    reason = next((f" {one.file}: {one.reason}" for one in load_refused(project) if one.file.startswith(file)), "")
    return InputError(
        f"The speaker {speaker!r} has no clip that could be their reference.{reason} Add {MIN_REFERENCE_S:g} to "
        f"{MAX_REFERENCE_S:g} s of their clear speech, or take their recordings out."
    )
