"""Training on several devices: one process each, started by `torchrun`, watched from here.

The processes run the very loop that a single one runs. This one only passes on what the first of them tells,
and its wish to stop, which the first of them looks for in a file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from voicefactory import files
from voicefactory.engines.base import Training
from voicefactory.errors import Cancelled, InputError, VoiceFactoryError, as_sentence
from voicefactory.types import Checkpoint, OnProgress, Progress, ShouldStop

_JSON = TypeAdapter(Training)
_KINDS = {kind.__name__: kind for kind in (Cancelled, InputError)}


def devices_of(device: str) -> list[str]:
    """The devices in "cuda:0,cuda:1". Raises InputError if GPUs and CPUs are mixed."""
    devices = device.split(",")
    if len({one.partition(":")[0] for one in devices}) > 1:
        raise InputError(f"{device} mixes GPUs and CPUs. Train on one kind.")
    return devices


def finetune_together(training: Training, *, on_progress: OnProgress, should_stop: ShouldStop) -> Checkpoint:
    """`finetune` on all of its devices at once; the same result and errors.

    Raises VoiceFactoryError if a process ends without saying why.
    """
    devices = devices_of(training.device)
    each = dataclasses.replace(training, device=devices[0].partition(":")[0])
    with tempfile.TemporaryDirectory() as temporary:
        stop = Path(temporary) / "stop"
        job = {"training": _JSON.dump_python(each, mode="json"), "stop": str(stop)}
        files.write_json(Path(temporary) / "job.json", job)
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={len(devices)}"]
        command += ["-m", __name__, str(Path(temporary) / "job.json")]
        with open(Path(temporary) / "errors.txt", "w+", encoding="utf-8") as errors:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, text=True, env=_only(devices, os.environ)
            )
            try:
                return _listen(process, stop, training, on_progress, should_stop)
            except BaseException:
                process.terminate()  # torchrun ends its processes
                process.wait()
                raise
            finally:
                process.wait()


def _listen(
    process: subprocess.Popen[str],
    stop: Path,
    training: Training,
    on_progress: OnProgress,
    should_stop: ShouldStop,
) -> Checkpoint:
    """What the first process tells, line by line, until it has a result."""
    assert process.stdout is not None
    for line in process.stdout:
        try:
            told = json.loads(line)
        except ValueError:  # somebody's own words
            continue
        if should_stop():
            stop.touch()
        if "error" in told:
            raise _KINDS.get(told["kind"], VoiceFactoryError)(told["error"])
        if "checkpoint" in told:
            return Checkpoint(Path(told["checkpoint"]), told["step"], training.speaker, training.model, told["drift"])
        if "progress" in told:
            on_progress(Progress(**told["progress"]))
    raise VoiceFactoryError(
        "Training on several devices ended without a word, perhaps for lack of memory. What was saved is kept: "
        "run it again, on one device if it happens again."
    )


def _only(devices: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """The environment in which cuda:0, cuda:1, … are these devices."""
    if not devices[0].startswith("cuda"):
        return dict(environ)
    visible = [one for one in environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if one]
    numbers = [int(device.partition(":")[2] or 0) for device in devices]
    return {**environ, "CUDA_VISIBLE_DEVICES": ",".join(visible[n] if visible else str(n) for n in numbers)}


def _take_part(job: Mapping[str, Any]) -> None:
    """One of the processes."""
    from voicefactory.engines.qwen3_tts.finetune import finetune

    leads = os.environ.get("RANK", "0") == "0"

    def tell(told: Mapping[str, Any]) -> None:
        if leads:
            print(json.dumps(told), flush=True)

    stop = Path(job["stop"])

    def should_stop() -> bool:
        tell({"alive": True})  # so that the one who listens can pass on a wish
        return stop.exists()

    try:
        checkpoint = finetune(
            _JSON.validate_python(job["training"]),
            on_progress=lambda progress: tell({"progress": dataclasses.asdict(progress)}),
            should_stop=should_stop,
        )
    except Exception as error:
        sentence = as_sentence(error)
        if sentence is None:
            raise
        tell({"error": str(sentence), "kind": type(sentence).__name__})
        return
    tell({"checkpoint": str(checkpoint.path), "step": checkpoint.step, "drift": checkpoint.drift})


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):  # who listened has gone
        _take_part(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
