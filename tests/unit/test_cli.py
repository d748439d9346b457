"""The command line as scripts meet it: real processes, their exit codes, stdout and stderr."""

from __future__ import annotations

import io
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tests.conftest import GivenClip
from tests.loopback_hub import LoopbackHub
from voicefactory import cli
from voicefactory.cli.ending import report
from voicefactory.cli.progress import Lines, time_left
from voicefactory.presets import preset_files
from voicefactory.settings import settings
from voicefactory.types import Progress

COMMAND = [sys.executable, "-m", "voicefactory"]
SHORTEST = ("vm-msgforwarded", "conf-getconfno", "confbridge-begin-glorious-c")
TOY_NOTE = "the toy model makes noise"
STEPS = 30


def environ(**changes: str) -> dict[str, str]:
    """This environment without what belongs to the person who runs the tests."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "VOICEFACTORY_"))}
    return {**kept, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", **changes}


def run(*arguments: str | Path, timeout: float = 300, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run `voicefactory` with these arguments to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, env=environ(**changes)
    )


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str], timeout_s: float = 400) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert process.poll() is None, f"it ended too early: {process.communicate()}"
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)


@dataclass
class Story:
    """One project: started, met by a second command, terminated in training, run again, and again."""

    home: Path
    arguments: list[str]
    second: subprocess.CompletedProcess[str]
    first_code: int
    first_out: str
    first_err: str
    resumed: subprocess.CompletedProcess[str]

    @property
    def result(self) -> dict[str, Any]:
        return dict(json.loads(self.resumed.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, twelve_clips: list[GivenClip]) -> Story:
    folder = tmp_path_factory.mktemp("cli")
    takes, texts, home = folder / "takes", folder / "texts.csv", folder / "home"
    takes.mkdir()
    chosen = [clip for clip in twelve_clips if clip.path.stem.removeprefix("allison_") in SHORTEST]
    for clip in chosen:
        shutil.copy(clip.path, takes)
    (takes / "notes.txt").write_text("not a recording")
    texts.write_text("".join(f"{clip.path.name}|{clip.text}\n" for clip in chosen))
    arguments = ["create", "Anna B", str(takes), "--model", "toy", "--transcripts", str(texts), "--language", "english"]
    arguments += ["--set", f"max_steps={STEPS}", "--set", "save_every_steps=5", "--device", "cpu"]
    arguments += ["--home", str(home), "--json"]

    first = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ()
    )
    metrics = home / "projects"
    wait_until(lambda: any(path.stat().st_size for path in metrics.glob("*/runs/*/metrics.jsonl")), first)
    second = run(*arguments)
    first.send_signal(signal.SIGTERM)
    first_out, first_err = first.communicate(timeout=400)
    resumed = run(*arguments)
    assert resumed.returncode == 0, resumed.stderr
    return Story(home, arguments, second, first.returncode, first_out, first_err, resumed)


def test_the_json_has_what_scripts_rely_on(story: Story) -> None:
    result = story.result
    assert len(story.resumed.stdout.splitlines()) == 1
    for key in ("project", "run", "voice", "codes", "reference", "zip"):
        assert Path(result[key]).is_absolute(), key
        assert Path(result[key]).exists(), key
    assert result["clips"] == 3
    assert [Path(refused["file"]).name for refused in result["refused"]] in ([], ["notes.txt"])
    assert len(result["samples"]) >= 1
    for sample in result["samples"]:
        assert soundfile.info(sample).samplerate == 24_000
    assert result["metrics"]["step"] == STEPS
    assert result["metrics"]["loss"] > 0
    steps = {"ingest", "segment", "transcribe", "analyse", "reference", "extract", "finetune", "synthesize", "package"}
    assert steps <= result["seconds"].keys()
    rows = [json.loads(line) for line in Path(result["codes"]).read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 3
    assert all({"audio", "text", "ref_audio", "audio_codes", "language"} <= row.keys() for row in rows)
    assert all(len(frame) == 16 for frame in rows[0]["audio_codes"])


def test_sigterm_ends_training_with_a_sentence_and_what_is_finished_is_kept(story: Story) -> None:
    assert story.first_code == 1
    ending = json.loads(story.first_out.splitlines()[-1])
    assert ending["kind"] == "Cancelled"
    assert "run the same command again to go on" in ending["error"]
    assert "Traceback" not in story.first_err


def test_the_second_run_goes_on_where_the_first_was(story: Story) -> None:
    rows = [json.loads(line) for line in (Path(story.result["run"]) / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "loss" in row] == list(range(1, STEPS + 1))
    assert story.result["seconds"]["extract"] < 2, "codes were made again"


def test_a_third_run_does_nothing_again(story: Story) -> None:
    def stamps() -> dict[str, int]:
        files = (path for path in Path(story.result["voice"]).rglob("*") if path.is_file())
        return {str(path): path.stat().st_mtime_ns for path in files}

    before = stamps()
    again = run(*story.arguments)
    assert again.returncode == 0, again.stderr
    result = json.loads(again.stdout)
    assert {**result, "seconds": 0} == {**story.result, "seconds": 0}
    assert stamps() == before
    assert sum(result["seconds"].values()) < 10


def test_two_commands_in_one_project_do_not_mix(story: Story) -> None:
    assert story.second.returncode == 1
    assert "Another command or the page is working on 'Anna B'" in story.second.stderr
    assert json.loads(story.second.stdout)["kind"] == "VoiceFactoryError"


def test_progress_is_on_stderr_and_the_toy_is_announced(story: Story) -> None:
    lines = story.resumed.stderr.splitlines()
    assert any(TOY_NOTE in line for line in lines)
    assert any(line.startswith("Training: done in") for line in lines)
    assert "\x1b" not in story.resumed.stderr, "no bar where no terminal is"


def test_ctrl_c_is_130(story: Story, tmp_path: Path) -> None:
    arguments = [str(tmp_path) if one == str(story.home) else one for one in story.arguments]
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ()
    )
    wait_until(lambda: any((tmp_path / "projects").glob("*/create.lock")), process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=400)
    assert process.returncode == 130
    assert json.loads(out.splitlines()[-1])["kind"] == "Cancelled"
    assert "Traceback" not in err


def test_package_and_push(story: Story, tmp_path: Path) -> None:
    voice = Path(story.result["voice"])
    packed = run("package", voice, "-o", tmp_path / "voice.zip")
    assert packed.returncode == 0, packed.stderr
    assert packed.stdout.strip() == str(tmp_path / "voice.zip")
    with zipfile.ZipFile(tmp_path / "voice.zip") as archive:
        assert archive.testzip() is None
        assert any(name.endswith("model.safetensors") for name in archive.namelist())

    with LoopbackHub() as hub:
        network = {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": hub.url, "HOME": str(tmp_path)}
        pushed = run("push", voice, "anna/voice", HF_TOKEN=hub.token, **network)
        assert pushed.returncode == 0, pushed.stderr
        assert pushed.stdout.strip() == f"{hub.url}/anna/voice"
        assert hub.repos["anna/voice"].private is True
        assert (voice / "model.safetensors").read_bytes() == hub.repos["anna/voice"].files["model.safetensors"]
        assert not any(name.endswith(".jsonl") for name in hub.repos["anna/voice"].files)
        for repo_id, token, sentence in (
            ("anna/voice", hub.token, "exists already"),
            ("anna/other", "hf_wrong0123456789", "does not know this token"),
            ("anna/other", "", "Log in with"),
        ):
            refused = run("push", voice, repo_id, HF_TOKEN=token, **network)
            assert refused.returncode == 2
            assert sentence in refused.stderr
            assert hub.token not in refused.stdout + refused.stderr


RunHere = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run_here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[RunHere]:
    """Run `voicefactory` in this process, which is faster: exit code, stdout, stderr."""
    monkeypatch.setenv("VOICEFACTORY_HOME", "")  # put back afterwards, since --home changes it
    monkeypatch.setenv("HF_TOKEN", "hf_any0123456789")

    def run_command(*arguments: str | Path) -> tuple[int, str, str]:
        code = cli.run([str(argument) for argument in arguments])
        return code, *capfd.readouterr()

    yield run_command
    settings.cache_clear()


CLIPS = Path(__file__).parents[1] / "data" / "clips" / "wavs"


def test_say(story: Story, tmp_path: Path, run_here: RunHere) -> None:
    voice = story.result["voice"]
    code, out, err = run_here("say", voice, "Hi.", "-o", tmp_path / "hi.wav", "--seed", "4", "--greedy")
    assert code == 0, err
    assert soundfile.info(tmp_path / "hi.wav").samplerate == 24_000
    assert "seed" in out
    assert "s of speech" in out
    assert TOY_NOTE in err


def test_say_lines(story: Story, tmp_path: Path, run_here: RunHere) -> None:
    lines, out = tmp_path / "lines.csv", tmp_path / "lines.zip"
    lines.write_text("id,text\n1,Hi.\n2,=Ho.\n", encoding="utf-8")
    code, said, err = run_here("say-lines", story.result["voice"], lines, "-o", out, "--form", "mp3")
    assert code == 0, err
    assert said.strip() == f"{out}: 2 lines"
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == ["lines.csv", "001-hi.mp3", "002-ho.mp3"]
        assert "'=Ho." in archive.read("lines.csv").decode()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lines.csv", "lines.zip"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["create", "x", "nowhere.wav"], "no file or folder 'nowhere.wav'"),
        (["create", "", CLIPS], "at least one letter or digit"),
        (["create", "x", CLIPS, "--set", "leaning_rate=1"], "Valid keys: learning_rate"),
        (["create", "x", CLIPS, "--set", "batch_size=many"], "batch_size cannot be 'many'"),
        (["create", "x", CLIPS, "--set", "batch_size"], "--set takes key=value"),
        (["create", "x", CLIPS, "--preset", "fast"], "Choose one of: chatterbox-style, full-quality, gentle, lora"),
        (["create", "x", CLIPS, "--language", "klingon"], "Choose one of: auto, chinese"),
        (["create", "x", CLIPS, "--device", "cuda:97"], "There is no cuda:97 here"),
        (["create", "x", CLIPS, "--engine", "none"], "Choose one of: qwen3-tts"),
        (["create", "x", CLIPS, "--asr", "enormous"], "There is no Whisper model 'enormous'"),
        (["create", "x", CLIPS, "--colour", "red"], "No such option: --colour"),
        (["create", "x"], "Missing argument 'PATH...'"),
    ],
    ids=lambda value: " ".join(Path(str(part)).name for part in value) if isinstance(value, list) else "",
)
def test_a_fault_of_the_caller_is_2_with_a_sentence(
    arguments: list[str | Path], sentence: str, tmp_path: Path, run_here: RunHere
) -> None:
    code, out, err = run_here(*arguments, "--model", "toy", "--home", tmp_path, "--json")
    assert code == 2, err
    assert sentence in err
    answer = json.loads(out.splitlines()[-1])
    assert sentence in answer["error"]
    assert answer["kind"] in ("InputError", "UsageError")
    assert "Traceback" not in err
    assert not any(tmp_path.glob("projects/*/codes"))


def test_faults_of_the_other_commands(tmp_path: Path, run_here: RunHere) -> None:
    for arguments, sentence in (
        (["say", tmp_path / "no", "Hi.", "-o", tmp_path / "a.wav"], "There is no folder"),
        (["say-lines", tmp_path / "no", tmp_path / "no.txt", "-o", tmp_path / "a.zip"], "There is no file"),
        (["say-lines", tmp_path / "no", tmp_path / "no.txt", "-o", tmp_path / "a.tar"], "become a .zip"),
        (["say", tmp_path, "Hi.", "-o", tmp_path / "a.wav"], "is not a model folder"),
        (["say", tmp_path, "Hi.", "-o", tmp_path], "is a folder. Give the file to write"),
        (["say", tmp_path, "Hi.", "-o", tmp_path / "a.ogg"], "written as .wav, .flac or .mp3"),
        (["package", tmp_path, "-o", tmp_path / "a.zip"], "is not a finished voice"),
        (["push", tmp_path, "anna/voice"], "is not a finished voice"),
        (["teach"], "No such command 'teach'"),
    ):
        code, _, err = run_here(*arguments)
        assert code == 2, (arguments, err)
        assert sentence in err
        assert "Traceback" not in err


def test_a_setting_that_does_not_fit(tmp_path: Path) -> None:
    unset = run("create", "x", CLIPS, "--home", tmp_path, VOICEFACTORY_MAX_ZIP_MB="lots")
    assert unset.returncode == 2
    assert "VOICEFACTORY_MAX_ZIP_MB cannot be 'lots'" in unset.stderr


def test_the_commands_that_only_look(tmp_path: Path) -> None:
    shown = run("--help")
    assert shown.returncode == 0
    for command in ("create", "plan", "say", "package", "push", "gpus", "presets", "serve"):
        assert f"  {command} " in shown.stdout
    listed = run("presets")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == sorted(preset_files())
    cards = run("gpus", "--json")
    assert isinstance(json.loads(cards.stdout), list)
    assert run("gpus", LD_LIBRARY_PATH=str(tmp_path)).returncode == 0
    assert run("--version").stdout.startswith("voicefactory 0.")


def test_a_defect_is_one_sentence_and_its_details_are_kept_without_tokens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOICEFACTORY_HOME", str(tmp_path))
    monkeypatch.setenv("HF_TOKEN", "a-token-of-no-usual-form")
    settings.cache_clear()
    try:
        code = report(RuntimeError("with a-token-of-no-usual-form and hf_0123456789abcdef"), as_json=True)
    finally:
        settings.cache_clear()
    assert code == 1
    out, err = capsys.readouterr()
    details = (tmp_path / "last-error.txt").read_text()
    assert err == f"Something went wrong on our side. The details are in {tmp_path / 'last-error.txt'}.\n"
    assert json.loads(out)["kind"] == "Defect"
    assert "RuntimeError: with [token] and [token]" in details


def test_plain_lines_are_few() -> None:
    now, stream = [0.0], io.StringIO()
    lines = Lines(stream, clock=lambda: now[0])
    for done in range(101):
        now[0] = done * 0.2
        lines(Progress("finetune", done, 100, f"loss {5 - done / 100:.2f}"))
    lines(Progress("package", message="zip"))
    lines.close()
    written = stream.getvalue().splitlines()
    assert written[0] == "Training ..."
    assert written[-3] == "Training: done in 20.0 s"
    assert written[-2:] == ["Packing and checking the voice ...", "Packing and checking the voice: done in 0.0 s"]
    assert 3 <= len(written) - 4 <= 4
    assert any("50 of 100, loss 4.50," in line and line.endswith("s left") for line in written)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        ((0.2, 0.4), "about 1 s left"),
        ((30, 80), "30 to 80 s left"),
        ((100, 230), "1 to 4 min left"),
        ((3550, 3600), "about 60 min left"),
        ((7000, 12_000), "1 to 4 h left"),
    ],
)
def test_time_left_in_words(seconds: tuple[float, float] | None, words: str) -> None:
    assert time_left(seconds) == words


def test_a_terminal_gets_a_bar_with_the_time_left() -> None:
    code = (
        "import time\n"
        "from voicefactory.cli.progress import progress_on\n"
        "from voicefactory.types import Progress\n"
        "with progress_on() as tell:\n"
        "    for done in range(8):\n"
        "        tell(Progress('finetune', done, 8, '[loss] 1.0')); time.sleep(0.15)\n"
        "    tell(Progress('package'))\n"
    )
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code], stderr=theirs, env=environ(TERM="xterm-256color", COLUMNS="120")
    )
    os.close(theirs)
    seen = b""
    try:
        while block := os.read(ours, 4096):
            seen += block
    except OSError:  # how Linux says that the other end is closed
        pass
    finally:
        os.close(ours)
    assert process.wait(timeout=300) == 0
    shown = seen.decode()
    for part in ("Training", "━", "4 of 8", "s left", "[loss] 1.0", "Packing and checking the voice"):
        assert part in shown, part
