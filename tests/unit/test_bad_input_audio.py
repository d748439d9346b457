"""What people (and attackers) bring instead of good recordings: a sentence each, and nothing lost."""

from __future__ import annotations

import os
import resource
import stat
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.conftest import GivenClip
from tests.media import encode, tone
from voicefactory.errors import DiskFullError, InputError, as_sentence
from voicefactory.pipeline.ingest import ingest, load_recordings
from voicefactory.pipeline.refusals import load_refused
from voicefactory.project import Project
from voicefactory.settings import settings
from voicefactory.types import Recording, Refused


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create("Anna", tmp_path / "home")


def only_refusal(result: tuple[list[Recording], list[Refused]], project: Project) -> Refused:
    """The one refusal of a run that took nothing; it must be on disk too."""
    recordings, refused = result
    assert recordings == []
    assert len(refused) == 1
    assert load_refused(project) == refused
    assert load_recordings(project) == []
    return refused[0]


def test_an_empty_file(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    path.touch()
    assert only_refusal(ingest(project, [path]), project) == Refused("empty.wav", "The file is empty (0 bytes).")


def test_a_text_file_named_wav(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "notes.wav"
    path.write_text("Grüße, this is a list of things to say\n" * 200, encoding="utf-8")
    refusal = only_refusal(ingest(project, [path]), project)
    assert refusal.reason == "It is not a recording: it is a text file."


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"1\n00:00:01,000 --> 00:00:02,000\nsubtitles are no sound\n", "text file"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n", "text file"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "text file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "picture or a document"),
        (b"\x1f\x8b" + bytes(500), "archive"),
        (bytes(range(256)) * 40, "not a recording that can be read"),
        (b"\x00\x00\x00\x18ftypM4A " + bytes(3000), "index is missing"),
        (b"RIFF\x24\x00\x00\x00WAVE", "not a recording that can be read"),
    ],
)
def test_what_is_no_sound_is_called_what_it_is(content: bytes, reason: str, project: Project, tmp_path: Path) -> None:
    path = tmp_path / "take.m4a"
    path.write_bytes(content)
    assert reason in only_refusal(ingest(project, [path]), project).reason


def test_a_truncated_wav_gives_what_is_there_with_a_note(
    project: Project, tmp_path: Path, twelve_clips: list[GivenClip]
) -> None:
    content = twelve_clips[0].path.read_bytes()
    (tmp_path / "cut.wav").write_bytes(content[: len(content) // 2 + 1])
    recordings, refused = ingest(project, [tmp_path / "cut.wav"])
    assert refused == []
    assert recordings[0].seconds == pytest.approx(5.52 / 2, abs=0.02)
    assert recordings[0].notes == ("cut off: 2.8 of 5.5 s could be read",)
    assert load_recordings(project) == recordings


@pytest.mark.parametrize("kind", ["flac", "mp3", "m4a", "webm", "ogg"])
def test_a_damaged_middle_does_not_lose_the_beginning(
    kind: str, project: Project, tmp_path: Path, twelve_clips: list[GivenClip]
) -> None:
    samples, rate = soundfile.read(twelve_clips[5].path, dtype="float32")
    path = encode(tmp_path / f"take.{kind}", samples, rate, kind)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 500] = np.random.default_rng(0).bytes(500)
    path.write_bytes(content)
    recordings, refused = ingest(project, [path])
    assert len(recordings) + len(refused) == 1
    assert recordings[0].seconds > 0.4 * len(samples) / rate


def test_a_tenth_of_a_second(project: Project, tmp_path: Path) -> None:
    path = encode(tmp_path / "blip.wav", tone(0.1), 24_000, "wav")
    reason = only_refusal(ingest(project, [path]), project).reason
    assert reason == "It is too short: 0.1 s. A clip needs at least 1 s."


def test_an_hour_of_silence_is_refused_in_seconds_and_in_little_memory(project: Project, tmp_path: Path) -> None:
    """In a process of its own, so that the peak memory is its own."""
    path = tmp_path / "silence.flac"
    with soundfile.SoundFile(path, "w", 24_000, 1, format="FLAC", subtype="PCM_16") as out:
        for _ in range(60):
            out.write(np.zeros(24_000 * 60, dtype=np.int16))
    assert path.stat().st_size < 500_000
    program = (
        "import resource, sys\nfrom pathlib import Path\nfrom voicefactory.project import Project\n"
        "from voicefactory.pipeline.ingest import ingest\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "taken, refused = ingest(Project(Path(sys.argv[1])), [Path(sys.argv[2])])\n"
        "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(len(taken), (after - before) // 1024, refused[0].reason)\n"
    )
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program, str(project.root), str(path)], capture_output=True, text=True, check=True
    )
    taken, megabytes, reason = done.stdout.strip().split(" ", 2)
    assert (taken, reason) == ("0", "There is nothing to hear in it: all 60 minutes are silent.")
    assert int(megabytes) < 200
    assert time.monotonic() - started < 300
    assert list(project.recordings.iterdir()) == []


