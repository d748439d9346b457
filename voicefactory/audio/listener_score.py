"""What listeners would say about a clip, from 1 (bad) to 5 (excellent): DNSMOS, the copy inside speechmos.

The model hears 9.01 s at a time. A shorter clip is repeated, a longer one is heard in pieces, the last of which
ends where the clip ends; speechmos by itself would hear a clip of 8 s seven times over.
"""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from voicefactory.errors import InputError

RATE = 16_000  #: Hz, what the model hears
_PIECE = int(9.01 * RATE)


def listener_score(samples: npt.NDArray[np.float32], rate: int) -> float:
    """Overall DNSMOS of mono `samples` (full scale 1.0), 1 to 5. Raises InputError for silence."""
    if not float(np.abs(samples).max(initial=0)) > 0:
        raise InputError("There is only silence in it, so there is nothing to rate.")
    heard = np.clip(samples if rate == RATE else soxr.resample(samples, rate, RATE), -1, 1)
    if len(heard) < _PIECE:
        heard = np.resize(heard, _PIECE)
    pieces = math.ceil(len(heard) / _PIECE)
    starts = np.linspace(0, len(heard) - _PIECE, pieces).round().astype(int)
    rate_piece = _model()
    return float(np.mean([rate_piece(heard[start : start + _PIECE], RATE, False)["ovrl_mos"] for start in starts]))


@functools.cache
def _model() -> Any:
    """The model on one core: a pool of processes takes the others."""
    import onnxruntime  # type: ignore[import-untyped]
    from speechmos import dnsmos

    models = Path(dnsmos.__file__).parent / "dnsmos_models"
    model = dnsmos.DNSMOS(str(models / "sig_bak_ovr.onnx"), str(models / "model_v8.onnx"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    for name, path in (("onnx_sess", "sig_bak_ovr.onnx"), ("p808_onnx_sess", "model_v8.onnx")):
        setattr(model, name, onnxruntime.InferenceSession(str(models / path), options))
    return model
