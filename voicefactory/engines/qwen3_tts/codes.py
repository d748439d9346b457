"""Clips to codec tokens: in fp32, sorted by length, bounded in memory, cached by content.

The codec pads a batch to its longest clip and works on it in one piece. Its measured peak is
0.64 + 0.020 GiB × clips × longest seconds, so batches are cut by that product and not by a count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import torch

from voicefactory import files
from voicefactory.engines.qwen3_tts.upstream import qwen
from voicefactory.errors import Cancelled
from voicefactory.types import SAMPLE_RATE, Codes, Dataset, OnProgress, Progress, ShouldStop

FRAME_RATE = 12.5  #: frames per second
CODEBOOKS = 16
SAMPLES_PER_FRAME = int(SAMPLE_RATE / FRAME_RATE)
#: clips × longest seconds of one batch: about 1.9 GiB on a CPU, 3.9 GiB on a GPU
BATCH_SECONDS = {"cpu": 60.0, "cuda": 160.0}


def extract(
    dataset: Dataset, model: Path, out: Path, *, device: str, on_progress: OnProgress, should_stop: ShouldStop
) -> Codes:
    """Encode every clip of `dataset` with the codec of `model`.

    Leaves out/qwen3-tts-<tokenizer>/codes.jsonl, one row a clip: audio, text, ref_audio, audio_codes
    (frames × 16 integers below 2048, 12.5 frames a second), language, clip. Codes of a clip are kept by the
    digest of its audio, so a changed text or an added clip costs nothing for the others.

    Raises Cancelled between batches; what is encoded stays.
    """
    tokenizer = files.sha256_of(model / "speech_tokenizer" / "model.safetensors")
    folder = out / f"qwen3-tts-{tokenizer[:8]}"
    path, cache = folder / "codes.jsonl", folder / "cache"
    inputs = {"dataset": dataset.fingerprint, "tokenizer": tokenizer}
    codes = Codes(path, "qwen3-tts", tokenizer, FRAME_RATE, CODEBOOKS, files.fingerprint(inputs))
    total = len(dataset.samples)
    if not files.is_current(path, inputs):
        clips = {sample.clip.sha256: sample.clip for sample in dataset.samples}
        missing = [clip for digest, clip in clips.items() if not (cache / f"{digest}.npy").exists()]
        done = total - len(missing)
        on_progress(Progress("extract", done, total))
        if missing:
            codec = _load_codec(model, device)
            budget = BATCH_SECONDS["cuda" if device.startswith("cuda") else "cpu"]
            for batch in batches_by_length([clip.seconds for clip in missing], budget):
                if should_stop():
                    raise Cancelled("Cancelled while extracting codec tokens; what is encoded is kept.")
                encoded = encode(codec, [_read(missing[index].audio) for index in batch])
                for index, frames in zip(batch, encoded, strict=True):
                    with files.writing(cache / f"{missing[index].sha256}.npy") as aside:
                        np.save(aside, frames.astype(np.int16))
                done += len(batch)
                on_progress(Progress("extract", done, total))
        files.write_jsonl(path, _rows(dataset, cache))
        files.mark_current(path, inputs)
    on_progress(Progress("extract", total, total))
    return codes


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


def _rows(dataset: Dataset, cache: Path) -> Iterator[dict[str, Any]]:
    for sample in dataset.samples:
        yield {
            "audio": str(sample.clip.audio),
            "text": sample.text,
            "ref_audio": str(dataset.reference.audio),
            "audio_codes": np.load(cache / f"{sample.clip.sha256}.npy", allow_pickle=False).tolist(),
            "language": sample.language,
            "clip": sample.clip.id,
        }
