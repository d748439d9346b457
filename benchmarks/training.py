"""How fast training is: our loop against one with the habits of public scripts, in turn, in one process.

    python benchmarks/training.py --shape toy|0.6b|1.7b [--device cuda:0] [--rounds 3] [--steps 4]

Both loops train the same random weights on the same clips, and both with the right loss. The public habits:
random clips two at a time, padded to the longest; the reference read and embedded again for every clip; the
whole text embedding trained; four batches to a step; the loss read after every batch; on a GPU bf16 weights
under plain AdamW. Ours is what `finetune` does, with the same clips to a step ("equal batch") and with the
batch that the preset `quick` chooses. Ratios are of seconds of audio per second, round against round.

The shapes 0.6b and 1.7b are the published sizes with random weights, so nothing is downloaded; sound, texts
and their codes are real (the toy's codec made them), or random with `--clips N --seconds S`.
"""

from __future__ import annotations

import argparse
import gc
import platform
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import soundfile
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention

from benchmarks.memory import real_config
from benchmarks.padded import PaddedBatch, embed_padded, pad
from tests.engines.engine_data import dataset_of, real_clips
from voicefactory import files
from voicefactory.engines.qwen3_tts.codes import FRAME_RATE, extract
from voicefactory.engines.qwen3_tts.data_order import steps_from
from voicefactory.engines.qwen3_tts.finetune import uses_bf16
from voicefactory.engines.qwen3_tts.inputs import IGNORED, TokenSequence, build_sequences
from voicefactory.engines.qwen3_tts.loader import Layout, ahead
from voicefactory.engines.qwen3_tts.losses import code_predictor_logits
from voicefactory.engines.qwen3_tts.memory import plan_memory, worst_batch
from voicefactory.engines.qwen3_tts.model import load_model
from voicefactory.engines.qwen3_tts.optimization import Updater, hold_weights, trainable_parameters
from voicefactory.engines.qwen3_tts.sizes import model_sizes
from voicefactory.engines.qwen3_tts.speaker import Speakers, speaker_embedding
from voicefactory.engines.qwen3_tts.step import gradients
from voicefactory.engines.qwen3_tts.toy import build_toy
from voicefactory.engines.qwen3_tts.upstream import qwen
from voicefactory.engines.qwen3_tts.world import World
from voicefactory.presets import Hyperparameters, load_preset, settle
from voicefactory.types import MAX_REFERENCE_S, never, silent

BATCH, ACCUMULATION = 2, 4  #: of the public script


@dataclass
class Data:
    """Clips as the model takes them."""

    sequences: list[TokenSequence]
    reference: Path

    @property
    def seconds(self) -> float:
        """Of audio."""
        return sum(len(sequence.rest) for sequence in self.sequences) / FRAME_RATE


@dataclass
class Timed:
    """What a loop did in the rounds so far."""

    speeds: list[float] = field(default_factory=list)  #: seconds of audio per second
    padding: list[float] = field(default_factory=list)  #: share of the positions
    peaks: list[int] = field(default_factory=list)  #: bytes
    flops: list[float] = field(default_factory=list)  #: per second
    planned: int = 0  #: bytes that the memory plan says torch will allocate on a GPU; 0 for what it does not know


def make_data(toy: Path, work: Path, clips: int, seconds: float) -> tuple[Data, Any]:
    """Real clips with the toy codec's codes, or `clips` random ones around `seconds`; and the processor."""
    wrapper = load_model(toy, device="cpu", dtype=torch.float32, as_base=True)
    dataset = dataset_of(real_clips(), work)
    codes = extract(dataset, toy, work / "codes", device="cpu", on_progress=silent, should_stop=never)
    rows = files.read_jsonl(codes.path)
    if clips:
        draw = random.Random(0)
        texts = [row["text"] for row in rows]
        rows = [
            {
                "clip": f"{number}-0",
                "text": draw.choice(texts),
                "language": "english",
                "audio_codes": torch.randint(
                    0, 2048, (max(12, round(draw.uniform(0.5, 1.5) * seconds * FRAME_RATE)), 16)
                ).tolist(),
            }
            for number in range(clips)
        ]
    # as the pipeline would choose it: 3 to 10 s long
    fits = [audio for audio, _ in real_clips() if soundfile.info(audio).duration <= MAX_REFERENCE_S]
    return Data(build_sequences(wrapper.model.config, wrapper.processor, rows), fits[-1]), wrapper


def build(shape: str, toy: Any, device: str, dtype: torch.dtype) -> Any:
    """A model of that shape with random weights, the same ones every time."""
    config = toy.model.config if shape == "toy" else real_config(shape)
    if shape != "toy":  # the toy's tokenizer numbers its special tokens otherwise
        for name in ("tts_pad_token_id", "tts_bos_token_id", "tts_eos_token_id"):
            setattr(config, name, getattr(toy.model.config, name))
        for name, value in vars(toy.model.config.talker_config).items():
            if name.startswith("codec_") and name.endswith("_id"):
                setattr(config.talker_config, name, value)
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            net = qwen().Qwen3TTSForConditionalGeneration(config)
    finally:
        torch.set_default_dtype(before)
    return net.train()


