"""Files as a browser gets them. Only sound is played in the page; everything else is saved, whatever it says it is."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import FileResponse

#: What browsers play. A type that they could take for a document is not among them.
SOUND_TYPES = {
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".webm": "audio/webm",
    ".aiff": "audio/aiff",
    ".aif": "audio/aiff",
}
#: Nothing in it may run or load. A player that jumps asks again and again, so it is kept, but for this browser alone.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, max-age=600",
    "Vary": "Cookie",
}


def file_response(path: Path) -> FileResponse:
    """The answer to GET and HEAD, with ranges."""
    sound = SOUND_TYPES.get(path.suffix.lower())
    return FileResponse(
        path,
        headers=_HEADERS,
        media_type=sound or "application/octet-stream",
        filename=path.name,
        content_disposition_type="inline" if sound else "attachment",
    )
