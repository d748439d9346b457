"""Every number of a preset as a field, made from the preset's own types, ranges and sentences of help."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from typing import Any

import gradio as gr
from pydantic.fields import FieldInfo

from voicefactory.presets import AUTO, Preset

KEYS = tuple(key for key in Preset.model_fields if key not in ("name", "description"))


def build(preset: Preset) -> list[Any]:
    """One component a key, in the order of `KEYS`."""
    fields = Preset.model_fields
    switches = [key for key in KEYS if fields[key].annotation is bool]
    with gr.Row():
        built = {key: _component(key, fields[key], getattr(preset, key)) for key in KEYS if key not in switches}
    for key in switches:  # a tick with a sentence needs the whole width
        built[key] = _component(key, fields[key], getattr(preset, key))
    return [built[key] for key in KEYS]


def edits(field: Any) -> list[Any]:
    """The events by which a person's change to a field is known; what is typed counts when the field is left."""
    return [field.blur, field.submit] if isinstance(field, gr.Textbox | gr.Number) else [field.input]


def values_of(preset: Preset) -> list[Any]:
    """The preset's values in the order of `KEYS`, as their components take them."""
    return [_entered(key, getattr(preset, key)) for key in KEYS]


def overrides(preset: Preset, values: Sequence[Any]) -> tuple[str, ...]:
    """key=value for every value that is not the preset's own."""
    changed = []
    for key, value, usual in zip(KEYS, values, values_of(preset), strict=True):
        if value != usual and _written(value) != _written(usual):  # a browser gives 1.0 back as 1
            changed.append(f"{key}={_written(value)}")
    return tuple(changed)


def _may_be_auto(key: str) -> bool:
    return any(AUTO in typing.get_args(option) for option in typing.get_args(Preset.model_fields[key].annotation))


def _entered(key: str, value: Any) -> Any:
    """A number that may also be "auto" is written into a field for text."""
    return str(value) if _may_be_auto(key) else value


def _written(value: Any) -> str:
    """As YAML has it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _component(key: str, field: FieldInfo, value: Any) -> Any:
    common: dict[str, Any] = {
        "label": key.replace("_", " ").capitalize(),
        "info": field.description,
        "value": _entered(key, value),
        "elem_id": f"set-{key}",
        "min_width": 260,
    }
    options = typing.get_args(field.annotation)
    if field.annotation is bool:
        return gr.Checkbox(**common)
    if typing.get_origin(field.annotation) is typing.Literal:
        return gr.Dropdown(list(options), **common)
    if _may_be_auto(key):
        return gr.Textbox(max_lines=1, **common)
    whole = int in (field.annotation, *options)
    if whole:
        return gr.Number(precision=0, step=1, **common)
    return gr.Number(**common)
