"""The list at the side: every project of a visitor, with its date and how far it is. A click opens it."""

from __future__ import annotations

import html
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voicefactory import files
from voicefactory.jobs import retention
from voicefactory.jobs.store import ACTIVE, Job, Store
from voicefactory.project import Project, projects_root
from voicefactory.ui import text, views
from voicefactory.ui.cache import cached, stamp_of

_DAY_S = 86_400.0

#: A click opens a project: the list is one component, and knows only its own rows.
LIST_JS = """
element.addEventListener('click', (event) => {
  const row = event.target.closest('button[data-project]');
  if (row) { trigger('select', {row_value: [row.dataset.project]}); }
});
"""


@dataclass(frozen=True)
class ProjectLine:
    """One project in the list."""

    identifier: str
    name: str
    state: str  #: in words
    touched: float  #: when a job of it last changed, or it was made; Unix seconds
    goes: str = ""  #: that it is deleted soon, in words


def project_lines(owner: str, store: Store) -> tuple[ProjectLine, ...]:
    """Every project of `owner`, the one touched last first."""
    touched = store.touched(owner)
    active = {job.project: job for job in sorted(store.jobs(states=ACTIVE), key=lambda job: job.state == "running")}
    lines = []
    for path in projects_root(store.path.parent).glob("*/project.json"):
        info = cached("info", path, [path], lambda path=path: dict(files.read_json(path)))  # type: ignore[misc]
        if info.get("owner") == owner:
            project = Project(path.parent)
            state = _state(project, active.get(project.identifier))
            job = touched.get(project.identifier, 0.0)
            last = max(float(info.get("created", 0)), job)
            lines.append(ProjectLine(project.identifier, str(info["name"]), state, last, _goes(project, job)))
    return tuple(sorted(lines, key=lambda line: -line.touched))


def projects_html(lines: Sequence[ProjectLine], chosen: str) -> str:
    """The list; the chosen one is marked."""
    if not lines:
        return f'<p class="state quiet">{html.escape(text.NO_PROJECTS)}</p>'
    rows = "".join(_row_html(line, line.identifier == chosen) for line in lines)
    return f'<ul class="projects">{rows}</ul>'


def _row_html(line: ProjectLine, chosen: bool) -> str:
    mark = ' aria-current="true"' if chosen else ""
    about = html.escape(f"{line.state}, {day(line.touched)}")
    goes = f'<span class="more against">{html.escape(line.goes)}</span>' if line.goes else ""
    return (
        f'<li><button type="button" data-project="{html.escape(line.identifier, quote=True)}"{mark}>'
        f'<span class="name">{html.escape(line.name)}</span><span class="more">{about}</span>{goes}</button></li>'
    )


def day(moment: float) -> str:
    """Today's time, or the date."""
    then = time.localtime(moment)
    today = time.time() - moment < _DAY_S and then.tm_yday == time.localtime().tm_yday
    return time.strftime("%H:%M" if today else "%Y-%m-%d", then)


def _goes(project: Project, last_job: float) -> str:
    """In the last days of a project that nobody uses, when it is deleted."""
    left = retention.days_left(project, last_job, time.time())
    if left is None or left > retention.NOTICE_DAYS:
        return ""
    return text.GOES_SOON.format(days=views.count(int(left), "day")) if left >= 1 else text.GOES_TODAY


def _state(project: Project, job: Job | None) -> str:
    if job is not None:
        return text.JOB_KINDS[job.kind] if job.state == "running" else text.PROJECT_WAITS
    if any(project.voices.glob("*.zip")):
        return text.PROJECT_VOICE
    if stamp_of(project.clips_jsonl)[1]:
        clips = cached("clip count", project.root, [project.clips_jsonl], lambda: _lines(project.clips_jsonl))
        return views.count(clips, "clip")
    return text.PROJECT_EMPTY


def _lines(path: Path) -> int:
    with open(path, "rb") as source:
        return sum(1 for _ in source)