def ours(net: Any, data: Data, preset: Hyperparameters, device: str) -> Callable[[int], tuple[float, float]]:
    """Our loop: a function that takes so many steps and returns (seconds of audio, padding)."""
    bf16 = uses_bf16(preset, device)
    parameters = trainable_parameters(net, preset)
    hold_weights(net, parameters, preset, bf16=bf16)
    speakers = Speakers(net, {"ann": data.reference}, stored=torch.float32)
    updater = Updater(parameters, preset, device)
    lengths = {index: len(sequence) for index, sequence in enumerate(data.sequences)}
    layout = Layout(data.sequences, preset.code_predictor_share, preset.seed, device)
    steps = ahead(layout, 0, steps_from(lengths, preset, 0, 1_000_000))
    done = 0

    def take(count: int) -> tuple[float, float]:
        nonlocal done
        audio = 0.0
        for _ in range(count):
            work = next(steps)
            gradients(net, work, speakers, parameters, preset, device, bf16, World())
            updater.update(done, preset.learning_rate)
            done += 1
            audio += work.frames / FRAME_RATE
        return audio, 0.0

    return take


def public_habits(net: Any, data: Data, device: str) -> Callable[[int], tuple[float, float]]:
    """The other loop, likewise."""
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(name.startswith("talker."))
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-5, weight_decay=0.01)
    draw = random.Random(0)

    def batches() -> Iterator[list[TokenSequence]]:
        while True:
            order = draw.sample(range(len(data.sequences)), len(data.sequences))
            for at in range(0, len(order) - BATCH + 1, BATCH):
                yield [data.sequences[index] for index in order[at : at + BATCH]]

    endless = batches()

    def take(count: int) -> tuple[float, float]:
        frames, padding = 0, []
        for _ in range(count):
            for _ in range(ACCUMULATION):
                clips = next(endless)
                voices = torch.stack([speaker_embedding_as_public(net, data.reference) for _ in clips])
                batch = pad(clips).to(device)
                loss = padded_loss(net, batch, voices) / ACCUMULATION
                loss.backward()
                float(loss.detach())
                frames += len(batch.rest)
                padding.append(batch.padding)
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            optimizer.zero_grad()
        return frames / FRAME_RATE, statistics.mean(padding)

    return take


def speaker_embedding_as_public(net: Any, reference: Path) -> torch.Tensor:
    """Read and embedded again, in the precision of the weights."""
    dtype = next(net.speaker_encoder.parameters()).dtype
    embedding = speaker_embedding(net, reference).to(dtype)
    net.speaker_encoder.to(dtype)  # which ours holds in fp32
    return embedding


def padded_loss(net: Any, batch: PaddedBatch, voices: torch.Tensor) -> torch.Tensor:
    """The right loss on a padded batch."""
    talker = net.talker
    hidden = talker.model(
        inputs_embeds=embed_padded(net, batch, voices), attention_mask=batch.attention_mask, use_cache=False
    ).last_hidden_state
    asked = batch.labels != IGNORED
    first = F.cross_entropy(talker.codec_head(hidden[asked]).float(), batch.labels[asked])
    logits = code_predictor_logits(net, hidden[batch.frame_rows, batch.frame_at - 1], batch.codes)
    return first + 0.3 * F.cross_entropy(logits.float().flatten(0, 1), batch.codes[:, 1:].flatten())


@contextmanager
def peak_of(device: str, into: list[int]) -> Iterator[None]:
    """The most memory in use meanwhile: allocated on the GPU, resident on a CPU (looked at every 10 ms)."""
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
        yield
        into.append(torch.cuda.max_memory_allocated())
        return
    process, over, highest = psutil.Process(), threading.Event(), [0]

    def look() -> None:
        while not over.wait(0.01):
            highest[0] = max(highest[0], process.memory_info().rss)

    looking = threading.Thread(target=look)
    looking.start()
    yield
    over.set()
    looking.join()
    into.append(highest[0])


