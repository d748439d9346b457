"""`voicefactory judge`: how good is a voice, and was training it worth it?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from voicefactory import files
from voicefactory.errors import InputError
from voicefactory.pipeline.judge import judge
from voicefactory.pipeline.judge_case import JudgeRequest
from voicefactory.pipeline.judge_report import report
from voicefactory.pipeline.judge_scores import MEASURES
from voicefactory.pipeline.judgement import Judgement, to_json
from voicefactory.project import Project, slug
from voicefactory.types import OnProgress, ShouldStop, never, silent

QUICK_SENTENCES, QUICK_SEEDS = 6, 1


def judged(
    voice: str,
    request: dict[str, Any],
    *,
    project: str,
    home: Path | None,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> Judgement:
    """Judge `voice`, a finished voice's folder or a project's name. `project` names whose recordings to compare with,
    for a voice that does not lie in its project. Raises InputError for what is neither."""
    folder = Path(voice).expanduser()
    if folder.is_dir():
        wanted = JudgeRequest(voice=str(folder.resolve()), **request)
        found = Project.open(slug(project), home) if project else _project_around(folder.resolve())
    else:
        wanted, found = JudgeRequest(**request), Project.open(slug(project or voice), home)
    with found.alone():
        return judge(found, wanted, on_progress=on_progress, should_stop=should_stop)


def check_report(out: Path | None) -> None:
    """Raise InputError for a report that cannot be written there: before anything has spoken."""
    if out is not None and (out.suffix.lower() not in (".html", ".htm") or out.is_dir()):
        raise InputError(f"A report is one HTML file; {out.name!r} is none. Give for example judgement.html.")


def write_report(found: Judgement, out: Path | None) -> str | None:
    """Write the report, if one is wanted; its path."""
    if out is None:
        return None
    files.write_text(out, report(found))
    return str(out.resolve())


def _project_around(voice: Path) -> Project:
    root = voice.parent.parent
    if voice.parent.name != "voices" or not (root / "project.json").exists():
        raise InputError(
            f"{voice.name} does not lie in its project, so there are no recordings to compare it with. "
            "Name the project (--project)."
        )
    return Project(root)


def lines(found: Judgement) -> list[str]:
    """The judgement for a person who reads a terminal."""
    rows = to_json(found)["subjects"]
    width = max(len(row["label"]) for row in rows)
    told = list(found.notes)
    for name, measure in MEASURES.items():
        own = found.own.ranges.get(name)
        beside = f"; the recordings: {own.low:.3f} to {own.high:.3f}" if own else ""
        told += ["", f"{measure.title} ({measure.unit}{beside})"]
        told += [f"  {row['label']:<{width}}  {_figure(row['measures'].get(name))}" for row in rows]
    told += ["", found.pick.sentence]
    if found.worth:
        told.append(f"Was training worth it? {found.worth.verdict.capitalize()}. {found.worth.sentence}")
    return told


def _figure(row: dict[str, Any] | None) -> str:
    if row is None:
        return "not measured"
    ends = f"{row['low']:.3f} to {row['high']:.3f}" if row["low"] is not None else "one sentence"
    place = {"below": "  below the recordings", "above": "  above the recordings"}.get(row.get("place", ""), "")
    return f"{row['mean']:.3f}  ({ends}){place}"
