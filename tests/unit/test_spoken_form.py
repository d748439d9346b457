"""Numbers and abbreviations in words, in every language that has them."""

from __future__ import annotations

import pytest

from voicefactory.errors import InputError
from voicefactory.languages import WHISPER_CODES
from voicefactory.pipeline.spoken_form import not_spoken, parse_numbers, spoken_form, unspoken
from voicefactory.pipeline.spoken_words import NOT_SPOKEN, WORDS


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        ("english", "Dr. Lee paid $5.50.", "Doctor Lee paid five dollars and fifty cents."),
        (
            "english",
            "He paid €1, £1,200 and $5 million!",
            "He paid one euro, one thousand two hundred pounds and five million dollars!",
        ),
        ("english", "12 of us, in 1984 and 2024.", "Twelve of us, in nineteen eighty-four and twenty twenty-four."),
        (
            "english",
            "It was 1905. 3.10 is less than 50%.",
            "It was nineteen oh five. Three point one zero is less than fifty percent.",
        ),
        (
            "english",
            "The 1990s, the '90s, March 3, 2020, the 21st",
            "The nineteen nineties, the nineties, March third, twenty twenty, the twenty-first",
        ),
        ("english", "Tea, milk, etc. He left.", "Tea, milk, et cetera. He left."),
        (
            "english",
            "E.g. tea, milk, etc., i.e. drinks & more",
            "For example tea, milk, et cetera, that is drinks and more",
        ),
        (
            "english",
            "Room 007, No. 9, -5 degrees, 20-year-old",
            "Room zero zero seven, number nine, minus five degrees, twenty-year-old",
        ),
        (
            "german",
            "Dr. Müller zahlte 5,50 € am 3. Mai 1984.",
            "Doktor Müller zahlte fünf Euro und fünfzig Cent am dritten Mai neunzehnhundertvierundachtzig.",
        ),
        (
            "german",
            "D.h. 50 % von 1.200 usw. Das z. B. 3,14.",
            "Das heißt fünfzig Prozent von eintausendzweihundert und so weiter. Das zum Beispiel drei Komma eins vier.",
        ),
        ("german", "1 Frau und 21 Leute", "1 Frau und einundzwanzig Leute"),
        (
            "french",
            "Mme Curie, le 1er mai, la 1re, le 2e : 3,14 et 50 %",
            "Madame Curie, le premier mai, la première, le deuxième : trois virgule quatorze et cinquante pour cent",
        ),
        ("french", "21 pages, 1\u202f200 pages", "21 pages, mille deux cents pages"),
        (
            "spanish",
            "El Sr. Ruiz pagó 5,50 € en 1984, etc.",
            "El señor Ruiz pagó cinco euros con cincuenta céntimos en mil novecientos ochenta y cuatro, etcétera.",
        ),
        ("spanish", "El 1.º y la 2ª; 3 gatos, 500 casas", "El primero y la segunda; tres gatos, 500 casas"),
        (
            "italian",
            "Il Sig. Rossi, il 50% di 1.200, ecc.",
            "Il signor Rossi, il cinquanta per cento di milleduecento, eccetera.",
        ),
        ("portuguese", "A Sra. Silva, 3,14 e 50%", "A senhora Silva, três vírgula catorze e cinquenta por cento"),
        (
            "russian",
            "21%, 53%, 5% и т.д. Это 3-й, 21-я.",
            "Двадцать один процент, пятьдесят три процента, пять процентов и так далее. Это третий, двадцать первая.",
        ),
        ("russian", "5,50 ₽, № 7, 2 дома", "Пять рублей пятьдесят копеек, номер семь, 2 дома"),
        ("japanese", "3人が¥1,200を払った。50%です。", "三人が千二百円を払った。五十パーセントです。"),
        ("korean", "3명, 20살, 3시 15분, ₩1,200", "세 명, 스무 살, 세 시 십오분, 천이백 원"),
    ],
)
def test_as_someone_would_say_it(language: str, written: str, spoken: str) -> None:
    assert spoken_form(written, language) == spoken
    assert spoken_form(spoken, language) == spoken


@pytest.mark.parametrize(
    "text",
    [
        "Call 555-1234 at 10:30 on 1/2/2020.",
        "B2B, MP3, 4K, A4, x86, 192.168.0.1",
        "St. Mary lives on Main St.",
        "mail a1@b2.org, see https://example.org/1984",
        "1234567890123456 is a card",
        'Damn it, what the hell... "quoted" — that\'s it?!',
        "It etches. The Drs. left, Mr Bean too.",
    ],
)
def test_what_has_several_readings_stays(text: str) -> None:
    assert spoken_form(text, "english") == text


def test_no_language_of_ours_is_forgotten() -> None:
    assert {*WORDS, *NOT_SPOKEN} == set(WHISPER_CODES)
    for language in WORDS:
        assert not_spoken(language) == ""
        assert unspoken(spoken_form("2, 14, 365", language)) == ()
    assert "all languages but chinese" in not_spoken("chinese")
    assert spoken_form("50%", "chinese") == spoken_form("50%", "auto") == "50%"
    assert unspoken("三人, 10:30. B2B") == ("10:30", "B2B")


def test_the_choice_is_one_of_two() -> None:
    assert parse_numbers(" In-Words ") == "in words"
    assert parse_numbers("as_written") == "as written"
    with pytest.raises(InputError, match="Choose one of: as written, in words"):
        parse_numbers("roman")
