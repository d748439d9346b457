"""Start a worker process, with its log and with what it may see of the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from voicefactory.hardware import CPU
from voicefactory.jobs.devices import visible
from voicefactory.jobs.scratch import scratch
from voicefactory.jobs.store import Job
from voicefactory.jobs.worker import TOKEN_VARIABLE
from voicefactory.owners import LOCAL
from voicefactory.project import Project

_OWN_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]


def spawn(job: Job, project: Project, device: str, token: str = "") -> subprocess.Popen[bytes]:
    """A worker for this job, as the leader of a process group of its own. Its output goes to the project's
    jobs/<job>.log, `token` to its environment. Raises OSError."""
    log = project.root / "jobs" / f"{job.id}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "voicefactory.jobs.worker", job.id],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=_environment(job, project.home, device, token),
            start_new_session=True,
        )


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _environment(job: Job, home: Path, device: str, token: str) -> dict[str, str]:
    """Of a worker, which sees its own card and no other. Where the device is the CPU because there is no usable card,
    nothing is hidden that is not there."""
    path = os.pathsep.join(filter(None, [str(_PACKAGE_ROOT), os.environ.get("PYTHONPATH", "")]))
    env = {
        **os.environ,
        "VOICEFACTORY_HOME": str(home),
        "PYTHONPATH": path,
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        "TMPDIR": str(_made(scratch(home, job.id))),
        "CUDA_VISIBLE_DEVICES": "" if device == CPU else visible(device),
    }
    if job.owner != LOCAL:  # what a visitor asks for is fetched as anybody could, not with the machine's own account
        env |= {"HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}
        for name in _OWN_TOKENS:
            env.pop(name, None)
    if job.kind == "publish":
        env.pop("HF_TOKEN", None)  # with the visitor's token or not at all
        env[TOKEN_VARIABLE] = token
    return env
