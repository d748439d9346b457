"""What a project may be called, and where it lies."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from voicefactory.errors import InputError
from voicefactory.project import Project, clean_name, list_projects, projects_root, slug, speaker_key

NAMES = [
    "anna",
    "Anna",
    "Ünïcode Näme",
    "Unicode Name",
    "陳小姐",
    "🎙️ 7",
    "a/b",
    "../../etc/passwd",
    "C:\\aux",
    "con",
    '"quotes" & <script>alert(1)</script>',
    "-rf",
    ".hidden",
    "x" * 64,
    "ß",
]


def test_folders_are_plain_and_as_different_as_the_names_are_to_the_model() -> None:
    slugs = {name: slug(name) for name in NAMES}
    for name, folder in slugs.items():
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,80}", folder), name
    assert len(set(slugs.values())) == len({speaker_key(name) for name in NAMES})
    assert slugs["Anna"] == slugs["anna"], "the model looks names up in lower case"
    assert slugs["Ünïcode Näme"] != slugs["Unicode Name"]


def test_the_same_name_however_it_was_typed() -> None:
    composed, decomposed = "Zoë", "Zoe\u0308"
    assert clean_name(decomposed) == composed
    assert slug(composed) == slug(decomposed) == slug("  zoë ")
    assert clean_name("Anna   Maria") == "Anna Maria"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "at least one letter or digit"),
        ("   ", "at least one letter or digit"),
        ("!!!", "at least one letter or digit"),
        ("🎙️", "at least one letter or digit"),
        ("x" * 65, "65 characters long. Use at most 64"),
        ("a\nb", "line break or a control character"),
        ("a\x00b", "line break or a control character"),
    ],
)
def test_names_that_cannot_be(name: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=sentence):
        Project.create(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_create_opens_what_is_there(tmp_path: Path) -> None:
    first = Project.create("Ünïcode Näme", tmp_path, owner="anna")
    first.update_info(language="german")
    again = Project.create("ünïcode näme", tmp_path, owner="anna")
    assert again.root == first.root
    assert Project.create("ünïcode näme", tmp_path, owner="ben").root != first.root
    assert again.info["language"] == "german"
    assert again.info["owner"] == "anna"
    assert (again.name, again.speaker) == ("Ünïcode Näme", "ünïcode näme")
    assert Project.open(first.identifier, tmp_path).root == first.root


@pytest.mark.parametrize("identifier", ["", "none", "..", "../projects/anna", "anna/../anna", "/etc", "Anna"])
def test_open_takes_only_the_name_of_a_folder_that_is_a_project(identifier: str, tmp_path: Path) -> None:
    Project.create("anna", tmp_path)
    with pytest.raises(InputError, match="There is no project called"):
        Project.open(identifier, tmp_path)


def test_paths_are_stored_relative_so_that_a_project_can_be_moved(tmp_path: Path) -> None:
    project = Project.create("anna", tmp_path)
    assert project.relative(project.clips / "a" / "b.wav") == "clips/a/b.wav"
    assert project.root.parent == projects_root(tmp_path)


def test_the_list_is_the_newest_first_and_the_owners_own(tmp_path: Path) -> None:
    for number, owner in enumerate(("anna", "ben", "anna")):
        project = Project.create(f"voice {number}", tmp_path, owner=owner)
        project.update_info(created=float(number))
    assert [project.name for project in list_projects(tmp_path)] == ["voice 2", "voice 1", "voice 0"]
    assert [project.name for project in list_projects(tmp_path, owner="anna")] == ["voice 2", "voice 0"]
    assert list_projects(tmp_path / "elsewhere") == []


def test_two_changes_at_once_are_both_kept(tmp_path: Path) -> None:
    project = Project.create("Anna", tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: project.update_info(**{f"key{number}": number}), range(100)))
    assert {f"key{number}": number for number in range(100)}.items() <= project.info.items()
