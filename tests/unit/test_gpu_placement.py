"""Jobs on cards: the real scheduler and real workers, the real pynvml against a small C library, since most machines
have no card. The model is a configuration of the real size without weights, so each job ends soon after its start."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.unit.test_plan import CONFIG
from voicefactory import files
from voicefactory.jobs.store import Job, Store
from voicefactory.pipeline.request import Request
from voicefactory.project import Project

GIB = 1 << 30

#: As many cards as the file that NVML_CARDS names has lines: GiB in all, GiB free.
FAKE_NVML = r"""
#include <stdio.h>
#include <stdlib.h>
typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned int gpu, memory; } load_t;
static int line(unsigned int wanted, unsigned long long *total, unsigned long long *unused) {
    unsigned int index = 0, found = 0;
    FILE *file = fopen(getenv("NVML_CARDS"), "r");
    while (file && fscanf(file, "%llu %llu", total, unused) == 2) if (index++ == wanted) { found = 1; break; }
    if (file) fclose(file);
    return found;
}
int nvmlInitWithFlags(unsigned int flags) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned int *count) {
    unsigned long long total, unused;
    for (*count = 0; line(*count, &total, &unused); ++*count) {}
    return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) {
    *device = (void *)(size_t)(index + 1);
    return 0;
}
#define INDEX ((unsigned int)((size_t)device - 1))
int nvmlDeviceGetMemoryInfo(void *device, memory_t *memory) {
    unsigned long long total = 0, unused = 0;
    line(INDEX, &total, &unused);
    memory->total = total << 30; memory->free = unused << 30; memory->used = memory->total - memory->free;
    return 0;
}
int nvmlDeviceGetName(void *device, char *name, unsigned int n) { snprintf(name, n, "Card %u", INDEX); return 0; }
int nvmlDeviceGetUUID(void *device, char *uuid, unsigned int n) { snprintf(uuid, n, "GPU-%u-abc", INDEX); return 0; }
int nvmlDeviceGetUtilizationRates(void *device, load_t *load) { load->gpu = 5; load->memory = 0; return 0; }
"""
APP = """
import sys
from pathlib import Path
from voicefactory.jobs.devices import cards
from voicefactory.jobs.scheduler import Scheduler
scheduler = Scheduler(Path(sys.argv[1]), cards)  # a torch for CPUs would have none of them
scheduler.start()
sys.stdin.read()
scheduler.stop(end_workers_s=10)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a libnvidia-ml.so.1 in it."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs a C compiler on Linux to build a libnvidia-ml.so.1")
    folder = tmp_path_factory.mktemp("nvml")
    (folder / "nvml.c").write_text(FAKE_NVML)
    made = folder / "libnvidia-ml.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", made, folder / "nvml.c"], check=True, timeout=60)
    return folder


class Machine:
    """An app over a home, in a process that sees these cards."""

    def __init__(self, library: Path, project: Project) -> None:
        self.project, self.store = project, Store(project.home / "jobs.db")
        self.cards = project.home / "cards.txt"
        self.environ = {**os.environ, "LD_LIBRARY_PATH": str(library), "NVML_CARDS": str(self.cards)}
        self.environ.pop("CUDA_VISIBLE_DEVICES", None)

    def have(self, *cards: tuple[int, int]) -> None:
        """(GiB in all, GiB free) of each card."""
        files.write_text(self.cards, "".join(f"{total} {free}\n" for total, free in cards))

    def start(self) -> None:
        arguments = [sys.executable, "-c", APP, str(self.project.home)]
        self.app = subprocess.Popen(arguments, env=self.environ, stdin=subprocess.PIPE)

    def end(self) -> None:
        self.app.communicate(timeout=60)

    def train(self) -> Job:
        model = self.project.home / "model"
        files.write_json(model / "config.json", CONFIG)
        request = Request(model=str(model), language="english", preset="quick")
        return self.store.add("train", "anna", self.project.identifier, dataclasses.asdict(request))

    def wait(self, job: Job, until: Callable[[Job], object]) -> Job:
        end = time.monotonic() + 90
        while not until(found := self.store.get(job.id)):
            assert time.monotonic() < end, found
            assert self.app.poll() is None
            time.sleep(0.01)
        return found


@pytest.fixture
def machine(library: Path, tmp_path: Path, prepared_project: Callable[[Path], Project]) -> Iterator[Machine]:
    machine = Machine(library, prepared_project(tmp_path / "home"))
    yield machine
    machine.end()


def test_the_card_with_room_is_taken_and_the_worker_sees_no_other(machine: Machine) -> None:
    machine.have((24, 5), (48, 40), (80, 8))
    job = machine.train()
    machine.start()
    placed = machine.wait(job, lambda now: now.state == "running")
    assert placed.device == "cuda:1"
    assert placed.needed_bytes is not None
    assert 8 * GIB < placed.needed_bytes < 40 * GIB
    assert psutil.Process(placed.pid).environ()["CUDA_VISIBLE_DEVICES"] == "GPU-1-abc"
    machine.wait(job, lambda now: not now.active)


def test_full_cards_are_waited_for_and_the_row_says_so(machine: Machine) -> None:
    machine.have((24, 3), (48, 2))
    job = machine.train()
    machine.start()
    waiting = machine.wait(job, lambda now: now.waits)
    assert waiting.state == "queued"
    assert "GiB of memory are needed, and Card 0 (cuda:0) has 3.0 GiB to give." in waiting.waits
    machine.have((24, 3), (48, 46))
    assert machine.wait(job, lambda now: now.state != "queued").device == "cuda:1"
    machine.wait(job, lambda now: not now.active)


def test_a_card_that_was_taken_in_the_last_moment_is_waited_for_again(machine: Machine) -> None:
    machine.have((24, 23))
    job = machine.train()
    machine.start()
    machine.wait(job, lambda now: now.device == "cuda:0")
    machine.have((24, 2))  # another program was quicker than the worker, which has yet to load
    put_back = machine.wait(job, lambda now: not now.device)
    assert put_back.state == "queued"
    assert "has 2.0 GiB to give" in put_back.waits
    machine.have((24, 23))
    machine.wait(job, lambda now: now.state != "queued")
    machine.wait(job, lambda now: not now.active)
