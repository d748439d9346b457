"""Training inputs equal what synthesis builds, and so do the hidden states that the code predictor gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from voicefactory.engines.qwen3_tts.inputs import (
    IGNORED,
    build_sequence,
    collate,
    embed,
    instruction_token_ids,
    role_token_ids,
    text_token_ids,
)
from voicefactory.engines.qwen3_tts.losses import code_predictor_logits, hidden_states, losses
from voicefactory.engines.qwen3_tts.model import load_model
from voicefactory.errors import InputError

TEXT = "Your message has been forwarded. 你好"
INSTRUCTION = "Speak slowly and warmly."
ROW = 3000


def custom_voice(path: Path) -> Any:
    """A loaded model that has a speaker "ann" in row 3000."""
    wrapper = load_model(path, device="cpu", dtype=torch.float32, as_base=True)
    wrapper.model.eval()
    wrapper.model.config.talker_config.spk_id = {"ann": ROW}
    wrapper.model.config.talker_config.spk_is_dialect = {"ann": False}
    return wrapper


@pytest.fixture(scope="module", params=["toy", "toy_1b7"])
def wrapper(request: pytest.FixtureRequest) -> Any:
    return custom_voice(request.getfixturevalue(request.param))


def synthesize(wrapper: Any, language: str, instruction: str | None) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What the package's own `generate` does: prefill [1, P, H], codes [T, 16], hidden states [T, H]."""
    model = wrapper.model
    prefill: list[torch.Tensor] = []
    generate = model.talker.generate

    def listen(**kwargs: Any) -> Any:
        prefill.append(kwargs["inputs_embeds"])
        return generate(**kwargs)

    model.talker.generate = listen
    try:
        codes, hidden = model.generate(
            input_ids=wrapper._tokenize_texts([wrapper._build_assistant_text(TEXT)]),
            instruct_ids=[
                None if instruction is None else wrapper._tokenize_texts([wrapper._build_instruct_text(instruction)])[0]
            ],
            languages=[language],
            speakers=["ann"],
            non_streaming_mode=True,
            max_new_tokens=12,
            do_sample=False,
            subtalker_dosample=False,
        )
    finally:
        model.talker.generate = generate
    return prefill[0], codes[0], hidden[0]


@pytest.mark.parametrize("instruction", [None, INSTRUCTION], ids=["plain", "instructed"])
@pytest.mark.parametrize("language", ["auto", "english", "chinese"])
def test_prefill_and_hidden_states_equal_synthesis(wrapper: Any, language: str, instruction: str | None) -> None:
    prefill, codes, hidden = synthesize(wrapper, language, instruction)
    assert len(codes) >= 8
    model, processor = wrapper.model, wrapper.processor
    sequence = build_sequence(
        model.config,
        role_token_ids(processor),
        text_token_ids(processor, TEXT),
        codes,
        language,
        None if instruction is None else instruction_token_ids(processor, instruction),
    )
    batch = collate([sequence])
    speakers = model.talker.get_input_embeddings().weight[[ROW]]
    with torch.no_grad():
        ours = embed(model, batch, speakers)
        ours_hidden = hidden_states(model, batch, speakers)[batch.frame_at - 1]
    assert sequence.first_frame == prefill.shape[1]
    assert (ours[: sequence.first_frame] - prefill[0]).abs().max() < 1e-5
    assert ours_hidden.shape == hidden.shape
    assert (ours_hidden - hidden).abs().max() < 1e-5


def test_code_predictor_heads_predict_what_synthesis_says(wrapper: Any) -> None:
    """Greedy codes of synthesis are the argmax of our teacher-forced logits, for every frame and head."""
    _, codes, hidden = synthesize(wrapper, "english", None)
    with torch.no_grad():
        logits = code_predictor_logits(wrapper.model, hidden, codes)
    assert torch.equal(logits.argmax(-1), codes[:, 1:])


def random_sequences(wrapper: Any, frames: list[int]) -> list[Any]:
    torch.manual_seed(1)
    return [
        build_sequence(
            wrapper.model.config,
            role_token_ids(wrapper.processor),
            text_token_ids(wrapper.processor, TEXT[: 5 + index]),
            torch.randint(0, 2048, (count, 16)),
            "english",
        )
        for index, count in enumerate(frames)
    ]


def test_a_packed_batch_costs_what_its_clips_cost_alone(wrapper: Any) -> None:
    sequences = random_sequences(wrapper, [3, 11, 7])
    speakers = torch.randn(1, wrapper.model.config.talker_config.hidden_size)
    with torch.no_grad():
        together = losses(wrapper.model, collate(sequences), speakers)
        alone = [losses(wrapper.model, collate([sequence]), speakers) for sequence in sequences]
    assert together.frames == 21
    assert together.predictions == 24
    assert float(together.first) == pytest.approx(sum(float(one.first) for one in alone), rel=1e-5)
    assert float(together.rest) == pytest.approx(sum(float(one.rest) for one in alone), rel=1e-5)


def test_labels_name_the_next_frame_and_then_the_end(wrapper: Any) -> None:
    (sequence,) = random_sequences(wrapper, [4])
    config = wrapper.model.config.talker_config
    first = sequence.first_frame
    assert sequence.codec_ids[first - 1] == config.codec_bos_id
    assert torch.equal(sequence.labels[first - 1 : -1], sequence.codec_ids[first:])
    assert sequence.labels[-1] == config.codec_eos_token_id
    assert (sequence.labels[: first - 1] == IGNORED).all()


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_empty_text_is_refused(wrapper: Any, text: str) -> None:
    with pytest.raises(InputError, match="empty"):
        text_token_ids(wrapper.processor, text)


def test_text_is_stripped_before_it_is_sliced(wrapper: Any) -> None:
    assert torch.equal(text_token_ids(wrapper.processor, "\n hello \n"), text_token_ids(wrapper.processor, "hello"))


def test_an_unknown_language_names_the_known_ones(wrapper: Any) -> None:
    ids = torch.tensor([1])
    with pytest.raises(InputError, match="chinese"):
        build_sequence(wrapper.model.config, ids, ids, torch.zeros(1, 16, dtype=torch.long), "klingon")
