"""The plan before the start, and waiting for a card: the real command, the real pynvml against a small C library."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CLIPS, GivenClip
from voicefactory import files, hardware
from voicefactory.cli.progress import duration
from voicefactory.engines.base import PlannedClip
from voicefactory.pipeline.plan import plan
from voicefactory.presets import load_preset
from voicefactory.project import Project
from voicefactory.ui import views

GIB = 1 << 30

#: One card of 24 GiB; how many of them are free stands in the file that FREE_GIB names, so that it can change.
FAKE_NVML = r"""
#include <stdio.h>
#include <stdlib.h>
typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned int gpu, memory; } load_t;
int nvmlInitWithFlags(unsigned int flags) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = 1; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) { *device = (void *)1; return 0; }
int nvmlDeviceGetMemoryInfo(void *device, memory_t *memory) {
    unsigned long long unused = 0;
    FILE *file = fopen(getenv("FREE_GIB"), "r");
    if (file) { if (fscanf(file, "%llu", &unused) != 1) unused = 0; fclose(file); }
    memory->total = 24ULL << 30; memory->free = unused << 30; memory->used = memory->total - memory->free;
    return 0;
}
int nvmlDeviceGetName(void *device, char *name, unsigned int n) {
    snprintf(name, n, "NVIDIA GeForce RTX 4090");
    return 0;
}
int nvmlDeviceGetUUID(void *device, char *uuid, unsigned int n) { snprintf(uuid, n, "GPU-100-abc"); return 0; }
int nvmlDeviceGetUtilizationRates(void *device, load_t *load) { load->gpu = 5; load->memory = 0; return 0; }
"""

#: The sizes of the 0.6B model, as its config.json has them.
ATTENTION = {"num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128}
CONFIG = {
    "model_type": "qwen3_tts",
    "speaker_encoder_config": {"enc_dim": 1024},
    "talker_config": {
        **ATTENTION,
        "vocab_size": 3072,
        "hidden_size": 1024,
        "intermediate_size": 3072,
        "num_hidden_layers": 28,
        "text_hidden_size": 2048,
        "text_vocab_size": 151_936,
        "num_code_groups": 16,
        "code_predictor_config": {
            **ATTENTION,
            "vocab_size": 2048,
            "hidden_size": 1024,
            "intermediate_size": 3072,
            "num_hidden_layers": 5,
        },
    },
}


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a libnvidia-ml.so.1 and the file `free` in it."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs a C compiler on Linux to build a libnvidia-ml.so.1")
    folder = tmp_path_factory.mktemp("card")
    (folder / "nvml.c").write_text(FAKE_NVML)
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", folder / "libnvidia-ml.so.1", folder / "nvml.c"], check=True, timeout=60
    )
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, prepared_project: Callable[[Path], Project]) -> Path:
    """A home with the project Anna, transcribed, and a model of which only the configuration is there."""
    home = tmp_path_factory.mktemp("home")
    prepared_project(home)
    files.write_json(home / "model" / "config.json", CONFIG)
    return home


def environ(card: Path | None, **changes: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "VOICEFACTORY_", "CUDA_"))}
    seen = {"LD_LIBRARY_PATH": str(card), "FREE_GIB": str(card / "free")} if card else {}
    return {**kept, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", **seen, **changes}


def run(card: Path | None, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "voicefactory", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environ(card))


def planned(card: Path | None, home: Path, *arguments: str) -> dict[str, Any]:
    done = run(card, "plan", "Anna", "--home", home, "--model", home / "model", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_where_it_fits_and_where_not_the_nearest_that_does(card: Path, home: Path) -> None:
    (card / "free").write_text("22")
    fits = planned(card, home)
    (one,) = fits["devices"]
    assert (one["device"], one["fits"], one["free_bytes"]) == ("cuda:0", True, 22 * GIB)
    assert fits["nearest"] is None
    assert fits["peak_bytes"] == sum(fits["memory"].values()) < 22 * GIB
    assert 0 < one["seconds"][0] < one["seconds"][1]
    assert fits["settled"]["batch_size"] == 8  # what auto stands for
    assert fits["steps"] == fits["settled"]["epochs"] * 2  # eleven clips, eight at a time

    (card / "free").write_text("9")
    tight = planned(card, home)
    assert not tight["devices"][0]["fits"]
    others = {name: planned(card, home, "--preset", name) for name in ("lora", "low-memory", "qlora")}
    fitting = {name: other["peak_bytes"] for name, other in others.items() if other["devices"][0]["fits"]}
    assert tight["nearest"] == max(fitting, key=lambda name: fitting[name])  # the one that gives up the least
    assert tight["nearest_bytes"] == fitting[tight["nearest"]] <= 9 * GIB


def test_the_words_of_a_terminal_and_what_is_refused(card: Path, home: Path) -> None:
    (card / "free").write_text("9")
    said = run(card, "plan", "Anna", "--home", home, "--model", home / "model", "--set", "batch_size=4")
    assert said.returncode == 0, said.stderr
    for part in ("batch_size 4", "GiB  weights", "does not fit", "The nearest preset that fits is", "assumed"):
        assert part in said.stdout
    nobody = run(card, "plan", "Bert", "--home", home)
    assert (nobody.returncode, nobody.stdout) == (2, "")
    assert "no project called 'bert'" in nobody.stderr
    unknown = run(card, "plan", "Anna", "--home", home, "--model", "nobody/nothing")
    assert unknown.returncode == 1
    assert "cannot be found out" in unknown.stderr


def test_planning_loads_no_torch(home: Path) -> None:
    """The page plans in its own, light process."""
    code = (
        "import sys; from pathlib import Path; from voicefactory.cli.plan import plan_of;"
        f"plan_of('Anna', engine='qwen3-tts', model={str(home / 'model')!r}, preset='quick', overrides=(),"
        f"home=Path({str(home)!r})); print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ(None), capture_output=True, text=True, timeout=300, check=True
    )
    assert not {"torch", "transformers", "qwen_tts"} & set(done.stdout.split())


def test_the_page_says_it_calmly(home: Path) -> None:
    project, clips = Project.open("anna", home), [PlannedClip(f"a-{n}", 6.0, "Good morning.") for n in range(20)]

    def said(preset: str, model: Path = home / "model") -> str:
        return views.plan_text(
            plan(project, clips, engine="qwen3-tts", model=str(model), preset=load_preset(preset), fetch=False)
        )

    if not hardware.gpus():
        assert "Needs an NVIDIA GPU" in said("qlora")
        assert "learning rate 0.0001; 2 clips at a time" in said("lora")
    assert "once the model is on this machine" in said("quick", Path("nobody/nothing"))


def create(card: Path | None, home: Path, *recordings: Path, model: str = "toy") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "voicefactory", "create", "Anna", *map(str, recordings), "--home", str(home)]
    command += ["--transcripts", str(CLIPS / "metadata.csv"), "--model", model, "--wait-gpu"]
    return subprocess.Popen(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ(card), bufsize=1
    )


@pytest.mark.slow
def test_create_waits_says_why_and_ends_with_ctrl_c(
    card: Path, toy: Path, tmp_path: Path, twelve_clips: list[GivenClip]
) -> None:
    (card / "free").write_text("0")
    process = create(card, tmp_path, twelve_clips[0].path, twelve_clips[1].path, model=str(toy))
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "Waiting for a GPU:" in line:
                break
        assert "GiB are needed, and NVIDIA GeForce RTX 4090 (cuda:0) has the most free: 0.0 GiB" in line
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, said
    assert "run the same command again" in said
    assert "Traceback" not in said


def test_without_a_card_waiting_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "libnvidia-ml.so.1").write_text("not a library")
    process = create(tmp_path, tmp_path / "home", CLIPS / "wavs")
    _, said = process.communicate(timeout=120)
    assert process.returncode == 2
    assert said.strip() == "There is no NVIDIA card here to wait for. Leave --wait-gpu out to train on the CPU."


WAIT = """
import sys
from voicefactory import hardware
card = hardware.wait_for_gpu(
    int(sys.argv[1]) << 30, sys.argv[2], tell=lambda said: print(said, flush=True), should_stop=lambda: False,
    look_every_s=0.05,
)
print("took", card.index, card.free_bytes >> 30)
"""


def wait(card: Path, gib: int, device: str = "auto") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WAIT, str(gib), device],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ(card),
    )


def test_the_card_is_taken_when_its_memory_is_free(card: Path) -> None:
    (card / "free").write_text("3")
    process = wait(card, 16)
    assert process.stdout is not None
    assert "16.0 GiB are needed" in process.stdout.readline()
    assert not process.poll()
    (card / "free").write_text("20")
    out, errors = process.communicate(timeout=60)
    assert out.splitlines()[-1] == "took 0 20", errors


@pytest.mark.parametrize(
    ("gib", "device", "sentence"),
    [
        (48, "auto", "48.0 GiB are needed, and the largest card"),
        (1, "cuda:3", "There is no cuda:3 here"),
        (1, "cpu", ""),
    ],
)
def test_what_can_never_come_is_not_waited_for(card: Path, gib: int, device: str, sentence: str) -> None:
    (card / "free").write_text("20")
    _, errors = wait(card, gib, device).communicate(timeout=60)
    assert f"InputError: {sentence}" in errors


def test_names_of_cards_and_lengths_of_time() -> None:
    assert hardware.peak_flops("NVIDIA H200") == hardware.peak_flops("NVIDIA H100 80GB HBM3") == 989e12
    assert hardware.peak_flops("NVIDIA L4") == 121e12
    assert hardware.peak_flops("NVIDIA L40S") == 362e12
    assert hardware.peak_flops("GeForce GT 710") is None
    assert [duration(seconds) for seconds in (40, 720, 12_600, 400_000)] == ["40 s", "12 min", "3.5 h", "5 days"]
