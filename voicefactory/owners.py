"""Who is who: keys that browsers hold, and the owners that projects, jobs and logs name.

A key is 128 random bits, and whoever holds it is its owner. What is written down is never the key but a digest of it,
so that a row, a file or a log lets nobody in. The key of a home, in its `owner.key`, is that of the person at this
computer: its owner is "local", to whom everything belongs that commands make. On a Space there are no keys; the owner
is the account.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

from voicefactory.errors import VoiceFactoryError

LOCAL = "local"  #: owner of everything that commands make, and the admin of a home
HEADER = "X-VoiceFactory-Key"  #: in which scripts send their key; browsers have a cookie
KEY_FILE = "owner.key"
_KEY = re.compile(r"[0-9a-f]{32}")


def new_key() -> str:
    """128 random bits as 32 hexadecimal digits."""
    return secrets.token_hex(16)


def is_key(text: str) -> bool:
    """Whether `text` has the shape of a key."""
    return _KEY.fullmatch(text) is not None


def home_key(home: Path) -> str:
    """The key of the person at this computer: see `kept_key`."""
    return kept_key(home.expanduser().resolve() / KEY_FILE)


def kept_key(path: Path) -> str:
    """The key in a file that only its owner on this machine may read, made when there is none.

    Raises VoiceFactoryError if the file holds something else.
    """
    if not path.exists():
        _write_once(path, new_key())
    key = path.read_text(encoding="ascii", errors="replace").strip()
    if not is_key(key):
        raise VoiceFactoryError(f"{path} is damaged. Delete it: the next start makes another key.")
    return key


def owner_of_key(key: str, home: str) -> str:
    """The owner who holds `key`, where `home` is the key of the home: "local", or "v-" and 24 digits of its digest.

    Empty for what is no key.
    """
    if not is_key(key):
        return ""
    return LOCAL if hmac.compare_digest(key, home) else f"v-{_digest('owner', key)[:24]}"


def owner_of_user(name: str) -> str:
    """The owner that is an account on the Hub; no account can be called like another kind of owner."""
    return f"hf:{name}"


def cookie_name(home: str) -> str:
    """What a browser keeps its key under. Cookies know no port: two homes on one machine must not mix theirs."""
    return f"voicefactory-{_digest('cookie', home)[:8]}"


def short_digest(owner: str) -> str:
    """Ten hexadecimal digits that stand for an owner in the name of a folder."""
    return _digest("folder", owner)[:10]


def name_in_logs(owner: str) -> str:
    """What stands for an owner in a log, which outlives what they have deleted: lines of one belong together."""
    return owner if owner in ("", LOCAL) else f"o-{_digest('log', owner)[:8]}"


def _digest(purpose: str, secret: str) -> str:
    return hashlib.sha256(f"VoiceFactory {purpose} {secret}".encode()).hexdigest()


def _write_once(path: Path, content: str) -> None:
    """Write a file of mode 0600 unless somebody else just has. It is whole as soon as it is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"{content}\n")
        try:
            os.link(aside, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
