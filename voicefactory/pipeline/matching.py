"""Which clip a transcript row means: names with or without folder and extension."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from voicefactory.types import Clip


class ClipNames:
    """Finds a clip by the name that a transcript file gives it.

    The last part of the name decides, first with its extension and then without; folders only decide
    between several clips of that name, since an upload loses them.
    """

    def __init__(self, clips: Sequence[Clip]) -> None:
        self._by_name: dict[str, list[Clip]] = defaultdict(list)
        self._by_stem: dict[str, list[Clip]] = defaultdict(list)
        self._by_id = {clip.id: clip for clip in clips}
        for clip in clips:
            name = _parts(clip.file)[-1]
            self._by_name[name].append(clip)
            self._by_stem[PurePosixPath(name).stem].append(clip)

    def find(self, name: str) -> tuple[Clip | None, str]:
        """The clip, or None and the reason in a sentence."""
        found, reason = self.find_all(name)
        if len(found) > 1:
            return None, f"Its recording was cut into {len(found)} clips, so one text does not fit."
        return (found[0] if found else None), reason

    def find_all(self, name: str) -> tuple[list[Clip], str]:
        """The clips of the one recording that is meant, or none and the reason in a sentence."""
        parts = _parts(name)
        last = parts[-1]
        found = self._by_name.get(last) or self._by_stem.get(last) or self._by_stem.get(PurePosixPath(last).stem)
        if not found:
            clip = self._by_id.get(last) or self._by_id.get(PurePosixPath(last).stem)
            unknown = "It names audio that is not among the recordings that were taken."
            return ([clip], "") if clip else ([], unknown)
        if len({clip.recording for clip in found}) > 1:
            found = _in_the_same_folders(found, parts[:-1])
        if len({clip.recording for clip in found}) > 1:
            several = ", ".join(clip.file for clip in found[:3])
            return [], f"It could mean several recordings ({several}). Name its folder, or rename one."
        return found, ""


def _in_the_same_folders(clips: list[Clip], folders: list[str]) -> list[Clip]:
    """Those that share the most folders with the name, counted from the file upwards."""

    def shared(clip: Clip) -> int:
        own = _parts(clip.file)[:-1]
        count = 0
        while count < min(len(own), len(folders)) and own[-1 - count] == folders[-1 - count]:
            count += 1
        return count

    most = max(map(shared, clips))
    return [clip for clip in clips if shared(clip) == most]


def _parts(name: str) -> list[str]:
    """Folders and file name; NFC, because one operating system stores an umlaut as two characters."""
    plain = unicodedata.normalize("NFC", name.strip()).replace("\\", "/")
    return [part for part in plain.split("/") if part not in ("", ".")] or [""]
