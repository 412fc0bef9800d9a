"""Explains any failure in one message, with an exit code that differs from those of verdicts."""

from __future__ import annotations

from aegis.core.errors import AegisError
from aegis.core.runtime import Cancelled

BAD_INPUT = 2
DEFECT = 70
INTERRUPTED = 130


def explain(error: BaseException) -> tuple[str, int]:
    """Chooses the message and the exit code of a failure."""
    if isinstance(error, AegisError):
        return str(error), BAD_INPUT
    if isinstance(error, Cancelled | KeyboardInterrupt):
        return "Interrupted. A scan or a training goes on from what was finished when it is started again.", INTERRUPTED
    if _is_out_of_memory(error):
        return "Expected enough memory; got too little. Give fewer images or a smaller model.", BAD_INPUT
    if isinstance(error, OSError):
        where = "" if error.filename is None else f" at {error.filename}"
        got = error.strerror or str(error) or type(error).__name__
        return f"Expected to read and write files; got {got!r}{where}. Check permissions and free space.", BAD_INPUT
    what = f"{type(error).__name__}: {error}"
    return f"A defect in AEGIS, not in your input ({what}). Run again with AEGIS_DEBUG=1 to see where.", DEFECT


def _is_out_of_memory(error: BaseException) -> bool:
    # torch has an error of its own for a GPU, and a plain RuntimeError for the processor.
    text = str(error)
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "DefaultCPUAllocator" in text)
    )
