"""Files that a browser may fetch: copies in the page's temporary folder, never the project's own.

    given/<owner>/<project>/<digest>/NAME    what was handed out; a hard link where that works
    uploaded/<owner>/<digest>/NAME           what a browser has sent, until it is taken into a project

The folders are named by digests with a secret of this home, so a path tells nothing, says whose it is also after a
restart, and can be deleted with its project or owner. `ui.guard` lets an owner fetch, and name in a request, only what
lies in their own two folders.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import html
import os
import secrets
import shutil
import threading
import time
from pathlib import Path
from urllib.parse import quote

from voicefactory import owners
from voicefactory.project import Project, projects_root
from voicefactory.ui.cache import cached

_SECRET, _GIVEN, _UPLOADED = "secret.key", "given", "uploaded"
#: Kept for so long after they were handed out or sent: a page may be open overnight.
KEPT_S = 86_400.0
_BETWEEN_SWEEPS_S = 3_600.0


def temporary_folder() -> Path:
    """Gradio's temporary folder, as `ui.app` has set it."""
    return Path(os.environ["GRADIO_TEMP_DIR"])


def given_to(owner: str) -> Path:
    """The folder of all that was handed out to an owner."""
    return temporary_folder() / _GIVEN / digest("owner", owner)


def uploaded_by(owner: str) -> Path:
    """The folder of all that an owner has sent."""
    return temporary_folder() / _UPLOADED / digest("owner", owner)


def own_file(owner: str, name: str) -> Path | None:
    """The file of that path, if it was handed out to `owner` or sent by them; None for everything else."""
    path = Path(name)
    if not owner or "\0" in name or ".." in path.parts or not path.is_absolute():
        return None
    roots = [folder.resolve() for folder in (given_to(owner), uploaded_by(owner))]
    try:
        found = path.resolve(strict=True)
    except OSError:
        return None
    inside = any(found.is_relative_to(root) for root in roots)
    return path if inside and found.is_file() else None


def give(path: Path | None) -> str | None:
    """A path that a component can show or offer for download; None if the file is not there.

    It is given to the owner of the project that the file lies in, whoever asks. Raises ValueError for a file that lies
    in no project.
    """
    if path is None or not path.is_file():
        return None
    whole, state = path.resolve(), path.stat()
    project = _project_of(whole)
    info = cached("info", project.info_path, [project.info_path], lambda: project.info)
    content = digest("content", f"{whole}|{state.st_mtime_ns}|{state.st_size}")
    target = given_to(str(info["owner"])) / digest("project", project.identifier) / content / path.name
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


def forget_project(owner: str, identifier: str) -> None:
    """Delete what was handed out of a project. Call it when the project is deleted."""
    shutil.rmtree(given_to(owner) / digest("project", identifier), ignore_errors=True)


def forget_owner(owner: str) -> None:
    """Delete everything that was handed out to an owner or sent by them."""
    for folder in (given_to(owner), uploaded_by(owner)):
        shutil.rmtree(folder, ignore_errors=True)


def sweep(older_than_s: float = KEPT_S) -> int:
    """Delete what was handed out or sent longer ago; how many files that were."""
    before, gone = time.time() - older_than_s, 0
    for folder in (_GIVEN, _UPLOADED):
        for path in list((temporary_folder() / folder).rglob("*")):
            with contextlib.suppress(OSError):  # also in use, or gone already
                if path.is_file() and path.stat().st_ctime < before:
                    path.unlink()
                    path.parent.rmdir()  # only if that was all
                    gone += 1
    return gone


def keep_swept() -> None:
    """Sweep now and once an hour, in a thread, as long as this process lives."""

    def sweeping() -> None:
        while True:
            sweep()
            time.sleep(_BETWEEN_SWEEPS_S)

    threading.Thread(target=sweeping, name="sweep what was handed out", daemon=True).start()


def digest(purpose: str, value: str) -> str:
    """32 hexadecimal digits that nobody can compute from `value` who has not the secret of this page."""
    key = _secret(temporary_folder() / _SECRET)
    return hashlib.blake2b(f"{purpose}|{value}".encode(), key=key, digest_size=16).hexdigest()


@functools.lru_cache(maxsize=8)
def _secret(path: Path) -> bytes:
    return bytes.fromhex(owners.kept_key(path))


def _project_of(path: Path) -> Project:
    root = projects_root()
    return Project(root / path.relative_to(root).parts[0])


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
