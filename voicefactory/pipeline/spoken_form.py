"""Numbers and abbreviations written out as they are spoken: "Dr. Lee paid $5" → "Doctor Lee paid five dollars".

A model that learns to read "1984" from text needs thousands of examples; one that reads words needs none. So a
person may choose that Whisper's numbers become words. What has more than one reading is left as it is written: times,
dates in digits, telephone numbers, "10-12", "B2B", 1 before a noun whose gender decides. `unspoken` finds what is left.
Number words are num2words'; they stand in the nominative, so Russian cases need a look.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from voicefactory.errors import InputError
from voicefactory.languages import AUTO
from voicefactory.pipeline.spoken_words import (
    ENGLISH_MONTHS,
    GERMAN_MONTHS,
    KOREAN_COUNTED,
    KOREAN_ONES,
    KOREAN_TENS,
    NOT_SPOKEN,
    WORDS,
    Words,
)

AS_WRITTEN, IN_WORDS = "as written", "in words"
NUMBERS = (AS_WRITTEN, IN_WORDS)  #: the two choices
_LONGEST = 12  # digits; more is no number that someone says
_LETTER = r"[^\W\d_]"


def parse_numbers(value: str) -> str:
    """The choice that `value` names. Raises InputError for another one."""
    wanted = " ".join(value.strip().lower().replace("-", " ").replace("_", " ").split())
    if wanted in NUMBERS:
        return wanted
    raise InputError(f"Numbers can be written {value!r} in no way that is known. Choose one of: {', '.join(NUMBERS)}.")


def not_spoken(language: str) -> str:
    """Why texts in `language` (the engine's name) stay as they are written; empty if numbers can become words."""
    if language in WORDS:
        return ""
    if language == AUTO:
        return "The language is not known, so numbers stay as they are written. Choose the language."
    left = ", ".join(NOT_SPOKEN)
    return f"Numbers in {language} stay as they are written: they can become words in all languages but {left}."


def unspoken(text: str) -> tuple[str, ...]:
    """What is still written in digits, in its order."""
    found = re.findall(r"[A-Za-z]*\d[A-Za-z\d.,:/–-]*", text)
    return tuple(one.rstrip(".,:/–-") for one in found)


def spoken_form(text: str, language: str) -> str:
    """`text` with numbers and common abbreviations as words; unchanged in a language that is not spoken here.

    Punctuation and everything else stay. Doing it twice changes nothing more.
    """
    words = WORDS.get(language)
    if words is None:
        return text
    for change in (_abbreviations, _special, _currencies, _percents, _ordinals, _numbers):
        text = change(text, words)
    return text


def _cardinal(number: int, words: Words, to: str = "cardinal", **more: str) -> str:
    from num2words import num2words

    said = str(num2words(number, lang=words.code, to=to, **more))
    return said.replace(",", "") if words.code == "en" else said


def _abbreviations(text: str, words: Words) -> str:
    for short, spoken in words.before_number.items():
        text = re.sub(rf"(?<!\w){_either_case(short)}\s*(?=\d)", _fitting(spoken + " "), text)
    for short, spoken in words.leading.items():
        end = "" if short.endswith(".") else r"(?![\w.])"
        text = re.sub(rf"(?<![\w.]){_either_case(short)}{end}(?=\s*\S)", _fitting(spoken), text)
    for short, spoken in words.closing.items():

        def closed(found: re.Match[str], spoken: str = spoken) -> str:
            rest = found.string[found.end() :]
            ends = not rest.strip() or re.match(r"\s+[\"'“«(]?[A-ZÀ-ÞА-Я]", rest)
            return _fitting(spoken)(found) + ("." if ends else "")

        text = re.sub(rf"(?<![\w.]){_either_case(short)}", closed, text)
    return text


def _either_case(short: str) -> str:
    """A pattern for an abbreviation, which may begin with a capital where a sentence begins."""
    first, rest = short[0], re.escape(short[1:])
    return (f"[{first}{first.upper()}]" if first.islower() else re.escape(first)) + rest


def _fitting(spoken: str) -> Callable[[re.Match[str]], str]:
    """A replacement that begins with a capital where a sentence begins."""

    def replacement(found: re.Match[str]) -> str:
        return _begun(spoken, found.string, found.start())

    return replacement


def _begun(spoken: str, text: str, at: int) -> str:
    begins = re.search(r"(^|[.!?…]\s+)[\"'“«¿¡(]*$", text[:at])
    return spoken[0].upper() + spoken[1:] if begins else spoken


def _special(text: str, words: Words) -> str:
    """What one language has of its own: decades and days in English, days in German, counting in Korean."""
    if words.code == "en":
        text = re.sub(r"(?<![\w.,'-])['’]?(\d{2}|1[1-9]\d\d|20\d\d)s\b", _decade(words), text)
        day = rf"\b({ENGLISH_MONTHS}) (\d{{1,2}})(?=, \d{{4}}\b|(?![\w:%.,-]*\d)(?:\W|$))"
        text = re.sub(day, lambda found: f"{found[1]} {_cardinal(int(found[2]), words, 'ordinal')}", text)
    elif words.code == "de":
        day = rf"\b(am|vom|zum|dem|den|des|beim|der|die|das) (\d{{1,2}})\. (?={GERMAN_MONTHS})"
        text = re.sub(day, _german_day(words), text, flags=re.IGNORECASE)
    elif words.code == "ko":
        text = re.sub(rf"(?<![\d.,:-])([1-9]\d?) ?(?=({KOREAN_COUNTED}))", _counted, text)
    return text


def _decade(words: Words) -> Callable[[re.Match[str]], str]:
    def said(found: re.Match[str]) -> str:
        if not found[1].endswith("0"):
            return found[0]
        one = _cardinal(int(found[1]), words, "year" if len(found[1]) == 4 else "cardinal")
        return one[:-1] + "ies" if one.endswith("y") else one + "s"

    return said


def _german_day(words: Words) -> Callable[[re.Match[str]], str]:
    def said(found: re.Match[str]) -> str:
        ending = "" if found[1].lower() in ("der", "die", "das") else "n"
        return f"{found[1]} {_cardinal(int(found[2]), words, 'ordinal')}{ending} "

    return said


def _counted(found: re.Match[str]) -> str:
    tens, ones = divmod(int(found[1]), 10)
    said = KOREAN_TENS[tens] + KOREAN_ONES[ones]
    return ("스무" if said == "스물" else said) + " "


def _pattern(words: Words) -> str:
    """A whole number or one with parts, in the language's way of writing."""
    decimal, groups = re.escape(words.decimal), f"[{re.escape(words.groups)}]"
    return rf"(?:\d{{1,3}}(?:{groups}\d{{3}})+|\d+)(?:{decimal}\d+)?"


def _alone(words: Words) -> tuple[str, str]:
    """What may not stand before and after a number for it to be one."""
    letter = r"\w" if words.spaced else "A-Za-z0-9_"
    return rf"(?<![{letter}:/@#])(?<!\d[.,–-])", rf"(?![{letter}:/@°]|[.,–-]\d)"


def _value(written: str, words: Words) -> tuple[str, str]:
    """Digits of the whole and of the parts."""
    whole, _, parts = written.partition(words.decimal)
    return re.sub(r"\D", "", whole), parts


def _said(written: str, words: Words) -> str | None:
    """A number in words; None if it is none that anyone says."""
    from num2words import num2words

    whole, parts = _value(written, words)
    if len(whole) > _LONGEST or len(parts) > _LONGEST:
        return None
    space = " " if words.code != "ja" else ""
    if len(whole) > 1 and whole.startswith("0"):  # a code, said digit by digit
        return None if parts else space.join(_cardinal(int(digit), words) for digit in whole)
    if not parts:
        return _cardinal(int(whole), words)
    if words.code == "ru":
        return str(num2words(f"{whole}.{parts}", lang="ru"))
    if words.parts_as_number and not parts.startswith("0") and len(parts) <= 2:
        after = _cardinal(int(parts), words)
    else:
        after = space.join(_cardinal(int(digit), words) for digit in parts)
    return space.join((_cardinal(int(whole), words), words.point, after))


def _currencies(text: str, words: Words) -> str:
    before, after = _alone(words)
    signs = "".join(map(re.escape, words.currencies))
    number = _pattern(words)
    scale = r"(?: (?P<scale>million|billion|trillion)\b)?" if words.code == "en" else ""
    text = re.sub(
        rf"{before}(?P<sign>[{signs}]) ?(?P<number>{number}){after}{scale}", lambda found: _money(found, words), text
    )
    return re.sub(
        rf"{before}(?P<number>{number})[ \u00a0\u202f]?(?P<sign>[{signs}])(?!\w)",
        lambda found: _money(found, words),
        text,
    )


def _money(found: re.Match[str], words: Words) -> str:
    currency = words.currencies[found["sign"]]
    whole, parts = _value(found["number"], words)
    scale = found.groupdict().get("scale") or ""
    said = _said(found["number"], words)
    if said is None:
        return found[0]
    if not currency.isascii():  # the word itself, after the number
        return said + ("" if words.code == "ja" else " ") + currency
    if scale:
        return _begun(f"{said} {scale} {_amount(5, currency, words)[0].split()[-1]}", found.string, found.start())
    if len(parts) not in (0, 2):
        return found[0]
    major, minor = _amount(int(whole) + int(parts or 0) / 100, currency, words)
    joined = f"{major} {words.conjunction} {minor}" if parts and int(parts) else major
    return _begun(" ".join(joined.split()), found.string, found.start())


def _amount(value: float, currency: str, words: Words) -> tuple[str, str]:
    """ "five dollars" and "fifty cents" """
    from num2words import num2words

    said = str(num2words(float(value), lang=words.code, to="currency", currency=currency, separator="\0"))
    major, _, minor = said.partition("\0")
    if words.code == "en":
        major = re.sub(r"\beuro$", "euro" if int(value) == 1 else "euros", major.replace(",", ""))
        major = major.replace(" sterling", "")
    minor = re.sub(rf"^\s*{words.conjunction}\b", "", minor) if words.conjunction else minor
    return major.removesuffix(f" {words.conjunction}").strip(), minor.strip()


def _percents(text: str, words: Words) -> str:
    before, _ = _alone(words)

    def said(found: re.Match[str]) -> str:
        number = _said(found["number"], words)
        if number is None:
            return found[0]
        joined = number + ("" if not words.spaced else " ") + _plural(found["number"], words.percent, words)
        return _begun(_signed(found, joined, words), found.string, found.start())

    return re.sub(rf"{before}(?P<minus>[-−])?(?P<number>{_pattern(words)})[ \u00a0\u202f]?%", said, text)


def _plural(written: str, forms: tuple[str, ...], words: Words) -> str:
    whole, parts = _value(written, words)
    if len(forms) == 1:
        return forms[0]
    last, teens = int(whole) % 10, 11 <= int(whole) % 100 <= 14
    if parts or (2 <= last <= 4 and not teens):
        return forms[1]
    return forms[0] if last == 1 and not teens else forms[2]


def _signed(found: re.Match[str], said: str, words: Words) -> str:
    if not found["minus"]:
        return said
    return words.minus + (" " if words.code != "ja" else "") + said


def _ordinals(text: str, words: Words) -> str:
    if not words.ordinal:
        return text

    def said(found: re.Match[str]) -> str:
        number, ending = int(found[1]), found[2]
        if words.code == "ru":
            ordinal = _cardinal(number, words, "ordinal", gender={"-й": "m", "-я": "f", "-е": "n"}[ending])
        else:
            ordinal = _cardinal(number, words, "ordinal")
        if ending in ("re", "ère"):
            ordinal = "première"
        elif ending.endswith("ª"):
            ordinal = " ".join(re.sub("o$", "a", word) for word in ordinal.split())
        return _begun(ordinal, found.string, found.start())

    return re.sub(rf"(?<![\w.,:/-])(\d{{1,4}})({words.ordinal})(?!\w)", said, text)


def _numbers(text: str, words: Words) -> str:
    before, after = _alone(words)

    def said(found: re.Match[str]) -> str:
        written = found["number"]
        whole, parts = _value(written, words)
        rest = found.string[found.end() :]
        if _depends_on_noun(int(whole), parts, rest, words):
            return found[0]
        if words.code == "en" and not found["minus"] and re.fullmatch(r"1[1-9]\d\d|20\d\d", written):
            number: str | None = _cardinal(int(whole), words, "year").replace("oh-", "oh ")
        elif words.code == "de" and re.fullmatch(r"1[1-9]\d\d", written):
            number = _cardinal(int(whole), words, "year")
        else:
            number = _said(written, words)
        return found[0] if number is None else _begun(_signed(found, number, words), found.string, found.start())

    return re.sub(rf"{before}(?P<minus>(?<!\S)[-−])?(?P<number>{_pattern(words)}){after}", said, text)


def _depends_on_noun(number: int, parts: str, rest: str, words: Words) -> bool:
    """Whether the word after the number decides its form: "1 Frau" is "eine Frau", "1 Mann" is "ein Mann"."""
    if parts or not words.agrees or not re.match(rf"\s+{_LETTER}", rest):
        return False
    if words.code in ("de", "it"):
        return number in words.agrees
    teens = 11 <= number % 100 <= 19
    hundreds = words.code in ("es", "pt") and number % 1000 >= 200
    return hundreds or (number % 10 in words.agrees and not teens)
