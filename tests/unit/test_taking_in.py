"""What a browser has sent is copied in if there is room, and its copy goes either way; unused voices are announced."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import GivenClip
from voicefactory import files
from voicefactory.errors import InputError
from voicefactory.jobs import deletion
from voicefactory.jobs.store import Store
from voicefactory.project import Project
from voicefactory.quotas import QuotaError
from voicefactory.settings import settings
from voicefactory.ui import access, cache, forgetting, intake
from voicefactory.ui.account import account_of, is_admin, usage_html
from voicefactory.ui.handout import give, given_to, uploaded_by
from voicefactory.ui.projects import project_lines, projects_html

DAY_S = 86_400.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("VOICEFACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "home" / "page"))
    settings.cache_clear()
    yield tmp_path / "home"
    settings.cache_clear()


def setting(monkeypatch: pytest.MonkeyPatch, **values: object) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"VOICEFACTORY_{name.upper()}", str(value))
    settings.cache_clear()


def sent(owner: str, clip: GivenClip, name: str = "one.wav") -> Path:
    """As the page has it after an upload."""
    path = uploaded_by(owner) / "0123" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(clip.path, path)
    return path


def test_the_browsers_copy_goes_whether_there_is_room_or_not(
    twelve_clips: list[GivenClip], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = access.create_project("Anna", "v-anna")
    intake.take_in(project, [str(sent("v-anna", twelve_clips[0]))])
    assert [path.read_bytes() for path in project.uploads.glob("*/*")] == [twelve_clips[0].path.read_bytes()]
    assert not list(uploaded_by("v-anna").iterdir())
    setting(monkeypatch, max_owner_gb=0.000_001)
    with pytest.raises(QuotaError, match="Your voices take"):
        intake.take_in(project, [str(sent("v-anna", twelve_clips[1]))])
    assert len(list(project.uploads.glob("*/*"))) == 1
    assert not list(uploaded_by("v-anna").iterdir())
    intake.forget([twelve_clips[0].path])
    assert twelve_clips[0].path.is_file()  # lies elsewhere: not ours to delete


def test_what_is_copied_into_a_project_that_is_deleted_meanwhile_goes_too(
    home: Path, twelve_clips: list[GivenClip]
) -> None:
    project = access.create_project("Anna", "v-anna")

    def late() -> None:
        with intake.taking(project, []):
            deletion.delete_project(home, Store(home / "jobs.db"), project)
            files.write_text(project.uploads / "0" / "late.txt", "late")

    with pytest.raises(InputError, match="There is no project"):
        late()
    assert not project.root.exists()


def test_one_voice_more_than_one_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    setting(monkeypatch, max_owner_projects=1)
    made = access.create_project("Anna", "v-anna")
    assert access.create_project("Anna", "v-anna") == made  # opens it
    with pytest.raises(QuotaError, match=r"here: 1\. Delete one"):
        access.create_project("Bert", "v-anna")
    access.create_project("Anna", "v-bert")


def test_what_the_page_remembers_goes_with_the_project(home: Path) -> None:
    forgetting.listen()
    store = Store(home / "jobs.db")
    gone, kept = access.create_project("Anna", "v-anna"), access.create_project("Anna", "v-bert")
    for project in (gone, kept):
        project_lines(str(project.info["owner"]), store)
        files.write_text(project.root / "a.txt", "hello")
        assert give(project.root / "a.txt")
    deletion.delete_everything(home, store, "v-anna")
    about = {path for _, path in cache._cache}
    assert not [path for path in about if gone.root in (path, *path.parents)]
    assert kept.info_path in about
    assert not given_to("v-anna").exists()
    assert len(list(given_to("v-bert").rglob("a.txt"))) == 1


def test_the_list_announces_the_last_days(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setting(monkeypatch, retention_days=30)
    project = Project.create("Anna", home)
    store = Store(home / "jobs.db")

    def line_after(days: float) -> str:
        then = time.time() - days * DAY_S
        (project.root / ".unused-since").unlink(missing_ok=True)
        if days > 27:
            (project.root / ".unused-since").touch()
        for path in project.root.iterdir():
            os.utime(path, (then, then) if path.name != ".unused-since" else (then + 27 * DAY_S,) * 2)
        return projects_html(project_lines("local", store), "")

    assert "deleted" not in line_after(20)
    assert "deleted in 2 days unless you open it" in line_after(27.9)
    assert "deleted in 1 day unless you open it" in line_after(28.9)
    assert "deleted within a day unless you open it" in line_after(29.9)
    access.open_project(project.identifier, "local")
    assert "deleted" not in projects_html(project_lines("local", store), "")


def test_what_is_used_is_shown_where_it_is_limited(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = access.create_project("Anna", "v-anna")
    files.write_jsonl(project.recordings_jsonl, [{"seconds": 34 * 60.0}])
    assert usage_html(account_of("v-anna", home)) == ""
    setting(monkeypatch, max_owner_gb=50, max_owner_minutes=6_000, retention_days=30)
    shown = usage_html(account_of("v-anna", home))
    assert "You have 0.0 of 50 GB, 34 of 6,000 minutes." in shown
    assert "Voices that nobody opens for 30 days are deleted." in shown


def test_who_is_an_admin(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_admin("local")
    assert not is_admin("v-anna")
    setting(monkeypatch, admins="anna, bert")
    assert is_admin("hf:bert")
    assert not is_admin("hf:carl")
    assert not is_admin("")
    monkeypatch.setenv("SPACE_ID", "anna/space")
    assert not is_admin("local")
    assert is_admin("hf:anna")
