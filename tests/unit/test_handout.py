"""Files that a browser may fetch: whose they are is in their paths."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from voicefactory import files
from voicefactory.settings import settings
from voicefactory.ui import access, handout


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of everything that asks the settings."""
    monkeypatch.setattr(settings(), "home", tmp_path / "home")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "page"))
    return tmp_path / "home"


def _voice(owner: str, name: str = "Anna") -> Path:
    path = access.create_project(name, owner).voices / "voice.zip"
    files.write_text(path, f"the voice of {owner}")
    return path


def test_only_a_copy_is_handed_out_and_only_while_it_is_right(home: Path) -> None:
    source = _voice("eve")
    given = handout.give(source)
    assert given is not None
    assert not any(told in given for told in ("eve", "anna", "Anna"))
    assert Path(given).read_text() == "the voice of eve"
    assert handout.give(source) == given
    files.write_text(source, "another")
    assert handout.give(source) != given
    assert handout.give(source.with_name("nothing.zip")) is None


def test_what_lies_in_no_project_is_not_handed_out(home: Path, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("private")
    for path in (letter, home / "owner.key"):
        files.write_text(path, "private")
        with pytest.raises((ValueError, OSError)):
            handout.give(path)


def test_an_owner_has_their_own_files_and_nothing_else(home: Path, tmp_path: Path) -> None:
    given = handout.give(_voice("eve"))
    assert given is not None
    sent = handout.uploaded_by("eve") / "0" / "a.wav"
    files.write_text(sent, "sound")
    for own in (given, str(sent)):
        assert handout.own_file("eve", own) == Path(own)
        for other in ("adam", "local", "", "Eve"):
            assert handout.own_file(other, own) is None
    assert handout.give(_voice("adam"))  # adam has a folder, too
    (handout.given_to("adam") / "link").symlink_to(given)
    folder, page = Path(given).parent, handout.temporary_folder()
    for wrong in (
        str(folder),
        str(handout.given_to("adam") / "link"),
        str(handout.given_to("adam") / ".." / Path(given).relative_to(handout.given_to("eve").parent)),
        f"{handout.given_to('eve')}/../../secret.key",
        str(page / "secret.key"),
        str(home / "owner.key"),
        given.upper(),
        given + "/",
        given + "\0",
        os.path.relpath(given),
        "file://" + given,
        "https://example.org/a.wav",
        "",
    ):
        assert handout.own_file("adam", wrong) is None, wrong
    assert handout.own_file("eve", str(handout.given_to("eve") / "none.wav")) is None


def test_paths_stay_after_a_restart_and_nobody_else_can_compute_them(home: Path) -> None:
    source = _voice("eve")
    given = handout.give(source)
    secret = handout.temporary_folder() / "secret.key"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    handout._secret.cache_clear()
    assert handout.give(source) == given
    secret.unlink()
    handout._secret.cache_clear()
    assert handout.give(source) != given


def test_what_was_handed_out_goes_with_its_project_and_its_owner(home: Path) -> None:
    first, second, other = (handout.give(_voice(*whose)) for whose in (("eve", "A"), ("eve", "B"), ("adam", "A")))
    assert first is not None
    assert second is not None
    assert other is not None
    sent = handout.uploaded_by("eve") / "0" / "a.wav"
    files.write_text(sent, "sound")
    handout.forget_project("eve", access.create_project("A", "eve").identifier)
    assert [Path(path).exists() for path in (first, second, other, sent)] == [False, True, True, True]
    handout.forget_owner("eve")
    assert [Path(path).exists() for path in (first, second, other, sent)] == [False, False, True, False]


def test_what_nobody_fetched_for_a_day_is_swept(home: Path) -> None:
    given = handout.give(_voice("eve"))
    assert given is not None
    assert handout.sweep() == 0
    assert handout.sweep(older_than_s=-1) == 1
    assert not Path(given).parent.exists()
