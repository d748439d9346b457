"""Import qwen-tts on a machine whose torchaudio does not load.

qwen-tts imports `torchaudio.compliance.kaldi` for its 25 Hz tokenizer, which nothing here uses. PyPI's
torchaudio is linked against CUDA, so beside a CPU build of torch that import ends in an OSError while
it loads its C library. Its Python parts work without that library, once they are told that it is not
there. Nothing else in the project depends on torchaudio.

This file imports nothing of VoiceFactory, so that a process which must be free of it (the check of a
finished voice) can run it by its path.
"""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable
from typing import Any


def make_torchaudio_importable() -> bool:
    """Import torchaudio, without its C library if that one does not load. True if it was left out."""
    try:
        importlib.import_module("torchaudio")
        return False
    except OSError:
        pass
    except ImportError:
        _stand_in("torchaudio")
        return True
    for name in [name for name in sys.modules if name == "torchaudio" or name.startswith("torchaudio.")]:
        del sys.modules[name]

    def needs_extension(function: Callable[..., Any]) -> Callable[..., Any]:
        def refuse(*args: Any, **kwargs: Any) -> Any:
            raise RuntimeError(f"{function.__name__} needs torchaudio's C library, which does not load here")

        return refuse

    extension = types.ModuleType("torchaudio._extension")
    vars(extension).update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False,
        _IS_ALIGN_AVAILABLE=False,
        fail_if_no_align=needs_extension,
        _check_cuda_version=lambda: None,
    )
    sys.modules["torchaudio._extension"] = extension
    importlib.import_module("torchaudio")
    return True


def _stand_in(name: str) -> None:
    """No torchaudio at all: empty modules are enough for the import of qwen-tts."""
    for part in (name, f"{name}.compliance", f"{name}.compliance.kaldi"):
        sys.modules[part] = types.ModuleType(part)
    sys.modules[name].compliance = sys.modules[f"{name}.compliance"]  # type: ignore[attr-defined]
    sys.modules[f"{name}.compliance"].kaldi = sys.modules[f"{name}.compliance.kaldi"]  # type: ignore[attr-defined]
