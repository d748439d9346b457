"""Every sentence of the page, and every sentence that the work tells, is there in each language."""

from __future__ import annotations

import re
import string
import sys
from pathlib import Path

import pytest

from voicefactory.presets import load_preset, preset_files
from voicefactory.ui import english, text, told, views

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
import list_sentences

ENGLISH = {
    mark: words
    for name in vars(english)
    if name.isupper()
    for mark, words in text.single(name, getattr(english, name)).items()
}


def _gaps(words: str) -> list[str]:
    """What is filled in, with how it is written."""
    return sorted(f"{name}:{form}" for _, name, form, _ in string.Formatter().parse(words) if name is not None)


@pytest.mark.parametrize("language", text.TRANSLATED)
def test_the_page_is_there_in_every_language(language: str) -> None:
    said: dict[str, str] = {}
    for name, words in text.translation(language).items():
        said |= text.single(name, words)
    assert sorted(said) == sorted(ENGLISH)
    for mark, words in said.items():
        assert _gaps(words) == _gaps(ENGLISH[mark]), mark
        assert words == words.strip("!！ "), mark
        assert words.count("**") == ENGLISH[mark].count("**"), mark
        assert "<" not in words or "<" in ENGLISH[mark], mark


@pytest.mark.parametrize("language", text.TRANSLATED)
def test_what_the_work_tells_is_there_in_every_language(language: str) -> None:
    known = told.translations(language)
    wanted = list_sentences.templates()
    assert len(wanted) > 300
    assert [template for template in wanted if template not in known] == []
    assert [template for template in known if template not in wanted] == [], "no longer told by anything"
    for template, words in known.items():
        assert set(re.findall(r"\{\d+\}", words)) == set(re.findall(r"\{\d+\}", template)), template
        assert words == words.strip("!！ "), template


def test_a_browser_is_answered_in_the_language_that_it_asks_for_first() -> None:
    assert text.language_of({"accept-language": "de-AT,de;q=0.9,en;q=0.8"}) == "de"
    assert text.language_of({"accept-language": "zh-CN"}) == "zh-CN"
    assert text.language_of({"accept-language": "sv,de;q=0.9"}) == "en"
    assert text.language_of({}) == "en"


def test_descriptions_of_presets_are_those_of_their_files() -> None:
    files = {name: load_preset(name).description for name in preset_files()}
    assert {name: about for name, (_, about) in english.PRESETS.items()} == files


@pytest.fixture
def german():  # type: ignore[no-untyped-def]
    text.speak("de")
    yield
    text.speak("en")


def test_sentences_with_figures_are_recognised(german: None) -> None:
    known = told.translations("de")
    assert told.told("The file is empty (0 bytes).") == known["The file is empty (0 bytes)."]
    gone = told.told("There is no project called 'Anna'.")
    assert "'Anna'" in gone
    assert gone == known["There is no project called {0}."].replace("{0}", "'Anna'")
    two = told.told("It has no text. The file is empty (0 bytes).")
    assert two == f"{known['It has no text.']} {known['The file is empty (0 bytes).']}"
    inner = told.told("It cannot be used: no speech was heard in it.")
    assert known["no speech was heard in it"] in inner
    assert told.told("Nobody ever wrote this sentence.") == "Nobody ever wrote this sentence."


def test_amounts_are_spoken_in_the_language_too(german: None) -> None:
    assert views.count(1, "clip") != "1 clip"
    assert views.length(3725) == text.HOURS_MINUTES.format(hours=1, minutes=2)
    assert text.CREATE != english.CREATE
