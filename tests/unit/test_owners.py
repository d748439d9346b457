"""Keys, and the owners that are written down instead of them."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from voicefactory import owners
from voicefactory.errors import VoiceFactoryError


def test_a_key_says_its_owner_and_an_owner_does_not_say_its_key() -> None:
    home, mine, other = (owners.new_key() for _ in range(3))
    assert owners.owner_of_key(home, home) == owners.LOCAL
    owner = owners.owner_of_key(mine, home)
    assert owner == owners.owner_of_key(mine, other) != owners.owner_of_key(other, home)
    assert owner.startswith("v-")
    assert len(owner) == 26
    for written in (owner, owners.short_digest(owner), owners.cookie_name(home)):
        assert mine not in written
        assert home not in written
        assert owners.owner_of_key(written, home) == owners.owner_of_key(written[2:], home) == ""


@pytest.mark.parametrize("wrong", ["", "x" * 32, "A" * 32, "0" * 31, "0" * 33, "0" * 32 + "\n", "local", "٠" * 32])
def test_what_is_no_key_has_no_owner(wrong: str) -> None:
    assert not owners.is_key(wrong)
    assert owners.owner_of_key(wrong, wrong) == ""


def test_no_account_is_the_person_at_this_computer() -> None:
    assert owners.owner_of_user(owners.LOCAL) != owners.LOCAL
    assert not owners.owner_of_user("v-0").startswith("v-")


def test_the_key_of_a_home_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    home, found = tmp_path / "home", []
    threads = [threading.Thread(target=lambda: found.append(owners.home_key(home))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 8
    assert [path.name for path in home.iterdir()] == [owners.KEY_FILE]
    assert stat.S_IMODE((home / owners.KEY_FILE).stat().st_mode) == 0o600
    (home / owners.KEY_FILE).write_text("nothing")
    with pytest.raises(VoiceFactoryError, match="Delete it"):
        owners.home_key(home)
