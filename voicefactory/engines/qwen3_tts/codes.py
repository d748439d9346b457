"""Clips to codec tokens: in fp32, sorted by length, bounded in memory, cached by content.

The codec pads a batch to its longest clip and works on it in one piece. Its measured peak is
0.64 + 0.020 GiB × clips × longest seconds, so batches are cut by that product and not by a count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import torch

from voicefactory import files
from voicefactory.engines.qwen3_tts.facts import takes_instructions
from voicefactory.engines.qwen3_tts.upstream import qwen
from voicefactory.errors import Cancelled
from voicefactory.types import SAMPLE_RATE, Codes, Dataset, ExtraText, OnProgress, Progress, Refused, ShouldStop

FRAME_RATE = 12.5  #: frames per second
CODEBOOKS = 16
SAMPLES_PER_FRAME = int(SAMPLE_RATE / FRAME_RATE)
#: clips × longest seconds of one batch: about 1.9 GiB on a CPU, 3.9 GiB on a GPU
BATCH_SECONDS = {"cpu": 60.0, "cuda": 160.0}
OWN_SPEECH_VERSION = 1  #: raise it when a model says the same text with other codes
_OWN = "own-"
_DEAF = (
    "Models of the size 0.6B take no instructions when they speak, so those in your texts ({count}) are left out. "
    "Train a 1.7B model to use them."
)


def extract(
    dataset: Dataset, model: Path, out: Path, *, device: str, on_progress: OnProgress, should_stop: ShouldStop
) -> Codes:
    """Encode every clip of `dataset` with the codec of `model`, and let the model itself say the texts without audio.

    Leaves out/qwen3-tts-<tokenizer>/codes.jsonl, one row a clip: audio, text, ref_audio, audio_codes
    (frames × 16 integers below 2048, 12.5 frames a second), language, clip; where they are told speaker and
    instruct; `spoken_by: model` where there is no audio. Codes of a clip are kept by the digest of its audio, so
    a changed text or an added clip costs nothing for the others; what the model said is kept as well.

    Raises Cancelled between batches; what is encoded stays.
    """
    tokenizer = files.sha256_of(model / "speech_tokenizer" / "model.safetensors")
    folder = out / f"qwen3-tts-{tokenizer[:8]}"
    path, cache, unsaid = folder / "codes.jsonl", folder / "cache", folder / "refused.jsonl"
    inputs = {"dataset": dataset.fingerprint, "tokenizer": tokenizer}
    told = [sample.clip.id for sample in dataset.samples if sample.instruct]
    deaf = bool(told) and not takes_instructions(model)
    if deaf:
        inputs["instructions"] = "left out"
        on_progress(Progress("extract", message=_DEAF.format(count=len(told)), notice=True))
    own = {extra.id: _own_speech_key(dataset, extra, model) for extra in dataset.extra_texts}
    if own:
        inputs["own_speech"] = files.fingerprint(own)
    total = len(dataset.samples) + len(own)
    if not files.is_current(path, inputs):
        done = _encode_missing(dataset, model, cache, device, total, on_progress, should_stop)
        refused = _say_missing(dataset, own, model, cache, device, done, total, on_progress, should_stop)
        files.write_jsonl(unsaid, ({"file": one.file, "reason": one.reason} for one in refused))
        files.write_jsonl(path, _rows(dataset, own, cache, deaf))
        files.mark_current(path, inputs)
    on_progress(Progress("extract", total, total))
    refused = [Refused(row["file"], row["reason"]) for row in files.read_jsonl(unsaid)] if own else []
    digest = files.fingerprint(inputs)
    return Codes(path, "qwen3-tts", tokenizer, FRAME_RATE, CODEBOOKS, digest, tuple(refused))


def _encode_missing(
    dataset: Dataset,
    model: Path,
    cache: Path,
    device: str,
    total: int,
    on_progress: OnProgress,
    should_stop: ShouldStop,
) -> int:
    """Encode the clips that are not in the cache; return how many clips are done: all."""
    clips = {sample.clip.sha256: sample.clip for sample in dataset.samples}
    missing = [clip for digest, clip in clips.items() if not (cache / f"{digest}.npy").exists()]
    done = len(dataset.samples) - len(missing)
    on_progress(Progress("extract", done, total))
    if missing:
        codec = _load_codec(model, device)
        budget = BATCH_SECONDS["cuda" if device.startswith("cuda") else "cpu"]
        for batch in batches_by_length([clip.seconds for clip in missing], budget):
            if should_stop():
                raise Cancelled("Cancelled while extracting codec tokens; what is encoded is kept.")
            encoded = encode(codec, [_read(missing[index].audio) for index in batch])
            for index, frames in zip(batch, encoded, strict=True):
                _keep(cache / f"{missing[index].sha256}.npy", frames)
            done += len(batch)
            on_progress(Progress("extract", done, total))
    return done


def _say_missing(
    dataset: Dataset,
    own: Mapping[str, str],
    model: Path,
    cache: Path,
    device: str,
    done: int,
    total: int,
    on_progress: OnProgress,
    should_stop: ShouldStop,
) -> list[Refused]:
    """Let the model say the texts that are not in the cache; return those that it could not.

    A text that never came to an end is kept as no frames at all, so that it is not tried again.
    """
    from voicefactory.engines.qwen3_tts.own_speech import OwnSpeech

    speech: OwnSpeech | None = None
    refused = []
    for extra in dataset.extra_texts:
        path = cache / f"{own[extra.id]}.npy"
        if not path.exists():
            if should_stop():
                raise Cancelled("Cancelled while the model says the extra texts; what it has said is kept.")
            speech = speech or OwnSpeech(model, device)
            reference = dataset.reference_of(extra.speaker).audio
            seed = int(own[extra.id].removeprefix(_OWN)[:8], 16)
            said = speech.say(extra.text, extra.language, reference, seed)
            _keep(path, np.zeros((0, CODEBOOKS)) if said is None else said)
        if not len(np.load(path, allow_pickle=False)):
            refused.append(Refused(extra.place or extra.text, "The model came to no end when it said this itself."))
        done += 1
        on_progress(Progress("extract", done, total, "The model says the texts without audio"))
    return refused


def _own_speech_key(dataset: Dataset, extra: ExtraText, model: Path) -> str:
    """Names the codes of a text that `model` says; the seed is taken from it."""
    about = {
        "text": extra.text,
        "language": extra.language,
        "reference": files.sha256_of(dataset.reference_of(extra.speaker).audio),
        "model": files.model_identity(model),
        "version": OWN_SPEECH_VERSION,
    }
    return f"{_OWN}{files.fingerprint(about)}"


def _keep(path: Path, frames: npt.NDArray[Any]) -> None:
    with files.writing(path) as aside:
        np.save(aside, frames.astype(np.int16))


def batches_by_length(seconds: Sequence[float], budget: float) -> Iterator[list[int]]:
    """Indices, longest first, in batches whose count × longest stays within `budget` seconds (or of one)."""
    batch: list[int] = []
    for index in sorted(range(len(seconds)), key=lambda i: -seconds[i]):
        if batch and (len(batch) + 1) * seconds[batch[0]] > budget:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


@torch.inference_mode()
def encode(codec: Any, clips: Sequence[npt.NDArray[np.float32]]) -> list[npt.NDArray[np.int64]]:
    """Codes of each clip, frames × 16. `clips` are mono at 24 kHz; a started frame is filled up with silence.

    Filled up, because the codec's inner layers repeat or blank what is missing of a last frame: its codes would
    depend on the longest clip of the batch, and could not be cached by content. For whole frames the codes
    are those of the package's own `encode`, which computes 32 codebooks and throws half of them away.
    """
    device = next(codec.parameters()).device
    frames = [-(-len(clip) // SAMPLES_PER_FRAME) for clip in clips]
    padded = torch.zeros(len(clips), 1, max(frames) * SAMPLES_PER_FRAME)
    for row, clip in enumerate(clips):
        padded[row, 0, : len(clip)] = torch.from_numpy(clip)
    codes = codec.encoder.encode(padded.to(device), num_quantizers=CODEBOOKS, return_dict=True).audio_codes.cpu()
    return [code[:, :count].T.contiguous().numpy() for code, count in zip(codes, frames, strict=True)]


def _load_codec(model: Path, device: str) -> Any:
    """The codec alone, in fp32: bf16 changes tokens."""
    placed = {} if device == "cpu" else {"device_map": device}
    tokenizer = qwen().Qwen3TTSTokenizer.from_pretrained(
        str(model / "speech_tokenizer"), dtype=torch.float32, use_safetensors=True, **placed
    )
    return tokenizer.model.eval()


def _read(audio: Path) -> npt.NDArray[np.float32]:
    samples, _ = soundfile.read(audio, dtype="float32")
    return np.asarray(samples, dtype=np.float32)


def _rows(dataset: Dataset, own: Mapping[str, str], cache: Path, deaf: bool) -> Iterator[dict[str, Any]]:
    """The data set's rows with their codes; without instructions if the model is `deaf` to them."""
    digests = {sample.clip.id: sample.clip.sha256 for sample in dataset.samples} | dict(own)
    for row in dataset.rows():
        codes = np.load(cache / f"{digests[row['clip']]}.npy", allow_pickle=False)
        if not len(codes):
            continue
        if deaf:
            row.pop("instruct", None)
        begin = {key: row.pop(key) for key in ("audio", "text", "ref_audio")}
        spoken_by = {} if begin["audio"] else {"spoken_by": "model"}
        yield begin | {"audio_codes": codes.tolist()} | row | spoken_by
