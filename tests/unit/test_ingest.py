"""ingest is declarative, takes up where it was, and knows the same content again."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.conftest import GivenClip
from tests.media import encode, tone
from voicefactory import files
from voicefactory.errors import Cancelled
from voicefactory.pipeline.ingest import ingest, load_recordings
from voicefactory.project import Project
from voicefactory.settings import settings
from voicefactory.types import Progress
from voicefactory.usage import bytes_of


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create("Anna", tmp_path / "home")


def stamps(project: Project) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in project.recordings.glob("*.wav")}


def test_files_folders_and_zips_together(
    project: Project, tmp_path: Path, clips_dir: Path, twelve_clips: list[GivenClip]
) -> None:
    takes = tmp_path / "takes" / "day one"
    takes.mkdir(parents=True)
    for clip in twelve_clips[:3]:
        shutil.copy(clip.path, takes)
    (takes / ".DS_Store").write_bytes(b"junk")
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        for clip in twelve_clips[3:5]:
            archive.write(clip.path, f"sub/{clip.path.name}")
        archive.writestr("sub/", b"")
        archive.writestr("__MACOSX/sub/._x.wav", b"junk")
    seen: list[Progress] = []
    paths = [tmp_path / "takes", tmp_path / "more.zip", twelve_clips[5].path]
    recordings, refused = ingest(project, paths, on_progress=seen.append)
    names = [clip.path.name for clip in twelve_clips]
    assert [row.file for row in recordings] == [
        *(f"takes/day one/{name}" for name in names[:3]),
        *(f"more.zip/sub/{name}" for name in names[3:5]),
        names[5],
    ]
    assert refused == []
    assert load_recordings(project) == recordings
    assert all(row.id == files.sha256_of(clip.path)[:16] for row, clip in zip(recordings, twelve_clips))  # noqa: B905
    assert seen[-1].done == seen[-1].total
    assert all(progress.done <= progress.total for progress in seen)


def test_from_the_first_recording_on_for_which_there_is_no_room_all_are_refused(
    project: Project, twelve_clips: list[GivenClip], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [clip.path for clip in twelve_clips]
    everything, _ = ingest(project, paths)
    other = Project.create("Annika", project.home)
    files.write_jsonl(other.recordings_jsonl, [{"seconds": 30.0}])
    first = sum(row.seconds for row in everything[:5])
    for room_s, count in ((first + 0.01, 5), (first - 0.01, 4), (-1, 0)):
        for decoded in (True, False):
            if not decoded:
                shutil.rmtree(project.recordings)
            monkeypatch.setenv("VOICEFACTORY_MAX_OWNER_MINUTES", str((30 + room_s) / 60))
            settings.cache_clear()
            taken, refused = ingest(project, [paths[0], *paths])
            assert [row.file for row in taken] == [row.file for row in everything[:count]]
            assert load_recordings(project) == taken
            reasons = {row.reason for row in refused if "same content" not in row.reason}
            assert all("minutes of recordings, the most that one person may have" in reason for reason in reasons)
            assert len(reasons) == 1
            assert {path.stem for path in project.recordings.iterdir()} == {row.id for row in taken}
    monkeypatch.delenv("VOICEFACTORY_MAX_OWNER_MINUTES")
    settings.cache_clear()
    assert ingest(project, paths) == (everything, [])


def test_no_more_is_written_than_there_is_room_for(
    project: Project, twelve_clips: list[GivenClip], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [clip.path for clip in twelve_clips]
    room = sum(clip.path.stat().st_size for clip in twelve_clips[:3]) + 10_000
    monkeypatch.setenv("VOICEFACTORY_MAX_OWNER_GB", str((bytes_of(project) + room) / 1e9))
    settings.cache_clear()
    taken, refused = ingest(project, paths)
    monkeypatch.delenv("VOICEFACTORY_MAX_OWNER_GB")
    settings.cache_clear()
    assert 1 <= len(taken) < 12
    assert len(refused) == 12 - len(taken)
    assert "There is no room left for it" in refused[0].reason
    assert bytes_of(project) < room + 20_000


def test_a_second_run_decodes_nothing_and_what_is_no_longer_given_is_gone(
    project: Project, twelve_clips: list[GivenClip]
) -> None:
    paths = [clip.path for clip in twelve_clips]
    first, _ = ingest(project, paths)
    before = stamps(project)
    again, _ = ingest(project, paths)
    assert again == first
    assert stamps(project) == before
    fewer, _ = ingest(project, paths[:4])
    assert fewer == first[:4]
    assert load_recordings(project) == fewer
    assert {path.stem for path in project.recordings.iterdir()} == {row.id for row in fewer}


def test_a_renamed_file_is_the_same_recording_under_its_new_name(
    project: Project, tmp_path: Path, twelve_clips: list[GivenClip]
) -> None:
    shutil.copy(twelve_clips[0].path, tmp_path / "new name.wav")
    ingest(project, [twelve_clips[0].path])
    before = stamps(project)
    recordings, _ = ingest(project, [tmp_path / "new name.wav"])
    assert [row.file for row in recordings] == ["new name.wav"]
    assert stamps(project) == before


def test_the_same_content_twice_is_one_recording(
    project: Project, tmp_path: Path, twelve_clips: list[GivenClip]
) -> None:
    shutil.copy(twelve_clips[0].path, tmp_path / "copy.wav")
    recordings, refused = ingest(project, [twelve_clips[0].path, tmp_path / "copy.wav"])
    assert len(recordings) == 1
    assert refused[0].file == "copy.wav"
    assert refused[0].reason == f"It has the same content as {twelve_clips[0].path.name}, which is taken already."


def test_companions_are_not_refused(project: Project, tmp_path: Path, clips_dir: Path) -> None:
    _, refused = ingest(project, [clips_dir])
    assert sorted(row.file for row in refused) == [
        "clips/LICENSE-asterisk-core-sounds.txt",
        "clips/README.txt",
        "clips/metadata.csv",
    ]
    assert {row.reason for row in refused} == {"It is not a recording: it is a text file."}
    _, refused = ingest(project, [clips_dir], companions=[clips_dir / "metadata.csv"])
    assert len(refused) == 2
    _, refused = ingest(project, [clips_dir], companions=[clips_dir])
    assert refused == []


def test_cancel_keeps_what_is_finished(project: Project, twelve_clips: list[GivenClip]) -> None:
    def after_four() -> bool:
        return len(list(project.recordings.glob("*.json"))) >= 4

    with pytest.raises(Cancelled):
        ingest(project, [clip.path for clip in twelve_clips], should_stop=after_four)
    before = stamps(project)
    assert len(before) == 4
    recordings, _ = ingest(project, [clip.path for clip in twelve_clips])
    assert len(recordings) == 12
    assert before.items() <= stamps(project).items()


def test_sigkill_in_the_middle_loses_nothing_finished(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    folder.mkdir()
    for index in range(40):
        encode(folder / f"{index:02d}.flac", tone(6, hertz=200 + index), 24_000, "flac")
    program = (
        "import sys\nfrom pathlib import Path\nfrom voicefactory.project import Project\n"
        "from voicefactory.pipeline.ingest import ingest\n"
        "ingest(Project(Path(sys.argv[1])), [Path(sys.argv[2])])\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", program, str(project.root), str(folder)])
    deadline = time.monotonic() + 60
    while len(list(project.recordings.glob("*.json"))) < 5:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    finished = {path.stem for path in project.recordings.glob("*.json")}
    before = {name: stamp for name, stamp in stamps(project).items() if Path(name).stem in finished}
    assert 5 <= len(finished) < 40
    assert not project.recordings_jsonl.exists()
    files.remove_leftovers(project.root, older_than_s=0)
    recordings, refused = ingest(project, [folder])
    assert (len(recordings), refused) == (40, [])
    assert before.items() <= stamps(project).items()
    assert load_recordings(project) == recordings
