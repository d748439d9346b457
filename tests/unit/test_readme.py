"""The README's examples are run as they stand, and what it names exists."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from tests.conftest import GivenClip

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The one code block of that language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, twelve_clips: list[GivenClip]) -> tuple[Path, dict[str, str]]:
    """A folder with recordings/ in it, and the environment of someone who has VoiceFactory installed.

    Without a network the base model is the toy, and Whisper the one that comes with the tests.
    """
    folder = tmp_path_factory.mktemp("readme")
    (folder / "recordings").mkdir()
    for clip in sorted(twelve_clips, key=lambda clip: clip.path.stat().st_size)[:3]:
        shutil.copy(clip.path, folder / "recordings")
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "VOICEFACTORY_"))}
    environ |= {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(folder / "hub"),
        "OMP_NUM_THREADS": "1",
        "VOICEFACTORY_HOME": str(folder / "home"),
        "VOICEFACTORY_ASR": "tiny.en",
        "VOICEFACTORY_MODEL": "toy",
    }
    return folder, environ


@pytest.mark.slow
def test_the_commands_then_the_python(desk: tuple[Path, dict[str, str]]) -> None:
    folder, environ = desk
    run = {"cwd": folder, "env": environ, "capture_output": True, "text": True, "timeout": 600}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", block("bash")], **run)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    assert soundfile.info(folder / "morning.wav").duration > 0.3
    assert (folder / "anna.zip").stat().st_size > 1_000_000

    python = block("python").replace(
        'Request(language="english")', 'Request(language="english", model="toy", asr="tiny.en")'
    )
    assert python != block("python"), "the example no longer has the call that the test makes offline"
    done = subprocess.run([sys.executable, "-c", python], **run)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    assert re.search(r"\d\.\d s$", done.stdout.strip())
    assert (folder / "again.wav").read_bytes() == (folder / "morning.wav").read_bytes(), "same voice, text and seed"
    assert len(list((folder / "home" / "projects" / "anna" / "runs").iterdir())) == 1, "one pipeline, not two"


def test_the_files_it_lists_exist_and_no_module_is_forgotten() -> None:
    (listing,) = re.findall(r"## The files, in reading order\n\n```\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    folders: list[str] = []
    listed = set()
    for line in listing.splitlines():
        depth, name = (len(line) - len(line.lstrip())) // 2, line.split()[0]
        folders = [*folders[:depth], name.rstrip("/")]
        path = "/".join(folders)
        assert (ROOT / path).exists(), path
        listed.add(path)
    package = ROOT / "voicefactory"
    for path in package.iterdir():
        known = path.name.startswith(("__", "cli_")) or path.name == "preset_files"
        assert known or f"voicefactory/{path.name}" in listed, f"{path.name} is not in the README's list"


def test_links_and_pictures_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_commands_it_names_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:^|`)make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
