"""What every test gets: no network, a home of its own, and twelve real recordings with their texts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
import pytest
from xdist.scheduler import LoadFileScheduling

from voicefactory import files
from voicefactory.settings import settings

# Before anything imports huggingface_hub, which reads it once.
os.environ["HF_HUB_OFFLINE"] = "1"

CLIPS = Path(__file__).parent / "data" / "clips"

MadeOnce = Callable[[str, Callable[[Path], object]], Path]


#: Files of many seconds. They come first: a process that begins one at the end lets the other wait.
LONGEST = (
    *("readme", "cli", "jobs_processes", "training_ends", "alignment", "synthesis", "finetune", "transcribe"),
    *("create", "contract", "several_speakers", "analyse"),
)
PAGE = "tests/ui/"


class OneForThePage(LoadFileScheduling):
    """Of several processes (`pytest -n 2`) one takes all tests of the page: they wait more than they compute, and share
    a server and a browser. Of the others each file stays in one process, for its fixtures."""

    def _split_scope(self, nodeid: str) -> str:
        return PAGE if nodeid.startswith(PAGE) else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneForThePage:
    return OneForThePage(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The page first, then the longest files, and each in its own order."""
    places = {f"test_{name}.py": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: -1 if item.nodeid.startswith(PAGE) else places.get(item.path.name, len(places)))


@dataclass(frozen=True)
class GivenClip:
    """A committed recording and what is said in it."""

    path: Path
    text: str


@pytest.fixture(autouse=True, scope="session")
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever forgets to name a home writes here, in this process and in those it starts."""
    patch = pytest.MonkeyPatch()
    patch.setenv("VOICEFACTORY_HOME", str(tmp_path_factory.mktemp("home")))
    settings.cache_clear()
    yield
    patch.undo()


@pytest.fixture(scope="session")
def clips_dir() -> Path:
    """tests/data/clips: wavs/*.wav, metadata.csv, licence."""
    return CLIPS


@pytest.fixture(scope="session")
def twelve_clips() -> list[GivenClip]:
    """The twelve recordings of `clips_dir`, 3 to 11 s each, with their texts."""
    lines = (CLIPS / "metadata.csv").read_text(encoding="utf-8").splitlines()[1:]
    return [GivenClip(CLIPS / name, text) for name, text in (line.split("|") for line in lines)]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """Call with a name and a function that fills a folder: the folder, filled once for all processes of this run.

    Whoever comes first fills it, the others wait. Nobody may change it: copy what a test writes to.
    """
    own = tmp_path_factory.getbasetemp()
    root = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def made_once(name: str, fill: Callable[[Path], object]) -> Path:
        folder = root / f"once-{name}"
        with filelock.FileLock(root / f"once-{name}.lock"):
            if not folder.exists():
                with files.writing_folder(folder) as aside:
                    fill(aside)
        return folder

    return made_once


@pytest.fixture(scope="session")
def toy(made_once: MadeOnce) -> Path:
    """A toy shaped like the 0.6B model. Read only."""
    from voicefactory.engines.qwen3_tts.toy import build_toy

    return made_once("toy-0b6", build_toy)


@pytest.fixture(scope="session")
def prepared_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], object]:
    """Call with a home: a project "Anna" there, ingested, segmented and with the given texts."""
    from voicefactory.pipeline.ingest import ingest
    from voicefactory.pipeline.segment import segment
    from voicefactory.pipeline.transcripts import bring_transcripts
    from voicefactory.project import Project

    prepared = Project.create("Anna", tmp_path_factory.mktemp("prepared"))
    recordings, _ = ingest(prepared, [CLIPS / "wavs"])
    clips, _ = segment(prepared, recordings, keep_whole=True)
    bring_transcripts(prepared, clips, CLIPS / "metadata.csv", language="english")

    def copy_to(home: Path) -> Project:
        root = home / "projects" / prepared.identifier
        shutil.copytree(prepared.root, root)
        return Project(root)

    return copy_to
