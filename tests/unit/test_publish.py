"""Publishing, with the real Hub client in a process of its own against a Hub on this machine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.loopback_hub import LoopbackHub
from voicefactory.errors import InputError
from voicefactory.pipeline.publish import files_to_publish

SENT = [
    "LICENSE",
    "README.md",
    "config.json",
    "generation_config.json",
    "merges.txt",
    "model.safetensors",
    "samples/one.wav",
    "samples/sam[p]le*.wav",
    "speech_tokenizer/config.json",
    "speech_tokenizer/model.safetensors",
    "speech_tokenizer/preprocessor_config.json",
    "tokenizer_config.json",
    "vocab.json",
    "voice.json",
]
KEPT_HERE = [
    "recordings/secret.wav",
    "consent.wav",
    "log.txt",
    "samples/log.txt",
    "samples/more/take.wav",
    "checkpoints/step-000200/model.safetensors",
    "checkpoints/step-000200/config.json",
    "dataset.jsonl",
    "run.yaml",
    ".env",
    ".aside-x.safetensors",
    "model.bin",
]

#: Publishes and prints the address, or the error's kind and sentence.
PUBLISH = """
import json, os, pathlib, sys
from voicefactory.errors import VoiceFactoryError
from voicefactory.pipeline.publish import publish
voice, repo_id, public = json.loads(sys.argv[1])
steps = []
try:
    url = publish(pathlib.Path(voice), repo_id, token=os.environ["CALLERS_TOKEN"], public=public,
                  on_progress=lambda progress: steps.append(progress.message))
    print(json.dumps({"url": url, "steps": steps}))
except VoiceFactoryError as error:
    print(json.dumps({"kind": type(error).__name__, "error": str(error)}))
