"""What public fine-tuning scripts do with a batch: clips padded on the right to the longest of them.

Our own trainer packs its batches. This is kept for comparison: by the benchmark of training speed, and by the
tests that show what the public recipe's misaligned losses teach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from voicefactory.engines.qwen3_tts.inputs import IGNORED, TokenSequence


@dataclass(frozen=True)
class PaddedBatch:
    """B clips padded to L positions; N counts the frames of all of them."""

    text_ids: torch.Tensor  #: [B, L]
    codec_ids: torch.Tensor  #: [B, L], 0 where codec_mask is False
    codec_mask: torch.Tensor  #: [B, L]
    speaker_at: torch.Tensor  #: [B]
    frame_rows: torch.Tensor  #: [N] clip of each frame
    frame_at: torch.Tensor  #: [N] position of each frame
    rest: torch.Tensor  #: [N, 15]
    attention_mask: torch.Tensor  #: [B, L] 1 = a real position
    labels: torch.Tensor  #: [B, L]

    @property
    def codes(self) -> torch.Tensor:
        """All 16 codebooks [N, 16]."""
        return torch.cat([self.codec_ids[self.frame_rows, self.frame_at][:, None], self.rest], dim=1)

    @property
    def padding(self) -> float:
        """Share of the positions that are padding."""
        return 1 - float(self.attention_mask.float().mean())

    def to(self, device: str) -> PaddedBatch:
        """The same batch on `device`."""
        return PaddedBatch(**{name: value.to(device) for name, value in vars(self).items()})


def pad(sequences: Sequence[TokenSequence]) -> PaddedBatch:
    """Pad sequences on the right and make a batch of them."""
    codec_ids = pad_sequence([s.codec_ids for s in sequences], batch_first=True, padding_value=-1)
    lengths = torch.tensor([len(s) for s in sequences])
    counts = torch.tensor([len(s.rest) for s in sequences])
    return PaddedBatch(
        text_ids=pad_sequence([s.text_ids for s in sequences], batch_first=True, padding_value=0),
        codec_ids=codec_ids.clamp(min=0),
        codec_mask=codec_ids >= 0,
        speaker_at=torch.tensor([s.speaker_at for s in sequences]),
        frame_rows=torch.repeat_interleave(torch.arange(len(sequences)), counts),
        frame_at=torch.cat([torch.arange(s.first_frame, len(s)) for s in sequences]),
        rest=torch.cat([s.rest for s in sequences]),
        attention_mask=(torch.arange(codec_ids.shape[1]) < lengths[:, None]).long(),
        labels=pad_sequence([s.labels for s in sequences], batch_first=True, padding_value=IGNORED),
    )


def embed_padded(model: Any, batch: PaddedBatch, speaker: torch.Tensor) -> torch.Tensor:
    """Input embeddings [B, L, hidden]; `speaker` is [hidden], or [B, hidden] with one for each clip."""
    talker = model.talker
    text = talker.text_projection(talker.get_text_embeddings()(batch.text_ids))
    codec = talker.get_input_embeddings()(batch.codec_ids) * batch.codec_mask[..., None]
    tables = talker.code_predictor.get_input_embeddings()
    rest = sum(table(batch.rest[:, book]) for book, table in enumerate(tables))
    rows = torch.arange(len(batch.speaker_at), device=text.device)
    embeddings = text + codec
    embeddings = embeddings.index_put((batch.frame_rows, batch.frame_at), rest.to(embeddings.dtype), accumulate=True)
    with_speaker: torch.Tensor = embeddings.index_put(
        (rows, batch.speaker_at), speaker.expand(len(rows), -1).to(embeddings.dtype), accumulate=True
    )
    return with_speaker
