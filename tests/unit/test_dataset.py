"""The data set in figures, whether it is enough, and frozen so that nothing that happens later changes it."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicefactory import files
from voicefactory.audio.wav import read_wav, write_wav
from voicefactory.cli import run
from voicefactory.errors import InputError
from voicefactory.pipeline import statistics as module
from voicefactory.pipeline.frozen import changes_since, freeze, list_frozen, load_frozen
from voicefactory.pipeline.previews import find_preview, previews
from voicefactory.pipeline.reference import candidates, load_reference, rank_references, reference
from voicefactory.pipeline.request import Request
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.statistics import LENGTHS_S, SNR_DB, Statistics, statistics
from voicefactory.pipeline.train import freeze_dataset, train
from voicefactory.pipeline.transcripts import load_transcripts, set_transcripts
from voicefactory.project import Project
from voicefactory.types import SAMPLE_RATE, Clip, ExtraText, Transcript


@pytest.fixture
def project(prepared_project: Callable[[Path], Project], tmp_path: Path) -> Project:
    return prepared_project(tmp_path / "home")


def counted(clips: list[Clip], transcripts: list[Transcript], project: Project) -> Statistics:
    return module._count(project, clips, transcripts)


def test_the_figures(project: Project) -> None:
    clips, rows = load_clips(project), load_transcripts(project)
    set_transcripts(project, [replace(rows[0], dropped=True)])
    found = statistics(project)
    used = [clip for clip in clips if clip.id != rows[0].clip]
    assert (found.clips, found.left_out, found.languages) == (11, 1, {"english": 11})
    assert found.minutes == pytest.approx(sum(clip.seconds for clip in used) / 60)
    assert sum(found.lengths) == 11
    assert found.lengths[LENGTHS_S.index(3.0)] == sum(3 <= clip.seconds < 5 for clip in used)
    assert sum(found.snr) == 11
    assert found.snr[SNR_DB.index(50.0)] == sum(clip.quality.snr_db >= 50 for clip in used)
    assert found.coverage is not None
    assert 0.5 < found.coverage.share < 1
    assert found.coverage.prompts
    assert found.level == "a try"
    assert "rule of thumb" in found.enough
    assert "record another 2 minutes" in found.best_help
    assert found.warnings == ()
    assert json.loads(json.dumps(found.to_json()))["minutes"] == round(found.minutes, 2)


def test_they_are_kept_until_something_changes(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    first = statistics(project)
    with monkeypatch.context() as patch:
        patch.setattr(module, "_count", None)  # a second count would fail
        assert statistics(project) == first
    row = load_transcripts(project)[0]
    set_transcripts(project, [replace(row, text="The choir joins in with unusual joy.")])
    second = statistics(project)
    assert second.coverage is not None
    assert first.coverage is not None
    assert second.coverage.share > first.coverage.share


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (lambda n, clip, row: (replace(clip, quality=replace(clip.quality, snr_db=9.0)), row), "Noise: in 12 of 12"),
        (lambda n, clip, row: (replace(clip, seconds=1.4), row), "Short clips: 12 of 12"),
        (lambda n, clip, row: (clip, replace(row, text="Again and again.")), "“again and again.” is said 12 times"),
        (lambda n, clip, row: (clip, replace(row, language="german") if n < 3 else row), "3 in german"),
        (lambda n, clip, row: (clip, replace(row, confidence=0.4) if n < 3 else row), "of 3 clips Whisper is less"),
    ],
)
def test_what_speaks_against_it(project: Project, change: Callable[..., tuple[Clip, Transcript]], warning: str) -> None:
    pairs = [
        change(n, *pair) for n, pair in enumerate(zip(load_clips(project), load_transcripts(project), strict=True))
    ]
    found = counted([clip for clip, _ in pairs], [row for _, row in pairs], project)
    assert len(found.warnings) == 1
    assert warning in found.warnings[0]
    files.write_json(
        project.root / "analysis" / "voices.json",
        [{"compared": 12, "foreign": [], "second": [], "sentence": "Two speakers? Six clips are another voice."}],
    )
    found = counted([clip for clip, _ in pairs], [row for _, row in pairs], project)
    assert found.warnings[0].startswith("Two speakers?")


def test_enough_grows_with_the_minutes(project: Project) -> None:
    clips, rows = load_clips(project), load_transcripts(project)
    levels = []
    for minutes in (0.5, 2, 5, 15, 40):
        long = [replace(clip, seconds=60 * minutes / len(clips)) for clip in clips]
        found = counted(long, rows, project)
        levels.append(found.level)
    assert levels == ["not enough", "a try", "a start", "good", "plenty"]
    assert "More speech" not in found.best_help
    nothing = counted(clips, [], project)
    assert (nothing.clips, nothing.coverage) == (0, None)
    assert "Add recordings" in nothing.best_help


def test_frozen_is_what_it_was_whatever_happens_to_the_clips(project: Project) -> None:
    frozen = freeze_dataset(project, Request())
    clips, rows = load_clips(project), load_transcripts(project)
    assert [(one.text, one.clip.sha256) for one in frozen.samples] == [
        (row.text, clip.sha256) for row, clip in zip(rows, clips, strict=True)
    ]
    listed = list_frozen(project)
    assert [(one.fingerprint, one.clips, one.languages) for one in listed] == [(frozen.fingerprint, 12, ("english",))]
    assert listed[0].statistics["clips"] == 12
    assert changes_since(listed[0], clips, rows) == ""
    assert freeze_dataset(project, Request()).fingerprint == frozen.fingerprint
    assert len(list_frozen(project)) == 1

    write_wav(clips[0].audio, [0.5 * read_wav(clips[0].audio)])  # as cleaning does: aside, then renamed
    clips[1].audio.unlink()
    set_transcripts(project, [replace(rows[2], text="Another text.")])
    again = load_frozen(project, frozen.fingerprint[:12])
    assert again == frozen
    assert all(files.sha256_of(one.clip.audio) == one.clip.sha256 for one in again.samples)
    assert changes_since(listed[0], clips, load_transcripts(project)) == "1 clip with another text or language"
    rows_of = files.read_jsonl(frozen.path)
    assert [(frozen.path.parent / row["audio"]).is_file() for row in rows_of] == [True] * 12
    assert {row["ref_audio"] for row in rows_of} == {"reference/1.wav"}
    moved = project.root.with_name("moved")
    shutil.copytree(project.root, moved)
    assert load_frozen(Project(moved), frozen.fingerprint).samples[0].clip.audio.is_relative_to(moved)


def test_another_text_is_another_data_set_beside_the_first(project: Project) -> None:
    first = freeze_dataset(project, Request())
    set_transcripts(project, [replace(load_transcripts(project)[2], text="Another text.")])
    second = freeze_dataset(project, Request())
    assert {one.fingerprint for one in list_frozen(project)} == {first.fingerprint, second.fingerprint}
    assert load_frozen(project, first.fingerprint).samples[2].text != "Another text."
    clips, rows = load_clips(project), load_transcripts(project)
    told = {one.fingerprint: changes_since(one, clips, rows[1:]) for one in list_frozen(project)}
    assert told[second.fingerprint] == "1 clip left out"
    assert told[first.fingerprint] == "1 clip left out, 1 clip with another text or language"


def test_what_was_tampered_with_is_refused_with_the_difference(project: Project) -> None:
    frozen = freeze_dataset(project, Request())
    first, second = (one.clip.audio for one in frozen.samples[:2])
    content = first.read_bytes()
    first.unlink()  # a link: the project's clip stays
    first.write_bytes(content[:-2] + b"\0\1")
    second.unlink()
    with pytest.raises(InputError, match=rf"1 missing \({second.name}\); 1 with other content \({first.name}\)"):
        train(project, Request(model="toy", dataset=frozen.fingerprint))
    assert freeze_dataset(project, Request()) == frozen  # made whole again from the project
    rows = files.read_jsonl(frozen.path)
    files.write_jsonl(frozen.path, [{**rows[0], "text": "Else."}, *rows[1:]])
    with pytest.raises(InputError, match="a text or a reference was changed"):
        load_frozen(project, frozen.fingerprint)
    with pytest.raises(InputError, match=f"no frozen data set '123456'. There are: {frozen.fingerprint[:12]}"):
        load_frozen(project, "123456")


def test_a_clip_that_is_not_what_was_cut_is_not_frozen(project: Project) -> None:
    clip = load_clips(project)[3]
    write_wav(clip.audio, [np.zeros(SAMPLE_RATE * 4, dtype=np.float32)])
    with pytest.raises(InputError, match=f"clip {clip.id} of .* was changed on the disk"):
        freeze_dataset(project, Request())
    assert list_frozen(project) == []
    assert not list((project.root / "datasets").glob("*"))


def test_speakers_and_texts_without_audio_are_frozen_too(project: Project) -> None:
    made = freeze_dataset(project, Request())
    whole = replace(
        made,
        samples=tuple(replace(one, speaker="ben", instruct="Whisper.") for one in made.samples),
        references={"ben": made.reference},
        extra_texts=(ExtraText("text-0", "Hello.", "english", "ben", "more.txt, line 1"),),
        fingerprint="",
    )
    from voicefactory.pipeline.dataset import dataset_fingerprint

    digest = files.sha256_of(made.reference.audio)
    fingerprint = dataset_fingerprint(whole.samples, digest, {"ben": digest}, whole.extra_texts)
    frozen = freeze(project, replace(whole, fingerprint=fingerprint))
    assert frozen.samples[0].speaker == "ben"
    assert frozen.samples[0].instruct == "Whisper."
    assert frozen.extra_texts == whole.extra_texts
    assert list(frozen.references) == ["ben"]
    assert [row["audio"] for row in frozen.rows()][-1] == ""


def test_the_three_candidates_differ_and_say_why(project: Project) -> None:
    clips, rows = load_clips(project), load_transcripts(project)
    chosen = candidates(project, clips, rows)
    assert len(chosen) == 3
    assert chosen[0] == reference(project, clips, rows) == load_reference(project)
    assert all("a complete sentence" in one.reasons for one in chosen)
    assert any("spoken evenly" in one.reasons for one in chosen)
    half = [replace(row, text="and then, of the") if row.clip == chosen[0].clip else row for row in rows]
    judged = next(one for one in rank_references(clips, half) if one.clip == chosen[0].clip)
    assert "not a complete sentence, by its text" in judged.reasons
    assert judged.score < chosen[0].score
    one = [replace(clip, recording="r", start_s=20.0 * at) for at, clip in enumerate(clips)]
    spread = candidates(project, one, rows)
    starts = sorted(clip.start_s for clip in one if clip.id in {found.clip for found in spread})
    assert all(later - earlier >= 30 for earlier, later in itertools.pairwise(starts))
    same = [replace(row, text="The same words for all of them.") for row in rows]
    assert len(candidates(project, clips, same)) == 3  # filled up


def test_a_cut_word_and_a_drifting_level_are_heard(project: Project) -> None:
    clips, rows = load_clips(project), load_transcripts(project)
    best = rank_references(clips, rows)[0]
    clip = next(one for one in clips if one.id == best.clip)
    samples = read_wav(clip.audio)
    middle = samples[round(0.5 * SAMPLE_RATE) : -round(1.3 * SAMPLE_RATE)]
    loud = middle * np.geomspace(1, 0.01, len(middle), dtype=np.float32)
    write_wav(clip.audio, [loud])
    worse = [replace(one, sha256=files.sha256_of(clip.audio)) if one.id == clip.id else one for one in clips]
    found = next(one for one in rank_references(worse, rows) if one.clip == clip.id)
    assert found.score < best.score
    assert any("level moves a lot" in reason or "right at its edge" in reason for reason in found.reasons)
    clip.audio.unlink()
    gone = [replace(one, sha256="gone") if one.id == clip.id else one for one in clips]
    assert len(rank_references(gone, rows)) == len(rank_references(clips, rows))  # judged by its figures


@pytest.mark.slow
def test_a_preview_is_spoken_once(project: Project) -> None:
    chosen = candidates(project, load_clips(project), load_transcripts(project))
    path = find_preview(project, chosen[0], model="toy", language="english")
    assert not path.exists()
    two = previews(project, chosen[:2], model="toy", language="english", device="cpu")
    assert two[0] == path != two[1]
    samples, rate = soundfile.read(path)
    assert rate == SAMPLE_RATE
    assert np.abs(samples).max() > 0
    stamp = path.stat().st_mtime_ns
    assert previews(project, chosen[:1], model="toy", language="english", device="cpu") == [path]
    assert path.stat().st_mtime_ns == stamp
    others = [
        find_preview(project, chosen[0], model="toy", language="german"),
        find_preview(project, chosen[0], model="toy", language="english", text="Hello."),
        find_preview(project, chosen[0], model="toy", language="english", seed=1),
    ]
    assert len({path, *others}) == 4
    with pytest.raises(InputError, match="klingon"):
        previews(project, chosen[:1], model="toy", language="klingon")


def test_the_command(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    home = ["--home", str(project.home)]
    assert run(["dataset", "Anna", *home]) == 0
    told = capsys.readouterr().out
    assert "12 clips, 1.2 minutes" in told
    assert "More speech helps most" in told
    assert "Nothing is frozen yet" in told
    assert run(["dataset", "Anna", "--freeze", "--json", *home]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["made"] == found["frozen"][0]["fingerprint"]
    assert found["statistics"]["level"] == "a try"
    assert run(["dataset", "Anna", "--list", *home]) == 0
    assert capsys.readouterr().out.startswith(found["made"][:12])
    assert run(["dataset", "Nobody", *home]) == 2


@pytest.mark.slow
def test_a_run_says_what_it_was_trained_on_and_a_frozen_set_trains_again(project: Project) -> None:
    request = Request(model="toy", overrides=("max_steps=1", "batch_size=2", "eval_fraction=0"))
    first = train(project, request)
    assert files.read_json(first.run / "dataset.json")["fingerprint"] == first.dataset.fingerprint
    set_transcripts(project, [replace(load_transcripts(project)[2], text="Another text.")])
    again = train(project, replace(request, dataset=first.dataset.fingerprint[:12]))
    assert (again.run, again.dataset) == (first.run, first.dataset)
    other = train(project, request)
    assert other.run != first.run
    assert files.read_json(other.run / "dataset.json")["fingerprint"] == list_frozen(project)[0].fingerprint
