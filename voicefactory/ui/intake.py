"""From the browser into the project: uploads are copied at once, because the browser's copy is temporary.

Audio and zips go to uploads/<digest>/<name>, and everything there is what `ingest` takes in. Texts that
a person brings go to texts/<name>. Before anything is copied, `quotas` says whether there is room for it.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from voicefactory import files, quotas
from voicefactory.pipeline.hub_data import PREFIX, is_hub_name, parse_hub_name
from voicefactory.project import Project, no_such_project
from voicefactory.ui.handout import temporary_folder

TEXT_SUFFIXES = (".csv", ".txt", ".jsonl")
TABLE_SUFFIXES = (".csv", ".jsonl")
_NAME_BYTES = 200  #: file systems take 255; the pipeline adds suffixes


def take_in(project: Project, paths: Sequence[str]) -> None:
    """Copy uploaded files into the project. Raises QuotaError or DiskFullError if there is no room for them."""
    with taking(project, paths) as given:
        for path in given:
            if path.suffix.lower() in TEXT_SUFFIXES:
                _copy(path, _texts(project) / _short(path.name))
            else:
                _copy(path, project.uploads / files.sha256_of(path)[:16] / _short(path.name))


def take_in_reference(project: Project, path: str) -> Path:
    """Copy an own reference recording into the project. Raises as `take_in`."""
    with taking(project, [path]) as (given,):
        target = project.root / "own-reference" / files.sha256_of(given)[:16] / _short(given.name)
        _copy(given, target)
    return target


@contextlib.contextmanager
def taking(project: Project, paths: Sequence[str]) -> Iterator[list[Path]]:
    """Files that were uploaded, to be copied in: if there is room for them, and away from the browser's copy after it.

    Raises QuotaError or DiskFullError, and InputError if the project was deleted while they were copied.
    """
    given = [Path(path) for path in paths]
    try:
        quotas.check_upload(project, given)
        yield given
        if not project.info_path.exists():
            shutil.rmtree(project.root, ignore_errors=True)  # what has just been copied
            raise no_such_project(project.identifier)
    finally:
        forget(given)


def forget(paths: Sequence[Path]) -> None:
    """Delete the browser's copies, with what was converted from them; each lies in a folder of its own content."""
    for path in paths:
        if temporary_folder().resolve() in path.resolve().parents[1:]:
            shutil.rmtree(path.parent, ignore_errors=True)


def own_texts(project: Project) -> str:
    """What to give as transcripts: the newest table, else the folder of single texts, else nothing."""
    brought = [path for path in _texts(project).glob("*") if path.is_file()]
    tables = [path for path in brought if path.suffix.lower() in TABLE_SUFFIXES]
    if tables:
        return str(max(tables, key=lambda path: path.stat().st_mtime_ns))
    return str(_texts(project)) if brought else ""


def remove(project: Project, path: Path) -> None:
    """Take an upload away. The next `ingest` forgets what came from it."""
    if project.uploads in path.parents:
        shutil.rmtree(path.parent)
    elif path.parent == _texts(project):
        path.unlink(missing_ok=True)


def take_in_hub_name(project: Project, name: str) -> str:
    """Note a data set of the Hub, so that `prepare` fetches it; its name as hf:owner/name[:part[:split]].

    Its address in a browser is understood too. Raises InputError for what is no name.
    """
    plain = name.strip().removeprefix("https://").removeprefix("huggingface.co/").removeprefix("datasets/")
    wanted = Path(plain.rstrip("/") if plain.startswith(PREFIX) else f"{PREFIX}{plain.rstrip('/')}")
    parse_hub_name(wanted)
    known = [str(path) for path in project.info.get("paths", [])]
    if wanted.as_posix() not in known:
        project.update_info(paths=[*known, wanted.as_posix()])
    return wanted.as_posix()


def hub_names(project: Project) -> list[str]:
    """The data sets of the Hub that were noted."""
    return [str(path) for path in project.info.get("paths", []) if is_hub_name(Path(str(path)))]


def remove_hub_name(project: Project, name: str) -> None:
    """Take a data set away, with what was fetched. The next `ingest` forgets what came from it."""
    folder = project.root / "hub" / parse_hub_name(Path(name)).folder
    shutil.rmtree(folder, ignore_errors=True)
    for more in (folder.with_name(f"{folder.name}.json"), folder.with_name(f"{folder.name}.rows.jsonl")):
        more.unlink(missing_ok=True)
    project.update_info(paths=[path for path in project.info.get("paths", []) if path != name])


def is_there(project: Project) -> bool:
    """Whether there is anything to prepare."""
    return any(project.uploads.glob("*/*")) or bool(hub_names(project))


def texts(project: Project) -> list[Path]:
    """The texts that were brought."""
    return sorted(path for path in _texts(project).glob("*") if path.suffix.lower() in TEXT_SUFFIXES)


def _texts(project: Project) -> Path:
    return project.root / "texts"


def _short(name: str) -> str:
    """A name that fits every file system, with its suffix."""
    path = Path(name)
    stem = path.stem.encode()[: _NAME_BYTES - len(path.suffix.encode())].decode(errors="ignore")
    return f"{stem.lstrip('.') or 'recording'}{path.suffix[:20]}"


def _copy(source: Path, target: Path) -> None:
    with files.writing(target) as aside:
        shutil.copyfile(source, aside)
