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

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

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
    speaker: int = 0  #: which of the run's speakers says it

    def __len__(self) -> int:
        return len(self.text_ids)


@dataclass(frozen=True)
class Batch:
    """B clips laid end to end: N positions, F frames, no padding. Every index is known before it reaches the GPU."""

    unique_text_ids: torch.Tensor  #: [U] so that each distinct text token is projected once
    text_index: torch.Tensor  #: [N] into unique_text_ids
    codec_ids: torch.Tensor  #: [N], 0 where codec_mask is False
    codec_mask: torch.Tensor  #: [N]
    position_ids: torch.Tensor  #: [N] position within the clip
    speakers: torch.Tensor  #: [B] which of the run's speakers
    speaker_at: torch.Tensor  #: [B] position of the speaker embedding
    frame_at: torch.Tensor  #: [F] position of each frame
    rest: torch.Tensor  #: [F, 15]
    asked: torch.Tensor  #: [P] positions that predict a first codebook or the end of speech
    targets: torch.Tensor  #: [P] what they should predict
    predicted: torch.Tensor  #: [K] frames whose codebooks 2 to 16 are predicted
    rows: torch.Tensor  #: [B, longest] position of each clip's tokens, for attention; 0 after its end
    places: torch.Tensor  #: [N] of each position in the flattened `rows`

    @property
    def predictions(self) -> int:
        """P: frames + one end of speech a clip."""
        return len(self.asked)

    @property
    def frames(self) -> int:
        """F: 12.5 a second."""
        return len(self.rest)

    def to(self, device: str) -> Batch:
        """The same batch on `device`; onto a GPU without waiting for it."""
        if device == "cpu":
            return self
        return Batch(**{name: value.pin_memory().to(device, non_blocking=True) for name, value in vars(self).items()})


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
    speaker: int = 0,
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
    return TokenSequence(text_ids, codec_ids, codes[:, 1:], first_frame, len(opening) + len(tags), labels, speaker)


def build_sequences(
    config: Any, processor: Any, rows: Sequence[Mapping[str, Any]], speakers: Mapping[str, int] | None = None
) -> list[TokenSequence]:
    """Lay out every row of codes.jsonl: text, audio_codes, language, and if they are there instruct and speaker.

    `speakers` numbers the speakers by name. Raises InputError naming the clip whose text is empty, whose language
    the model does not have, whose codes are not the codec's, or which is longer than the model can take.
    """
    role = role_token_ids(processor)
    sequences = []
    for row in rows:
        try:
            sequences.append(_build_row(config, processor, role, row, speakers or {}))
        except InputError as error:
            raise InputError(f"{row.get('clip') or row['audio']}: {error}") from None
    return sequences


def _build_row(
    config: Any, processor: Any, role: torch.Tensor, row: Mapping[str, Any], speakers: Mapping[str, int]
) -> TokenSequence:
    talker = config.talker_config
    codes = torch.tensor(row["audio_codes"])
    groups, size = int(talker.num_code_groups), int(talker.code_predictor_config.vocab_size)
    if codes.ndim != 2 or codes.shape[1] != groups or not 0 <= int(codes.min()) <= int(codes.max()) < size:
        raise InputError(f"These are not {groups} codebooks of {size} codes. Extract the codec tokens again.")
    instruct = str(row.get("instruct") or "").strip()
    sequence = build_sequence(
        config,
        role,
        text_token_ids(processor, row["text"]),
        codes,
        row["language"],
        instruction_token_ids(processor, instruct) if instruct else None,
        speakers.get(str(row.get("speaker") or ""), 0),
    )
    longest = int(talker.max_position_embeddings)
    if len(sequence) > longest:
        raise InputError(
            f"It is longer than the model can take: {len(sequence)} positions of {longest}. Cut it, or leave it out."
        )
    return sequence


def collate(sequences: Sequence[TokenSequence], share: float = 1.0, generator: torch.Generator | None = None) -> Batch:
    """Lay sequences end to end. Codebooks 2 to 16 are predicted for a random `share` of the frames."""
    lengths = [len(sequence) for sequence in sequences]
    starts = [0, *itertools.accumulate(lengths)]
    total, longest = starts[-1], max(lengths)
    counts = torch.tensor(lengths)
    positions = torch.cat([torch.arange(length) for length in lengths])
    clip = torch.repeat_interleave(torch.arange(len(lengths)), counts)
    unique, index = torch.unique(torch.cat([s.text_ids for s in sequences]), return_inverse=True)
    codec_ids = torch.cat([s.codec_ids for s in sequences])
    labels = torch.cat([s.labels for s in sequences])
    asked = (labels != IGNORED).nonzero()[:, 0]
    places = clip * longest + positions
    rows = torch.zeros(len(lengths) * longest, dtype=torch.long)
    rows[places] = torch.arange(total)
    frames = sum(len(s.rest) for s in sequences)
    predicted = torch.arange(frames)
    if share < 1:
        predicted = torch.randperm(frames, generator=generator)[: predicted_frames(frames, share)].sort().values
    return Batch(
        unique_text_ids=unique,
        text_index=index,
        codec_ids=codec_ids.clamp(min=0),
        codec_mask=codec_ids >= 0,
        position_ids=positions,
        speakers=torch.tensor([s.speaker for s in sequences]),
        speaker_at=torch.tensor([start + s.speaker_at for start, s in zip(starts, sequences, strict=False)]),
        frame_at=torch.cat(
            [torch.arange(start + s.first_frame, start + len(s)) for start, s in zip(starts, sequences, strict=False)]
        ),
        rest=torch.cat([s.rest for s in sequences]),
        asked=asked,
        targets=labels[asked],
        predicted=predicted,
        rows=rows.reshape(len(lengths), longest),
        places=places,
    )


def predicted_frames(frames: int, share: float) -> int:
    """How many of a batch's frames have their codebooks 2 to 16 predicted."""
    return max(1, round(frames * share))


def book_embeddings(model: Any, batch: Batch) -> list[torch.Tensor]:
    """Embeddings [F, hidden] of codebooks 2 to 16, one tensor a codebook."""
    tables = model.talker.code_predictor.get_input_embeddings()
    return [table(batch.rest[:, book]) for book, table in enumerate(tables)]


def embed(
    model: Any, batch: Batch, speakers: torch.Tensor, books: Sequence[torch.Tensor] | None = None
) -> torch.Tensor:
    """Input embeddings [N, hidden]; `speakers` are the speaker embeddings [S, hidden] of the run.

    `books` are the batch's `book_embeddings`, if they are there already.
    """
    talker = model.talker
    text = talker.text_projection(talker.get_text_embeddings()(batch.unique_text_ids))[batch.text_index]
    codec = talker.get_input_embeddings()(batch.codec_ids) * batch.codec_mask[:, None]
    rest = torch.stack(list(books or book_embeddings(model, batch))).sum(0)
    embeddings = text + codec
    # positions are distinct, so nothing is added twice
    embeddings = embeddings.index_add(0, batch.frame_at, rest.to(embeddings.dtype))
    with_speaker: torch.Tensor = embeddings.index_add(
        0, batch.speaker_at, speakers[batch.speakers].to(embeddings.dtype)
    )
    return with_speaker
