"""What can be set from outside, as VOICEFACTORY_* environment variables."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from voicefactory.errors import InputError


def _default_home() -> Path:
    """A Space keeps only what lies in /data; elsewhere the user's own data folder."""
    if os.environ.get("SPACE_ID") and os.access("/data", os.W_OK):
        return Path("/data/voicefactory")
    return platformdirs.user_data_path("voicefactory")


def _limit(on_space: float, description: str, **more: Any) -> Any:
    """A limit for each owner: none on one's own machine, where only the disk is one; 0 = none."""
    return Field(default_factory=lambda: on_space if os.environ.get("SPACE_ID") else 0, description=description, **more)


class Settings(BaseSettings):
    """Limits are per file unless they say otherwise."""

    model_config = SettingsConfigDict(env_prefix="VOICEFACTORY_", extra="ignore")

    home: Path = Field(default_factory=_default_home, description="where projects, jobs and the toy model are kept")
    model: str = Field("", description="base model offered first: toy, a Hub id or a directory; empty = decide")
    asr: str = Field("auto", description="Whisper model: a name, a directory, or auto")
    prompts: Path | None = Field(None, description="folder with <language>.txt, your own sentences to read aloud")
    max_recording_minutes: float = Field(240, gt=0, description="longest recording taken, minutes")
    max_recording_mb: float = Field(4000, gt=0, description="largest source file taken, MB")
    max_hub_clips: int = Field(10_000, gt=0, description="most recordings taken from one data set on the Hub")
    max_zip_entries: int = Field(20_000, gt=0, description="most files taken from one zip")
    max_zip_mb: float = Field(20_000, gt=0, description="most that one zip may unpack to, MB")
    max_zip_ratio: float = Field(200, gt=1, description="unpacked : packed size above which a zip is taken for a bomb")

    max_owner_gb: float = _limit(20, "what everything of one owner may take on the disk, GB; 0 = no limit", ge=0)
    max_owner_minutes: float = _limit(600, "recordings of one owner in all, minutes; 0 = no limit", ge=0)
    max_owner_projects: int = _limit(20, "voices of one owner; 0 = no limit", ge=0)
    max_queued_jobs: int = Field(50, ge=0, description="jobs of one owner that wait; 0 = no limit")
    max_running_jobs: int = _limit(2, "jobs of one owner that run at the same time; 0 = no limit", ge=0)
    min_free_gb: float = Field(1, ge=0, description="free disk below which nothing is taken in and no job begins, GB")
    retention_days: float = Field(0, ge=0, description="delete voices that nobody used for so long; 0 = never")
    stop_grace_seconds: float = Field(25, ge=0, description="how long SIGTERM lets jobs save before they are ended, s")
    admins: str = Field("", description="accounts with commas between, who see everybody's jobs but not their content")

    @property
    def on_space(self) -> bool:
        """True inside a Hugging Face Space."""
        return bool(os.environ.get("SPACE_ID"))


@functools.lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once. Raises InputError naming the variable whose value does not fit."""
    try:
        return Settings()
    except ValidationError as error:
        problem = error.errors()[0]
        variable = f"VOICEFACTORY_{problem['loc'][0]}".upper()
        raise InputError(f"{variable} cannot be {problem['input']!r}: {problem['msg'].lower()}.") from None
