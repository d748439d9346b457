"""The sentences, said by each of those who are judged: audio that is made once, and found again.

Leaves judge/speech/<key>/<sentence>-<take>.flac, and beside each a .said.json with what happened when it was made.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from voicefactory import files
from voicefactory.engines.base import Synthesizer
from voicefactory.errors import Cancelled
from voicefactory.languages import AUTO
from voicefactory.pipeline.judge_case import Case, Subject
from voicefactory.pipeline.prompts import Prompt
from voicefactory.pipeline.synthesize import write_speech
from voicefactory.project import Project
from voicefactory.types import ShouldStop

SEED_STEP = 1000  #: between takes: an engine may try the next seeds when one does not come to an end


@dataclass(frozen=True)
class Utterance:
    """One sentence, said once."""

    subject: str  #: Subject.id
    sentence: str  #: Prompt.id; of a recording the clip's id
    text: str
    take: int  #: from 0
    audio: Path
    runaway: bool = False  #: it was cut off at the length limit
    retried: bool = False  #: another seed had to be tried


def judge_folder(project: Project) -> Path:
    """Where everything about judging lies."""
    return project.root / "judge"


def recordings(case: Case) -> list[Utterance]:
    """The speaker's own."""
    return [Utterance("real", one.clip.id, one.text, 0, one.clip.audio) for one in case.recordings]


def speak(
    case: Case,
    subject: Subject,
    sentences: Sequence[Prompt],
    takes: int,
    *,
    on_spoken: Callable[[], None],
    should_stop: ShouldStop,
) -> list[Utterance]:
    """Let `subject` say every sentence `takes` times; what was said before is taken. Raises Cancelled between two."""
    folder = judge_folder(case.project) / "speech" / subject.key
    wanted = [(one, take, folder / f"{one.id}-{take}.flac") for one in sentences for take in range(takes)]
    with contextlib.ExitStack() as loaded:
        synthesizer: Synthesizer | None = None
        for sentence, take, audio in wanted:
            if should_stop():
                raise Cancelled("Stopped while the voices spoke; what was said is kept.")
            if not (audio.exists() and _facts_path(audio).exists()):
                synthesizer = synthesizer or loaded.enter_context(_synthesizer(case, subject))
                _say(case, subject, synthesizer, sentence.text, take * SEED_STEP, audio)
            on_spoken()
    return [
        Utterance(subject.id, one.id, one.text, take, audio, **files.read_json(_facts_path(audio)))
        for one, take, audio in wanted
    ]


@contextlib.contextmanager
def _synthesizer(case: Case, subject: Subject) -> Iterator[Synthesizer]:
    """Load a subject; of a checkpoint a model is assembled that is gone afterwards: it is as large as a voice."""
    if subject.checkpoint is None:
        assert subject.model is not None
        yield case.engine.load(subject.model, case.device)
        return
    judge_folder(case.project).mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".aside-", dir=judge_folder(case.project)) as aside:
        case.engine.assemble(subject.checkpoint, Path(aside))
        yield case.engine.load(Path(aside), case.device)


def _say(case: Case, subject: Subject, synthesizer: Synthesizer, text: str, seed: int, audio: Path) -> None:
    speech = synthesizer.speak(
        text,
        language=case.language if case.language in synthesizer.languages else AUTO,
        seed=seed,
        reference=subject.reference,
        speaker=subject.speaker or None,
    )
    write_speech(speech, audio)
    files.write_json(_facts_path(audio), {"runaway": speech.runaway, "retried": speech.seed != seed})


def _facts_path(audio: Path) -> Path:
    return audio.with_suffix(".said.json")
