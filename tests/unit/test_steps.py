"""How the steps stand, and the list of projects: plain functions of what there is."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from voicefactory.jobs.store import Store
from voicefactory.project import Project
from voicefactory.ui.projects import day, project_lines, projects_html
from voicefactory.ui.state import State, read
from voicefactory.ui.steps import StepState, next_html, step_states


def stands(state: State) -> list[str]:
    return [one.stand for one in step_states(state)]


def test_an_empty_project_begins_with_recordings(tmp_path: Path) -> None:
    project = Project.create("Anna", tmp_path)
    store = Store(tmp_path / "jobs.db")
    assert stands(read(project, store)) == ["now", "missing", "missing", "missing", "missing", "missing"]
    store.add("prepare", "local", project.identifier, {})
    assert stands(read(project, store))[0] == "running"


def test_a_prepared_project_waits_for_training(prepared_project: Callable[[Path], Project], tmp_path: Path) -> None:
    project = prepared_project(tmp_path)
    store = Store(tmp_path / "jobs.db")
    state = read(project, store)
    assert stands(state)[2:] == ["done", "now", "missing", "missing"]
    assert "missing" not in stands(state)[:2]
    project.update_info(reference=state.clips[0].id)
    assert step_states(read(project, store))[2].why == "Chosen."
    store.add("train", "local", project.identifier, {})
    assert stands(read(project, store))[3] == "running"


def test_the_line_names_the_first_thing_to_do_and_every_step() -> None:
    told = next_html([StepState("recordings", "done", "4 recordings."), StepState("transcripts", "now", "<3 clips>")])
    assert "<b>2 Transcripts</b> &lt;3 clips&gt;" in told
    assert told.count("data-step=") == 2
    assert 'aria-label="1 Recordings: done. 4 recordings."' in told


def test_the_list_has_one_s_own_projects_the_last_touched_first(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.db")
    first, second = (Project.create(name, tmp_path, owner="anna") for name in ("One", "Two <b>"))
    Project.create("Hers", tmp_path, owner="eve")
    first.update_info(created=100.0)
    second.update_info(created=200.0)
    assert [line.name for line in project_lines("anna", store)] == ["Two <b>", "One"]
    store.add("prepare", "anna", first.identifier, {})
    lines = project_lines("anna", store)
    assert [(line.name, line.state) for line in lines] == [("One", "waiting"), ("Two <b>", "empty")]
    shown = projects_html(lines, second.identifier)
    assert "Two &lt;b&gt;" in shown
    assert shown.count("aria-current") == 1
    assert shown.index(second.identifier) < shown.index("aria-current")
    assert "None yet" in projects_html([], "")


def test_a_day_is_told_as_time_only_today() -> None:
    now = time.time()
    assert ":" in day(now)
    assert day(now - 3 * 86_400) == time.strftime("%Y-%m-%d", time.localtime(now - 3 * 86_400))
