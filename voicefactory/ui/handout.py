"""Files that a browser may fetch: copies in the page's temporary folder, never the project's own.

Gradio serves whatever lies in its temporary folder to whoever knows the path, so the path holds a
digest with a key that only this process knows. A hard link makes the copy free where that works.
"""

from __future__ import annotations

import contextlib
import hashlib
import html
import os
import secrets
import shutil
from pathlib import Path
from urllib.parse import quote

_KEY = secrets.token_bytes(32)
_FOLDER = "given"


def temporary_folder() -> Path:
    """Gradio's temporary folder, as `ui.app` has set it."""
    return Path(os.environ["GRADIO_TEMP_DIR"])


def give(path: Path | None) -> str | None:
    """A path that a component can show or offer for download; None if the file is not there."""
    if path is None or not path.is_file():
        return None
    state = path.stat()
    mark = f"{path.resolve()}|{state.st_mtime_ns}|{state.st_size}".encode()
    target = temporary_folder() / _FOLDER / hashlib.blake2b(mark, key=_KEY, digest_size=16).hexdigest() / path.name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f"{secrets.token_hex(8)}{path.suffix}")
        try:
            os.link(path, aside)
        except OSError:  # another disk, or a file system without links
            shutil.copyfile(path, aside)
        os.replace(aside, target)
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)  # renaming a link onto itself leaves both names
    return str(target)


def player_html(path: Path | None, name: str, *, play: bool = False) -> str:
    """The browser's own player, for recordings of any length: it fetches what it plays. Empty without a file.

    `play`: begin at once, where the browser allows it.
    """
    given = give(path)
    if given is None:
        return ""
    source = f"gradio_api/file={quote(given)}"
    label = html.escape(name, quote=True)
    begin = " autoplay" if play else ""
    source = html.escape(source, quote=True)
    return f'<audio controls{begin} preload="metadata" src="{source}" aria-label="{label}"></audio>'
