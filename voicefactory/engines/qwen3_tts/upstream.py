"""The one place that imports qwen-tts, lazily and quietly."""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import sys
import types
import warnings
from collections.abc import Iterator
from typing import Any


@functools.lru_cache(maxsize=1)
def qwen() -> Any:
    """The classes of qwen-tts in one namespace.

    Raises ImportError when the package is missing.
    """
    from voicefactory.engines.qwen3_tts.compat import make_torchaudio_importable

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with warnings.catch_warnings(), _quiet():
        warnings.simplefilter("ignore")
        make_torchaudio_importable()
        # transformers imports scikit-learn for assisted decoding alone, which is not used here: without it each
        # process starts a second sooner and is 80 MB smaller. It is a name of theirs: gone, nothing changes.
        importlib.import_module("transformers.utils.import_utils").__dict__["_sklearn_available"] = False
        core = importlib.import_module("qwen_tts.core")
        core_models = importlib.import_module("qwen_tts.core.models")
        inference = importlib.import_module("qwen_tts")
        modeling = importlib.import_module("qwen_tts.core.models.modeling_qwen3_tts")
    # At every load it lists layers that tensor parallelism would split and weights that a custom voice leaves out.
    importlib.import_module("transformers.utils.logging").set_verbosity_error()
    return types.SimpleNamespace(
        Qwen3TTSModel=inference.Qwen3TTSModel,
        Qwen3TTSTokenizer=inference.Qwen3TTSTokenizer,
        Qwen3TTSConfig=core_models.Qwen3TTSConfig,
        Qwen3TTSForConditionalGeneration=core_models.Qwen3TTSForConditionalGeneration,
        Qwen3TTSTokenizerV2Config=core.Qwen3TTSTokenizerV2Config,
        Qwen3TTSTokenizerV2Model=core.Qwen3TTSTokenizerV2Model,
        Qwen3TTSSpeakerEncoder=modeling.Qwen3TTSSpeakerEncoder,
        mel_spectrogram=modeling.mel_spectrogram,
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence file descriptors 1 and 2: on import the package and a shell that it starts print advice about
    flash-attn and SoX, neither of which is used here, into the middle of our JSON and our progress."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        for descriptor in (*kept, nowhere):
            os.close(descriptor)
