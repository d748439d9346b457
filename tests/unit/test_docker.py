"""The image and the compose file, as far as they can be checked without Docker: they say what the app says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from packaging.specifiers import SpecifierSet

from tests.unit.test_setup import metadata, requirements
from voicefactory.settings import Settings
from voicefactory.ui.health import HEALTH_PATH

ROOT = Path(__file__).parents[2]
CLOSING_S, WATCH_S = 5, 10  #: of Gradio's server and of the scheduler's thread


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"])


def test_docker_waits_longer_than_the_app_needs() -> None:
    app = compose()["app"]
    given = float(app["environment"]["VOICEFACTORY_STOP_GRACE_SECONDS"])
    assert int(app["stop_grace_period"].removesuffix("s")) > CLOSING_S + WATCH_S + given + 10
    assert "STOPSIGNAL SIGTERM" in dockerfile()


def test_settings_of_the_compose_file_are_settings() -> None:
    names = {f"VOICEFACTORY_{name.upper()}" for name in Settings.model_fields}
    assert compose()["app"]["environment"].keys() <= names
    assert set(re.findall(r"VOICEFACTORY_[A-Z_]+", dockerfile())) <= names


def test_health_is_asked_where_it_is_answered() -> None:
    (port,) = re.findall(r"EXPOSE (\d+)", dockerfile())
    (check,) = re.findall(r"HEALTHCHECK .*?CMD (\[.*?\])\n", dockerfile())
    assert f"http://127.0.0.1:{port}{HEALTH_PATH}" in json.loads(check)[-1]
    assert f"GRADIO_SERVER_PORT={port}" in dockerfile()
    assert compose()["app"]["ports"] == [f"127.0.0.1:{port}:{port}"], "others come in through a proxy"


def test_the_image_is_of_versions_that_fit_and_runs_as_nobody_in_particular() -> None:
    pythons = re.findall(r"FROM python:(\d+\.\d+)-", dockerfile())
    assert len(set(pythons)) == 1
    assert pythons[0] in SpecifierSet(str(metadata()["requires-python"]))
    assert f"python{pythons[0]}/site-packages/nvidia/cudnn/lib" in dockerfile()
    (torch,) = (pin for pin in requirements("requirements.txt") if pin.name == "torch")
    (version,) = re.findall(r"torch==([\d.]+) torchaudio==\1", dockerfile())
    assert version in torch.specifier
    (user,) = re.findall(r"^USER (\S+)$", dockerfile(), re.MULTILINE)
    assert user != "0"
    assert compose()["log"]["user"] == user


def test_every_setting_is_in_the_guide_for_operators() -> None:
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    named = set(re.findall(r"VOICEFACTORY_[A-Z_]+", guide))
    assert named == {f"VOICEFACTORY_{name.upper()}" for name in Settings.model_fields}
    assert f"`GET {HEALTH_PATH}`" in guide
    assert "(25)" in guide
    assert Settings.model_fields["stop_grace_seconds"].default == 25
