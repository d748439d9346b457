"""Write aside, then rename: a file or folder that exists is whole.

Every step leaves its output through one of these, and a receipt beside it that says from which
inputs it was made, so that a second run can skip what is finished and a killed run loses nothing.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from voicefactory.errors import VoiceFactoryError

_ASIDE = ".aside-"
_LOOKED_AT = 4 << 20  #: bytes at either end of a weights file
_NO_SPACE = 64 << 10  #: bytes; a disk with less is full, even if the last block did not fit


@contextlib.contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on success it becomes `path`, on failure it vanishes.

    The temporary name keeps the suffix, since audio writers choose a format by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=_ASIDE, suffix=path.suffix, dir=path.parent)
    os.close(handle)
    aside = Path(name)
    try:
        with _disk_full_in_words(path.parent):
            yield aside
            with open(aside, "rb+") as written:
                os.fsync(written.fileno())
        aside.chmod(0o644)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


@contextlib.contextmanager
def writing_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; on success it takes the place of `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=path.parent))
    try:
        with _disk_full_in_words(path.parent):
            yield aside
        aside.chmod(0o755)
        if path.exists():
            old = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=path.parent))
            os.replace(path, old / path.name)
            os.replace(aside, path)
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.replace(aside, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextlib.contextmanager
def _disk_full_in_words(folder: Path) -> Iterator[None]:
    """Audio and tensor writers report a full disk as whatever their C and Rust parts make of it."""
    try:
        yield
    except Exception as error:
        full = os.strerror(errno.ENOSPC) in str(error) or shutil.disk_usage(folder).free < _NO_SPACE
        if full and not isinstance(error, VoiceFactoryError):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)) from error
        raise


def remove_leftovers(root: Path, older_than_s: float = 3600.0) -> list[int]:
    """Delete what a killed process left half-written under `root`; the bytes of each.

    Only what nobody has touched for a while: the page may be writing there at this moment.
    """
    sizes = []
    for aside in list(root.rglob(f"{_ASIDE}*")):
        if not aside.exists() or time.time() - aside.stat().st_mtime < older_than_s:
            continue
        sizes.append(_size_of(aside))
        if aside.is_dir():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.unlink(missing_ok=True)
    return sizes


def _size_of(path: Path) -> int:
    inside = path.rglob("*") if path.is_dir() else [path]
    return sum(one.lstat().st_size for one in inside if one.is_file())


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with writing(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line, whole or not at all."""
    with writing(path) as aside, open(aside, "w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Read one JSON object a line; a missing file is an empty list.

    A last line without its newline (a writer killed while appending) is left out.
    """
    if not path.exists():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
        if line.strip():
            rows.append(json.loads(line))
    return rows


def sha256_of(path: Path) -> str:
    """Hex digest of a file's content, read in blocks."""
    digest = hashlib.sha256()
    with open(path, "rb") as source:
        while block := source.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def model_identity(model: Path) -> str:
    """Hex digest that tells one model directory from another, without reading gigabytes: of its configuration, and
    of each weights file its size, header and last megabytes, in which no two trained models agree."""
    digest = hashlib.sha256((model / "config.json").read_bytes())
    for path in sorted(model.glob("*.safetensors")):
        size = path.stat().st_size
        digest.update(f"{path.name} {size}".encode())
        with open(path, "rb") as weights:
            digest.update(weights.read(_LOOKED_AT))
            weights.seek(max(0, size - _LOOKED_AT))
            digest.update(weights.read(_LOOKED_AT))
    return digest.hexdigest()


def fingerprint(value: Any) -> str:
    """Hex digest of any JSON value, independent of key order."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _receipt(output: Path) -> Path:
    return output.with_name(output.name + ".inputs.json")


def is_current(output: Path, inputs: Any) -> bool:
    """True if `output` exists and was made from exactly these `inputs` (any JSON value)."""
    receipt = _receipt(output)
    return output.exists() and receipt.exists() and read_json(receipt) == {"inputs": fingerprint(inputs)}


def mark_current(output: Path, inputs: Any) -> None:
    """Leave the receipt that `is_current` looks for. Call after `output` is in place."""
    write_json(_receipt(output), {"inputs": fingerprint(inputs)})
