"""Texts are said by the toy, sentence by sentence, by one or several; what was said is kept and not said again."""

from __future__ import annotations

import csv
import dataclasses
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.conftest import MadeOnce
from tests.toy_voice import RUN, give_voice
from voicefactory.engines.qwen3_tts import synthesis
from voicefactory.engines.registry import get
from voicefactory.errors import Cancelled, InputError
from voicefactory.pipeline.held_out import held_out_clips
from voicefactory.pipeline.said import (
    Heard,
    SpeechRequest,
    file_name,
    heard_names,
    load_heard,
    new_name,
    remove_heard,
    speech_folder,
)
from voicefactory.pipeline.say import pieces_so_far, say
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.speaking import SEED_STEP, Manner, speak_pieces
from voicefactory.pipeline.synthesize import synthesize
from voicefactory.pipeline.tellers import find_teller, load, other_weights
from voicefactory.pipeline.text_pieces import text_pieces
from voicefactory.project import Project
from voicefactory.types import Progress

TEXT = "One sentence. Another one.\n\nThe last."


@pytest.fixture(scope="module")
def finished(made_once: MadeOnce, toy: Path, prepared_project: Callable[[Path], Project]) -> Path:
    return made_once("voice-project", lambda folder: give_voice(prepared_project(folder), toy))


