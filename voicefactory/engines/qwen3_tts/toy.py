"""The toy voice model: Qwen3-TTS of the real classes at toy size, with random weights.

About 4.5 M parameters and 20 MB, built in seconds on first use, nothing downloaded. It makes noise, not
speech. Everything that runs on the real model runs on it: the real loader, the real codec, the real
generation loop. Tests, the demo and a machine with neither GPU nor network use it.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from voicefactory import files
from voicefactory.engines.qwen3_tts.facts import TOY_MARK
from voicefactory.engines.qwen3_tts.upstream import qwen

VERSION = 1  #: raise it when the toy changes, so that homes build it anew

_SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tts_pad>", "<tts_text_bos>", "<tts_text_eod>")
_LANGUAGE_IDS = {
    "english": 2050,
    "german": 2053,
    "spanish": 2054,
    "chinese": 2055,
    "japanese": 2058,
    "french": 2061,
    "korean": 2064,
    "russian": 2069,
    "italian": 2070,
    "portuguese": 2071,
}


def toy_model(home: Path) -> Path:
    """The toy's directory under `home`, built if it is not there yet."""
    path = home / "models" / f"toy-v{VERSION}"
    if not path.is_dir():
        with files.writing_folder(path) as aside:
            build_toy(aside)
    return path


def build_toy(out: Path, *, size: str = "0b6", seed: int = 0) -> None:
    """Write a toy checkpoint into `out`.

    `size` "0b6" has a text embedding wider than the talker, as in the 0.6B model, so that a forgotten text
    projection crashes; "1b7" has equal widths and a narrower code predictor, as in the 1.7B model.
    """
    out.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        token_ids, vocabulary = _write_text_tokenizer(out)
        _write_talker(out, token_ids, vocabulary, size)
        _write_codec(out / "speech_tokenizer")
    files.write_json(
        out / "generation_config.json",
        {
            "do_sample": True,
            "temperature": 0.9,
            "top_p": 1.0,
            "top_k": 50,
            "repetition_penalty": 1.05,
            "subtalker_dosample": True,
            "subtalker_temperature": 0.9,
            "subtalker_top_p": 1.0,
            "subtalker_top_k": 50,
            "max_new_tokens": 2048,
        },
    )


