"""The doctor finds what is really broken, says what to do, and never falls over itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.unit.test_hardware import FAKE_NVML
from voicefactory import cli
from voicefactory.doctor import cards, packages, place
from voicefactory.doctor.examine import examine
from voicefactory.doctor.finding import Finding
from voicefactory.jobs.scheduler import Scheduler
from voicefactory.jobs.store import Store
from voicefactory.settings import settings

#: A driver of 2022, which runs CUDA up to 11.8.
OLD_DRIVER = r"""
int nvmlSystemGetDriverVersion(char *version, unsigned int n) { snprintf(version, n, "520.61.05"); return 0; }
int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = 11080; return 0; }
"""


def found(check: object, home: Path, level: str) -> list[Finding]:
    return [one for one in check(home) if one.level == level]  # type: ignore[operator]


def test_everything_is_looked_at_and_every_trouble_has_a_remedy(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = list(examine())
    about = {one.about for one in told}
    assert {"home", "disk", "jobs", "app", "python", "packages", "engine", "torch", "sound", "whisper"} <= about
    assert not [one for one in told if one.level == "fault"], told
    assert all(one.remedy for one in told if one.level != "ok")
    assert not any(home.iterdir()), "looking changes nothing"


def test_the_command_ends_with_1_if_something_is_broken(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "jobs.db").write_bytes(b"not a database" * 1000)
    assert cli.run(["doctor", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    (table,) = [one for one in told if one["about"] == "jobs"]
    assert table["level"] == "fault"
    assert "file is not a database" in table["told"]
    (home / "jobs.db").unlink()
    assert cli.run(["doctor"]) == 0
    assert "ok       jobs " in capsys.readouterr().out


def test_a_table_that_is_damaged_in_the_middle(home: Path) -> None:
    store = Store(home / "jobs.db")
    for _ in range(200):
        store.add("train", "local", "anna", {"text": "x" * 200})
    assert not found(place.job_table, home, "fault")
    with open(store.path, "r+b") as table:
        table.seek(8 * 4096)
        table.write(b"\xff" * 4 * 4096)
    (fault,) = found(place.job_table, home, "fault")
    assert "damaged" in fault.told
    assert str(store.path) in fault.remedy


def test_a_job_that_has_lost_its_process(home: Path) -> None:
    store = Store(home / "jobs.db")
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    store.move(store.add("train", "local", "anna", {}).id, "running", pid=ended.pid, pid_identity="gone")
    (lost,) = found(place.job_table, home, "warning")
    assert "1 running jobs have lost their process" in lost.told
    scheduler = Scheduler(home)
    scheduler.start()
    try:
        assert not found(place.job_table, home, "warning")
        assert [one.told for one in place.app(home)] == ["runs on this home"]
    finally:
        scheduler.stop()
    assert [one.told for one in place.app(home)] == ["none runs on this home"]


def test_a_home_without_the_right_to_write() -> None:
    """As another user where we are root, since root may write everywhere."""
    open_to_all = Path(tempfile.mkdtemp())
    home = open_to_all / "home"
    home.mkdir()
    open_to_all.chmod(0o755)
    home.chmod(0o555)
    code = (
        "import os, sys; from pathlib import Path; from voicefactory.doctor import place\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "for one in place.home_folder(Path(sys.argv[1])): print(one.level, one.told, one.remedy)"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, str(home)], capture_output=True, text=True, timeout=120, check=True
        )
    finally:
        shutil.rmtree(open_to_all)
    assert done.stdout.startswith(f"fault {home} cannot be written: Permission denied.")
    assert "VOICEFACTORY_HOME" in done.stdout


def test_a_full_disk_is_a_fault(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEFACTORY_MIN_FREE_GB", "1000000")
    settings.cache_clear()
    (fault,) = found(place.disk, home, "fault")
    assert "below 1e+06 GB no job begins" in fault.told


@pytest.mark.parametrize(
    ("name", "value", "level", "told"),
    [
        ("VOICEFACTORY_MAX_ZIP_MB", "lots", "fault", "VOICEFACTORY_MAX_ZIP_MB cannot be 'lots'"),
        ("VOICEFACTORY_MAX_ZIPMB", "7", "warning", "nothing reads it. Is VOICEFACTORY_MAX_ZIP_MB meant?"),
    ],
)
def test_settings_that_are_off(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, level: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    settings.cache_clear()
    (finding,) = found(place.settings_that_are_set, home, level)
    assert told in finding.told
    assert place.home_of() == home


def test_packages_that_are_missing_or_others_than_tested(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pins = home / "requirements.txt"
    pins.write_text(
        "a-package-of-nobody==1.0  # why\nnumpy==1.0\npytest>=1\nbitsandbytes-of-nobody==2; python_version < '3'\n"
    )
    monkeypatch.setattr(packages, "_PINS", pins)
    (missing,) = found(packages.versions, home, "fault")
    assert missing.told == "a-package-of-nobody is not installed."
    assert missing.remedy == "Run: pip install 'a-package-of-nobody==1.0'"
    (other,) = found(packages.versions, home, "warning")
    assert other.told.startswith("numpy is ")
    assert other.told.endswith("==1.0 was tested.")


def examined_with(library: Path, code: str) -> list[list[str]]:
    """What `code` finds in a process that has that libnvidia-ml.so.1."""
    environ = {**os.environ, "LD_LIBRARY_PATH": str(library)}
    environ.pop("CUDA_VISIBLE_DEVICES", None)
    code = f"import json; from pathlib import Path; from voicefactory.doctor import cards\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=300, check=True
    )
    return list(json.loads(done.stdout))


@pytest.fixture(scope="module")
def old_driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a libnvidia-ml.so.1 in it."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs a C compiler on Linux to build a libnvidia-ml.so.1")
    folder = tmp_path_factory.mktemp("nvml")
    (folder / "nvml.c").write_text(FAKE_NVML + OLD_DRIVER)
    command = [compiler, "-shared", "-fPIC", "-o", folder / "libnvidia-ml.so.1", folder / "nvml.c"]
    subprocess.run(command, check=True, timeout=60)
    return folder


def test_a_lost_card_and_a_torch_that_does_not_fit_the_driver(old_driver: Path) -> None:
    look = "[[one.level, one.told] for check in (cards.driver, cards.torch_and_cards) for one in check(Path())]"
    told = examined_with(old_driver, f"print(json.dumps({look}))")
    assert told[0] == ["ok", "520.61.05, CUDA up to 11.8; 4 cards"]
    assert told[1] == ["fault", "Card 2 of nvidia-smi does not answer."]
    assert told[3][0] == "fault"
    assert "There is a card (Small), and this torch cannot use it" in told[3][1] or "needs CUDA" in told[3][1]
    newer = "import torch; torch.version.cuda = '13.0'\n"
    told = examined_with(old_driver, f"{newer}print(json.dumps({look}))")
    assert told[3] == ["fault", "This torch needs CUDA 13.0, and the driver runs CUDA up to 11.8."]


def test_a_driver_that_does_not_answer(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs a C compiler on Linux to build a libnvidia-ml.so.1")
    (tmp_path / "nvml.c").write_text("int nvmlInitWithFlags(unsigned int flags) { return 9; }")  # DRIVER_NOT_LOADED
    command = [compiler, "-shared", "-fPIC", "-o", tmp_path / "libnvidia-ml.so.1", tmp_path / "nvml.c"]
    subprocess.run(command, check=True, timeout=60)
    look = "[[one.level, one.told] for one in cards.driver(Path())]"
    ((level, told),) = examined_with(tmp_path, f"print(json.dumps({look}))")
    assert level == "fault"
    assert told == "NVIDIA's driver does not answer: Driver Not Loaded."


@pytest.mark.gpu
def test_with_a_card_torch_computes_on_it(home: Path) -> None:
    told = list(cards.torch_and_cards(home))
    assert [one.level for one in told] == ["ok"] * len(told)
    assert "torch computes on it" in told[-1].told


def test_a_check_that_breaks_is_a_line_and_stops_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "jobs.db").mkdir()
    told = list(examine())
    assert [one.level for one in told if one.about == "jobs"] == ["fault"]
    assert any(one.about == "whisper" for one in told)
