"""How much of a language the first sentences of its prompts hold: by our own count, and by a real phonemizer's.

Our count (voicefactory/pipeline/sounds.py) goes by the spelling. The check is espeak-ng, a development tool that is
only called here: `apt-get install espeak-ng`. For each language: the share of sounds and of neighbouring pairs that the
first 10 and 20 sentences hold of those in the whole set, in our order, and the mean of 20 orders by chance.

Run: python benchmarks/prompts.py
"""

from __future__ import annotations

import itertools
import random
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from voicefactory.languages import WHISPER_CODES
from voicefactory.pipeline.prompts import prompt_set
from voicefactory.pipeline.sounds import words_of

FIRST = (10, 20)
VOICES = {"chinese": "cmn", "portuguese": "pt-br"}
Words = list[list[str]]


def phonemes(text: str, language: str) -> Words:
    """The phonemes of each word as espeak-ng says it, without stress, tone and length."""
    voice = VOICES.get(language, WHISPER_CODES[language])
    command = ["espeak-ng", "-q", "-x", "--sep= ", "-v", voice, text]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    words = re.split(r"\s{2,}|\n|_:", done.stdout)
    bare = [[re.sub(r"[',%=|_\d:;~-]", "", sound) for sound in word.split()] for word in words]
    return [[sound for sound in word if sound] for word in bare]


def shares(texts: Sequence[Words], count: int) -> tuple[float, float]:
    """The share of all sounds, and of all pairs, that the first `count` texts hold."""
    sounds = [{sound for word in text for sound in word} for text in texts]
    pairs = [{pair for word in text for pair in itertools.pairwise(word)} for text in texts]
    return tuple(len(set().union(*some[:count])) / len(set().union(*some)) for some in (sounds, pairs))  # type: ignore


def by_chance(texts: Sequence[Words], count: int) -> tuple[float, float]:
    """The same, the mean of 20 orders by chance."""
    generator = random.Random(0)
    found = [shares(generator.sample(texts, len(texts)), count) for _ in range(20)]
    return statistics.mean(one for one, _ in found), statistics.mean(pairs for _, pairs in found)


def main() -> None:
    """Print the table."""
    counts: dict[str, Callable[[str, str], Words]] = {"ours": words_of}
    if shutil.which("espeak-ng"):
        counts["espeak-ng"] = phonemes
    heads = [
        f"{what} in {count} ({how})" for count in FIRST for what in ("sounds", "pairs") for how in ("order", "chance")
    ]
    print(f"| language | sentences | minutes | counted by | sounds | {' | '.join(heads)} |")
    print(f"|---|---|---|---|---|{'---|' * len(heads)}")
    for language in WHISPER_CODES:
        prompts = prompt_set(language)
        minutes = sum(prompt.seconds for prompt in prompts) / 60
        for name, count in counts.items():
            texts = [count(prompt.text, language) for prompt in prompts]
            cells = []
            for first in FIRST:
                for ordered, chance in zip(shares(texts, first), by_chance(texts, first), strict=True):
                    cells += [f"{ordered:.0%}", f"{chance:.0%}"]
            inventory = len({sound for text in texts for word in text for sound in word})
            print(f"| {language} | {len(prompts)} | {minutes:.1f} | {name} | {inventory} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