def _write_text_tokenizer(out: Path) -> tuple[dict[str, int], int]:
    """A byte-level BPE. "assistant" and a line feed must be one token each: the model slices by position."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[attr-defined]
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(["assistant"] * 50 + ["user"] * 50, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    files.write_json(out / "vocab.json", model["vocab"])
    merges = [" ".join(pair) if isinstance(pair, list) else pair for pair in model["merges"]]
    files.write_text(out / "merges.txt", "\n".join(["#version: 0.2", *merges]) + "\n")
    ids = {token: len(model["vocab"]) + index for index, token in enumerate(_SPECIAL_TOKENS)}
    added = {
        str(index): {
            "content": token,
            "special": True,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "single_word": False,
        }
        for token, index in ids.items()
    }
    files.write_json(
        out / "tokenizer_config.json",
        {
            "tokenizer_class": "Qwen2Tokenizer",
            "processor_class": "Qwen3TTSProcessor",
            "eos_token": "<|im_end|>",
            "pad_token": "<|endoftext|>",
            "bos_token": None,
            "unk_token": None,
            "added_tokens_decoder": added,
        },
    )
    return ids, len(model["vocab"]) + len(ids)


def _write_talker(out: Path, token_ids: dict[str, int], vocabulary: int, size: str) -> None:
    from transformers import EncodecFeatureExtractor

    hidden = 64
    text_hidden, predictor_hidden = (96, 64) if size == "0b6" else (64, 48)
    attention = {
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 32,
        "intermediate_size": 128,
        "rope_theta": 1_000_000,
    }
    talker = {
        **attention,
        "vocab_size": 3072,
        "hidden_size": hidden,
        "num_hidden_layers": 2,
        "text_hidden_size": text_hidden,
        "text_vocab_size": vocabulary,
        "num_code_groups": 16,
        # three sections of the rotary embedding, together half a head
        "rope_scaling": {"rope_type": "default", "interleaved": True, "mrope_section": [6, 5, 5]},
        "codec_pad_id": 2148,
        "codec_bos_id": 2149,
        "codec_eos_token_id": 2150,
        "codec_think_id": 2154,
        "codec_nothink_id": 2155,
        "codec_think_bos_id": 2156,
        "codec_think_eos_id": 2157,
        "codec_language_id": _LANGUAGE_IDS,
        "spk_id": {},
        "spk_is_dialect": {},
        "code_predictor_config": {
            **attention,
            "vocab_size": 2048,
            "hidden_size": predictor_hidden,
            "num_hidden_layers": 1,
            "num_code_groups": 16,
        },
    }
    config = qwen().Qwen3TTSConfig(
        talker_config=talker,
        speaker_encoder_config={
            "enc_dim": hidden,
            "enc_channels": [16, 16, 16, 16, 48],
            "enc_attention_channels": 8,
            "enc_res2net_scale": 4,
            "enc_se_channels": 8,
        },
        tokenizer_type="qwen3_tts_tokenizer_12hz",
        tts_model_size=size,
        tts_model_type="base",
        im_start_token_id=token_ids["<|im_start|>"],
        im_end_token_id=token_ids["<|im_end|>"],
        tts_pad_token_id=token_ids["<tts_pad>"],
        tts_bos_token_id=token_ids["<tts_text_bos>"],
        tts_eos_token_id=token_ids["<tts_text_eod>"],
    )
    model = qwen().Qwen3TTSForConditionalGeneration(config)
    _spread_weights(model.talker)
    model.save_pretrained(out)
    saved = files.read_json(out / "config.json")
    # save_pretrained writes keys of the base class that the speaker encoder's configuration does not take back
    saved["speaker_encoder_config"] = {
        key: value
        for key, value in saved["speaker_encoder_config"].items()
        if key.startswith(("enc_", "mel_")) or key == "sample_rate"
    }
    saved[TOY_MARK] = True
    files.write_json(out / "config.json", saved)
    EncodecFeatureExtractor(sampling_rate=24_000).save_pretrained(out)


@torch.no_grad()
def _spread_weights(talker: torch.nn.Module) -> None:
    """Scale by fan-in, so that text, speaker and codec tokens are all heard from the first step on.

    The default initialisation (0.02 everywhere) leaves text 100 times weaker than codec tokens and attention
    almost uniform. Heads keep it: their logits stay near chance.
    """
    for name, parameter in talker.named_parameters():
        if "embedding" in name:
            parameter.normal_(0, 1.0 if "text_embedding" in name else 0.25)  # 16 codec embeddings are summed
        elif parameter.ndim == 2 and "head" not in name:
            parameter.normal_(0, parameter.shape[1] ** -0.5)


def _write_codec(out: Path) -> None:
    from transformers import EncodecFeatureExtractor

    shared = {
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "intermediate_size": 64,
        "codebook_size": 2048,
        "num_quantizers": 16,
        "num_semantic_quantizers": 1,
    }
    encoder = {
        **shared,
        "num_filters": 4,
        "upsampling_ratios": [8, 6, 5, 4],
        "upsample_groups": 32,
        "codebook_dim": 8,
        "vector_quantization_hidden_dimension": 8,
        "sliding_window": 250,
        "use_cache": False,
        "_frame_rate": 12.5,
    }
    decoder = {
        **shared,
        "codebook_dim": 16,
        "latent_dim": 32,
        "decoder_dim": 32,
        "upsample_rates": [8, 5, 4, 3],
        "upsampling_ratios": [2, 2],
        "sliding_window": 72,
    }
    codec = (
        qwen()
        .Qwen3TTSTokenizerV2Model(qwen().Qwen3TTSTokenizerV2Config(encoder_config=encoder, decoder_config=decoder))
        .eval()
    )
    with torch.no_grad():
        _make_decoder_audible(codec.decoder)
        _spread_codebooks(codec.encoder)
    codec.save_pretrained(out)
    EncodecFeatureExtractor(sampling_rate=24_000).save_pretrained(out)


def _make_decoder_audible(decoder: torch.nn.Module) -> None:
    """The default initialisation fades to 1e-9 through the layers: scale by fan-in, then to a level of 0.1."""
    for name, parameter in decoder.named_parameters():
        if name.endswith("embedding_sum"):
            parameter.normal_()
        elif parameter.ndim > 1:
            fan_in = 2 * parameter.shape[0] if "block.1.conv" in name else parameter[0].numel()
            parameter.normal_(0, fan_in**-0.5)
        elif name.endswith("bias"):
            parameter.zero_()
    last = decoder.decoder[-1].conv  # type: ignore[index,union-attr]
    outputs: list[torch.Tensor] = []
    hook = last.register_forward_hook(lambda module, inputs, output: outputs.append(output))  # type: ignore
    decoder(torch.randint(0, 2048, (4, 16, 50)))
    hook.remove()
    gain = 0.1 / outputs[0].std()
    last.weight.mul_(gain)  # type: ignore[union-attr,operator]
    last.bias.fill_(float(-outputs[0].mean() * gain))  # type: ignore[union-attr,operator]


def _spread_codebooks(encoder: torch.nn.Module) -> None:
    """Codebooks start at zero, which would make every code 0: draw them to the measure of noise and chirps.

    A third of the residual's spread, so that the residual shrinks slowly, as in a trained codec, and the last
    codebooks still stand far above rounding errors.
    """
    control = [torch.rand(8, 1, 80).repeat_interleave(2400, -1) for _ in range(2)]
    audio = 0.3 * (torch.randn(8, 1, 192_000) * control[0] + torch.sin(torch.cumsum(0.1 * control[1], -1)))
    latents = encoder.encoder(audio).transpose(1, 2)  # type: ignore[operator]
    latents = encoder.downsample(encoder.encoder_transformer(latents)[0].transpose(1, 2))  # type: ignore[operator]
    quantizers = encoder.quantizer
    for quantizer in (
        quantizers.semantic_residual_vector_quantizer,  # type: ignore[union-attr]
        quantizers.acoustic_residual_vector_quantizer,  # type: ignore[union-attr]
    ):
        residual = quantizer.input_proj(latents).transpose(1, 2).reshape(-1, 8)  # type: ignore
        for layer in quantizer.layers:  # type: ignore[union-attr]
            codebook = residual.std(0) / 3 * torch.randn(2048, residual.shape[1])
            layer.codebook.embed_sum.copy_(codebook)
            layer.codebook._embed = None  # a cache of the division by cluster usage
            residual = residual - codebook[torch.cdist(residual, codebook).argmin(-1)]
