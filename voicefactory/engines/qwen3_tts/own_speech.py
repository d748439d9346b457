"""Texts without audio: the base model says them itself, as a zero-shot clone of a reference, and its codes are kept.

Only the sound of the reference counts (no reference text), in the layout that training uses, so the codes are what
the model would say anyway. What does not come to an end is not kept: it would teach the model not to stop.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from voicefactory.engines.qwen3_tts.facts import is_toy
from voicefactory.engines.qwen3_tts.model import load_model
from voicefactory.engines.qwen3_tts.speaker import speaker_embedding
from voicefactory.engines.qwen3_tts.synthesis import ATTEMPTS, max_frames

_FEWEST_FRAMES = 2  #: less is no speech


class OwnSpeech:
    """A loaded base model (or a voice, as a base model) that speaks texts into codes."""

    def __init__(self, model: Path, device: str) -> None:
        bf16 = device.startswith("cuda") and torch.cuda.is_bf16_supported()
        self._wrapper = load_model(model, device=device, dtype=torch.bfloat16 if bf16 else torch.float32, as_base=True)
        self._attempts = 1 if is_toy(model) else ATTEMPTS
        self._embeddings: dict[Path, torch.Tensor] = {}

    @torch.inference_mode()
    def say(self, text: str, language: str, reference: Path, seed: int) -> npt.NDArray[np.int64] | None:
        """Codes of `text`, frames × 16, sampled with `seed`; None if no attempt came to an end.

        The same seed gives the same codes on the same machine, whatever was said before.
        """
        net, cap = self._wrapper.model, max_frames(text)
        prompt = {
            "ref_code": [None],
            "ref_spk_embedding": [self._embedding(reference)],
            "x_vector_only_mode": [True],
            "icl_mode": [False],
        }
        for attempt in range(self._attempts):
            torch.manual_seed(seed + attempt)
            said, _ = net.generate(
                input_ids=self._wrapper._tokenize_texts([self._wrapper._build_assistant_text(text)]),
                ref_ids=[None],
                voice_clone_prompt=prompt,
                languages=[language],
                non_streaming_mode=True,
                **self._wrapper._merge_generate_kwargs(max_new_tokens=cap + 1),
            )
            if _FEWEST_FRAMES <= len(said[0]) < cap:
                codes: npt.NDArray[np.int64] = said[0].cpu().numpy()
                return codes
        return None

    def _embedding(self, reference: Path) -> Any:
        """As training embeds it, computed once."""
        if reference not in self._embeddings:
            net = self._wrapper.model
            self._embeddings[reference] = speaker_embedding(net, reference).to(net.dtype)
        return self._embeddings[reference]