def test_a_recording_that_is_too_long_is_refused_by_its_header(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "max_recording_minutes", 0.5)
    path = encode(tmp_path / "long.wav", tone(31), 24_000, "wav")
    assert "longer than 0.5 minutes" in only_refusal(ingest(project, [path]), project).reason
    monkeypatch.setattr(settings(), "max_recording_minutes", 1)
    monkeypatch.setattr(settings(), "max_recording_mb", 1)
    assert "larger than 1 MB" in only_refusal(ingest(project, [path]), project).reason


def test_samples_that_are_no_numbers(project: Project, tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    samples, rate = soundfile.read(twelve_clips[0].path, dtype="float32")
    some = samples.copy()
    some[1000:1010], some[2000], some[3000] = np.nan, np.inf, 1e30
    soundfile.write(tmp_path / "some.wav", some, rate, subtype="FLOAT")
    soundfile.write(tmp_path / "all.wav", np.full(rate * 3, np.nan, dtype=np.float32), rate, subtype="FLOAT")
    recordings, refused = ingest(project, [tmp_path / "some.wav", tmp_path / "all.wav"])
    assert [row.notes for row in recordings] == [("12 samples were not numbers and became silence",)]
    heard, _ = soundfile.read(recordings[0].audio)
    assert np.isfinite(heard).all()
    assert np.corrcoef(heard[4000:], samples[4000:])[0, 1] > 0.999
    assert [row.reason for row in refused] == ["It is damaged: 100% of its samples are not numbers. Export it again."]


def test_a_header_that_claims_absurd_things(project: Project, tmp_path: Path) -> None:
    good = bytearray(encode(tmp_path / "good.wav", tone(2), 24_000, "wav").read_bytes())
    good[24:28] = struct.pack("<I", 2_000_000_000)  # Hz
    (tmp_path / "fast.wav").write_bytes(good)
    assert "2000000000 Hz" in only_refusal(ingest(project, [tmp_path / "fast.wav"]), project).reason


def zip_of(path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def test_a_zip_that_points_outside(project: Project, tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    good, other = twelve_clips[0].path.read_bytes(), twelve_clips[1].path.read_bytes()
    entries = {"../x.wav": other, "/etc/y.wav": other, "C:\\z.wav": other, "a/../../w.wav": other, "in/good.wav": good}
    path = zip_of(tmp_path / "takes.zip", entries)
    before = set(tmp_path.rglob("*"))
    recordings, refused = ingest(project, [path])
    assert [row.file for row in recordings] == ["takes.zip/in/good.wav"]
    assert len(refused) == 4
    assert {row.reason for row in refused} == {"Its name in the zip points outside of the zip. Pack the files anew."}
    new = {found for found in set(tmp_path.rglob("*")) - before if found.is_file()}
    assert all(project.root in found.parents for found in new)


def test_a_zip_with_a_link(project: Project, tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    path = zip_of(tmp_path / "takes.zip", {"good.wav": twelve_clips[0].path.read_bytes()})
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("secret.wav")
        link.create_system = 3
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, str(twelve_clips[1].path))
    recordings, refused = ingest(project, [path])
    assert len(recordings) == 1
    assert refused == [Refused("takes.zip/secret.wav", "It is a link, not a file. Pack the file itself.")]


def test_a_zip_bomb_is_stopped_while_it_streams(
    project: Project, tmp_path: Path, twelve_clips: list[GivenClip]
) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("good.wav", twelve_clips[0].path.read_bytes())
        with archive.open("bomb.wav", "w", force_zip64=True) as entry:
            for _ in range(300):
                entry.write(bytes(1_000_000))
    assert path.stat().st_size < 600_000
    started = time.monotonic()
    recordings, refused = ingest(project, [path])
    assert time.monotonic() - started < 100
    assert [row.file for row in recordings] == ["bomb.zip/good.wav"]
    assert refused[0].file == "bomb.zip/bomb.wav"
    assert "as a zip bomb does" in refused[0].reason


def test_many_small_bombs_are_counted_together(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "max_zip_mb", 3)
    path = zip_of(tmp_path / "many.zip", {f"{index}.wav": bytes(900_000) for index in range(20)})
    recordings, refused = ingest(project, [path])
    assert recordings == []
    assert refused[-1] == Refused(
        "many.zip", "It unpacks to more than is taken from one zip, so the rest was left out."
    )
    assert len(refused) <= 5
    monkeypatch.setattr(settings(), "max_zip_entries", 10)
    assert only_refusal(ingest(project, [path]), project).reason == "It holds 20 files; at most 10 are taken."


def test_other_zips_that_cannot_be_used(project: Project, tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    good = twelve_clips[0].path.read_bytes()
    inner = zip_of(tmp_path / "inner.zip", {"good.wav": good}).read_bytes()
    nested = zip_of(tmp_path / "nested.zip", {"inner.zip": inner})
    encrypted = bytearray(zip_of(tmp_path / "encrypted.zip", {"good.wav": good}).read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        encrypted[encrypted.index(signature) + flags] |= 1
    (tmp_path / "encrypted.zip").write_bytes(encrypted)
    damaged = bytearray(zip_of(tmp_path / "damaged.zip", {"good.wav": good}).read_bytes())
    damaged[5000:5100] = np.random.default_rng(0).bytes(100)
    (tmp_path / "damaged.zip").write_bytes(damaged)
    (tmp_path / "cut.zip").write_bytes(nested.read_bytes()[:5000])
    names = ["nested.zip", "encrypted.zip", "damaged.zip", "cut.zip"]
    recordings, refused = ingest(project, [tmp_path / name for name in names])
    assert recordings == []
    assert {row.file: row.reason for row in refused} == {
        "nested.zip/inner.zip": "It is a zip inside a zip, which is not opened. Unpack it first.",
        "encrypted.zip/good.wav": "It is encrypted. Pack the files without a password.",
        "damaged.zip/good.wav": "It is damaged in the zip, or packed in a way that is not known. Pack it again.",
        "cut.zip": "The zip is damaged or cut off. Pack it again.",
    }
    assert list(project.recordings.iterdir()) == []


def hostile_names(count: int) -> Iterator[str]:
    parts = [
        "it's",
        'say "hi"',
        "line\nbreak",
        "tab\there",
        "🎙️",
        "<script>alert(1)</script>",
        "%s{0}$HOME",
        "ü",
        "=1+1",
    ]
    for index in range(count):
        yield f"{index:03d} {parts[index % len(parts)]}".replace("/", "∕") + ".wav"


@pytest.mark.slow
def test_five_hundred_names_with_everything_in_them(
    project: Project, tmp_path: Path, twelve_clips: list[GivenClip]
) -> None:
    folder = tmp_path / "<b>takes"
    folder.mkdir()
    samples, rate = soundfile.read(twelve_clips[0].path, dtype="int16")
    names = list(hostile_names(499))
    for index, name in enumerate(names):
        soundfile.write(folder / name, samples[index : index + 36_000], rate)
    broken = os.fsencode(str(folder / "500 ")) + b"\xff\xfe.wav"  # not Unicode at all
    soundfile.write(broken, samples[36_000:80_000], rate)
    recordings, refused = ingest(project, [folder])
    assert refused == []
    assert len(recordings) == 500
    assert {row.file for row in recordings} >= {f"<b>takes/{name}" for name in names}
    assert load_recordings(project) == recordings
    assert all(row.audio.parent == project.recordings and row.audio.stem == row.id for row in recordings)

    packed = zip_of(tmp_path / "names.zip", {name: (folder / name).read_bytes() for name in names[:20]})
    recordings, refused = ingest(project, [packed])
    assert (len(recordings), refused) == (20, [])


def test_a_path_that_does_not_exist(project: Project, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file or folder"):
        ingest(project, [tmp_path / "nothing.wav"])


def test_what_is_neither_file_nor_folder(project: Project, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    folder = tmp_path / "takes"
    folder.mkdir()
    (folder / "loop").symlink_to(folder)
    (folder / "lost.wav").symlink_to(tmp_path / "gone.wav")
    os.mkfifo(folder / "pipe.wav")
    recordings, refused = ingest(project, [tmp_path / "pipe.wav", folder])
    assert recordings == []
    assert sorted(row.file for row in refused) == ["pipe.wav", "takes/loop", "takes/lost.wav", "takes/pipe.wav"]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB, where the rights to mount one are there."""
    mount = tmp_path / "tiny"
    mount.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount)], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"no rights to mount a small disk: {done.stderr.strip()}")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def test_a_full_disk_keeps_what_is_finished(
    tiny_disk: Path, twelve_clips: list[GivenClip], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where somebody has taken away the floor of free disk, below which nothing is taken in."""
    monkeypatch.setenv("VOICEFACTORY_MIN_FREE_GB", "0")
    settings.cache_clear()
    project = Project.create("Anna", tiny_disk)
    with pytest.raises(OSError, match="No space left") as raised:
        ingest(project, [clip.path for clip in twelve_clips])
    assert isinstance(as_sentence(raised.value), DiskFullError)
    finished = sorted(project.recordings.glob("*.wav"))
    assert len(finished) >= 2
    for path in finished:
        assert soundfile.info(path).frames > 24_000
    assert not list(project.root.rglob(".aside-*"))
    stamps = {path: path.stat().st_mtime_ns for path in finished}
    recordings, _ = ingest(project, [clip.path for clip in twelve_clips[: len(finished) - 1]])
    assert len(recordings) == len(finished) - 1
    assert all(row.audio.stat().st_mtime_ns == stamps[row.audio] for row in recordings)
    settings.cache_clear()


def test_a_file_size_limit_is_no_crash(project: Project, twelve_clips: list[GivenClip]) -> None:
    """The same without any rights: the operating system refuses to let a file grow."""
    program = (
        "import resource, signal, sys\nfrom pathlib import Path\nfrom voicefactory.project import Project\n"
        "from voicefactory.pipeline.ingest import ingest\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n    ingest(Project(Path(sys.argv[1])), [Path(sys.argv[2])])\n"
        "except OSError as error:\n    print(error.errno)\n"
    )
    arguments = [sys.executable, "-c", program, str(project.root), str(twelve_clips[0].path)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "27"  # EFBIG
    assert list(project.recordings.iterdir()) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
