"""Lines to be spoken, from a field or a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicefactory.errors import InputError
from voicefactory.pipeline.lines import LONGEST_TEXT, MOST_LETTERS, MOST_LINES, check_text, parse_lines, read_lines


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", "One.\r\n\r\n  Two,   too. \n---\n"),
        ("a.csv", 'id,text\n1,One.\n2,"Two,\n too."\n'),
        ("a.csv", 'One.\n"Two, too."\n'),
        ("a.csv", "id;Text;n\n1;One.;x\n2;Two, too.;y\n"),
        ("a.tsv", "sentence\tn\nOne.\t1\nTwo, too.\t2\n"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_lines_of_files(name: str, content: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode(encoding))
    assert read_lines(path) == ["One.", "Two, too."]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.txt", b"\n \n--\n", "no line to speak"),
        ("a.csv", b"", "no line to speak"),
        ("a.csv", b"a,b\n1,2\n", "none is called"),
        ("a.txt", b"\xff\xfa\x00", "not UTF-8"),
        ("a.docx", b"x", "neither"),
        ("a.txt", b"a\n" * (MOST_LINES + 1), "Split the list"),
        ("a.txt", b"x" * (8 * MOST_LETTERS + 1), "too large"),
    ],
)
def test_what_is_wrong_is_said(name: str, content: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        read_lines(path)


def test_texts_have_a_limit() -> None:
    check_text("x" * LONGEST_TEXT)
    with pytest.raises(InputError, match="in parts"):
        check_text("x" * (LONGEST_TEXT + 1))
    with pytest.raises(InputError, match="Split the list"):
        parse_lines("x" * (MOST_LETTERS + 1))
