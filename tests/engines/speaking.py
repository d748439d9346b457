"""Speak greedily with a voice through plain qwen-tts and look at the codes that come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from voicefactory import files
from voicefactory.engines.qwen3_tts.upstream import qwen


def greedy_codes(voice: Path, speaker: str, text: str, language: str, max_new_tokens: int) -> torch.Tensor:
    """Codes [T, 16] that `Qwen3TTSModel.from_pretrained(voice)` says for `text`, without sampling."""
    wrapper = qwen().Qwen3TTSModel.from_pretrained(str(voice))
    said: list[torch.Tensor] = []
    generate = wrapper.model.generate

    def listen(**kwargs: Any) -> Any:
        codes, hidden = generate(**kwargs)
        said.append(codes[0])
        return codes, hidden

    wrapper.model.generate = listen
    wrapper.generate_custom_voice(
        text=text,
        speaker=speaker,
        language=language,
        do_sample=False,
        subtalker_dosample=False,
        repetition_penalty=1.0,
        max_new_tokens=max_new_tokens,
    )
    return said[0]


def match(voice: Path, speaker: str, codes_jsonl: Path) -> tuple[float, list[int]]:
    """Share of training frames that come back right in all 16 codebooks, and how many frames too many (or few)
    were said for each clip."""
    right = total = 0
    excess = []
    for row in files.read_jsonl(codes_jsonl):
        wanted = torch.tensor(row["audio_codes"])
        said = greedy_codes(voice, speaker, row["text"], row["language"], len(wanted) + 20)
        both = min(len(wanted), len(said))
        right += int((wanted[:both] == said[:both]).all(dim=1).sum())
        total += len(wanted)
        excess.append(len(said) - len(wanted))
    return right / total, excess
