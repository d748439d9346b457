"""Cards as NVML tells them: the real pynvml against a small C library, since most machines have no card."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from voicefactory import device_memory, hardware
from voicefactory.errors import InputError

GIB = 1 << 30

#: Three cards that work and one that is lost; the second does not tell its load.
FAKE_NVML = r"""
#include <stdio.h>
#include <string.h>
#include <unistd.h>
typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned int gpu, memory; } load_t;
static const char *names[] = {"Small", "Large", "Lost", "Middle"};
static const unsigned long long total[] = {8, 80, 24, 48}, unused[] = {7, 10, 24, 40};
int nvmlInitWithFlags(unsigned int flags) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = 4; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) {
    *device = (void *)(size_t)(index + 1);
    return index == 2 ? 15 : 0;  /* NVML_ERROR_GPU_IS_LOST */
}
#define INDEX ((size_t)device - 1)
int nvmlDeviceGetMemoryInfo(void *device, memory_t *memory) {
    memory->total = total[INDEX] << 30; memory->free = unused[INDEX] << 30;
    memory->used = memory->total - memory->free;
    return 0;
}
int nvmlDeviceGetName(void *device, char *name, unsigned int n) { snprintf(name, n, "%s", names[INDEX]); return 0; }
int nvmlDeviceGetUUID(void *device, char *uuid, unsigned int n) { snprintf(uuid, n, "GPU-%zu00-abc", INDEX); return 0; }
int nvmlDeviceGetUtilizationRates(void *device, load_t *load) {
    load->gpu = 37; load->memory = 0;
    return INDEX == 1 ? 3 : 0;  /* NVML_ERROR_NOT_SUPPORTED */
}
typedef struct { unsigned int pid; unsigned long long used; unsigned int instance, compute; } process_t;
int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned int *count, process_t *found) {
    if (INDEX == 3) return 3;
    if (INDEX == 0) { *count = 0; return 0; }
    if (!found) { *count = 2; return 7; }  /* NVML_ERROR_INSUFFICIENT_SIZE */
    *count = 2;
    found[0].pid = getpid(); found[0].used = 20ull << 30;
    found[1].pid = 1; found[1].used = 50ull << 30;
    return 0;
}
"""


@pytest.fixture(scope="module")
def nvml_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a libnvidia-ml.so.1 in it."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs a C compiler on Linux to build a libnvidia-ml.so.1")
    folder = tmp_path_factory.mktemp("nvml")
    (folder / "nvml.c").write_text(FAKE_NVML)
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", folder / "libnvidia-ml.so.1", folder / "nvml.c"], check=True, timeout=60
    )
    return folder


def gpus_in_process(
    nvml_folder: Path, visible: str | None = None, asked: str = "hardware.gpus()"
) -> list[dict[str, object]]:
    """What is `asked`, in a process that finds the library in `nvml_folder`."""
    environ = {**os.environ, "LD_LIBRARY_PATH": str(nvml_folder)}
    environ.pop("CUDA_VISIBLE_DEVICES", None)
    if visible is not None:
        environ["CUDA_VISIBLE_DEVICES"] = visible
    code = (
        "import dataclasses, json, os, sys; from voicefactory import device_memory, hardware;"
        f"print(json.dumps([dataclasses.asdict(one) for one in {asked}]));"
        "assert 'torch' not in sys.modules, 'looking at the cards must not load torch'"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=300, check=True
    )
    return list(json.loads(done.stdout))


def test_cards_are_listed_and_a_lost_one_is_left_out(nvml_folder: Path) -> None:
    cards = gpus_in_process(nvml_folder)
    assert [card["name"] for card in cards] == ["Small", "Large", "Middle"]
    assert cards[0] == {
        "index": 0,
        "name": "Small",
        "uuid": "GPU-000-abc",
        "total_bytes": 8 * GIB,
        "free_bytes": 7 * GIB,
        "load_percent": 37,
        "processes": [],
    }
    assert cards[1]["load_percent"] == 0


def test_our_jobs_are_told_apart_from_other_programs(nvml_folder: Path) -> None:
    """One card computes for this process and another one, one for nobody, and one does not tell."""
    small, large, middle = gpus_in_process(nvml_folder, asked="device_memory.device_memory([os.getpid()])")
    assert (large["ours_bytes"], large["free_bytes"], large["total_bytes"]) == (20 * GIB, 10 * GIB, 80 * GIB)
    assert small["ours_bytes"] == middle["ours_bytes"] == 0
    assert [one["device"] for one in (small, large, middle)] == ["cuda:0", "cuda:1", "cuda:3"]


def test_without_a_card_it_is_the_memory_of_this_machine(tmp_path: Path) -> None:
    """A job's children count, and one that has ended does not."""
    holds = "held = bytearray(300_000_000); held[::4096] = b'x' * len(held[::4096])"
    child = f"import time; {holds}; print(1, flush=True); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, start_new_session=True) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        try:
            (machine,) = device_memory.device_memory([worker.pid, 2**22 + 1])
            assert 300_000_000 < machine.ours_bytes < 900_000_000
            assert machine.device == "cpu"
            assert machine.ours_bytes + machine.others_bytes + machine.free_bytes == machine.total_bytes
        finally:
            os.killpg(worker.pid, signal.SIGKILL)
    assert device_memory.device_memory([worker.pid])[0].ours_bytes == 0


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        ("3,0", ["Middle", "Small"]),
        ("GPU-100,3", ["Large", "Middle"]),
        ("1,9,0", ["Large"]),  # CUDA stops at the first that it does not know
        ("GPU-", []),  # fits more than one
        ("-1", []),
        ("", []),
    ],
)
def test_cuda_visible_devices_selects_and_renumbers(nvml_folder: Path, visible: str, names: list[str]) -> None:
    cards = gpus_in_process(nvml_folder, visible)
    assert [card["name"] for card in cards] == names
    assert [card["index"] for card in cards] == list(range(len(names)))


def test_no_driver_means_no_cards(tmp_path: Path) -> None:
    """A library that is none is what a broken driver looks like."""
    (tmp_path / "libnvidia-ml.so.1").write_text("not a library")
    assert gpus_in_process(tmp_path) == []


def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def test_without_a_card_auto_is_the_cpu_and_a_card_is_refused() -> None:
    if _has_cuda():
        pytest.skip("this machine has a card")
    assert hardware.pick_device("auto") == hardware.pick_device(" CPU ") == "cpu"
    for wanted in ("cuda", "cuda:7"):
        with pytest.raises(InputError, match=f"no {wanted} here. No GPU that torch can use"):
            hardware.pick_device(wanted)


@pytest.mark.gpu
def test_with_a_card_auto_takes_one_and_a_missing_one_is_named() -> None:
    assert hardware.pick_device("auto").startswith("cuda:")
    with pytest.raises(InputError, match=r"no cuda:99 here. Choose one of: cuda:0 \("):
        hardware.pick_device("cuda:99")


@pytest.mark.parametrize("wanted", ["gpu", "cuda:x", "cuda:-1", "", "mps"])
def test_what_is_no_device_is_refused(wanted: str) -> None:
    with pytest.raises(InputError, match="Choose auto, cpu or cuda:N"):
        hardware.pick_device(wanted)
