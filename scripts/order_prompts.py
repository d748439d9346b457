"""Put the prompts of every language into the order in which they are the most useful, and write them back.

Greedy: each next sentence is the one that adds the most for the seconds it takes. A sound of the language that no
sentence before it had counts twenty, a new pair of neighbouring sounds counts one (voicefactory/pipeline/sounds.py
says what a sound is). The same sentences give the same order, whatever order they came in.

A file has two parts, and each is ordered by itself: people have read from the first one (about ten minutes), so its
order stays when sentences are added to the second, which leads on to thirty minutes.

Run: python scripts/order_prompts.py [--check]
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from voicefactory import files
from voicefactory.languages import WHISPER_CODES
from voicefactory.pipeline.prompts import PROMPTS, prompt_set, reading_seconds
from voicefactory.pipeline.sounds import pairs_of, sounds_of, words_of

NEW_SOUND, NEW_PAIR = 20.0, 1.0
HEAD = """\
# Sentences to read aloud, in {title}: written for VoiceFactory, phonetically varied, the most useful first.
# Free for any use: dedicated to the public domain under CC0 1.0 (https://creativecommons.org/publicdomain/zero/1.0/).
# The order is that of scripts/order_prompts.py.
"""
SECOND = "# From here on: towards thirty minutes.\n"


def in_order(texts: Iterable[str], language: str, before: Iterable[str] = ()) -> list[str]:
    """`texts`, each once, the most useful first to someone who has read `before`."""
    left = {text: (set(sounds_of(text, language)), set(pairs_of(words_of(text, language)))) for text in sorted(texts)}
    heard: set[str] = set()
    pairs: set[tuple[str, str]] = set()
    for text in before:
        heard.update(sounds_of(text, language))
        pairs.update(pairs_of(words_of(text, language)))
    ordered = []

    def gain(text: str) -> float:
        sounds, neighbours = left[text]
        new = NEW_SOUND * len(sounds - heard) + NEW_PAIR * len(neighbours - pairs)
        return new / (reading_seconds(text, language) + 1)

    while left:
        best = max(left, key=gain)
        ordered.append(best)
        heard |= left[best][0]
        pairs |= left.pop(best)[1]
    return ordered


def ordered_file(content: str, language: str) -> str:
    """The content of a prompt file with both parts in order."""
    parts = [
        [line for line in part.splitlines() if line and not line.startswith("#")] for part in content.split(SECOND)
    ]
    first = in_order(parts[0], language)
    second = in_order(itertools.chain.from_iterable(parts[1:]), language, before=first)
    lines = [*first, SECOND.strip(), *second] if second else first
    return HEAD.format(title=language.capitalize()) + "".join(f"{line}\n" for line in lines)


def main() -> int:
    """Write the files, or with --check only say whether they are in order."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    wrong = []
    for language in WHISPER_CODES:
        path = PROMPTS / f"{language}.txt"
        found = path.read_text(encoding="utf-8")
        content = ordered_file(found, language)
        if found != content:
            wrong.append(language)
            if not check:
                files.write_text(path, content)
        seconds = sum(prompt.seconds for prompt in prompt_set(language))
        print(f"{language:<11} {len(prompt_set(language)):3} sentences, about {seconds / 60:.1f} min")
    if check and wrong:
        print(f"Not in order: {', '.join(wrong)}")
    return int(check and bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