"""


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with LoopbackHub() as serving:
        yield serving


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    """A folder like a packaged voice, with things in it that must stay on this machine."""
    folder = tmp_path / "voice"
    rng = np.random.default_rng(0)
    for name in SENT + KEPT_HERE:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".safetensors"):
            save_file({"weight": rng.normal(size=(64, 1024)).astype(np.float32)}, path)
        elif name.endswith(".json"):
            path.write_text(json.dumps({"name": name}))
        else:
            path.write_bytes(b"---\nlicense: apache-2.0\n---\n" if name == "README.md" else rng.bytes(5_000))
    return folder


def run_publish(
    hub_url: str, voice: Path, repo_id: str, *, token: str, public: bool = False, **environ: str
) -> dict[str, object]:
    """`publish` in a process whose home is beside the voice; its answer, with everything it said."""
    home = voice.parent / "home"
    home.mkdir(exist_ok=True)
    env = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING_FACE"))}
    env |= {"HOME": str(home), "HF_HOME": str(home / "hf"), "HF_ENDPOINT": hub_url, "CALLERS_TOKEN": token, **environ}
    done = subprocess.run(
        [sys.executable, "-c", PUBLISH, json.dumps([str(voice), repo_id, public])],
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert token.strip() == "" or token.strip() not in done.stdout + done.stderr
    return {"said": done.stderr, **json.loads(done.stdout.splitlines()[-1])}


def test_exactly_the_voice_arrives_and_is_private(hub: LoopbackHub, voice: Path) -> None:
    answer = run_publish(hub.url, voice, "anna/my-voice", token=hub.token)
    assert answer["url"] == f"{hub.url}/anna/my-voice"
    repo = hub.repos["anna/my-voice"]
    assert repo.private is True
    assert sorted(repo.files.keys() - {".gitattributes"}) == sorted(SENT)
    for name in SENT:
        assert repo.files[name] == (voice / name).read_bytes(), name
    assert "model.safetensors" in repo.lfs
    assert "config.json" not in repo.lfs
    assert f"uploading {len(SENT)} files, 1 MB" in answer["steps"]  # type: ignore[operator]


def test_nothing_else_was_even_mentioned(hub: LoopbackHub, voice: Path) -> None:
    run_publish(hub.url, voice, "anna/my-voice", token=hub.token)
    sent = b"\n".join(request.path.encode() + request.body for request in hub.requests)
    for name in ("secret.wav", "consent", "log.txt", "take.wav", "step-000200", "dataset.jsonl", ".env", "model.bin"):
        assert name.encode() not in sent, name
    assert (voice / "recordings/secret.wav").read_bytes() not in sent


def test_the_token_is_the_callers_and_is_written_nowhere(hub: LoopbackHub, voice: Path) -> None:
    run_publish(hub.url, voice, "anna/my-voice", token=hub.token, HF_TOKEN="hf_anotherOneOfTheMachine")
    for request in hub.requests:
        authorization = request.headers.get("authorization", request.headers.get("Authorization"))
        expected = None if request.path.startswith("/objects/") else f"Bearer {hub.token}"
        assert authorization == expected, request.path
        assert hub.token.encode() not in request.path.encode() + request.body
    for path in voice.parent.rglob("*"):
        assert not path.is_file() or hub.token.encode() not in path.read_bytes(), path


def test_public_when_asked(hub: LoopbackHub, voice: Path) -> None:
    run_publish(hub.url, voice, "my-voice", token=hub.token, public=True)
    assert hub.repos["anna/my-voice"].private is False
    assert "model.safetensors" in hub.repos["anna/my-voice"].files


def test_a_repository_that_exists_is_left_alone(hub: LoopbackHub, voice: Path) -> None:
    run_publish(hub.url, voice, "anna/my-voice", token=hub.token)
    before = dict(hub.repos["anna/my-voice"].files)
    (voice / "voice.json").write_text("{}")
    for repo_id in ("anna/my-voice", "my-voice"):
        answer = run_publish(hub.url, voice, repo_id, token=hub.token)
        assert answer["kind"] == "InputError"
        assert "exists already" in str(answer["error"])
    assert hub.repos["anna/my-voice"].files == before


def test_an_interrupted_push_goes_on_in_the_empty_repository(hub: LoopbackHub, voice: Path) -> None:
    hub.fail_commits_with = 500
    answer = run_publish(hub.url, voice, "anna/my-voice", token=hub.token)
    assert answer["kind"] == "VoiceFactoryError"
    assert "error 500" in str(answer["error"])
    hub.fail_commits_with = 0
    assert "exists already" in str(run_publish(hub.url, voice, "anna/my-voice", token=hub.token, public=True)["error"])
    assert "url" in run_publish(hub.url, voice, "anna/my-voice", token=hub.token)
    assert "model.safetensors" in hub.repos["anna/my-voice"].files


def test_a_rejected_token(hub: LoopbackHub, voice: Path) -> None:
    answer = run_publish(hub.url, voice, "anna/my-voice", token="hf_expired0123456789")
    assert answer["kind"] == "InputError"
    assert "does not know this token" in str(answer["error"])
    assert not hub.repos


def test_somebody_elses_namespace(hub: LoopbackHub, voice: Path) -> None:
    answer = run_publish(hub.url, voice, "ben/my-voice", token=hub.token)
    assert answer["kind"] == "InputError"
    assert "may not create or write ben/my-voice" in str(answer["error"])


def test_a_repository_id_that_is_none(hub: LoopbackHub, voice: Path) -> None:
    for repo_id in ("", "a/b/c", "anna/my voice", "../x", "anna/<script>"):
        answer = run_publish(hub.url, voice, repo_id, token=hub.token)
        assert answer["kind"] == "InputError", repo_id
        assert "cannot be a repository" in str(answer["error"])
    assert not hub.requests


@pytest.mark.parametrize("token", ["", "  ", "hf_two words", "hf_line\nbreak", "hf_ünïcode"])
def test_a_token_that_is_none(hub: LoopbackHub, voice: Path, token: str) -> None:
    answer = run_publish(hub.url, voice, "anna/my-voice", token=token)
    assert answer["kind"] == "InputError"
    assert "token" in str(answer["error"])
    assert not hub.requests


def test_no_network(voice: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        answer = run_publish(url, voice, "anna/my-voice", token="hf_right0123456789")
    assert answer["kind"] == "VoiceFactoryError"
    assert "could not be reached" in str(answer["error"])


def test_offline_mode(hub: LoopbackHub, voice: Path) -> None:
    answer = run_publish(hub.url, voice, "anna/my-voice", token=hub.token, HF_HUB_OFFLINE="1")
    assert answer["kind"] == "VoiceFactoryError"
    assert "HF_HUB_OFFLINE is set" in str(answer["error"])
    assert not hub.requests


def test_a_link_out_of_the_voice_is_refused(voice: Path) -> None:
    outside = voice.parent / "id_rsa"
    outside.write_text("secret")
    (voice / "LICENSE").unlink()
    (voice / "LICENSE").symlink_to(outside)
    with pytest.raises(InputError, match="LICENSE is a link that leads out of"):
        files_to_publish(voice)


def test_a_link_within_the_voice_is_followed(voice: Path) -> None:
    (voice / "speech_tokenizer/model.safetensors").rename(voice / "codec.safetensors")
    (voice / "speech_tokenizer/model.safetensors").symlink_to("../codec.safetensors")
    assert "speech_tokenizer/model.safetensors" in files_to_publish(voice)


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "speech_tokenizer/model.safetensors"])
def test_a_folder_that_is_no_voice(voice: Path, missing: str) -> None:
    (voice / missing).unlink()
    with pytest.raises(InputError, match="is not a finished voice"):
        files_to_publish(voice)
