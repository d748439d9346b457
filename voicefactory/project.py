"""Where things lie on disk, and what a project may be called."""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from voicefactory import files
from voicefactory.errors import InputError, VoiceFactoryError
from voicefactory.owners import LOCAL, short_digest
from voicefactory.settings import settings

MAX_NAME_LENGTH = 64


def clean_name(name: str) -> str:
    """The name as it is shown: NFC, single spaces. Raises InputError for an empty or unusable one."""
    if any(unicodedata.category(char) == "Cc" for char in name.strip()):
        raise InputError("The name has a line break or a control character in it. Use letters, digits and spaces.")
    shown = " ".join(unicodedata.normalize("NFC", name).split())
    if not any(char.isalnum() for char in shown):
        raise InputError("The voice needs a name with at least one letter or digit, for example: Anna.")
    if len(shown) > MAX_NAME_LENGTH:
        raise InputError(f"The name is {len(shown)} characters long. Use at most {MAX_NAME_LENGTH}.")
    return shown


def speaker_key(name: str) -> str:
    """The speaker's name in the model: lower-case, because that is how qwen-tts looks it up."""
    return clean_name(name).lower()


def slug(name: str) -> str:
    """A folder name: the key itself if it is plain ASCII, otherwise a readable part and a digest."""
    key = speaker_key(name)
    ascii_part = unicodedata.normalize("NFKD", key).encode("ascii", "ignore").decode()
    readable = re.sub(r"[^a-z0-9]+", "-", ascii_part).strip("-")
    if readable == key:
        return readable
    digest = hashlib.sha256(key.encode()).hexdigest()[:8]
    return f"{readable}-{digest}" if readable else f"voice-{digest}"


def folder_name(name: str, owner: str) -> str:
    """Where a project lies: its slug, and for somebody else than the person at this computer a digest of the owner.

    So two owners may give the same name and neither learns of the other. No slug has two hyphens in a row.
    """
    return slug(name) if owner == LOCAL else f"{slug(name)}--{short_digest(owner)}"


def no_such_project(identifier: str) -> InputError:
    """The one answer for a project that is not there and for one that is somebody else's."""
    return InputError(f"There is no project called {identifier!r}.")


@dataclass(frozen=True)
class Project:
    """One voice in the making: a folder with every noun on the way."""

    root: Path

    @classmethod
    def create(cls, name: str, home: Path | None = None, owner: str = LOCAL) -> Project:
        """Open the project of that name and owner, or make it. Raises InputError for an unusable name."""
        project = cls(projects_root(home) / folder_name(name, owner))
        if not project.info_path.exists():
            files.write_json(project.info_path, {"name": clean_name(name), "owner": owner, "created": time.time()})
        return project

    @classmethod
    def open(cls, identifier: str, home: Path | None = None) -> Project:
        """Open an existing project by its folder name. Raises InputError if there is none."""
        root = projects_root(home) / identifier
        if not re.fullmatch(r"[a-z0-9-]+", identifier) or not (root / "project.json").exists():
            raise no_such_project(identifier)
        return cls(root)

    @property
    def identifier(self) -> str:
        return self.root.name

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the project: two commands, or a command and the page, would write over each other.

        Raises VoiceFactoryError if somebody holds it. The system lets go of it when a process ends, however it ends.
        """
        lock = filelock.FileLock(self.root / "create.lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise VoiceFactoryError(
                f"Another command or the page is working on {self.name!r} right now. Wait until it is done, "
                "or give another name."
            ) from None
        try:
            yield
        finally:
            lock.release()

    @property
    def home(self) -> Path:
        """The home that the project lies in."""
        return self.root.parent.parent

    @property
    def info_path(self) -> Path:
        return self.root / "project.json"

    @property
    def info(self) -> dict[str, Any]:
        """name, owner, created (Unix seconds), and what the page remembers."""
        return dict(files.read_json(self.info_path))

    def update_info(self, **values: Any) -> None:
        """Change some of `info`, keep the rest; also what somebody else changes at the same moment."""
        with filelock.FileLock(self.root / ".project.lock"):
            files.write_json(self.info_path, {**self.info, **values})

    @property
    def name(self) -> str:
        return str(self.info["name"])

    @property
    def speaker(self) -> str:
        return speaker_key(self.name)

    @property
    def uploads(self) -> Path:
        """What came in through the page, untouched: uploads/<digest>/<name>."""
        return self.root / "uploads"

    @property
    def recordings(self) -> Path:
        return self.root / "recordings"

    @property
    def recordings_jsonl(self) -> Path:
        return self.root / "recordings.jsonl"

    @property
    def clips(self) -> Path:
        return self.root / "clips"

    @property
    def clips_jsonl(self) -> Path:
        return self.root / "clips.jsonl"

    @property
    def transcripts_jsonl(self) -> Path:
        return self.root / "transcripts.jsonl"

    @property
    def reference_json(self) -> Path:
        return self.root / "reference.json"

    @property
    def dataset_jsonl(self) -> Path:
        return self.root / "dataset.jsonl"

    def refused_jsonl(self, step: str) -> Path:
        """What `step` refused: refused/<step>.jsonl with file and reason."""
        return self.root / "refused" / f"{step}.jsonl"

    @property
    def codes(self) -> Path:
        return self.root / "codes"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def voices(self) -> Path:
        return self.root / "voices"

    def relative(self, path: Path) -> str:
        """A path inside the project, as it is stored: POSIX, relative to the root."""
        return path.relative_to(self.root).as_posix()


def projects_root(home: Path | None = None) -> Path:
    """The folder that holds every project."""
    return (home or settings().home).expanduser().resolve() / "projects"


def list_projects(home: Path | None = None, owner: str | None = None) -> list[Project]:
    """Every project (of that owner), the newest first."""
    found = [Project(info.parent) for info in projects_root(home).glob("*/project.json")]
    if owner is not None:
        found = [project for project in found if project.info.get("owner") == owner]
    return sorted(found, key=lambda project: float(project.info.get("created", 0)), reverse=True)
