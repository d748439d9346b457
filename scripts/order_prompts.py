"""Put the prompts of every language into the order in which they are the most useful, and write them back.

Greedy: each next sentence is the one that adds the most for the seconds it takes. A sound of the language that no
sentence before it had counts twenty, a new pair of neighbouring sounds counts one (voicefactory/pipeline/sounds.py
says what a sound is). The same sentences give the same order, whatever order they came in.

Run: python scripts/order_prompts.py [--check]
"""

from __future__ import annotations

import argparse
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


def in_order(texts: Iterable[str], language: str) -> list[str]:
    """`texts`, each once, the most useful first."""
    left = {text: (set(sounds_of(text, language)), set(pairs_of(words_of(text, language)))) for text in sorted(texts)}
    heard: set[str] = set()
    pairs: set[tuple[str, str]] = set()
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


def main() -> int:
    """Write the files, or with --check only say whether they are in order."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    wrong = []
    for language in WHISPER_CODES:
        path = PROMPTS / f"{language}.txt"
        content = HEAD.format(title=language.capitalize())
        content += "".join(f"{text}\n" for text in in_order([one.text for one in prompt_set(language)], language))
        if path.read_text(encoding="utf-8") != content:
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
