"""Explains any failure in one message, with an exit code that differs from those of verdicts."""

from __future__ import annotations

import signal
import sysconfig
import traceback
from pathlib import Path

from aegis.core.errors import AegisError
from aegis.core.runtime import Cancelled
from aegis.core.source import ROOM

BAD_INPUT = 2
DEFECT = 70
INTERRUPTED = 130
TERMINATED = 128 + signal.SIGTERM
OWN_CODE = "Expected code of your own that runs"
STDLIB = Path(sysconfig.get_path("stdlib")).resolve()


def explain(error: BaseException) -> tuple[str, int]:
    """Chooses the message and the exit code of a failure."""
    if isinstance(error, AegisError):
        return str(error), BAD_INPUT
    if isinstance(error, Cancelled | KeyboardInterrupt):
        return "Interrupted. A scan or a training goes on from what was finished when it is started again.", INTERRUPTED
    if is_out_of_memory(error):
        return "Expected enough memory; got too little. Give fewer images or a smaller model.", BAD_INPUT
    if isinstance(error, OSError):
        where = "" if error.filename is None else f" at {error.filename}"
        got = error.strerror or str(error) or type(error).__name__
        return f"Expected to read and write files; got {got!r}{where}. Check permissions and free space.", BAD_INPUT
    what = f"{type(error).__name__}: {error}"
    if (own := line_of_own_code(error)) is not None:
        return f"{OWN_CODE}; got {what}, in {own}. Run again with AEGIS_DEBUG=1 to see how it got there.", BAD_INPUT
    return f"A defect in AEGIS, not in your input ({what}). Run again with AEGIS_DEBUG=1 to see where.", DEFECT


def process_died(how: str, fewer: str) -> AegisError:
    """Makes the error of work whose process ended by itself.

    Args:
        how: it ended, in words.
        fewer: what to try if it does so again, in words.

    Returns:
        The error.
    """
    return AegisError(
        "the process of this work to run to its end",
        f"one that ended by itself ({how})",
        f"It may have run out of memory: what was finished is kept, so start it again, with {fewer} if that fails.",
    )


def line_of_own_code(error: BaseException) -> str | None:
    """Finds the line of the user's own code in which an error arose, such as that of a network for ``--arch``.

    Args:
        error: with its traceback.

    Returns:
        File and line; None if the error arose in AEGIS or without such code.
    """
    for frame, line in reversed([*traceback.walk_tb(error.__traceback__)]):
        file = Path(frame.f_code.co_filename).resolve()
        if file.is_relative_to(ROOM):
            return None
        # What has no file was written by a program, such as the methods of dataclasses.
        if file.is_file() and "site-packages" not in file.parts and not file.is_relative_to(STDLIB):
            return f"{file.name}, line {line}"
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Tells whether memory was too little, of the processor or of a GPU."""
    # torch has an error of its own for a GPU, and a plain RuntimeError for the processor.
    text = str(error)
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "DefaultCPUAllocator" in text)
    )
