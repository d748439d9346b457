"""Training inputs that equal what synthesis builds.

One position of the talker is the sum of a text embedding and a codec embedding. For a custom voice with
the text first (`non_streaming_mode=True`, the default of `generate_custom_voice`) a sequence is

    text    instruction  role  pad  pad  …  pad     bos        t1 … tn    eos        pad        pad     pad …
    codec                      tags of language  speaker pad   pad … pad  pad        bos        frame1  frame2 …

where a frame is the sum of its 16 codebooks. The position of codec bos predicts frame 1, that of frame t
predicts frame t+1, that of the last frame predicts the end of speech. The layout was read from
`Qwen3TTSForConditionalGeneration.generate` of qwen-tts 0.1.1; `tests/engines` compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from voicefactory.errors import InputError
from voicefactory.languages import AUTO

IGNORED = -100  #: label of a position that predicts nothing
_ROLE_TOKENS = 3  # <|im_start|> assistant \n
_TAIL_TOKENS = 5  # <|im_end|> \n <|im_start|> assistant \n


@dataclass(frozen=True)
class TokenSequence:
    """One clip as ids. L positions, T frames; everything on the CPU."""

    text_ids: torch.Tensor  #: [L]
    codec_ids: torch.Tensor  #: [L] first codebook, or a tag; -1 = no codec embedding there
    rest: torch.Tensor  #: [T, 15] codebooks 2 to 16
    first_frame: int  #: position of frame 1; frames are the last T positions
    speaker_at: int  #: position of the speaker embedding
    labels: torch.Tensor  #: [L] target of the logits at this very position, IGNORED elsewhere

    def __len__(self) -> int:
        return len(self.text_ids)


@dataclass(frozen=True)
class Batch:
    """B sequences padded on the right to L positions. N counts the frames of all of them."""

    unique_text_ids: torch.Tensor  #: [U] so that each distinct text token is projected once
    text_index: torch.Tensor  #: [B, L] into unique_text_ids
    codec_ids: torch.Tensor  #: [B, L], 0 where codec_mask is False
    codec_mask: torch.Tensor  #: [B, L]
    speaker_at: torch.Tensor  #: [B]
    frame_rows: torch.Tensor  #: [N] sequence of each frame
    frame_at: torch.Tensor  #: [N] position of each frame
    rest: torch.Tensor  #: [N, 15]
    attention_mask: torch.Tensor  #: [B, L] 1 = a real position
    labels: torch.Tensor  #: [B, L]
    frames: int
    predictions: int  #: positions with a label: frames + one end of speech a sequence

    def to(self, device: str) -> Batch:
        """The same batch on `device`."""
        moved: dict[str, Any] = {
            name: value.to(device, non_blocking=True) if isinstance(value, torch.Tensor) else value
            for name, value in vars(self).items()
        }
        return Batch(**moved)


def text_token_ids(processor: Any, text: str) -> torch.Tensor:
    """Ids [n] of the text alone, as synthesis slices them out of its chat template.

    Raises InputError for an empty text, or one whose edges merge with the template's line feeds.
    """
    text = text.strip()
    if not text:
        raise InputError("The text is empty. Write what is said.")
    ids = _tokenize(processor, f"<|im_start|>assistant\n{text}<|im_end|>\n<|im_start|>assistant\n")
    empty = _tokenize(processor, "<|im_start|>assistant\n<|im_end|>\n<|im_start|>assistant\n")
    role, tail = empty[:_ROLE_TOKENS], empty[_ROLE_TOKENS:]
    if not (torch.equal(ids[:_ROLE_TOKENS], role) and torch.equal(ids[-_TAIL_TOKENS:], tail)):
        raise InputError(f"The text {text[:40]!r} cannot be told apart from its frame. Remove unusual line breaks.")
    return ids[_ROLE_TOKENS:-_TAIL_TOKENS]


def role_token_ids(processor: Any) -> torch.Tensor:
    """Ids [3] of the role that opens every sequence."""
    return _tokenize(processor, "<|im_start|>assistant\n")


def instruction_token_ids(processor: Any, instruction: str) -> torch.Tensor:
    """Ids [n] of a spoken-style instruction, as synthesis puts it in front."""
    return _tokenize(processor, f"<|im_start|>user\n{instruction}<|im_end|>\n")


def _tokenize(processor: Any, text: str) -> torch.Tensor:
    ids: torch.Tensor = processor(text=text, return_tensors="pt", padding=True)["input_ids"]
    return ids.reshape(-1)


def build_sequence(
    config: Any,
    role: torch.Tensor,
    text: torch.Tensor,
    codes: torch.Tensor,
    language: str = AUTO,
    instruction: torch.Tensor | None = None,
) -> TokenSequence:
    """Lay out one clip.

    `config` is the model's; `role`, `text`, `instruction` are ids; `codes` is [T, 16]. Raises InputError for a
    language that the model has no id for.
    """
    talker = config.talker_config
    if language == AUTO:
        tags = [talker.codec_nothink_id, talker.codec_think_bos_id, talker.codec_think_eos_id]
    elif language in talker.codec_language_id:
        language_id = talker.codec_language_id[language]
        tags = [talker.codec_think_id, talker.codec_think_bos_id, language_id, talker.codec_think_eos_id]
    else:
        raise InputError(f"This model has no language {language!r}: it has {', '.join(talker.codec_language_id)}.")
    opening = role if instruction is None else torch.cat([instruction, role])
    no_codec, pad = -1, config.tts_pad_token_id
    frames = len(codes)
    text_ids = torch.cat(
        [
            opening,
            torch.tensor([pad] * (len(tags) + 1) + [config.tts_bos_token_id]),  # tags, speaker, codec pad
            text,
            torch.tensor([config.tts_eos_token_id, pad] + [pad] * frames),  # codec pad, codec bos, frames
        ]
    )
    codec_ids = torch.cat(
        [
            torch.full((len(opening),), no_codec),
            torch.tensor([*tags, no_codec, talker.codec_pad_id]),
            torch.full((len(text) + 1,), talker.codec_pad_id),
            torch.tensor([talker.codec_bos_id]),
            codes[:, 0],
        ]
    )
    first_frame = len(text_ids) - frames
    labels = torch.full((len(text_ids),), IGNORED)
    labels[first_frame - 1 :] = torch.cat([codes[:, 0], torch.tensor([talker.codec_eos_token_id])])
    return TokenSequence(text_ids, codec_ids, codes[:, 1:], first_frame, len(opening) + len(tags), labels)


def build_sequences(config: Any, processor: Any, rows: Sequence[Mapping[str, Any]]) -> list[TokenSequence]:
    """Lay out every row of codes.jsonl (text, audio_codes, language)."""
    role = role_token_ids(processor)
    return [
        build_sequence(
            config, role, text_token_ids(processor, row["text"]), torch.tensor(row["audio_codes"]), row["language"]
        )
        for row in rows
    ]


def collate(sequences: Sequence[TokenSequence]) -> Batch:
    """Pad sequences on the right and make a batch of them."""
    text_ids = pad_sequence([s.text_ids for s in sequences], batch_first=True, padding_value=0)
    unique, index = torch.unique(text_ids, return_inverse=True)
    codec_ids = pad_sequence([s.codec_ids for s in sequences], batch_first=True, padding_value=-1)
    labels = pad_sequence([s.labels for s in sequences], batch_first=True, padding_value=IGNORED)
    lengths = torch.tensor([len(s) for s in sequences])
    counts = torch.tensor([len(s.rest) for s in sequences])
    return Batch(
        unique_text_ids=unique,
        text_index=index,
        codec_ids=codec_ids.clamp(min=0),
        codec_mask=codec_ids >= 0,
        speaker_at=torch.tensor([s.speaker_at for s in sequences]),
        frame_rows=torch.repeat_interleave(torch.arange(len(sequences)), counts),
        frame_at=torch.cat([torch.arange(s.first_frame, len(s)) for s in sequences]),
        rest=torch.cat([s.rest for s in sequences]),
        attention_mask=(torch.arange(text_ids.shape[1]) < lengths[:, None]).long(),
        labels=labels,
        frames=int(counts.sum()),
        predictions=int((labels != IGNORED).sum()),
    )


def embed(model: Any, batch: Batch, speaker: torch.Tensor) -> torch.Tensor:
    """Input embeddings [B, L, hidden]; `speaker` is the speaker embedding [hidden] or one a row [B, hidden]."""
    talker = model.talker
    text = talker.text_projection(talker.get_text_embeddings()(batch.unique_text_ids))[batch.text_index]
    codec = talker.get_input_embeddings()(batch.codec_ids) * batch.codec_mask[..., None]
    rest = sum(
        embedding(batch.rest[:, book]) for book, embedding in enumerate(talker.code_predictor.get_input_embeddings())
    )
    embeddings = text + codec
    # rows and positions are distinct, so nothing is added twice
    embeddings = embeddings.index_put((batch.frame_rows, batch.frame_at), rest.to(embeddings.dtype), accumulate=True)
    rows = torch.arange(len(batch.speaker_at), device=embeddings.device)
    speakers = speaker.expand(len(rows), -1).to(embeddings.dtype)
    with_speaker: torch.Tensor = embeddings.index_put((rows, batch.speaker_at), speakers, accumulate=True)
    return with_speaker
