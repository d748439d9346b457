"""What a person decides is kept, counts as theirs, and can be taken back step by step, also by another process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from voicefactory import files
from voicefactory.errors import InputError
from voicefactory.pipeline import review
from voicefactory.pipeline.analyse import analyse
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.transcripts import load_rows, load_transcripts, spelled, update_rows
from voicefactory.pipeline.worklist import worklist
from voicefactory.project import Project


@pytest.fixture
def project(prepared_project: Callable[[Path], Project], tmp_path: Path) -> Project:
    """Twelve clips with texts as Whisper would have left them."""
    project = prepared_project(tmp_path)

    def heard(rows: dict[str, object]) -> None:
        for name, row in load_rows(project).items():
            rows[name] = replace(row, transcript=replace(row.transcript, source="whisper", confidence=0.5))

    update_rows(project, heard)  # type: ignore[arg-type]
    return project


def test_steps_are_taken_back_one_by_one_and_by_another_process(project: Project) -> None:
    first, second, *others = [row.clip for row in load_transcripts(project)]
    untouched = load_rows(project)
    assert review.accept(project, [first]) == 1
    assert review.fix(project, second, "  Something \n else. ") == 1
    assert review.drop(project, [second, *others]) == 11
    rows = load_rows(project)
    assert (rows[first].transcript.source, rows[first].transcript.confidence) == ("edited", 1.0)
    assert (rows[second].transcript.text, rows[second].transcript.dropped) == ("Something else.", True)
    assert [(step.what, step.clips) for step in review.steps(project)] == [("drop", 11), ("fix", 1), ("accept", 1)]

    code = (
        "import sys; from pathlib import Path; from voicefactory.project import Project; "
        "from voicefactory.pipeline import review; print(review.undo(Project(Path(sys.argv[1])))[0].what)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(project.root)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "drop"
    assert not any(row.transcript.dropped for row in load_rows(project).values())
    assert load_rows(project)[second].transcript.text == "Something else."
    assert review.undo(project)[1] == [second]
    review.undo(project)
    assert load_rows(project) == untouched
    with pytest.raises(InputError, match="nothing to undo"):
        review.undo(project)


def test_what_changes_nothing_is_no_step(project: Project) -> None:
    names = [row.clip for row in load_transcripts(project)]
    assert review.use(project, names) == 0
    assert review.accept(project, ["nobody"]) == 0
    review.accept(project, names[:1])
    assert review.accept(project, names[:1]) == 0
    assert len(review.steps(project)) == 1
    with pytest.raises(InputError, match="empty"):
        review.fix(project, names[0], "  ")


def test_a_second_pass_leaves_what_was_accepted(project: Project) -> None:
    name = next(iter(load_rows(project)))
    update_rows(
        project,
        lambda rows: rows.update({name: replace(rows[name], heard="Press 2.", transcript=rows[name].transcript)}),
    )
    review.accept(project, [name])
    row = load_rows(project)[name]
    assert row.by_person
    assert spelled(row, "in words") == row


def test_a_clip_that_was_cut_anew_is_not_given_its_old_text(project: Project) -> None:
    name = next(iter(load_rows(project)))
    review.drop(project, [name])
    update_rows(project, lambda rows: rows.update({name: replace(rows[name], sha256="other")}))
    review.undo(project)
    assert load_rows(project)[name].transcript.dropped


def test_old_steps_go(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "STEPS", 3)
    name = next(iter(load_rows(project)))
    for number in range(5):
        review.fix(project, name, f"Text {number}.")
    assert len(review.steps(project)) == 3
    assert review.undo(project)[0].path.name.startswith("000005")


def test_rows_in_memory_are_those_on_the_disk(project: Project) -> None:
    name = next(iter(load_rows(project)))
    review.fix(project, name, "In memory.")
    assert load_rows(project)[name].transcript.text == "In memory."
    rows = files.read_jsonl(project.transcripts_jsonl)
    rows[0]["text"] = "From elsewhere."
    files.write_jsonl(project.transcripts_jsonl, rows)
    assert load_rows(project)[name].transcript.text == "From elsewhere."
    load_rows(project).clear()
    assert len(load_rows(project)) == 12


def test_the_worklist_is_kept_until_the_analysis_changes(project: Project) -> None:
    clips, rows = load_clips(project), load_transcripts(project)
    assert worklist(project, clips, rows) == {}
    analyse(project, clips, rows, dnsmos=False)
    found = worklist(project, clips, rows)
    assert len(found) == 12
    assert [work.score for work in found.values()] == sorted((work.score for work in found.values()), reverse=True)
    assert all("Whisper was only" in "".join(work.reasons) for work in found.values())
    assert worklist(project, [], []) == found  # from the disk: nothing was asked of what is given
    analyse(project, clips[:6], rows, dnsmos=False)
    assert len(worklist(project, clips, rows)) == 6
