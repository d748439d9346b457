"""The whole way through `create`: what is finished is skipped, and a kill in any step loses nothing."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import soundfile

from voicefactory import files
from voicefactory.errors import InputError
from voicefactory.pipeline.create import check_request, create
from voicefactory.pipeline.package import list_voices, voice_files, zip_voice
from voicefactory.pipeline.request import Request
from voicefactory.project import Project
from voicefactory.types import Progress

CLIPS = Path(__file__).parent.parent / "data" / "clips"
STEPS = ("ingest", "segment", "transcribe", "analyse", "reference", "extract", "finetune", "synthesize", "package")
REQUEST = Request(
    model="toy",
    asr="tiny.en",
    overrides=("max_steps=4", "batch_size=2", "save_every_steps=1", "eval_fraction=0"),
)
#: runs create() and kills itself, without a chance to clean up, at the last sign of progress of one step
KILLED = """
import json, os, signal, sys
from pathlib import Path
from voicefactory.pipeline.create import create
from voicefactory.pipeline.request import Request
from voicefactory.project import Project
home, recordings, request, step = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4]
def tell(progress):
    middle = progress.done >= max(1, progress.total // 2)
    if progress.step == step and (middle or step == "reference"):
        os.kill(os.getpid(), signal.SIGKILL)
create(Project.create("Ann", home), [recordings], Request(**{**request, "overrides": tuple(request["overrides"])}),
       on_progress=tell)
"""


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four real recordings and a text file that is none."""
    folder = tmp_path_factory.mktemp("recordings")
    wavs = sorted((CLIPS / "wavs").glob("*.wav"), key=lambda path: soundfile.info(path).duration)
    for path in wavs[:4]:
        shutil.copy(path, folder)
    (folder / "not audio.wav").write_text("hello", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "steps",
    [pytest.param(("finetune",), marks=pytest.mark.slow), pytest.param(STEPS, marks=pytest.mark.slow)],
    ids=["finetune", "every step"],
)
def test_a_kill_in_each_step_loses_nothing(steps: tuple[str, ...], recordings: Path, tmp_path: Path) -> None:
    """One project is killed in each step in turn; the next call goes on, and the voice is that of a run that was
    never killed."""
    arguments = [str(tmp_path / "killed"), str(recordings), json.dumps(vars(REQUEST))]
    for step in steps:
        process = subprocess.run([sys.executable, "-c", KILLED, *arguments, step], capture_output=True, check=False)
        assert process.returncode == -signal.SIGKILL, (step, process.stderr.decode()[-2000:])
        assert not list_voices(Project.create("Ann", tmp_path / "killed")) or step == "package"
    survived = create(Project.create("Ann", tmp_path / "killed"), [recordings], REQUEST)
    whole = create(Project.create("Ann", tmp_path / "whole"), [recordings], REQUEST)
    assert survived.run.name == whole.run.name
    for name in ("model.safetensors", "config.json", "samples/1.wav"):
        assert files.sha256_of(survived.voice.path / name) == files.sha256_of(whole.voice.path / name), name
    assert [Path(one.file).name for one in survived.refused] == ["not audio.wav"]
    assert whole.metrics["step"] == survived.metrics["step"] == 4


@pytest.fixture(scope="module")
def finished(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.create("Zoë <b>", tmp_path_factory.mktemp("home"))
    create(project, [recordings], REQUEST)
    return project


@pytest.mark.slow
def test_a_second_call_does_nothing_again(finished: Project, recordings: Path) -> None:
    before = {
        path: path.stat().st_mtime_ns for path in finished.root.rglob("*") if path.suffix in (".wav", ".safetensors")
    }
    told: list[Progress] = []
    created = create(finished, [recordings], REQUEST, on_progress=told.append)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not any("loss" in progress.metrics for progress in told)
    assert set(created.seconds) == set(STEPS)


@pytest.mark.slow
def test_the_result_says_what_scripts_need(finished: Project, recordings: Path) -> None:
    result = create(finished, [recordings], REQUEST).to_json()
    assert json.loads(json.dumps(result)) == result
    assert result["clips"] == 4
    assert Path(result["refused"][0]["file"]).name == "not audio.wav"
    assert result["speaker"] == "zoë <b>"
    for key in ("project", "run", "voice", "codes", "reference", "zip"):
        assert Path(result[key]).exists(), key
    assert len(result["samples"]) == 2
    assert soundfile.info(Path(result["run"]) / "clean.wav").samplerate == 24_000  # spoken with none of our code
    rows = files.read_jsonl(Path(result["codes"]))
    assert {row["language"] for row in rows} == {"english"}
    assert all(Path(row["audio"]).exists() and Path(row["ref_audio"]).exists() for row in rows)


@pytest.mark.slow
def test_other_numbers_are_another_run_beside_the_first(finished: Project, recordings: Path) -> None:
    first = create(finished, [recordings], REQUEST)
    other = create(finished, [recordings], Request(**{**vars(REQUEST), "overrides": ("max_steps=1", "seed=5")}))
    assert other.run != first.run
    assert first.voice.path in list_voices(finished)
    assert other.voice.path in list_voices(finished)


@pytest.mark.slow
def test_the_zip_holds_the_voice_and_nothing_else(finished: Project, recordings: Path, tmp_path: Path) -> None:
    created = create(finished, [recordings], REQUEST)
    (created.voice.path / "log.txt").write_text("secret", encoding="utf-8")
    (created.voice.path / "recordings").mkdir(exist_ok=True)
    (created.voice.path / "recordings" / "take.wav").write_bytes(b"secret")
    out = zip_voice(created.voice.path, tmp_path / "voice.zip")
    with zipfile.ZipFile(out) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
        card = archive.read(f"{created.voice.path.name}/README.md").decode()
    assert {"config.json", "model.safetensors", "speech_tokenizer/model.safetensors", "samples/1.wav"} <= names
    assert not {"log.txt", "recordings/take.wav"} & names
    assert "makes noise" in card
    assert "synthetic speech" in card
    assert "Zoë &lt;b&gt;" in card
    assert "<b>" not in card.partition("## Use it")[0]
    assert "Nobody recorded a consent" in card
    with pytest.raises(InputError, match="not a finished voice"):
        voice_files(tmp_path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"preset": "nonesuch"}, "no preset"),
        ({"overrides": ("lr=1",)}, "no key 'lr'"),
        ({"overrides": ("batch_size=many",)}, "batch_size cannot be"),
        ({"language": "klingon"}, "not a language"),
        ({"engine": "nonesuch"}, "no engine"),
        ({"device": "cuda:99"}, "cuda:99"),
    ],
)
def test_mistakes_are_noticed_before_any_work(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        check_request(Request(**{**vars(REQUEST), **change}))  # type: ignore[arg-type]


def test_no_clip_left_is_one_sentence_with_the_reasons(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("not audio", encoding="utf-8")
    with pytest.raises(InputError, match=r"No usable .*a\.wav"):
        create(Project.create("Ann", tmp_path / "home"), [tmp_path / "a.wav"], REQUEST)
