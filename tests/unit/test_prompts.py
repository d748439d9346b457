"""Sentences to read: enough of them, in order, and what is counted as a sound; the next one, and the progress."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import GivenClip
from voicefactory.cli import run
from voicefactory.errors import InputError
from voicefactory.languages import WHISPER_CODES
from voicefactory.pipeline.coverage import coverage
from voicefactory.pipeline.prompts import (
    GOALS_MIN,
    PROMPTS,
    next_prompt,
    prompt_set,
    reading_seconds,
    recording_progress,
)
from voicefactory.pipeline.sounds import sounds_of, words_of
from voicefactory.project import Project

ROOT = Path(__file__).parents[2]
LANGUAGES = sorted(WHISPER_CODES)
END = {"chinese": "。！？", "japanese": "。！？"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_enough_for_the_last_goal_in_every_language(language: str) -> None:
    prompts = prompt_set(language)
    texts = [prompt.text for prompt in prompts]
    assert len(set(texts)) == len({prompt.id for prompt in prompts}) == len(prompts) >= 180
    assert sum(prompt.seconds for prompt in prompts) >= 60 * max(GOALS_MIN) == 1800
    assert all(4 <= prompt.seconds <= 13 for prompt in prompts)
    assert not [text for text in texts if re.search(r"\d", text) or text[-1] not in END.get(language, ".!?")]
    ends = "".join(text[-1] for text in texts)
    asked = re.findall(r"[?？]|か。", "".join(texts))
    assert len(asked) >= 20
    assert len(re.findall(r"[!！]", ends)) >= 14
    assert "CC0" in (PROMPTS / f"{language}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_repeats_another(language: str) -> None:
    pattern, length = (r"[^\W_]", 12) if language in END else (r"[^\W_]+", 5 if language == "korean" else 6)
    first_in: dict[tuple[str, ...], str] = {}
    for text in (prompt.text for prompt in prompt_set(language)):
        units = re.findall(pattern, text.lower())
        for run_of_units in {tuple(units[at : at + length]) for at in range(len(units) - length + 1)}:
            assert first_in.setdefault(run_of_units, text) == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_sentences_hold_nearly_every_sound(language: str) -> None:
    texts = [prompt.text for prompt in prompt_set(language)]
    first, last = coverage(texts[:10], language), coverage(texts[-10:], language)
    assert first is not None
    assert last is not None
    assert first.pair_share > last.pair_share
    if language == "japanese":  # of its 103 beats, thirty are rare ones such as みゅ: the first ten hold the others
        counts = Counter(sounds_of("".join(texts), language))
        assert sum(counts[one.sound] for one in first.missing) < 0.02 * counts.total()
    else:
        assert first.share >= 0.9


def test_the_files_are_in_the_order_of_the_script() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "order_prompts.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@pytest.mark.parametrize(
    ("language", "text", "sounds"),
    [
        ("english", "The choir measures", "th|ch oy r|m ee zh r e z"),
        ("german", "Schöne Bücher", "sch ö n -e|b ü ich -er"),
        ("spanish", "el guerrero niño", "e l|g e rr e r o|n i ñ o"),
        ("french", "un bon vin chaud", "un|b on|v in|ch o"),
        ("italian", "gli gnocchi", "gli|gn o cch i"),
        ("portuguese", "a canção", "a|k ã s ão"),
        ("russian", "Моя тётя", "м о й а|ть о ть а"),
        ("chinese", "中国", "zh- -ong tone 1 g- -uo tone 2"),
        ("japanese", "きょうは雨", "きょ う は"),
        ("korean", "값이", "ㄱ- -ㅏ- -ㅂ -ㅣ-"),
    ],
)
def test_what_is_counted_as_a_sound(language: str, text: str, sounds: str) -> None:
    heard = words_of(text, language)
    assert [" ".join(word) for word in heard] == [word.strip() for word in sounds.split("|")]


def test_what_is_missing_is_named_with_sentences_that_bring_it() -> None:
    few = coverage(["This is a cat."], "english")
    assert few is not None
    missing = {one.sound: one.example for one in few.missing}
    assert {"sh", "oy", "zh"} <= missing.keys()
    assert not {"th", "k", "t"} & missing.keys()
    for sound, example in missing.items():
        assert sound in sounds_of(example, "english")
    brought = coverage(["This is a cat.", *(prompt.text for prompt in few.prompts)], "english")
    assert brought is not None
    assert brought.share > 0.9 > 0.5 > few.share
    assert "as in" in few.words()
    assert coverage([], "auto") is None


def test_the_next_sentence_and_the_progress(tmp_path: Path, twelve_clips: list[GivenClip]) -> None:
    project = Project.create("Ann", tmp_path)
    first, second, *_ = prompt_set("english")
    assert next_prompt(project, "en") == first
    assert next_prompt(project, "english", skipped=[first.id]) == second
    progress = recording_progress(project, "english")
    assert (progress.takes, progress.seconds, progress.left) == (0, 0, len(prompt_set("english")))
    assert progress.toward == {10: 0.0, 30: 0.0}
    assert reading_seconds("abc" * 14, "english") == pytest.approx(3.0)


def test_auto_is_no_language_to_read() -> None:
    with pytest.raises(InputError, match="Say which language you want to read"):
        prompt_set("auto")
    with pytest.raises(InputError, match="klingon"):
        prompt_set("klingon")


def test_the_command_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prompts", "korean", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["text"] for row in rows] == [prompt.text for prompt in prompt_set("korean")]
    assert run(["prompts", "nonesuch"]) == 2
    assert "nonesuch" in capsys.readouterr().err
