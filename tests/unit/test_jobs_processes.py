"""Jobs with real workers: killed, frozen, cancelled, found again, and never with a token where it must not be."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.at_work import listen, prepare, running, take_in, train, training, uploaded, wait, wait_for
from tests.conftest import GivenClip
from tests.loopback_hub import LoopbackHub
from voicefactory.errors import InputError, VoiceFactoryError
from voicefactory.jobs import processes
from voicefactory.jobs.scheduler import Scheduler
from voicefactory.jobs.store import Job
from voicefactory.jobs.tasks import PublishRequest, ReadRequest
from voicefactory.pipeline.said import SpeechRequest, new_name
from voicefactory.pipeline.transcripts import load_transcripts
from voicefactory.project import Project


@pytest.fixture
def project(home: Path, twelve_clips: list[GivenClip]) -> Project:
    return uploaded(home, twelve_clips[:3])


def log_of(project: Project, job: Job) -> str:
    return (project.root / "jobs" / f"{job.id}.log").read_text(encoding="utf-8")


def test_a_job_is_done_by_another_process(scheduler: Scheduler, project: Project) -> None:
    done = wait_for(scheduler, prepare(scheduler, project), "succeeded")
    assert done.state == "succeeded", done.error
    assert done.pid not in (None, os.getpid())
    _, alive = psutil.wait_procs([one for one in psutil.Process().children() if one.pid == done.pid], 30)
    assert not alive
    assert not list((scheduler.home / "tmp").iterdir())
    assert done.result is not None
    assert done.result["clips"] == 3
    assert len(load_transcripts(project)) == 3


def test_a_killed_worker_is_noticed_and_its_job_can_be_resumed(scheduler: Scheduler, project: Project) -> None:
    job = wait(scheduler, take_in(scheduler, project), running, 180)
    assert job.pid is not None
    os.kill(job.pid, signal.SIGKILL)
    gone = wait_for(scheduler, job, "interrupted", 5)
    assert gone.state == "interrupted"
    assert "press Resume" in gone.error
    done = wait_for(scheduler, scheduler.resume(job.id), "succeeded")
    assert done.state == "succeeded", done.error


@pytest.mark.slow
def test_cancel_in_training_saves_and_ends_within_ten_seconds(scheduler: Scheduler, project: Project) -> None:
    wait_for(scheduler, prepare(scheduler, project), "succeeded")
    job = wait(scheduler, train(scheduler, project), training, 300)
    with pytest.raises(InputError, match="trained already"):
        train(scheduler, project)
    begun = time.monotonic()
    scheduler.cancel(job.id)
    ended = wait_for(scheduler, job, "cancelled", 10)
    assert ended.state == "cancelled"
    while processes.is_alive(job.pid, job.pid_identity):
        assert time.monotonic() - begun < 100
        time.sleep(0.05)
    saved = sorted(project.runs.glob("*/checkpoints/step-*"))
    assert saved
    again = wait(scheduler, scheduler.resume(job.id), training, 300)
    assert again.done >= int(saved[-1].name.removeprefix("step-"))  # not from the beginning
    assert sorted(run.name for run in project.runs.iterdir() if run.is_dir()) == [saved[-1].parents[1].name]


def test_a_worker_that_does_not_listen_is_ended_within_ten_seconds_with_its_children(
    scheduler: Scheduler, project: Project
) -> None:
    job = wait(scheduler, take_in(scheduler, project), running, 180)
    assert job.pid is not None
    os.kill(job.pid, signal.SIGSTOP)  # as deaf as a worker can be
    begun = time.monotonic()
    scheduler.cancel(job.id)
    ended = wait_for(scheduler, job, "cancelled", 10)
    assert ended.state == "cancelled"
    assert not processes.is_alive(job.pid, job.pid_identity)
    assert time.monotonic() - begun < 100


def test_an_orphan_of_a_dead_worker_is_killed(tmp_path: Path) -> None:
    script = "import subprocess, sys, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    leader = psutil.Popen(["python3", "-c", script], stdout=-1, start_new_session=True)
    known = processes.identity(leader.pid)
    assert known is not None
    child = psutil.Process(int(leader.stdout.readline()))
    leader.kill()
    leader.wait()
    assert child.is_running()
    processes.kill_orphans(leader.pid, known)
    _, alive = psutil.wait_procs([child], 5)
    assert not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.slow
def test_a_new_app_finds_running_workers_and_dead_ones(home: Path, project: Project) -> None:
    first = Scheduler(home)
    first.start()
    job = wait(first, prepare(first, project), running, 180)
    assert job.pid is not None
    os.kill(job.pid, signal.SIGSTOP)  # so that it does not end between the two apps
    first.stop()

    second = Scheduler(home)
    second.start()
    time.sleep(0.5)
    assert second.store.get(job.id).state == "running"
    os.kill(job.pid, signal.SIGCONT)
    assert wait_for(second, job, "succeeded").state == "succeeded"

    other = wait(second, listen(second, project), running, 180)
    assert other.pid is not None
    os.kill(other.pid, signal.SIGSTOP)
    second.stop()
    os.kill(other.pid, signal.SIGKILL)

    third = Scheduler(home)
    third.start()
    assert wait_for(third, other, "interrupted", 5).state == "interrupted"
    third.stop()


def test_a_second_app_on_the_same_home_says_so(scheduler: Scheduler, home: Path) -> None:
    with pytest.raises(VoiceFactoryError, match="already running"):
        Scheduler(home).start()


def test_a_waiting_job_starts_after_the_one_before_it_and_can_be_cancelled(
    scheduler: Scheduler, project: Project, home: Path
) -> None:
    first = wait(scheduler, prepare(scheduler, project), running, 180)
    second = listen(scheduler, project)
    third = listen(scheduler, project)  # takes in everything, so the one that waits is not needed
    assert scheduler.store.get(second.id).state == "cancelled"
    assert scheduler.store.get(third.id).state == "queued"
    scheduler.cancel(third.id)
    assert scheduler.store.get(third.id).state == "cancelled"
    assert wait_for(scheduler, first, "succeeded").state == "succeeded"


def test_the_persons_mistake_is_a_sentence_and_ours_is_a_log(scheduler: Scheduler, project: Project) -> None:
    nothing = wait_for(scheduler, train(scheduler, project), "failed")
    assert (nothing.state, nothing.error_kind) == ("failed", "InputError")
    assert "No usable clip" in nothing.error

    project.clips_jsonl.write_text("{broken\n", encoding="utf-8")
    broken = wait_for(scheduler, train(scheduler, project), "failed")
    assert (broken.state, broken.error_kind) == ("failed", "defect")
    assert "on our side" in broken.error
    assert "Traceback" not in broken.error
    assert "JSONDecodeError" in log_of(project, broken)


def test_a_deleted_project_does_not_block_the_queue(scheduler: Scheduler, project: Project, home: Path) -> None:
    job = scheduler.store.add("prepare", "local", "no-such-project", {})
    failed = wait_for(scheduler, job, "failed", 10)
    assert failed.state == "failed"
    assert "no project" in failed.error
    nothing = wait_for(scheduler, train(scheduler, project), "failed")
    assert "No usable clip" in nothing.error  # it has had its turn


def test_a_token_reaches_the_hub_and_nothing_else(
    scheduler: Scheduler, project: Project, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = project.voices / "quick-1"
    for name in ("config.json", "voice.json", "model.safetensors", "speech_tokenizer/model.safetensors"):
        (voice / name).parent.mkdir(parents=True, exist_ok=True)
        (voice / name).write_text(json.dumps({"name": "Anna"}), encoding="utf-8")
    with LoopbackHub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        request = dataclasses.asdict(PublishRequest(str(voice), "anna/voice"))
        job = scheduler.submit("publish", project, "local", request, token=hub.token)
        started = wait(scheduler, job, lambda found: found.state != "queued", 180)
        if started.pid and started.active:
            assert hub.token not in " ".join(psutil.Process(started.pid).cmdline())
        done = wait_for(scheduler, job, "succeeded")
        assert done.state == "succeeded", done.error
        assert done.result == {"url": f"{hub.url}/anna/voice"}
        assert hub.repos["anna/voice"].private

        wrong = scheduler.submit("publish", project, "local", request, token="hf_notTheRightToken999")
        refused = wait_for(scheduler, wrong, "failed")
        assert refused.state == "failed"
    written = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"anna/voice" in written
    assert hub.token.encode() not in written
    assert b"hf_notTheRightToken999" not in written


def read(scheduler: Scheduler, project: Project, clip: GivenClip, text: str) -> Job:
    """A take in the project, and a job that listens whether `text` was read."""
    audio = project.root / "reading" / clip.path.name
    audio.parent.mkdir(exist_ok=True)
    audio.write_bytes(clip.path.read_bytes())
    wanted = ReadRequest(project.relative(audio), "en-00000000", text, "english", "tiny.en")
    return scheduler.submit("read", project, "local", dataclasses.asdict(wanted))


@pytest.mark.slow
def test_whoever_listened_to_a_sentence_stays_for_the_next_one(
    scheduler: Scheduler, project: Project, twelve_clips: list[GivenClip]
) -> None:
    clip = twelve_clips[9]
    first = wait_for(scheduler, read(scheduler, project, clip, twelve_clips[5].text), "succeeded", 180)
    second = wait_for(scheduler, read(scheduler, project, clip, clip.text), "succeeded", 180)
    assert (first.state, second.state) == ("succeeded", "succeeded")
    assert first.result is not None
    assert second.result is not None
    assert (first.result["ok"], second.result["ok"]) == (False, True)
    assert second.pid == first.pid
    assert (project.root / "jobs" / f"{second.id}.log").is_file()  # not in the log of the first, who may be another
    psutil.Process(first.pid).terminate()  # it does nothing now, so it goes at once
    psutil.Process(first.pid).wait(10)
    third = wait_for(scheduler, read(scheduler, project, clip, clip.text), "succeeded", 180)
    assert third.state == "succeeded"
    psutil.Process(third.pid).terminate()


@pytest.mark.slow
def test_a_sentence_is_heard_beside_a_training_run(scheduler: Scheduler, project: Project) -> None:
    wait_for(scheduler, prepare(scheduler, project), "succeeded")
    first = train(scheduler, project, max_steps=4)
    assert wait_for(scheduler, first, "succeeded", 300).state == "succeeded"
    (voice,) = [path.parent.name for path in project.voices.glob("*/voice.json")]
    long = wait(scheduler, train(scheduler, project, max_steps=4000), training, 300)
    request = SpeechRequest(new_name(), (f"voice:{voice}",), ("Anna",), ("Hello there.",), language="english")
    said = scheduler.submit("synthesize", project, "local", dataclasses.asdict(request))
    done = wait_for(scheduler, said, "succeeded", 300)
    assert done.state == "succeeded", done.error
    assert scheduler.store.get(long.id).state == "running"
    scheduler.cancel(long.id)
    wait_for(scheduler, long, "cancelled", 60)


def test_a_worker_computes_after_the_page_also_where_cores_are_shared_out_between_sessions() -> None:
    code = (
        "import os; from pathlib import Path; import psutil; from voicefactory.jobs import processes;"
        "processes.come_after_others(psutil.Process());"
        "group = Path('/proc/self/autogroup');"
        "print(os.nice(0), group.read_text() if group.exists() else 'none')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, start_new_session=True
    )
    nice, _, group = done.stdout.strip().partition(" ")
    assert nice == "10"
    assert group == "none" or group.endswith("nice 5")
