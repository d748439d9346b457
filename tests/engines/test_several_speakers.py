"""Several speakers, languages and instructions in one run, a voice added to a voice, and texts without audio."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.engines.engine_data import dataset_of, real_clips
from voicefactory import files
from voicefactory.engines.base import Engine, Training
from voicefactory.engines.qwen3_tts.data_order import split_held_out
from voicefactory.engines.qwen3_tts.own_speech import OwnSpeech
from voicefactory.engines.qwen3_tts.synthesis import Qwen3Synthesizer, max_frames
from voicefactory.engines.registry import get
from voicefactory.errors import Cancelled, InputError
from voicefactory.pipeline.sentences import SENTENCES
from voicefactory.pipeline.synthesize import synthesize_samples
from voicefactory.presets import load_preset
from voicefactory.types import Codes, Dataset, ExtraText, Progress, Reference, never, silent
from voicefactory.ui import models
from voicefactory.ui.state import FinishedVoice, State
from voicefactory.ui.tabs.listen import who_speaks
from voicefactory.ui.voices import speakers_of

pytestmark = pytest.mark.usefixtures("short_breath")

FEW_STEPS = load_preset("quick", ["max_steps=2", "batch_size=2", "eval_fraction=0", "speak_at_evaluations=false"])
TABLE = "talker.model.codec_embedding.weight"


@pytest.fixture(scope="module")
def engine() -> Engine:
    return get("qwen3-tts")


def duo(folder: Path) -> Dataset:
    """Ann says two clips and Ben two, each with a reference of their own: in English and German, one slowly."""
    plain = dataset_of(real_clips()[:4], folder)
    samples = [
        dataclasses.replace(
            sample,
            speaker=("ann", "ben")[index % 2],
            language=("english", "german")[index // 2],
            instruct="Speak slowly." if index == 3 else "",
        )
        for index, sample in enumerate(plain.samples)
    ]
    chosen = {
        sample.speaker: Reference(sample.clip.audio, sample.text, sample.clip.seconds, 1.0, (), sample.clip.id)
        for sample in samples[:2]
    }
    return dataclasses.replace(
        plain, samples=tuple(samples), reference=chosen["ann"], references=chosen, fingerprint="duo"
    )


def extract(engine: Engine, dataset: Dataset, model: Path, folder: Path, told: list[Progress] | None = None) -> Codes:
    on_progress = silent if told is None else told.append
    return engine.extract(dataset, model, folder, device="cpu", on_progress=on_progress, should_stop=never)


def voice_of(engine: Engine, codes: Codes, base: Path, folder: Path, speaker: str, preset=FEW_STEPS) -> Path:  # type: ignore[no-untyped-def]
    checkpoint = engine.finetune(
        Training(codes, base, preset, folder / "run", speaker=speaker, device="cpu"),
        on_progress=silent,
        should_stop=never,
    )
    out = folder / "voice"
    out.mkdir()
    engine.assemble(checkpoint, out)
    return out


@pytest.fixture(scope="module")
def both(engine: Engine, toy_1b7: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Codes, Path]:
    """Codes of Ann and Ben, and their voice after two steps, on the model that takes instructions."""
    folder = tmp_path_factory.mktemp("both")
    codes = extract(engine, duo(folder), toy_1b7, folder / "codes")
    return codes, voice_of(engine, codes, toy_1b7, folder, "duo")


def test_rows_tell_who_says_what_and_how(both: tuple[Codes, Path]) -> None:
    rows = files.read_jsonl(both[0].path)
    assert [row["speaker"] for row in rows] == ["ann", "ben", "ann", "ben"]
    assert [row["language"] for row in rows] == ["english", "english", "german", "german"]
    assert [row.get("instruct") for row in rows] == [None, None, None, "Speak slowly."]
    assert [row["ref_audio"] for row in rows] == [rows[0]["audio"], rows[1]["audio"]] * 2


def test_each_speaker_has_a_row_and_speaks_each_language(both: tuple[Codes, Path]) -> None:
    _, voice = both
    spk_id = files.read_json(voice / "config.json")["talker_config"]["spk_id"]
    assert spk_id == {"ann": 3000, "ben": 3001}
    table = load_file(voice / "model.safetensors")[TABLE]
    assert not torch.equal(table[3000], table[3001])
    synthesizer = Qwen3Synthesizer(voice, "cpu")
    assert synthesizer.speakers == ("ann", "ben")
    speak_up(synthesizer, 3001)
    ann, ben, newest = (synthesizer.speak("Hi.", language="german", speaker=who) for who in ("Ann", "ben", None))
    assert not np.array_equal(ann.samples, ben.samples)
    assert np.array_equal(newest.samples, ben.samples)
    slowly = synthesizer.speak("Hi.", language="english", speaker="ann", instruct="Speak slowly.")
    assert len(slowly.samples)
    assert not slowly.notice
    with pytest.raises(InputError, match=r"no speaker 'cid'\. It has: ann, ben"):
        synthesizer.speak("Hi.", speaker="cid")


def speak_up(synthesizer: Qwen3Synthesizer, row: int) -> None:
    """Make a speaker audible: to the toy's random ears all people sound nearly alike."""
    weight = synthesizer.wrapper.model.talker.get_input_embeddings().weight
    with torch.no_grad():
        weight[row] = 3 * torch.randn(weight.shape[1], generator=torch.Generator().manual_seed(row))


