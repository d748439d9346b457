"""Long texts are cut where sentences end, in ten languages, and not at abbreviations and numbers."""

from __future__ import annotations

import pytest

from voicefactory.errors import InputError
from voicefactory.pipeline.text_pieces import LONGEST, letters, text_pieces

#: A stroke stands where the text is to be cut.
TEXTS = {
    "titles and initials": "Dr. Smith met J. R. Tolkien at 5 p.m. on Monday.|He left!|Why?",
    "numbers": "It costs $3.50, or 1,000.50 etc.|And No. 5 came, see Fig. 3.|That was in 1999.|Then nothing.",
    "quotes": "“Stop!” he said.|“Go!”|Then (at last) she went.",
    "addresses": "See example.com/a.b?c=d now.|Write to a.b@example.com.",
    "german": "Am 3. Oktober kam z. B. Herr Dr. Müller, d. h. er fuhr, usw.|Danach ging er.|Das war der 2. Versuch.",
    "french": "«\u00a0Bonjour\u00a0!\u00a0» dit M. Dupont.|Il part…|Puis il revient\u00a0!|Vraiment\u00a0?",
    "spanish": "¿Qué hace el Sr. López?|¡Nada!|Son 3.000 euros.",
    "italian": "Il Sig. Rossi è qui.|Costa 5 euro ecc.|Va bene.",
    "portuguese": "A Sra. Silva chegou às 10h.|Depois saiu.",
    "russian": "В 1999 г. Иванов А. С. жил на ул. Ленина.|Это т. е. всё и т. д.|Потом уехал.",
    "chinese": "今天天气很好。|我们出去走走吧！|“你好。”他说。|真的吗？|我……不知道。|3.5公里。",
    "japanese": "「行こう。」と彼は言った。|「うん。」|「はい。」と答えた。|天気がいいですね。",
    "korean": "안녕하세요.|잘 주무셨어요?|오늘은 2024. 5. 3. 입니다.|네!",
    "list": "1. First.|2. Second.",
}


@pytest.mark.parametrize("marked", TEXTS.values(), ids=TEXTS)
def test_sentences(marked: str) -> None:
    wanted = marked.split("|")
    spaced = "" if any("\u3000" <= char <= "\u9fff" for char in marked) else " "
    pieces = text_pieces(spaced.join(wanted))
    assert [piece.text for piece in pieces] == [text.replace("\u00a0", " ") for text in wanted]
    assert [piece.end for piece in pieces] == ["sentence"] * (len(wanted) - 1) + ["paragraph"]


def test_lines_that_wrap_belong_together_and_short_ones_were_meant() -> None:
    text = "A heading\nRoses are red\n\n"
    text += "This line is as long as the window is wide, so it wraps\nand goes on. Yes.\n- a\n- b"
    assert [(piece.text, piece.end) for piece in text_pieces(text)] == [
        ("A heading", "sentence"),
        ("Roses are red", "paragraph"),
        ("This line is as long as the window is wide, so it wraps and goes on.", "sentence"),
        ("Yes.", "sentence"),
        ("- a", "sentence"),
        ("- b", "paragraph"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "and it goes on, " * 60,
        "one clause of it; " * 60,
        "no mark at all " * 60,
        "字" * 500,
        "今天天气很好，" * 60,
        "x" * 1000,
    ],
)
def test_what_is_too_long_for_one_go_is_cut_at_clauses(text: str) -> None:
    pieces = text_pieces(text)
    assert all(LONGEST / 5 < letters(piece.text) <= LONGEST for piece in pieces)
    assert {piece.end for piece in pieces[:-1]} == {"clause"}
    assert "".join(piece.text for piece in pieces).replace(" ", "") == text.replace(" ", "")
    marks = ",;，"
    if any(mark in text for mark in marks):
        assert all(piece.text[-1] in marks for piece in pieces[:-1])


def test_what_nobody_can_say_is_left_out() -> None:
    assert [piece.text for piece in text_pieces("Yes. … *** No.")] == ["Yes.", "*** No."]
    assert [piece.text for piece in text_pieces("One.\n\n* * *\n\nTwo.")] == ["One.", "Two."]
    for empty in ("", " \n ", "…!? ***"):
        with pytest.raises(InputError, match="nothing to say"):
            text_pieces(empty)
