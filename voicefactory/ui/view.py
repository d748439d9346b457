"""What a person looks at in the list of transcripts: filter, search, page, clip. Kept in the project, for a reload."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from voicefactory import files
from voicefactory.project import Project
from voicefactory.ui.cache import cached

PAGE = 50  #: rows of a page


@dataclass(frozen=True)
class View:
    """The list as it is looked at."""

    show: str = "all"  #: a key of text.SHOWS
    search: str = ""
    page: int = 0  #: from 0
    clip: str = ""  #: Clip.id; empty = none is picked


def load_view(project: Project) -> View:
    """The view as it was kept last."""
    path = _path(project)
    return cached("view", path, [path], lambda: View(**files.read_json(path)) if path.is_file() else View())


def keep_view(project: Project, view: View) -> None:
    """Remember it."""
    if view != load_view(project):
        files.write_json(_path(project), asdict(view))


def _path(project: Project) -> Path:
    return project.root / "view.json"