def test_every_speaker_is_heard_and_the_files_say_who(
    engine: Engine, both: tuple[Codes, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for language in ("english", "german"):  # the real sentences take long
        monkeypatch.setitem(SENTENCES, language, ("Hi.", "Yo."))
    speakers = {"ann": "english", "ben": "german"}
    paths = synthesize_samples(both[1], tmp_path, engine, language="english", device="cpu", speakers=speakers)
    assert [path.name for path in paths] == ["1-ann.wav", "2-ben.wav"]
    assert all(path.stat().st_size > 1000 for path in paths)


def test_the_page_offers_the_speakers_of_a_voice_that_has_several(both: tuple[Codes, Path], toy: Path) -> None:
    duo, base = (
        FinishedVoice(name, name, folder, folder / "zip", 0, (), "") for name, folder in (("duo", both[1]), ("t", toy))
    )
    state = State(voices=(duo, base))
    assert speakers_of(state, "voice:duo") == ["ben", "ann"] == models.speakers("qwen3-tts", str(both[1]))
    assert who_speaks(state, "voice:duo")["visible"] is True
    assert who_speaks(state, "voice:duo")["value"] == "ben"
    for other in ("voice:t", f"base:{toy}", None):
        assert speakers_of(state, other) == []
        assert who_speaks(state, other)["visible"] == "hidden"


def test_a_model_that_takes_no_instructions_says_so(engine: Engine, toy: Path, tmp_path: Path) -> None:
    told: list[Progress] = []
    small = extract(engine, duo(tmp_path), toy, tmp_path / "codes", told)
    assert "0.6B take no instructions" in next(one.message for one in told if one.notice)
    assert not any("instruct" in row for row in files.read_jsonl(small.path))
    base = Qwen3Synthesizer(toy, "cpu")
    audio, text = real_clips()[0]
    speech = base.speak("Hi.", reference=Reference(audio, text, 3.0, 1.0, ()), instruct="Speak slowly.")
    assert "takes no instructions" in speech.notice


def test_codes_with_and_without_instructions_do_not_pass_for_each_other(
    engine: Engine, toy: Path, toy_1b7: Path, tmp_path: Path
) -> None:
    """Both sizes share a codec, and so the file."""
    dataset = duo(tmp_path)
    small, large, again = (extract(engine, dataset, model, tmp_path / "codes") for model in (toy, toy_1b7, toy))
    if small.path == large.path:
        assert small.fingerprint == again.fingerprint != large.fingerprint
    assert not any("instruct" in row for row in files.read_jsonl(again.path))


def test_a_voice_is_added_to_two_and_all_three_speak(engine: Engine, both: tuple[Codes, Path], tmp_path: Path) -> None:
    codes, first = both
    dataset = dataset_of(real_clips()[4:6], tmp_path)
    second = voice_of(engine, extract(engine, dataset, first, tmp_path / "codes"), first, tmp_path, "cid")
    before, after = (load_file(voice / "model.safetensors")[TABLE] for voice in (first, second))
    assert torch.equal(before[3000:3002], after[3000:3002])
    synthesizer = Qwen3Synthesizer(second, "cpu")
    assert synthesizer.speakers == ("ann", "ben", "cid")
    speak_up(synthesizer, 3002)
    ann, cid = (synthesizer.speak("Hi.", language="english", speaker=who).samples for who in ("ann", "cid"))
    assert len(ann)
    assert len(cid)
    assert not np.array_equal(ann, cid)
    with pytest.raises(InputError, match="already has a speaker called 'ann'"):
        engine.finetune(
            Training(codes, second, FEW_STEPS, tmp_path / "again", speaker="dee", device="cpu"),
            on_progress=silent,
            should_stop=never,
        )


@pytest.fixture(scope="module")
def moody(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model that comes to an end now and then: the end of speech is one of its likely sounds."""
    model = tmp_path_factory.mktemp("moody")
    for path in toy.iterdir():
        if path.name != "model.safetensors":
            (model / path.name).symlink_to(path)
    wrapper = OwnSpeech(toy, "cpu")._wrapper
    torch.manual_seed(0)
    _, hidden = wrapper.model.generate(
        input_ids=wrapper._tokenize_texts([wrapper._build_assistant_text("Hi.")]),
        ref_ids=[None],
        voice_clone_prompt={
            "ref_code": [None],
            "ref_spk_embedding": [torch.zeros(64)],
            "x_vector_only_mode": [True],
            "icl_mode": [False],
        },
        languages=["english"],
        non_streaming_mode=True,
        max_new_tokens=30,
    )
    weights = load_file(toy / "model.safetensors")
    typical, head = hidden[0].mean(0), weights["talker.codec_head.weight"]
    likely = (hidden[0] @ head.T).topk(30).values[:, -1].mean()  # sampling looks at the 50 likeliest
    with torch.no_grad():
        head[wrapper.model.config.talker_config.codec_eos_token_id] = likely * typical / typical.square().sum()
    save_file(weights, model / "model.safetensors", metadata={"format": "pt"})
    return model


def with_texts(dataset: Dataset) -> Dataset:
    texts = ["Hi.", "Yes.", "No.", "Oh.", "So.", "Go."]
    extra = [ExtraText(f"text:{n}", text, "english", "", f"more.txt, line {n}") for n, text in enumerate(texts, 1)]
    return dataclasses.replace(dataset, extra_texts=tuple(extra), fingerprint="with texts")


@pytest.mark.slow
def test_the_model_itself_says_texts_without_audio_and_runaways_are_reported(
    engine: Engine, moody: Path, tmp_path: Path
) -> None:
    dataset = with_texts(dataset_of(real_clips()[:2], tmp_path))
    told: list[Progress] = []
    with pytest.raises(Cancelled, match="what it has said is kept"):
        engine.extract(
            dataset,
            moody,
            tmp_path / "codes",
            device="cpu",
            on_progress=told.append,
            should_stop=lambda: told[-1].done >= 4,
        )
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("codes/*/cache/own-*.npy")}
    assert len(kept) == 2
    codes = extract(engine, dataset, moody, tmp_path / "codes")
    rows = files.read_jsonl(codes.path)
    said = [row for row in rows if row.get("spoken_by") == "model"]
    assert 0 < len(said) < 6  # some come to an end, some do not
    assert len(codes.refused) == 6 - len(said)
    assert all("came to no end" in one.reason and one.file.startswith("more.txt, line") for one in codes.refused)
    for row in said:
        assert row["audio"] == ""
        assert row["ref_audio"] == str(dataset.reference.audio)
        assert 2 <= len(row["audio_codes"]) < max_frames(row["text"])
        assert all(len(frame) == 16 and 0 <= min(frame) <= max(frame) < 2048 for frame in row["audio_codes"])
    assert len(rows) == 2 + len(said)
    assert all(path.stat().st_mtime_ns == then for path, then in kept.items())

    # Nothing is said twice, and what is said again is the same, whatever was said before it.
    written = {path: path.stat().st_mtime_ns for path in (codes.path.parent / "cache").iterdir()}
    fewer = dataclasses.replace(dataset, extra_texts=dataset.extra_texts[3:], fingerprint="fewer")
    extract(engine, fewer, moody, tmp_path / "codes")
    assert {path: path.stat().st_mtime_ns for path in (codes.path.parent / "cache").iterdir()} == written
    again = extract(engine, fewer, moody, tmp_path / "again")
    first = {extra.id for extra in dataset.extra_texts[:3]}
    assert files.read_jsonl(again.path) == [row for row in rows if row["clip"] not in first]

    # Training takes them, with nothing but the text embedding.
    preset = load_preset("text-embedding-only", ["max_steps=1", "speak_at_evaluations=false"])
    voice = voice_of(engine, codes, moody, tmp_path, "ann", preset)
    before, after = load_file(moody / "model.safetensors"), load_file(voice / "model.safetensors")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"talker.model.text_embedding.weight", TABLE}
    assert torch.equal(before[TABLE][:3000], after[TABLE][:3000])


def test_what_the_model_said_is_never_held_out() -> None:
    clips = [f"rec{number}-0000" for number in range(12)] + [f"text:{number}" for number in range(12)]
    training, held_out = split_held_out(clips, 0.25, seed=0)
    assert len(held_out) == 3
    assert all(clips[index].startswith("rec") for index in held_out)
    assert split_held_out(clips[5:], 0.25, seed=0)[1] == []  # only 7 recordings
    assert len(training) + len(held_out) == 24
