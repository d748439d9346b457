"""Upload a voice to the Hugging Face Hub: private unless asked, and only files on a list of what a voice is.

The token is the caller's. It goes into request headers and nowhere else: it is never written, logged or part
of an error's text. All files arrive in one commit, so that the repository has the whole voice or nothing.
"""

from __future__ import annotations

import contextlib
import glob
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from voicefactory.errors import InputError, VoiceFactoryError
from voicefactory.types import OnProgress, Progress, silent

if TYPE_CHECKING:
    from huggingface_hub import HfApi

TOKENS_PAGE = "huggingface.co/settings/tokens"

#: What may leave the machine, relative to the voice's folder. `*` does not cross a `/`.
ALLOWED = (
    "README.md",
    "LICENSE*",
    "voice.json",
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "speech_tokenizer/config.json",
    "speech_tokenizer/configuration.json",
    "speech_tokenizer/preprocessor_config.json",
    "speech_tokenizer/*.safetensors",
    "adapter/adapter_config.json",
    "adapter/*.safetensors",
    "reference/reference.wav",
    "reference/reference.json",
    "samples/*.wav",
    "samples/*.flac",
)


def publish(
    voice: Path,
    repo_id: str,
    *,
    token: str,
    public: bool = False,
    endpoint: str | None = None,
    on_progress: OnProgress = silent,
) -> str:
    """Create the model repository `repo_id` ("name" or "owner/name"), upload `voice` into it, return its URL.

    A repository that exists is left alone, unless an interrupted call left it empty. Raises InputError for a
    folder that is no voice, an unusable id or token, or a taken name; VoiceFactoryError without a connection.
    """
    repo_id, token = parse_repo_id(repo_id), _checked_token(token)
    paths = files_to_publish(voice)
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint, token=token)
    megabytes = sum((voice / path).stat().st_size for path in paths) / 1e6
    with _sentences(repo_id), _quiet_unless_watched():
        on_progress(Progress("publish", 0, 2, f"creating {repo_id}"))
        repo_id = _create_or_find_empty(api, repo_id, private=not public)
        on_progress(Progress("publish", 1, 2, f"uploading {len(paths)} files, {megabytes:.0f} MB"))
        api.upload_folder(
            repo_id=repo_id,
            folder_path=voice,
            allow_patterns=[glob.escape(path) for path in paths],
            commit_message="Voice made with VoiceFactory",
        )
    on_progress(Progress("publish", 2, 2, "done"))
    return f"{api.endpoint}/{repo_id}"


def files_to_publish(voice: Path) -> list[str]:
    """The files of `voice` that may be uploaded, as sorted POSIX paths relative to it.

    Raises InputError if it is no complete voice, or if one of them is a link that leads out of the folder.
    """
    root = voice.resolve()
    found = {
        path.relative_to(root): path
        for pattern in ALLOWED
        for path in root.glob(pattern)
        if path.is_file() and not path.name.startswith(".")
    }
    for name, folder in (("config.json", "."), ("*.safetensors", "."), ("*.safetensors", "speech_tokenizer")):
        if not any(path.match(name) and path.parent == Path(folder) for path in found):
            where = f"{voice}/{folder}".removesuffix("/.")
            raise InputError(f"{voice} is not a finished voice: there is no {name} in {where}. Run create again.")
    for relative, path in found.items():
        if not path.resolve().is_relative_to(root):
            raise InputError(f"{relative} is a link that leads out of {voice}. Put the file itself there.")
    return sorted(path.as_posix() for path in found)


def parse_repo_id(repo_id: str) -> str:
    """`repo_id` without blanks around it. Raises InputError for what the Hub would not take as a name."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils._validators import validate_repo_id

    repo_id = repo_id.strip()
    try:
        validate_repo_id(repo_id)
    except HFValidationError:
        raise InputError(
            f"{repo_id!r} cannot be a repository. Use owner/name with letters, digits, '-', '_' and '.', "
            "for example: anna/my-voice."
        ) from None
    return repo_id


def _checked_token(token: str) -> str:
    token = token.strip()
    if not token:
        raise InputError(f"Publishing needs a Hub token with write permission: make one at {TOKENS_PAGE}.")
    if not (token.isascii() and token.isprintable() and " " not in token):
        # the HTTP library would refuse it too, and print it
        raise InputError(f"That is no Hub token: it has characters that tokens never have. Copy it from {TOKENS_PAGE}.")
    return token


def _create_or_find_empty(api: HfApi, repo_id: str, *, private: bool) -> str:
    """Create the repository and return its full id; take one that exists only if it is empty and as private."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return api.create_repo(repo_id, private=private, exist_ok=False).repo_id
    except HfHubHTTPError as error:
        if error.response is None or error.response.status_code != 409:
            raise
        full_id = repo_id if "/" in repo_id else f"{api.whoami()['name']}/{repo_id}"
        there = api.repo_info(full_id)
        files = {file.rfilename for file in there.siblings or []}
        if files <= {".gitattributes"} and there.private == private:
            return full_id
        raise


@contextlib.contextmanager
def _quiet_unless_watched() -> Iterator[None]:
    """huggingface_hub draws its own bars; in a log they would only be noise."""
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    change = not sys.stderr.isatty() and not are_progress_bars_disabled()
    if change:
        disable_progress_bars()
    try:
        yield
    finally:
        if change:
            enable_progress_bars()


@contextlib.contextmanager
def _sentences(repo_id: str) -> Iterator[None]:
    """Turn what the Hub's client raises into our own errors. Their text may quote a request, so none of it is kept."""
    import requests
    from huggingface_hub.errors import OfflineModeIsEnabled

    try:
        yield
    except VoiceFactoryError:
        raise
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, (requests.RequestException, ConnectionError)):
            cause = cause.__cause__  # failed uploads arrive wrapped
        if isinstance(cause, OfflineModeIsEnabled):
            raise VoiceFactoryError(
                "HF_HUB_OFFLINE is set, so nothing is sent to the Hub. Unset it, and push again."
            ) from None
        response = getattr(cause, "response", None)
        if response is not None:
            raise _refusal(response.status_code, repo_id) from None
        if cause is not None:
            raise VoiceFactoryError(
                "The Hub could not be reached. Check the connection, and push again: the voice is still here."
            ) from None
        raise


def _refusal(status: int, repo_id: str) -> VoiceFactoryError:
    if status == 401:
        return InputError(f"The Hub does not know this token. Make one with write permission at {TOKENS_PAGE}.")
    if status == 403:
        return InputError(
            f"This token may not create or write {repo_id}. Use a name under your own account, "
            f"and a token with write permission from {TOKENS_PAGE}."
        )
    if status == 409:
        return InputError(f"{repo_id} exists already and is left as it is. Choose another name, or delete it there.")
    if status == 429:
        return VoiceFactoryError("The Hub has had too many requests from you. Wait some minutes, and push again.")
    return VoiceFactoryError(f"The Hub answered with error {status}. Push again later: the voice is still here.")
