"""The table behind `spoken_form`: what numbers and abbreviations are called, for each language.

Only what has one reading is here. "St." is Saint or Street, "г." is year or town: such stay as they are written.
`leading` are abbreviations that something always follows ("Dr. Smith"), so that their dot never ends a sentence;
`closing` ones can end it ("etc."), and then the sentence keeps a full stop.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Words:
    """One language. Numbers themselves come from num2words, under `code`."""

    code: str
    decimal: str  #: between whole and parts
    groups: str  #: characters that may stand between thousands
    point: str  #: the decimal mark, spoken
    minus: str
    percent: tuple[str, ...]  #: one form, or three: for 1, for 2 to 4, for 5 and more
    conjunction: str  #: between an amount and its cents
    parts_as_number: bool = False  #: 3,14 is "three comma fourteen"
    currencies: dict[str, str] = field(default_factory=dict)  #: sign → num2words' name, or the word itself
    ordinal: str = ""  #: what follows the digits of an ordinal, a regular expression
    spaced: bool = True  #: words have spaces between them
    agrees: tuple[int, ...] = ()  #: numbers that end in these change with the noun after them
    leading: dict[str, str] = field(default_factory=dict)
    closing: dict[str, str] = field(default_factory=dict)
    before_number: dict[str, str] = field(default_factory=dict)  #: only where a number follows


_NARROW = " \u00a0\u202f"
_DOLLAR_EURO = {"$": "USD", "€": "EUR"}
_THREE = {**_DOLLAR_EURO, "£": "GBP"}

WORDS: dict[str, Words] = {
    "english": Words(
        "en",
        ".",
        ",",
        "point",
        "minus",
        ("percent",),
        "and",
        currencies=_THREE,
        ordinal="st|nd|rd|th",
        leading={
            "Dr.": "Doctor",
            "Mr.": "Mister",
            "Mrs.": "Missus",
            "Ms.": "Miz",
            "Prof.": "Professor",
            "Mt.": "Mount",
            "e.g.": "for example",
            "i.e.": "that is",
            "vs.": "versus",
            "approx.": "approximately",
            "&": "and",
        },
        closing={"etc.": "et cetera", "Jr.": "Junior", "Sr.": "Senior"},
        before_number={"No.": "number"},
    ),
    "german": Words(
        "de",
        ",",
        "." + _NARROW,
        "Komma",
        "minus",
        ("Prozent",),
        "und",
        currencies=_THREE,
        leading={
            "Dr.": "Doktor",
            "Prof.": "Professor",
            "Hr.": "Herr",
            "z.B.": "zum Beispiel",
            "z. B.": "zum Beispiel",
            "d.h.": "das heißt",
            "d. h.": "das heißt",
            "bzw.": "beziehungsweise",
            "ca.": "circa",
            "evtl.": "eventuell",
            "&": "und",
        },
        closing={"usw.": "und so weiter", "etc.": "et cetera", "u.a.": "unter anderem", "u. a.": "unter anderem"},
        before_number={"Nr.": "Nummer"},
        agrees=(1,),
    ),
    "french": Words(
        "fr",
        ",",
        _NARROW,
        "virgule",
        "moins",
        ("pour cent",),
        "et",
        parts_as_number=True,
        currencies=_DOLLAR_EURO,
        ordinal="er|re|ère|ème|e",
        leading={
            "Mme": "Madame",
            "Mlle": "Mademoiselle",
            "MM.": "Messieurs",
            "Dr": "Docteur",
            "p. ex.": "par exemple",
            "c.-à-d.": "c'est-à-dire",
            "&": "et",
        },
        closing={"etc.": "et cetera"},
        before_number={"n°": "numéro", "no.": "numéro"},
        agrees=(1,),
    ),
    "spanish": Words(
        "es",
        ",",
        "." + _NARROW,
        "coma",
        "menos",
        ("por ciento",),
        "con",
        parts_as_number=True,
        currencies=_THREE,
        ordinal=r"\.?º|\.?ª",
        leading={
            "Sr.": "señor",
            "Sra.": "señora",
            "Srta.": "señorita",
            "Dr.": "doctor",
            "Dra.": "doctora",
            "p. ej.": "por ejemplo",
            "&": "y",
        },
        closing={"etc.": "etcétera", "Ud.": "usted", "Uds.": "ustedes", "EE. UU.": "Estados Unidos"},
        before_number={"n.º": "número", "nº": "número"},
        agrees=(1,),
    ),
    "italian": Words(
        "it",
        ",",
        "." + _NARROW,
        "virgola",
        "meno",
        ("per cento",),
        "e",
        parts_as_number=True,
        currencies=_THREE,
        ordinal="º|°|ª",
        leading={
            "Sig.": "signor",
            "Sig.ra": "signora",
            "Dott.": "dottor",
            "Dott.ssa": "dottoressa",
            "Prof.": "professor",
            "ad es.": "ad esempio",
            "&": "e",
        },
        closing={"ecc.": "eccetera"},
        before_number={"n.": "numero"},
        agrees=(1,),
    ),
    "portuguese": Words(
        "pt",
        ",",
        "." + _NARROW,
        "vírgula",
        "menos",
        ("por cento",),
        "e",
        parts_as_number=True,
        currencies=_DOLLAR_EURO,
        ordinal=r"\.?º|\.?ª",
        leading={
            "Sr.": "senhor",
            "Sra.": "senhora",
            "Dr.": "doutor",
            "Dra.": "doutora",
            "Prof.": "professor",
            "p. ex.": "por exemplo",
            "&": "e",
        },
        closing={"etc.": "et cetera"},
        before_number={"n.º": "número", "nº": "número"},
        agrees=(1, 2),
    ),
    "russian": Words(
        "ru",
        ",",
        _NARROW,
        "",  # num2words names the tenths and hundredths
        "минус",
        ("процент", "процента", "процентов"),
        "",
        currencies={**_DOLLAR_EURO, "₽": "RUB"},
        ordinal="-й|-я|-е",
        leading={"т.е.": "то есть", "т. е.": "то есть", "т.к.": "так как", "т. к.": "так как", "напр.": "например"},
        closing={
            "и т.д.": "и так далее",
            "и т. д.": "и так далее",
            "и т.п.": "и тому подобное",
            "и т. п.": "и тому подобное",
            "и др.": "и другие",
        },
        before_number={"№": "номер"},
        agrees=(1, 2),
    ),
    "japanese": Words(
        "ja",
        ".",
        ",",
        "点",
        "マイナス",
        ("パーセント",),
        "",
        currencies={"¥": "円", "$": "ドル", "€": "ユーロ", "£": "ポンド"},
        spaced=False,
    ),
    "korean": Words(
        "ko",
        ".",
        ",",
        "점",
        "마이너스",
        ("퍼센트",),
        "",
        currencies={"₩": "원", "$": "달러", "€": "유로", "£": "파운드", "¥": "엔"},
        spaced=False,
    ),
}
#: Languages of ours that num2words does not speak; their texts stay as they are written.
NOT_SPOKEN = ("chinese",)

#: Korean counts these with its own numbers, not with the Chinese ones.
KOREAN_COUNTED = "개|명|시간|시|살|마리|권|잔|병|사람"
KOREAN_ONES = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
KOREAN_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")

ENGLISH_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
GERMAN_MONTHS = "Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember"
