"""Every sentence of the page, in the reader's language: `text.CREATE` is `english.CREATE`, or its translation.

There are three times at which a sentence is asked for. While the page is built nobody reads it yet: then it is a mark
that the browser replaces (gr.I18n). While somebody is answered it is in their language: `speaking` says which, by the
same rule as Gradio's. Everywhere else (commands, workers) it is English.
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from voicefactory.ui import english
from voicefactory.ui.numbers import Sentence, localized

if TYPE_CHECKING:
    from voicefactory.ui.english import *  # noqa: F403 - so that a name that does not exist is found

#: Languages beside English, by the names that Gradio's page knows them by.
TRANSLATED = ("de", "fr", "es", "zh-CN", "ja")
_FOLDER = Path(__file__).parent / "translations"
ENGLISH, _MARKS = "en", "marks"
_spoken: ContextVar[str] = ContextVar("language", default=ENGLISH)

Words = str | tuple[Any, ...] | dict[str, Any]  #: a sentence, or several: keys of a dict are not read by anybody


def __getattr__(name: str) -> Words:
    if name.startswith("_"):
        raise AttributeError(name)
    words: Words = getattr(english, name)
    language = _spoken.get()
    if language == ENGLISH:
        return words
    words = _marked(name, words) if language == _MARKS else translation(language).get(name, words)
    return words


def figure(value: float, form: str) -> str:
    """A number by a format such as ",.1f", with the signs of the language that is spoken now."""
    return localized(format(value, form), _spoken.get())


def language_of(headers: Mapping[str, str]) -> str:
    """The language of a browser, by the first that it asks for: as Gradio's page does, or halves would differ."""
    first = headers.get("accept-language", "").split(",")[0].split(";")[0].strip()
    return next((one for one in (first, first.split("-")[0]) if one in TRANSLATED), ENGLISH)


def spoken() -> str:
    """The language of the answer that is being given."""
    return _spoken.get()


def speak(language: str) -> None:
    """From here to the end of the answer, sentences are in `language`."""
    _spoken.set(language)


@contextlib.contextmanager
def building() -> Iterator[None]:
    """While the page is built: sentences are marks, which can be shown but not formatted."""
    before = _spoken.set(_MARKS)
    try:
        yield
    finally:
        _spoken.reset(before)


def translations() -> gr.I18n:
    """What the browser replaces the marks by."""
    return gr.I18n(**{ENGLISH: _marks_of(ENGLISH)}, **{language: _marks_of(language) for language in TRANSLATED})


@functools.cache
def translation(language: str) -> dict[str, Words]:
    """The sentences of translations/LANGUAGE.json, in the shapes of english/."""
    found = json.loads((_FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return {name: _in_shape(words, language) for name, words in found.items()}


_asked: dict[str, str] = {}  #: mark → its English sentence, of those that the page was built with


def _marked(name: str, words: Any) -> Any:
    if isinstance(words, dict):
        return {key: _marked(f"{name}-{key}", value) for key, value in words.items()}
    if isinstance(words, tuple):
        return tuple(_marked(f"{name}-{number}", value) for number, value in enumerate(words))
    _asked[name] = words
    return str(gr.I18n()(name))


def _marks_of(language: str) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, words in translation(language).items() if language != ENGLISH else ():
        flat |= single(name, words)
    return {mark: str(flat.get(mark, words)) for mark, words in _asked.items()}  # Gradio copies them: plain


def single(name: str, words: Words) -> dict[str, str]:
    """Each sentence of `words` by a name of its own."""
    if isinstance(words, str):
        return {name: words}
    several = words.items() if isinstance(words, dict) else enumerate(words)
    return {mark: one for key, part in several for mark, one in single(f"{name}-{key}", part).items()}


def _in_shape(words: Any, language: str) -> Words:
    """JSON's lists as the tuples that they are in english/, and its sentences with figures as in `language`."""
    if isinstance(words, dict):
        return {key: _in_shape(value, language) for key, value in words.items()}
    if isinstance(words, list):
        return tuple(_in_shape(value, language) for value in words)
    return Sentence(words, language) if "{" in words else str(words)
