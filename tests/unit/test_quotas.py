"""What one owner may have: counted from real files, cheaply, and refused with a sentence that says what to do."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import GivenClip
from voicefactory import files, quotas, usage
from voicefactory.errors import DiskFullError
from voicefactory.jobs.store import Store
from voicefactory.project import Project
from voicefactory.settings import settings

Limit = Callable[..., None]


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Limit:
    """Call with settings as keywords."""

    def limit(**values: float) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"VOICEFACTORY_{name.upper()}", str(value))
        settings.cache_clear()

    return limit


@pytest.fixture(autouse=True)
def _as_before() -> object:
    yield
    settings.cache_clear()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create("Anna", tmp_path, owner="anna")


def put(project: Project, clip: GivenClip, name: str = "") -> Path:
    target = project.uploads / "0" / (name or clip.path.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(clip.path, target)
    return target


def real_bytes(root: Path) -> int:
    inodes = {path.stat().st_ino: path.stat().st_size for path in root.rglob("*") if path.is_file()}
    return sum(inodes.values())


def test_bytes_are_those_on_the_disk_after_every_change(project: Project, twelve_clips: list[GivenClip]) -> None:
    assert usage.bytes_of(project) == real_bytes(project.root)
    for clip in twelve_clips[:3]:
        put(project, clip)
        assert usage.bytes_of(project) == real_bytes(project.root)
    one = put(project, twelve_clips[0], "again.wav")
    files.write_text(project.root / "texts" / "a.txt", "hello")
    frozen = project.root / "datasets" / "x" / "clip.wav"
    frozen.parent.mkdir(parents=True)
    os.link(one, frozen)  # as freezing does
    assert usage.bytes_of(project) == real_bytes(project.root)
    shutil.rmtree(project.uploads)
    assert usage.bytes_of(project) == real_bytes(project.root)
    files.write_text(project.root / "texts" / "a.txt", "hello again")
    assert usage.bytes_of(project) == real_bytes(project.root)


def test_what_has_not_changed_is_not_listed_again(project: Project) -> None:
    for number in range(3):
        folder = project.root / "clips" / str(number)
        files.write_text(folder / "a.txt", "x")
        os.utime(folder, (1.0e9, 1.0e9))
    usage.bytes_of(project)
    before = dict(usage._folders[project.root])
    (project.root / "clips" / "1" / "b.txt").write_text("new", encoding="utf-8")
    assert usage.bytes_of(project) == real_bytes(project.root)
    after = usage._folders[project.root]
    paths = [str(folder.with_name(str(number))) for number in range(3)]
    same = [number for number, path in enumerate(paths) if after[path] is before[path]]
    assert same == [0, 2]


def test_an_owner_has_only_what_is_theirs(tmp_path: Path, project: Project, twelve_clips: list[GivenClip]) -> None:
    other = Project.create("Bert", tmp_path, owner="bert")
    put(other, twelve_clips[0])
    files.write_jsonl(project.recordings_jsonl, [{"seconds": 30.0}, {"seconds": 31.5}])
    mine = usage.usage_of("anna", tmp_path)
    assert (mine.projects, mine.seconds, mine.bytes) == (1, 61.5, real_bytes(project.root))
    assert usage.usage_of("bert", tmp_path).seconds == 0
    other.update_info(owner="anna")
    assert usage.usage_of("anna", tmp_path).projects == 2
    assert usage.usage_of("nobody", tmp_path) == usage.Usage(0, 0, 0)


def test_without_limits_nothing_is_refused(project: Project, twelve_clips: list[GivenClip], tmp_path: Path) -> None:
    quotas.check_project("anna", tmp_path)
    quotas.check_upload(project, [clip.path for clip in twelve_clips])
    quotas.check_job(Store(tmp_path / "jobs.db"), tmp_path, "anna")
    assert quotas.room_for(project).why_not(1e9, 0) == ""


def test_voices(project: Project, tmp_path: Path, limit: Limit) -> None:
    limit(max_owner_projects=2)
    quotas.check_project("anna", tmp_path)
    Project.create("Annika", tmp_path, owner="anna")
    with pytest.raises(quotas.QuotaError, match=r"You have as many voices as one person may have here: 2.*Delete one"):
        quotas.check_project("anna", tmp_path)
    quotas.check_project("bert", tmp_path)


def test_bytes(project: Project, twelve_clips: list[GivenClip], tmp_path: Path, limit: Limit) -> None:
    size = put(project, twelve_clips[0]).stat().st_size
    used = real_bytes(project.root)
    limit(max_owner_gb=(used + size) / 1e9)
    quotas.check_upload(project, [twelve_clips[0].path])
    limit(max_owner_gb=(used + size - 1) / 1e9)
    with pytest.raises(quotas.QuotaError, match=r"Your voices take 0\.00 of .* GB, and this is .* GB more\. Remove"):
        quotas.check_upload(project, [twelve_clips[0].path])
    quotas.check_job(Store(tmp_path / "jobs.db"), tmp_path, "anna", "train")
    limit(max_owner_gb=(used - 1) / 1e9)
    with pytest.raises(quotas.QuotaError, match="Your voices take"):
        quotas.check_job(Store(tmp_path / "jobs.db"), tmp_path, "anna", "train")
    quotas.check_job(Store(tmp_path / "jobs.db"), tmp_path, "anna", "prepare")  # takes away what was removed
    quotas.check_upload(Project.create("Bert", tmp_path, owner="bert"), [])


def test_minutes_are_those_of_the_header(project: Project, twelve_clips: list[GivenClip], limit: Limit) -> None:
    files.write_jsonl(project.recordings_jsonl, [{"seconds": 60.0}])
    limit(max_owner_minutes=1.4)
    paths = [clip.path for clip in twelve_clips[:6]]
    quotas.check_upload(project, paths[:2])
    with pytest.raises(quotas.QuotaError, match=r"You have 1\.0 of 1\.4 minutes of recordings, and this is \d\.\d"):
        quotas.check_upload(project, paths)
    table = project.root / "no-sound.csv"
    table.write_text("a,b\n", encoding="utf-8")
    limit(max_owner_minutes=0.5)
    quotas.check_upload(project, [table])  # is no recording


def test_room_is_what_other_voices_leave(project: Project, tmp_path: Path, limit: Limit) -> None:
    other = Project.create("Annika", tmp_path, owner="anna")
    files.write_jsonl(other.recordings_jsonl, [{"seconds": 90.0}])
    limit(max_owner_minutes=2, max_owner_gb=1)
    room = quotas.room_for(project)
    assert room.seconds == 30
    assert room.bytes == 1e9 - real_bytes(tmp_path / "projects")
    assert room.why_not(30, 0) == ""
    assert "more than 2 minutes" in room.why_not(31, 0)
    assert "1 GB" in room.why_not(1, 1e9)
    limit(max_owner_minutes=0, max_owner_gb=0, min_free_gb=shutil.disk_usage(tmp_path).free / 1e9)
    assert "on the disk" in quotas.room_for(project).why_not(1, 1e9)


def test_waiting_jobs(tmp_path: Path, limit: Limit) -> None:
    store = Store(tmp_path / "jobs.db")
    limit(max_queued_jobs=2)
    first = store.add("train", "anna", "a", {})
    store.add("judge", "anna", "a", {})
    with pytest.raises(quotas.QuotaError, match=r"as many jobs waiting as .* here: 2.*cancel one"):
        quotas.check_job(store, tmp_path, "anna")
    quotas.check_job(store, tmp_path, "bert")
    store.move(first.id, "running")
    quotas.check_job(store, tmp_path, "anna")


def test_the_floor_of_free_disk(project: Project, twelve_clips: list[GivenClip], tmp_path: Path, limit: Limit) -> None:
    free = shutil.disk_usage(tmp_path).free
    limit(min_free_gb=2 * free / 1e9)
    for refused in (
        lambda: quotas.check_project("anna", tmp_path),
        lambda: quotas.check_upload(project, [twelve_clips[0].path]),
        lambda: quotas.check_job(Store(tmp_path / "jobs.db"), tmp_path, "anna"),
    ):
        with pytest.raises(DiskFullError, match=r"GB are free on the disk, and .* GB have to stay free"):
            refused()
    limit(min_free_gb=0)
    quotas.check_project("anna", tmp_path)


@pytest.mark.slow
def test_five_thousand_clips_cost_nothing_noticeable(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("recordings", "clips", "analysis"):
        (project.root / folder).mkdir()
        for number in range(5_000):
            (project.root / folder / f"{number}.wav").write_bytes(b"x" * 100)
        os.utime(project.root / folder, (1.0e9, 1.0e9))
    begun = time.perf_counter()
    usage.bytes_of(project)
    between = time.perf_counter()
    for _ in range(100):
        assert usage.bytes_of(project) >= 1_500_000
    with capsys.disabled():
        again = (time.perf_counter() - between) * 10
        print(f"\n15,000 files: first {1e3 * (between - begun):.0f} ms, then {again:.2f} ms each")