@pytest.fixture
def project(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(synthesis, "TOY_FRAMES", 5)
    shutil.copytree(finished, tmp_path / "home")
    (root,) = (tmp_path / "home" / "projects").iterdir()
    return Project(root)


def asked(project: Project, *tellers: str, texts: tuple[str, ...] = (TEXT,), **more: object) -> SpeechRequest:
    names = tellers or (f"voice:{RUN}",)
    request = SpeechRequest(new_name(), names, tuple(name.rpartition(":")[2] for name in names), texts)
    return dataclasses.replace(request, **more)  # type: ignore[arg-type]


def sound(entry: Heard, number: int = 0) -> np.ndarray:
    samples, rate = soundfile.read(entry.file(entry.takes[number]), dtype="float32")
    assert rate == 24_000
    return np.asarray(samples)


def test_each_sentence_is_heard_before_the_next_is_spoken_and_the_whole_is_their_sum(project: Project) -> None:
    request = asked(project, form="flac")
    folder = speech_folder(project, request.name)
    so_far: list[list[tuple[Path, float]]] = []

    def tell(progress: Progress) -> None:
        if progress.done:
            found = pieces_so_far(folder)
            assert len(found) == progress.done
            so_far.append([(path.read_bytes() and path, seconds) for path, seconds in found])  # type: ignore[misc]
            shutil.copytree(folder / "pieces", folder.parent / f"copy-{len(so_far)}")

    entry = say(project, request, on_progress=tell)
    assert [len(found) for found in so_far] == [1, 2, 3]
    (take,) = entry.takes
    assert (take.pieces, take.of, take.file) == (3, 3, "one-sentence-another-one-the-last.flac")
    pieces = [soundfile.read(path, dtype="float32")[0] for path in sorted((folder.parent / "copy-3").iterdir())]
    assert np.abs(np.concatenate(pieces) - sound(entry)).max() < 1e-4  # the last bit is rounded differently
    lengths = [seconds for _, seconds in so_far[-1]]
    assert lengths[1] - lengths[0] == pytest.approx(0.4, abs=0.02)  # the paragraph's pause is 0.4 s longer
    assert not (folder / "pieces").exists()
    assert load_heard(folder) == entry
    again = say(project, dataclasses.replace(request, name=new_name()))
    assert np.abs(sound(again) - sound(entry)).max() < 1e-4


def test_a_runaway_is_told_of_and_spoils_nothing(project: Project) -> None:
    """Which sentence came first does not matter to the others: each has a seed of its own."""
    entry = say(project, asked(project))
    assert entry.takes[0].runaway == (1, 2, 3)  # of the toy nothing ever ends
    teller = find_teller(project, f"voice:{RUN}")
    pieces = text_pieces(TEXT)
    whole = speak_pieces(load(teller), pieces, Manner("english", seed=7))
    assert whole is not None
    assert [part.seed for part in whole.parts] == [7, 7 + SEED_STEP, 7 + 2 * SEED_STEP]
    second = load(teller).speak(pieces[1].text, language="english", seed=7 + SEED_STEP)
    heard = whole.parts[1].samples
    inner = slice(1000, len(second.samples) - 1000)  # without what fades
    assert np.array_equal(heard[inner], second.samples[inner])


def test_stopped_between_sentences_it_keeps_what_was_spoken_and_goes_on_from_there(project: Project) -> None:
    request = asked(project)
    done: list[float] = []
    with pytest.raises(Cancelled):
        say(project, request, on_progress=lambda at: done.append(at.done), should_stop=lambda: 2 in done)
    folder = speech_folder(project, request.name)
    cut = load_heard(folder)
    assert cut is not None
    assert (cut.takes[0].pieces, cut.takes[0].of) == (2, 3)
    before = sound(cut)
    (first, seconds), (_, _) = pieces_so_far(folder)
    length = round(seconds * 24_000)
    soundfile.write(first, np.zeros(length), 24_000)  # so that it is seen whether it is taken or spoken again
    entry = say(project, request)
    assert entry.takes[0].pieces == 3
    assert not sound(entry)[:length].any()
    assert np.array_equal(sound(entry)[length : len(before)], before[length:])
    assert np.array_equal(sound(entry)[length:], sound(say(project, asked(project)))[length:])


def test_lines_become_files_with_a_list_and_are_not_said_twice(project: Project) -> None:
    lines = ("Good morning.", "=1+1 is two.", "你好！")
    request = asked(project, texts=lines, several=True, form="mp3")
    done: list[float] = []
    with pytest.raises(Cancelled):
        say(project, request, on_progress=lambda at: done.append(at.done), should_stop=lambda: 1 in done)
    folder = speech_folder(project, request.name)
    with zipfile.ZipFile(folder / "lines.zip") as archive:
        assert archive.namelist() == ["lines.csv", "001-good-morning.mp3"]
    kept = (folder / "001-good-morning.mp3").stat().st_mtime_ns
    entry = say(project, request)
    assert (folder / "001-good-morning.mp3").stat().st_mtime_ns == kept
    with zipfile.ZipFile(entry.zip) as archive:
        assert archive.namelist() == ["lines.csv", "001-good-morning.mp3", "002-1-1-is-two.mp3", "003-你好.mp3"]
        rows = list(csv.DictReader(archive.read("lines.csv").decode().splitlines()))
    assert [row["text"] for row in rows] == ["Good morning.", "'=1+1 is two.", "你好！"]
    assert [row["voice"] for row in rows] == [RUN] * 3


def test_side_by_side_the_same_text_by_all(project: Project) -> None:
    clip = load_clips(project)[0]
    strengths = [f"strength:{RUN}:{at}" for at in ("0.5", "0.75", "1.25")]
    assert other_weights(project) == [f"checkpoint:{RUN}:2", *strengths]
    names = ("recording:" + clip.id, "base:toy", f"voice:{RUN}", f"checkpoint:{RUN}:2", f"strength:{RUN}:1")
    entry = say(project, asked(project, *names, texts=("One sentence.",), seed=3))
    assert [take.teller for take in entry.takes] == [0, 1, 2, 3, 4]
    assert len({take.file for take in entry.takes}) == 5
    assert np.array_equal(sound(entry, 0), soundfile.read(clip.audio, dtype="float32")[0])
    sounds = [sound(entry, number) for number in (1, 2, 3)]
    assert not any(np.array_equal(one, other) for one in sounds for other in sounds if one is not other)
    assert np.array_equal(sound(entry, 4), sound(entry, 2))  # strength 1 is the finished voice
    assert len(held_out_clips(project, RUN)) == 1


def test_the_model_is_loaded_once_for_several_requests(project: Project) -> None:
    teller = find_teller(project, f"voice:{RUN}")
    first = load(teller)
    assert load(find_teller(project, f"voice:{RUN}")) is first
    half = load(find_teller(project, f"strength:{RUN}:0.5"))
    assert half is not first
    assert load(teller) is not first  # only the last one is kept
    assert not list((project.runs / RUN).glob("*aside*"))  # what was assembled for it is gone


def test_who_is_not_there_is_said(project: Project) -> None:
    for name in ("voice:../..", "voice:none", "checkpoint:none:2", f"checkpoint:{RUN}:3", f"strength:{RUN}:much", "x"):
        with pytest.raises(InputError, match="not there any more"):
            find_teller(project, name)
    with pytest.raises(InputError, match="recording is not there"):
        say(project, asked(project, "recording:none", texts=("Hi.",)))
    with pytest.raises(InputError, match="one of wav, flac, mp3"):
        say(project, asked(project, form="ogg"))


def test_the_history_is_a_folder_each_and_can_be_removed(project: Project) -> None:
    one = say(project, asked(project, texts=("Hi.",)))
    assert heard_names(project) == [one.name]
    remove_heard(project, one.name)
    assert heard_names(project) == []
    assert not one.folder.exists()
    remove_heard(project, one.name)
    for wrong in ("..", "../../x", "speech"):
        with pytest.raises(KeyError):
            remove_heard(project, wrong)


def test_names_of_files_are_safe() -> None:
    assert file_name("../../etc: passwd?", 7) == "007-etc-passwd"
    assert file_name("…") == "speech"
    assert file_name("word " * 40) == "-".join(["word"] * 8)
    assert file_name("Ünï 字", beside="2-A b") == "ünï-字-2-A-b"


def test_synthesize_speaks_long_texts_too(project: Project, tmp_path: Path) -> None:
    out = tmp_path / "long.mp3"
    spoken = synthesize(project.voices / RUN, TEXT, out, seed=2)
    assert [part.text for part in spoken.parts] == ["One sentence.", "Another one.", "The last."]
    assert soundfile.info(out).frames == len(spoken.samples)
    assert get().is_toy(project.voices / RUN)
