"""What a browser sends goes into its owner's own folder, not into one that everybody shares.

Gradio's own route names the folder after the content alone, leaves half a file behind when a connection breaks, and
keeps a form's plain fields in memory however long they are. Its parser is used here, because the page's progress bar
reads what that counts.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from gradio.route_utils import GradioMultiPartParser, GradioUploadFile
from gradio.routes import file_upload_statuses
from gradio_client.utils import strip_invalid_filename_characters  # type: ignore[import-untyped]
from starlette.concurrency import run_in_threadpool
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from voicefactory import quotas
from voicefactory.errors import VoiceFactoryError
from voicefactory.settings import settings
from voicefactory.ui import text
from voicefactory.ui.handout import uploaded_by
from voicefactory.ui.told import told

_FILES = 1_000  #: in one request
_FIELD_BYTES = 1_000  #: of a field that is no file; the page sends none
_NAME_BYTES = 255  #: what file systems take
_MB = 1_000_000


async def take_upload(request: Request, owner: str, upload_id: str) -> Response:
    """Keep the files of a form; their paths as JSON, in the order of the form, as Gradio's own route answers.

    `upload_id`: under what the progress is told; empty = nowhere.
    """
    folder, parser = uploaded_by(owner), None
    try:
        size = int(request.headers["content-length"])  # an upload without an end could fill the disk
        await run_in_threadpool(_check_room, owner, size)
        parser = _Parser(request, folder, upload_id)
        await parser.parse()
        return JSONResponse(await run_in_threadpool(parser.keep))
    except VoiceFactoryError as error:
        text.speak(text.language_of(request.headers))
        return PlainTextResponse(told(str(error)), status_code=507)
    except MultiPartException as error:
        return PlainTextResponse(error.message, status_code=413 if "maximum allowed" in error.message else 400)
    except (ValueError, KeyError, AttributeError, ClientDisconnect):  # not a form, or only half of one
        return PlainTextResponse("Not a form with files.", status_code=400)
    finally:
        if parser is not None:
            parser.discard()


class _Parser(GradioMultiPartParser):
    """Writes into the owner's folder, so that a finished file only needs to be renamed."""

    def __init__(self, request: Request, folder: Path, upload_id: str) -> None:
        super().__init__(
            request.headers,
            request.stream(),
            max_files=_FILES,
            max_fields=_FILES,
            max_file_size=settings().max_recording_mb * _MB,
            upload_id=upload_id or None,
            upload_progress=file_upload_statuses if upload_id else None,
        )
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._arriving: list[tuple[GradioUploadFile, Path]] = []

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        part = self._current_part
        if part.file is None and len(part.data) + end - start > _FIELD_BYTES:
            raise MultiPartException("A field is larger than the maximum allowed.")
        super().on_part_data(data, start, end)

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        part = self._current_part
        if part.file is None:
            return
        elsewhere = self._files_to_close_on_error.pop()
        elsewhere.close()
        Path(elsewhere.name).unlink()
        handle, name = tempfile.mkstemp(prefix=".arriving-", dir=self._folder)
        part.file.file = os.fdopen(handle, "w+b")
        self._arriving.append((part.file, Path(name)))  # type: ignore[arg-type]

    def keep(self) -> list[str]:
        """Put what has arrived in its place; the paths."""
        paths = []
        for file, aside in self._arriving:
            target = self._folder / file.sha.hexdigest()[:32] / _name(file.filename or "")
            target.parent.mkdir(exist_ok=True)
            file.file.close()
            os.replace(aside, target)
            paths.append(str(target))
        return paths

    def discard(self) -> None:
        """Delete what was not kept."""
        for file, aside in self._arriving:
            file.file.close()
            aside.unlink(missing_ok=True)
        if self.upload_progress is not None:
            self.upload_progress.set_done(self.upload_id or "")


def _name(sent: str) -> str:
    """A name for the file system: what was sent, without what it cannot take."""
    name = strip_invalid_filename_characters(Path(sent).name)
    return name if name.strip(".") and len(name.encode()) < _NAME_BYTES else "recording"


def _check_room(owner: str, size: int) -> None:
    """Raises QuotaError or DiskFullError if so many bytes more are too many."""
    waiting = sum(path.stat().st_size for path in uploaded_by(owner).rglob("*") if path.is_file())
    quotas.check_bytes(owner, waiting + size)
    quotas.check_disk(None, size)
