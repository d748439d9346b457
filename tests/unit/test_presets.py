"""Presets: every shipped one is valid, and whatever does not fit is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicefactory.errors import InputError
from voicefactory.presets import Preset, build_preset, load_preset, preset_files, settle

PRESETS = {
    "quick",
    "official",
    "gentle",
    "chatterbox-style",
    "low-memory",
    "lora",
    "qlora",
    "text-embedding-only",
    "full-quality",
}
PROMISED = {
    "learning_rate",
    "batch_size",
    "gradient_accumulation_steps",
    "epochs",
    "max_steps",
    "warmup_steps",
    "precision",
    "seed",
    "eval_fraction",
}


@pytest.mark.parametrize("name", sorted(preset_files()))
def test_every_shipped_preset_loads_and_says_what_it_is_for(name: str) -> None:
    preset = load_preset(name)
    assert preset.name == name
    assert preset.description.endswith(".")


def test_there_are_presets_and_the_promised_keys() -> None:
    assert preset_files().keys() == PRESETS
    assert Preset.model_fields.keys() >= PROMISED
    assert all(field.description for field in Preset.model_fields.values())


def test_overrides_change_single_keys_and_keep_the_others() -> None:
    preset = load_preset("quick", ["learning_rate=1e-5", "max_steps=3", "train_talker=false", " seed = 7 "])
    assert (preset.learning_rate, preset.max_steps, preset.train_talker, preset.seed) == (1e-5, 3, False, 7)
    assert preset.schedule == load_preset("quick").schedule
    assert load_preset("quick", ["max_steps=null"]).max_steps is None


def test_the_last_override_of_a_key_counts() -> None:
    assert load_preset("quick", ["epochs=2", "epochs=5"]).epochs == 5


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("leaning_rate=1", "no key 'leaning_rate'. Valid keys: learning_rate, batch_size"),
        ("batch_size=many", "batch_size cannot be 'many'"),
        ("batch_size=1.5", "batch_size cannot be 1.5"),
        ("batch_size=0", "greater than or equal to 1"),
        ("batch_size=true", "batch_size cannot be True"),
        ("learning_rate=-1", "greater than 0"),
        ("learning_rate=.nan", "learning_rate cannot be nan"),
        ("eval_fraction=0.9", "less than or equal to 0.5"),
        ("precision=int4", "precision cannot be 'int4'"),
        ("schedule=[1]", "schedule cannot be"),
        ("epochs", "--set takes key=value"),
        ("=3", "--set takes key=value"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(override: str, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        load_preset("quick", [override])
    assert sentence in str(refused.value)


def test_a_file_of_ones_own_and_its_faults(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("learning_rate: 3e-6\nepochs: 2\n")
    assert (load_preset(str(own)).name, load_preset(str(own)).learning_rate) == ("own", 3e-6)
    for content, sentence in (
        ("- a list", "is not a preset"),
        ("", "is not a preset"),
        ("a: b: c", "is not valid YAML"),
        ("epochs: two", "epochs cannot be 'two'"),
        ("!!python/object/apply:os.system ['true']", "is not valid YAML"),
    ):
        own.write_text(content)
        with pytest.raises(InputError, match=sentence):
            load_preset(str(own))
    own.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not valid YAML"):
        load_preset(str(own))
    with pytest.raises(InputError, match="Choose one of: chatterbox-style, full-quality, gentle"):
        load_preset(str(tmp_path / "none.yaml"))


def test_saved_beside_a_run_it_reads_back_the_same(tmp_path: Path) -> None:
    preset = load_preset("official", ["seed=5", "learning_rate=1e-7"])
    preset.save(tmp_path / "preset.yaml")
    assert load_preset(str(tmp_path / "preset.yaml")) == preset


def test_numbers_given_as_numbers() -> None:
    assert build_preset({"learning_rate": 1e-4, "max_steps": 2}).max_steps == 2


@pytest.mark.parametrize(
    ("clips", "seconds", "numbers"),
    [
        (100, 600, {"learning_rate": 1e-5, "batch_size": 8, "epochs": 12, "warmup_steps": 8, "eval_every_steps": 16}),
        (3, 12, {"batch_size": 3, "epochs": 20, "warmup_steps": 1, "eval_every_steps": 10}),
        (20_000, 120_000, {"batch_size": 8, "epochs": 3, "warmup_steps": 100, "save_every_steps": 500}),
    ],
    ids=["minutes", "seconds", "hours"],
)
def test_auto_is_settled_by_the_amount_of_data(clips: int, seconds: float, numbers: dict[str, float]) -> None:
    settled = settle(load_preset("quick"), clips, seconds)
    assert {key: getattr(settled, key) for key in numbers} == numbers
    assert settle(settled, 5, 5) == settled  # nothing is left to settle


def test_a_number_that_is_given_stays() -> None:
    assert settle(load_preset("quick", ["epochs=2", "learning_rate=3e-6"]), 100, 600).epochs == 2
    assert settle(load_preset("lora"), 100, 600).learning_rate == 1e-4
    assert load_preset("quick", ["epochs=auto"]).epochs == "auto"


def test_every_key_that_people_change_has_a_range_or_choices() -> None:
    """The page shows it, and a slip of the finger is refused."""
    for key, field in Preset.model_fields.items():
        if key in ("name", "description") or field.annotation is bool:
            continue
        assert field.metadata or "Literal" in str(field.annotation) or "Annotated" in str(field.annotation), key
