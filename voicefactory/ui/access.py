"""Whose project is it. Every callback of the page reaches a project through `open_project`."""

from __future__ import annotations

import gradio as gr

from voicefactory.errors import InputError
from voicefactory.project import Project
from voicefactory.settings import settings
from voicefactory.ui import text

LOCAL = "local"


def owner_of(request: gr.Request) -> str:
    """Who asks: the logged-in user on a Space, otherwise the one person at this computer.

    Raises InputError on a Space without a login.
    """
    if not settings().on_space:
        return LOCAL
    info = _login(request)
    if info is None:
        raise InputError(text.LOG_IN)
    return str(info["userinfo"]["preferred_username"])


def token_of(request: gr.Request) -> str:
    """The visitor's own Hub token on a Space, if they are logged in; otherwise empty."""
    info = _login(request) if settings().on_space else None
    return str(info["access_token"]) if info else ""


def _login(request: gr.Request) -> dict[str, dict[str, str]] | None:
    """What Hugging Face said at the login; it lies in the signed session cookie."""
    inner = getattr(request, "request", None)
    if inner is None or "session" not in inner.scope:
        return None
    info: dict[str, dict[str, str]] | None = inner.session.get("oauth_info")
    return info


def open_project(identifier: str, owner: str) -> Project:
    """The project, if it belongs to `owner`. Raises InputError as if it did not exist otherwise."""
    if not identifier:
        raise InputError(text.NAME_FIRST)
    project = Project.open(identifier)
    if project.info.get("owner") != owner:
        raise InputError(f"There is no project called {identifier!r}.")
    return project


def create_project(name: str, owner: str) -> Project:
    """Make a project, or open the caller's own of that name. Raises InputError if it is somebody else's."""
    project = Project.create(name, owner=owner)
    if project.info.get("owner") != owner:
        raise InputError(f"The name {project.name!r} is taken. Choose another one.")
    return project