def wait_for(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def flops_of(data: Data, shape_config: Any, audio_s: float, share: float) -> float:
    """Arithmetic of training on so much audio: 6 per parameter of the matrices and token (attention left out)."""
    talker = shape_config.talker_config
    tokens = sum(len(sequence) for sequence in data.sequences) / data.seconds * audio_s
    frames = audio_s * FRAME_RATE

    def layer(part: Any) -> int:
        heads = part.head_dim * (2 * part.num_attention_heads + 2 * part.num_key_value_heads)
        return part.num_hidden_layers * part.hidden_size * (heads + 3 * part.intermediate_size)

    predictor = talker.code_predictor_config
    heads = (talker.num_code_groups - 1) * predictor.hidden_size * predictor.vocab_size
    per_token = layer(talker) + talker.hidden_size * talker.vocab_size * frames / tokens
    return 6 * (tokens * per_token + share * frames * (talker.num_code_groups * layer(predictor) + heads))


def planned_bytes(net: Any, data: Data, preset: Hyperparameters) -> int:
    """What the plan says that torch will allocate, without the codec, which is not loaded here."""
    positions = [len(sequence) for sequence in data.sequences]
    frames = [len(sequence.rest) for sequence in data.sequences]
    worst = worst_batch(positions, frames, preset.batch_size)
    return int(plan_memory(model_sizes(net.config.to_dict()), preset, worst, cuda=True).allocated)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=["toy", "0.6b", "1.7b"], default="toy")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4, help="optimiser steps in a round, of eight clips each")
    parser.add_argument("--clips", type=int, default=0, help="so many random clips instead of the twelve real ones")
    parser.add_argument(
        "--seconds", type=float, default=6.0, help="their mean length; they vary from half to 1.5 of it"
    )
    parser.add_argument("--share", type=float, default=1.0, help="code_predictor_share of one more loop of ours")
    parser.add_argument("--only-ours", action="store_true", help="leave the public habits out")
    arguments = parser.parse_args()
    shape, device = arguments.shape, arguments.device
    on_gpu = device.startswith("cuda")
    with tempfile.TemporaryDirectory() as folder:
        build_toy(Path(folder) / "toy")
        data, toy = make_data(Path(folder) / "toy", Path(folder), arguments.clips, arguments.seconds)
        amount = (len(data.sequences), data.seconds)
        equal = settle(
            load_preset("quick", [f"batch_size={BATCH}", f"gradient_accumulation_steps={ACCUMULATION}"]), *amount
        )
        quick = settle(load_preset("quick"), *amount)
        loops: dict[str, tuple[torch.dtype, Callable[[Any], Callable[[int], tuple[float, float]]]]] = {}
        if not arguments.only_ours:
            loops["public habits, 2 x 4"] = (
                torch.bfloat16 if on_gpu else torch.float32,
                lambda net: public_habits(net, data, device),
            )
        loops["ours, equal batch 2 x 4"] = (torch.float32, lambda net: ours(net, data, equal, device))
        loops[f"ours, quick {quick.batch_size} x 1"] = (torch.float32, lambda net: ours(net, data, quick, device))
        if arguments.share < 1:
            some = settle(load_preset("quick", [f"code_predictor_share={arguments.share}"]), *amount)
            loops[f"ours, share {arguments.share}"] = (torch.float32, lambda net: ours(net, data, some, device))
        results = {name: Timed() for name in loops}
        planned = {"ours, equal batch 2 x 4": equal, f"ours, quick {quick.batch_size} x 1": quick}
        for _ in range(arguments.rounds):
            for name, (dtype, loop) in loops.items():
                net = build(shape, toy, device, dtype)
                take = loop(net)
                take(1)  # allocations and kernels are made
                wait_for(device)
                with peak_of(device, results[name].peaks):
                    begun = time.perf_counter()
                    audio, padding = take(arguments.steps)
                    wait_for(device)
                    elapsed = time.perf_counter() - begun
                results[name].speeds.append(audio / elapsed)
                print(f"{name}: {audio / elapsed:.3f} s of audio per second", file=sys.stderr, flush=True)
                results[name].padding.append(padding)
                share = arguments.share if name.startswith("ours, share") else 1.0
                results[name].flops.append(flops_of(data, net.config, audio, share) / elapsed)
                if on_gpu and name in planned:
                    results[name].planned = planned_bytes(net, data, planned[name])
                del net, take
                gc.collect()
                if on_gpu:
                    torch.cuda.empty_cache()
    report(shape, device, data, results, arguments)


def report(shape: str, device: str, data: Data, results: dict[str, Timed], arguments: Any) -> None:
    """Print a table of min, median and max."""
    card = torch.cuda.get_device_name() if device.startswith("cuda") else f"{platform.machine()} CPU"
    threads = torch.get_num_threads()
    print(
        f"shape {shape}, {len(data.sequences)} clips of {data.seconds:.0f} s in all, {arguments.rounds} rounds of "
        f"{arguments.steps} steps, {card}, {threads} thread(s), torch {torch.__version__}\n"
    )
    print("| loop | audio s per s (min / median / max) | ratio to the first | padding | peak GiB | planned | TFLOP/s |")
    print("|---|---|---|---|---|---|---|")
    base = next(iter(results.values())).speeds
    for name, timed in results.items():
        planned = f"{timed.planned / 2**30:.2f}" if timed.planned else ""
        ratios = [speed / other for speed, other in zip(timed.speeds, base, strict=True)]
        print(
            f"| {name} | {_three(timed.speeds)} | {_three(ratios)} | {statistics.mean(timed.padding):.1%} "
            f"| {max(timed.peaks) / 2**30:.2f} | {planned} | {statistics.median(timed.flops) / 1e12:.3f} |"
        )
    speed = statistics.median(list(results.values())[-1].speeds)
    print(f"\nAn epoch of 20,000 clips of 6 s at the last loop's median: {120_000 / speed:,.0f} s (computed, not run).")


def _three(values: list[float]) -> str:
    return f"{min(values):.2f} / {statistics.median(values):.2f} / {max(values):.2f}"


if __name__ == "__main__":
    main()
