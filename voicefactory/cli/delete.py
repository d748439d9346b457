"""`voicefactory delete`: a project, or everything of an owner, by a command; beside a running app, too."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from voicefactory.errors import InputError
from voicefactory.owners import LOCAL
from voicefactory.project import Project, projects_root, slug


def doomed(name: str, *, everything: bool, owner: str, home: Path | None) -> tuple[str, list[Project]]:
    """Whose projects go, and which. Raises InputError if there is nothing to delete, or it is not clear what."""
    from voicefactory.usage import projects_of

    if bool(name) == everything:
        raise InputError("Say what to delete: a voice's name, or --all for everything of one owner.")
    if everything:
        whose = owner or LOCAL
        return whose, projects_of(whose, home)
    if owner:
        raise InputError("--owner goes with --all. One project is known by its name, or by its folder's name.")
    project = Project.open(name if (projects_root(home) / name / "project.json").exists() else slug(name), home)
    return str(project.info.get("owner", "")), [project]


def question(owner: str, projects: list[Project], *, everything: bool) -> str:
    """What goes, in one sentence."""
    from voicefactory.usage import bytes_of

    names = ", ".join(project.name for project in projects) or "no voice"
    size = sum(map(bytes_of, projects)) / 1e9
    more = f", and every job and file of {owner}" if everything else ""
    return f"Delete {names} ({size:.2f} GB) for ever{more}?"


def confirm(asked: str) -> None:
    """Ask on the terminal. Raises InputError unless the answer is yes."""
    print(f"{asked} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise InputError("Nothing was deleted. To delete without being asked, give --yes.")


def delete(owner: str, projects: list[Project], *, everything: bool, home: Path | None) -> dict[str, Any]:
    """Do it; what is gone, as JSON."""
    from voicefactory.jobs import deletion
    from voicefactory.jobs.store import Store

    where = projects_root(home).parent
    os.environ.setdefault("GRADIO_TEMP_DIR", str(where / "page"))  # where the page keeps what it handed out
    from voicefactory.ui import forgetting

    forgetting.listen()
    store = Store(where / "jobs.db")
    if everything:
        gone = deletion.delete_everything(where, store, owner)
        return {"owner": owner, "projects": list(gone.projects)}
    for project in projects:
        deletion.delete_project(where, store, project)
    return {"owner": owner, "projects": [project.identifier for project in projects]}
