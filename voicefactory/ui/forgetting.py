"""What the page keeps of a project beside its folder, and how it is forgotten when the project is deleted."""

from __future__ import annotations

from pathlib import Path

from voicefactory.jobs import deletion
from voicefactory.pipeline import transcripts
from voicefactory.project import Project
from voicefactory.ui import cache, handout, listing, requests, told
from voicefactory.ui.state import sort_anew


def listen() -> None:
    """Forget, from now on, what is deleted by anything in this process. Can be called again."""
    if forget not in deletion.listeners:
        deletion.listeners.append(forget)


def forget(gone: deletion.Gone, home: Path) -> None:
    """Files that were handed out or sent, and what lies in memory: of projects, or of everything of an owner."""
    for root in gone.roots(home):
        project = Project(root)
        requests.forget(project.identifier)
        handout.forget_project(gone.owner, project.identifier)
        transcripts.forget(project)
        listing.forget_project(root)
        sort_anew(project)
        cache.forget(root)
    told.forget()  # sentences with names of files in them
    if gone.everything:
        handout.forget_owner(gone.owner)
