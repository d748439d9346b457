"""Subtitles of a recording → texts of the clips that it was cut into, by time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from voicefactory.audio.vad import SPEECH_ABOVE, WINDOW_S, speech_in
from voicefactory.audio.wav import read_wav
from voicefactory.pipeline.given_texts import GivenText
from voicefactory.pipeline.subtitles import clock
from voicefactory.types import Clip, Refused

_INSIDE = 0.8  # a cue with this share of its time in a clip is said in it …
_OUTSIDE = 0.2  # … and one with less than this is not
_SLACK_S = 0.25  # clips are cut in pauses, and subtitles begin and end in them too
_GAP_S = 1.5  # a longer stretch without subtitle is looked into
_UNTOLD_S = 0.6  # so much speech without a subtitle is a word or two


def place(clip: Clip) -> str:
    """The clip in the person's words: a file, and where in it if it is a part."""
    return clip.file if clip.start_s == 0 and clip.id.endswith("-0000") else f"{clip.file}, {clip.start_s:.0f} s"


def texts_of_clips(clips: Sequence[Clip], cues: Sequence[GivenText]) -> tuple[dict[str, GivenText], list[Refused]]:
    """Clip id → the text of the subtitles that are said in it, for the clips of one recording.

    A clip gets a text only if it is sure to be all that is said: subtitles that go on beyond the cut, and speech
    without a subtitle, refuse it with the reason.
    """
    said: dict[str, list[GivenText]] = defaultdict(list)
    refused: list[Refused] = []
    torn: dict[str, GivenText] = {}
    for cue in sorted(cues, key=_times):
        shares = {clip.id: _share(cue, clip) for clip in clips}
        if not cue.text:
            continue  # an empty subtitle: nothing is said
        if cue.problem or max(shares.values(), default=0.0) < _OUTSIDE:
            reason = (
                cue.problem or f"The subtitle at {clock(_times(cue)[0])} lies in none of its clips: {cue.text[:60]}"
            )
            refused.append(Refused(cue.file, reason))
        elif max(shares.values()) >= _INSIDE:
            said[max(shares, key=lambda clip: shares[clip])].append(cue)
        else:
            torn.update({clip: cue for clip, share in shares.items() if share >= _OUTSIDE})
    texts = {}
    for clip in clips:
        if clip.id in torn:
            at = clock(_times(torn[clip.id])[0])
            refused.append(Refused(place(clip), f"The subtitle at {at} goes on beyond its cut. Type its text."))
        elif cues_here := said.get(clip.id):
            if untold := _untold(clip, cues_here):
                refused.append(
                    Refused(place(clip), f"Someone speaks at {clock(untold)} without a subtitle. Type its text.")
                )
            else:
                texts[clip.id] = _together(cues_here)
    return texts, refused


def _times(cue: GivenText) -> tuple[float, float]:
    assert cue.start_s is not None
    assert cue.end_s is not None
    return cue.start_s, cue.end_s


def _share(cue: GivenText, clip: Clip) -> float:
    start_s, end_s = _times(cue)
    inside = min(end_s, clip.end_s + _SLACK_S) - max(start_s, clip.start_s - _SLACK_S)
    return max(0.0, inside) / max(end_s - start_s, 1e-3)


def _untold(clip: Clip, cues: Sequence[GivenText]) -> float | None:
    """When someone speaks in the clip although no subtitle says so, seconds in the recording."""
    end_s = clip.start_s
    for start_s, next_end_s in [*map(_times, cues), (clip.end_s, clip.end_s)]:
        if start_s - end_s > _GAP_S:
            sound = read_wav(clip.audio, end_s - clip.start_s, start_s - clip.start_s)
            if float((speech_in(sound) >= SPEECH_ABOVE).sum()) * WINDOW_S > _UNTOLD_S:
                return end_s
        end_s = max(end_s, next_end_s)
    return None


def _together(cues: Sequence[GivenText]) -> GivenText:
    speakers = {cue.speaker for cue in cues}
    text = " ".join(cue.text for cue in cues)
    return replace(cues[0], text=text, speaker=cues[0].speaker if len(speakers) == 1 else "")
