"""Which sounds a text asks of a speaker, told from how it is written.

A proxy, and no phonetics: a table a language turns letters and groups of letters into the sound that they mostly
stand for. It needs no dictionary, and is wrong where spelling is (English most of all: *though* and *tough* are one
sound here). How well it agrees with real phonemes is measured in `benchmarks/prompts.py`.

- Latin and Cyrillic letters: the tables below. Russian consonants are told hard from soft by what follows them.
- Chinese: initials and finals of the pinyin that pypinyin reads, without tones, and the tones.
- Japanese: the beats of the kana. Kanji are not counted, because their reading is not in the text.
- Korean: the parts of each syllable; the 27 endings are counted as the seven that are spoken.
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence

#: language -> "pattern:sound" in the order in which they are tried; no sound = silent. A letter that no pattern takes
#: is a sound of its own, without its accent. Two equal letters in a row are one.
_SPELLING = {
    "english": (
        "tch:ch ch:ch (?<=[aeiou])si(?=on):zh (?<=ea)su:zh (?<=u)su(?=al):zh [tcs]i(?=on|ous|al|an|ent):sh sh:sh th:th "
        "ph:f igh:igh eigh:ay augh:aw ough:aw gh: wh:w \\bkn:n \\bwr:r ng:ng n(?=k):ng ck:k qu:kw x:ks dge?:j j:j "
        "g(?=[eiy]):j c(?=[eiy]):s c:k mb\\b:m s(?=\\b)(?<=[bdglmnrvaeiou]s):z z:z "
        "ear:ear eer:ear are\\b:air air:air ar:ar oar:or ore:or or:or our\\b:ow er:er ir:er ur:er "
        "ee:ee ea:ee ie(?=[a-z]):ee oo:oo oi:oy oy:oy ou:ow ow:ow ai:ay ay:ay au:aw aw:aw oa:oh ew:yoo ue\\b:yoo "
        "a(?=[bcdfgklmnpstvz]e):ay i(?=[bcdfgklmnpstvz]e):igh o(?=[bcdfgklmnpstvz]e):oh u(?=[bcdfgklmnpstvz]e):yoo "
        "e\\b: y(?=[aeiou]):y y:ee"
    ),
    "german": (
        "tsch:tsch sch:sch (?<=[aou])ch:ach chs:ks ch:ich ng:ng n(?=k):ng pf:pf ph:f qu:kw \\bs(?=[tp]):sch ck:k tz:ts "
        "z:ts ß:s ss:s s(?=[aeiouäöü]):z v:f x:ks dt:t th:t "
        "ei:ei ai:ei au:au eu:eu äu:eu ie:ie aa:ah ah:ah ee:eh eh:eh ih:ie oo:oh oh:oh uh:uh äh:äh öh:öh üh:üh "
        "er\\b:-er e\\b:-e en\\b:-en b\\b:p d\\b:t g\\b:k y:ü c:k"
    ),
    "spanish": (
        "ch:ch ll:ll rr:rr \\br:rr ñ:ñ qu:k gü:gw gu(?=[eiéí]):g g(?=[eiéí]):j j:j c(?=[eiéí]):z z:z c:k v:b h: x:ks "
        "a[iy]:ai e[iy]:ei o[iy]:oi au:au eu:eu i[aá]:ia i[eé]:ie i[oó]:io u[aá]:ua u[eé]:ue u[ií]:ui uo:uo y\\b:i y:ll"
    ),
    "french": (
        "ch:ch gn:gn ph:f qu:k gu(?=[eiéèêy]):g g(?=[eiéèêy]):j j:j ç:s c(?=[eiéèêy]):s c:k x(?=[aeiou]):ks "
        "eau:o au:o ou:ou oû:ou oi:oi oin:oin eu:eu œu:eu ill:y (?<=[aeu])il\\b:y "
        "(?:ain|aim|ein|yn|ym)(?![aeiouyéèêàâîôûhnm]):in ien(?![aeiouynm]):in "
        "(?:an|am|en|em)(?![aeiouyéèêàâîôûhnm]):an "
        "(?:in|im)(?![aeiouyéèêàâîôûhnm]):in (?:on|om)(?![aeiouyéèêàâîôûhnm]):on (?:un|um)(?![aeiouyéèêàâîôûhnm]):un "
        "ai:è ei:è è:è ê:è ë:è é:é er\\b:é ez\\b:é es\\b: e\\b: ent\\b: [dtpsxz]+\\b: "
        "(?<=[aeiouéèyâêîôû])s(?=[aeiouéèyâêîôû]):z ss:s ui:ui h: q:k œ:eu e(?=[bcdfglmnprstv][aeiouéèê]):e e:è y:i"
    ),
    "italian": (
        "gli(?=[aeiou]):gli gli:gli gn:gn sci(?=[aou]):sc sc(?=[ei]):sc cch:cch ch:k gh:g cqu:ccqu qu:qu "
        "cci(?=[aou]):cci cc(?=[ei]):cci ci(?=[aou]):ci c(?=[eièì]):ci ggi(?=[aou]):ggi gg(?=[ei]):ggi gi(?=[aou]):gi "
        "g(?=[eièì]):gi cc:cch gg:gg bb:bb dd:dd ff:ff ll:ll mm:mm nn:nn pp:pp rr:rr ss:ss tt:tt vv:vv zz:zz c:k h: "
        "(?<=[aeiou])s(?=[aeiou]):z ai:ai ei:ei oi:oi au:au i[aà]:ia i[eè]:ie i[oò]:io ua:ua ue:ue uo:uo è:è é:e x:ks"
    ),
    "portuguese": (
        "nh:nh lh:lh ch:x x:x ç:s ss:s (?<=[aeiouáéíóúâêôãõ])s(?=[aeiouáéíóúâêôãõ]):z sc(?=[ei]):s rr:rr \\br:rr qu:k "
        "gu(?=[eiéê]):g g(?=[eiéê]):j j:j c(?=[eiéê]):s c:k h: ão:ão ãe:ãe õe:õe am\\b:ão em\\b:em "
        "(?:ã|an|am)(?![aeiouáéíóúâêôãõhm]):ã (?:en|em)(?![aeiouáéíóúâêôãõhm]):em (?:in|im)(?![aeiouáéíóúâêôãõhm]):im "
        "(?:õ|on|om)(?![aeiouáéíóúâêôãõhm]):õ (?:un|um)(?![aeiouáéíóúâêôãõhm]):um ai:ai ei:ei oi:oi au:au eu:eu ou:ou "
        "éu:éu iu:iu u[aá]:ua é:é ê:ê ó:ó ô:ô s\\b:-s l\\b:-l r\\b:-r"
    ),
    "russian": (
        "тс\\b:ц тьс:ц сч:щ [ьъ]: "
        "ж:ж ш:ш ц:ц ч:ч щ:щ й:й "
        "б(?=[еёиюяь]):бь в(?=[еёиюяь]):вь г(?=[еёиюяь]):гь д(?=[еёиюяь]):дь з(?=[еёиюяь]):зь к(?=[еёиюяь]):кь "
        "л(?=[еёиюяь]):ль м(?=[еёиюяь]):мь н(?=[еёиюяь]):нь п(?=[еёиюяь]):пь р(?=[еёиюяь]):рь с(?=[еёиюяь]):сь "
        "т(?=[еёиюяь]):ть ф(?=[еёиюяь]):фь х(?=[еёиюяь]):хь "
        "(?<![бвгджзклмнпрстфхцчшщ])я:й+а (?<![бвгджзклмнпрстфхцчшщ])ю:й+у (?<![бвгджзклмнпрстфхцчшщ])ё:й+о "
        "(?<![бвгджзклмнпрстфхцчшщ])е:й+э я:а ю:у ё:о е:э"
    ),
}
_KEPT_ACCENTS = set("ñäöüйё")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SMALL_KANA = "ゃゅょぁぃぅぇぉゎ"
_HANGUL_BEGIN, _HANGUL_END = 0xAC00, 0xD7A3
_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_MEDIALS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
#: each of the 27 endings (and none) -> the one of seven that is spoken
_ENDINGS = " ㄱㄱㄱㄴㄴㄴㄷㄹㄱㅁㄹㄹㄹㅂㄹㅁㅂㅂㄷㄷㅇㄷㄷㄱㄷㅂㄷ"


def words_of(text: str, language: str) -> list[list[str]]:
    """The sounds of each word (Chinese, Japanese, Korean: of each stretch without a pause) of `text`, in order.

    Languages without a table ("auto") are taken letter by letter.
    """
    spoken = unicodedata.normalize("NFC", text).casefold() if language != "german" else text.lower()
    if language == "chinese":
        return [list(_chinese(stretch)) for stretch in re.findall(r"[\u3400-\u9fff]+", spoken)]
    if language == "japanese":
        return [sounds for stretch in re.findall(r"[ぁ-ヿ]+", spoken) if (sounds := list(_japanese(stretch)))]
    if language == "korean":
        return [list(_korean(stretch)) for stretch in re.findall(r"[가-힣]+", spoken)]
    return [sounds for word in _WORD.findall(spoken) if (sounds := list(_spelled(word, language)))]


def sounds_of(text: str, language: str) -> list[str]:
    """Every sound of `text`, in order."""
    return list(itertools.chain.from_iterable(words_of(text, language)))


def pairs_of(words: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """Every two sounds that follow each other inside of a word: a proxy for diphones."""
    return [pair for word in words for pair in itertools.pairwise(word)]


@functools.cache
def _table(language: str) -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    entries = (entry.rpartition(":") for entry in _SPELLING.get(language, "").split())
    return tuple((re.compile(pattern), tuple(sound.split("+")) if sound else ()) for pattern, _, sound in entries)


@functools.lru_cache(maxsize=20_000)
def _spelled(word: str, language: str) -> tuple[str, ...]:
    found: list[str] = []
    at = 0
    while at < len(word):
        for pattern, sounds in _table(language):
            if match := pattern.match(word, at):
                found += sounds
                at = match.end()
                break
        else:
            if word[at].isalpha() and not (at and word[at] == word[at - 1]):
                found.append(_bare(word[at]))
            at += 1
    return tuple(found)


def _bare(letter: str) -> str:
    return letter if letter in _KEPT_ACCENTS else unicodedata.normalize("NFD", letter)[0]


def _chinese(stretch: str) -> Iterator[str]:
    for character in stretch:  # each by itself: phrases would tell readings apart, at ten times the time
        yield from _pinyin(character)


@functools.cache
def _pinyin(character: str) -> tuple[str, ...]:
    from pypinyin import Style, lazy_pinyin

    initial = lazy_pinyin(character, style=Style.INITIALS, strict=True)[0]
    final = lazy_pinyin(character, style=Style.FINALS_TONE3, strict=True)[0]
    tone = final[-1:] if final[-1:].isdigit() else "5"
    bare = final.rstrip("12345")
    first = (f"{initial}-",) if initial and initial.isascii() else ()
    return (*first, *((f"-{bare}",) if bare else ()), f"tone {tone}")


def _japanese(stretch: str) -> Iterator[str]:
    hiragana = "".join(chr(ord(kana) - 0x60) if "ァ" <= kana <= "ヶ" else kana for kana in stretch)
    yield from re.findall(rf"[ぁ-ゖー][{_SMALL_KANA}]?", hiragana)


def _korean(stretch: str) -> Iterator[str]:
    for syllable in stretch:
        if not _HANGUL_BEGIN <= ord(syllable) <= _HANGUL_END:
            continue
        index = ord(syllable) - _HANGUL_BEGIN
        initial, medial, ending = index // 588, index % 588 // 28, index % 28
        if _INITIALS[initial] != "ㅇ":
            yield f"{_INITIALS[initial]}-"
        yield f"-{_MEDIALS[medial]}-"
        if ending:
            yield f"-{_ENDINGS[ending]}"
