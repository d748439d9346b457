"""Errors are sentences for a person: what happened, and what to do about it.

Everything that goes wrong because of the input, the disk or the machine is raised as a
`VoiceFactoryError`; the page and the command line show `str(error)` and nothing else.
Any other exception is a defect of ours, and its traceback belongs in a log.
"""

from __future__ import annotations

import errno


class VoiceFactoryError(Exception):
    """Something went wrong that a person can act on. `exit_code` is what the command returns."""

    exit_code = 1


class InputError(VoiceFactoryError):
    """The caller's input is at fault: a file, a name, a preset, a language."""

    exit_code = 2


class MissingPackageError(VoiceFactoryError):
    """An optional package is not installed; the sentence says how to install it."""


class ModelUnavailableError(VoiceFactoryError):
    """A model is not on this machine and could not be downloaded."""


class SelfCheckError(VoiceFactoryError):
    """The model does not predict speech the way training assumes, so training refuses to start."""


class DiskFullError(VoiceFactoryError):
    """There is no space left; finished files are intact."""


class Cancelled(VoiceFactoryError):  # noqa: N818 - a wish, not a fault
    """The person pressed Cancel; what was finished is kept and can be resumed."""


def as_sentence(error: BaseException) -> VoiceFactoryError | None:
    """Translate what the operating system raises into our own kinds; None if it is a defect of ours."""
    if isinstance(error, VoiceFactoryError):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" ({error.filename})" if error.filename else ""
        return DiskFullError(
            f"The disk is full{where}. Free some space and run it again: everything finished so far is kept."
        )
    if type(error).__module__ == "sqlite3":
        return _table_in_words(str(error))
    if isinstance(error, PermissionError):
        return VoiceFactoryError(
            f"No permission to use {error.filename}. Choose another folder (--home) or change its permissions."
        )
    if is_out_of_memory(error):
        return VoiceFactoryError(
            "There was not enough memory. What was finished is kept: close other programs that use it, "
            "or choose a smaller batch_size, and run it again."
        )
    return None


def _table_in_words(told: str) -> VoiceFactoryError | None:
    """SQLite has sentences of its own for what happens to the file of the job table."""
    if "locked" in told or "busy" in told:
        return VoiceFactoryError(
            "The table of jobs is in use by another program, such as a backup. Nothing is lost: try again in a moment."
        )
    if "full" in told or "disk I/O" in told:
        return DiskFullError("The disk is full. Free some space and run it again: everything finished so far is kept.")
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a GPU or the machine had no memory left. torch has its own error for the first, and for the second
    a sentence of its allocator; this module does not import it."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error))
    )
