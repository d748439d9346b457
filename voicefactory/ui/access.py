"""Whose project is it. Every callback of the page reaches a project through `open_project`."""

from __future__ import annotations

import gradio as gr

from voicefactory import quotas
from voicefactory.errors import InputError
from voicefactory.jobs import retention
from voicefactory.project import Project, folder_name, no_such_project, projects_root
from voicefactory.settings import settings
from voicefactory.ui import text
from voicefactory.ui.visitors import Visitor, visitor_of


def visitor_at(request: gr.Request) -> Visitor:
    """Who asks, as `ui.visitors` has found it; nobody if it has not."""
    inner = getattr(request, "request", None)
    return visitor_of(inner.scope) if inner is not None else Visitor()


def owner_of(request: gr.Request) -> str:
    """The owner who asks: see `voicefactory.owners`. Raises InputError without a key, or a login on a Space."""
    owner = visitor_at(request).owner
    if not owner:
        raise InputError(text.LOG_IN if settings().on_space else text.NO_KEY)
    return owner


def token_of(request: gr.Request) -> str:
    """The visitor's own Hub token on a Space, if they are logged in; otherwise empty."""
    if not settings().on_space or not visitor_at(request).owner:
        return ""
    info = request.request.session.get("oauth_info") if request.request else None  # type: ignore[union-attr]
    return str(info["access_token"]) if info else ""


def open_project(identifier: str, owner: str) -> Project:
    """The project, if it belongs to `owner`. Raises InputError as if it did not exist otherwise."""
    if not identifier:
        raise InputError(text.NAME_FIRST)
    project = Project.open(identifier)
    if project.info.get("owner") != owner:
        raise no_such_project(identifier)
    retention.touch(project)
    return project


def create_project(name: str, owner: str) -> Project:
    """Make a project, or open the caller's own of that name. Raises InputError for an unusable name, or when the
    caller has as many as one may have.

    Names of others do not matter: a folder has its owner in its name.
    """
    if not (projects_root() / folder_name(name, owner) / "project.json").exists():
        quotas.check_project(owner)
    project = Project.create(name, owner=owner)
    if project.info.get("owner") != owner:
        raise no_such_project(project.identifier)  # copied here by hand, with another owner written into it
    return project
