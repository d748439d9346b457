"""The model card: filled in from facts, in Markdown with the Hub's front matter."""

from __future__ import annotations

import html
from typing import Any

import yaml

from voicefactory.languages import WHISPER_CODES

_TOY = (
    "> **This voice makes noise, not speech.** It comes from the toy model, which has random weights and "
    "exists to show and test the way from recordings to a voice.\n\n"
)

_USE = (
    "What this voice says is **synthetic speech**. Say so where you use it. No watermark is put into it.\n\n"
    "## Use it\n\n"
    "In this folder, with `pip install qwen-tts`:\n\n"
    "```python\n{example}```\n\n"
)

_TEXT_ONLY = (
    "> **Quality unknown.** Only the text embedding was trained, an experiment that nobody has measured: listen "
    "before you use it.\n\n"
)


def model_card(facts: dict[str, Any], example: str, adapter_example: str = "") -> str:
    """README.md of a voice. `facts` are those of voice.json; `adapter_example` is for a voice with adapter/."""
    name = _as_text(facts["name"])
    preset, metrics = facts["preset"], facts["metrics"]
    return (
        f"{_front(facts)}"
        f"# {name}\n\n"
        f"{_TOY if facts['toy'] else ''}"
        f"{_TEXT_ONLY if _trains_only_text(preset) else ''}"
        f"{_USE.format(example=example)}"
        f"{_adapter(preset, adapter_example)}"
        "## How it was made\n\n"
        "| | |\n|---|---|\n"
        f"| Base model | {_as_text(facts['base_model'])} |\n"
        f"| Speaker name in the model | {', '.join(map(_as_text, facts.get('speakers', [facts['speaker']])))} |\n"
        f"| Language | {facts['language']} |\n"
        f"| Clips | {facts['clips']}, together {facts['seconds'] / 60:.1f} min |\n"
        f"{_extra_texts(facts)}"
        f"| Preset | {_as_text(preset['name'])}: learning rate {_number(preset['learning_rate'])}, "
        f"batch {preset['batch_size']} × {preset['gradient_accumulation_steps']} |\n"
        f"| Optimiser steps | {metrics.get('step', 0)} |\n"
        f"| Loss at the end | {metrics.get('loss', float('nan')):.3f} nats in training{_held_out(facts)} |\n"
        f"| Made with | {facts['made_with']}, {facts['created']} |\n\n"
        f"{_drift(facts)}"
        "A low loss does not say that the voice is good: listen to `samples/`.\n\n"
        f"{_consent(facts)}"
    )


def zero_shot_card(facts: dict[str, Any], example: str) -> str:
    """README.md of a voice that was not trained. `facts` are those of voice.json."""
    reference = facts["reference"]
    why = f" Training was tried and was not worth it: {_as_text(facts['verdict'])}" if facts["verdict"] else ""
    return (
        f"{_front(facts)}"
        f"# {_as_text(facts['name'])}\n\n"
        f"{_TOY if facts['toy'] else ''}"
        "> **Not trained.** This is the base model, unchanged, which imitates one recording of "
        f"{reference['seconds']:.1f} s.{why}\n\n"
        "> **That recording is in `reference/`**: who has this voice has it, too.\n\n"
        f"{_USE.format(example=example)}"
        "## How it was made\n\n"
        "| | |\n|---|---|\n"
        f"| Base model | {_as_text(facts['base_model'])} |\n"
        f"| Language | {facts['language']} |\n"
        f"| Recording that it imitates | {reference['seconds']:.1f} s: {_as_text(reference['text'] or 'no text')} |\n"
        "| Optimiser steps | none |\n"
        f"| Made with | {facts['made_with']}, {facts['created']} |\n\n"
        f"{_consent(facts)}"
    )


def _front(facts: dict[str, Any]) -> str:
    """What the Hub reads."""
    front: dict[str, Any] = {
        "pipeline_tag": "text-to-speech",
        "library_name": "qwen-tts",
        "tags": ["voicefactory", "text-to-speech", "synthetic-voice"],
    }
    if facts["language"] in WHISPER_CODES:
        front["language"] = [WHISPER_CODES[facts["language"]]]
    if not facts["toy"] and "/" in facts["base_model"] and not facts["base_model"].startswith(("/", ".", "~")):
        front["base_model"] = facts["base_model"]
    return f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True)}---\n\n"


def _extra_texts(facts: dict[str, Any]) -> str:
    if not facts.get("extra_texts"):
        return ""
    return f"| Texts without audio | {facts['extra_texts']}, spoken by the base model itself |\n"


def _drift(facts: dict[str, Any]) -> str:
    if not facts.get("drift"):
        return ""
    return (
        "Training was stopped because the voice drifted away from its speaker; these are weights from before that. "
        f"{_as_text(facts['drift'])}\n\n"
    )


def _trains_only_text(preset: dict[str, Any]) -> bool:
    trained = {key for key, value in preset.items() if key.startswith("train_") and value}
    return trained == {"train_text_embedding"}


def _adapter(preset: dict[str, Any], example: str) -> str:
    if not example:
        return ""
    return (
        "## The adapter alone\n\n"
        f"The weights above have it inside. `adapter/` is the same voice as a LoRA adapter (rank "
        f"{preset['adapter_rank']}, alpha {preset['adapter_alpha']}), small enough to keep many beside one base model. "
        "In this folder, with `pip install qwen-tts peft`:\n\n"
        f"```python\n{example}```\n\n"
    )


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else _as_text(value)


def _held_out(facts: dict[str, Any]) -> str:
    if not facts["eval_loss"]:
        return "; no clips were held out"
    step, loss = facts["eval_loss"][-1]
    return f", {loss:.3f} on held-out clips at step {step}"


def _consent(facts: dict[str, Any]) -> str:
    told = "Nobody recorded a consent when this voice was made."
    if facts["consent"]:
        told = f"Consent, as recorded when it was made: {_as_text(facts['consent'])}"
    return (
        f"## Whose voice it is\n\n{told}\n\n"
        "Use it only as the person who spoke has agreed to, and never to pass as them.\n"
    )


def _as_text(value: str) -> str:
    """User's text inside Markdown: no tags, no table or code syntax."""
    escaped = html.escape(str(value), quote=False)
    for char in "\\`*_[]#|":
        escaped = escaped.replace(char, f"\\{char}" if char != "|" else "&#124;")
    return escaped
