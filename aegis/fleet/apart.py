"""Runs a piece of work in a process of its own: whatever becomes of it, the one that asked for it goes on.

Both processes are ours and run the same code, so that they may talk in pickles; what a checkpoint holds is read in
another process still, and never as a pickle.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar

from aegis.core.errors import AegisError
from aegis.core.failures import process_died
from aegis.core.memory import keep_freed_memory
from aegis.core.runtime import Cancelled

T = TypeVar("T")
Tell = Callable[[object], None]
Kind = Literal["told", "done", "failed"]
NICENESS = 10
# Seconds between two looks at whether the work is still wanted, and that it is given to end in an orderly way.
TICK, GRACE = 0.2, 10.0
CANCEL = b"c"
ROOT = Path(__file__).parents[2]


def run_apart(work: Callable[[Tell], T], hear: Tell, check: Callable[[], None]) -> T:
    """Runs work in a new process.

    Args:
        work: the work, which must be picklable; it is given a function that passes on what it is called with, and that
            raises ``Cancelled`` or ``SystemExit`` once the work is no longer wanted.
        hear: is called with what the work passes on.
        check: is called several times a second; an error that it raises ends the work.

    Returns:
        What the work returns.

    Raises:
        AegisError: if the work does, or if its process ends by itself.
        RuntimeError: for any other error in the work, with its traceback.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "aegis.fleet.apart"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))},
        # The interrupt key of a terminal is for the one that asked.
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    farewell = b""
    try:
        with contextlib.suppress(BrokenPipeError):
            pickle.dump(work, process.stdin)
            process.stdin.flush()
        messages: queue.SimpleQueue[tuple[Kind, object] | None] = queue.SimpleQueue()
        threading.Thread(target=_listen, args=(process.stdout, messages), daemon=True).start()
        return _follow(process, messages, hear, check)  # type: ignore[return-value]
    except Cancelled:
        farewell = CANCEL
        raise
    finally:
        _end(process, farewell)


def calling(**heard: Callable[..., object]) -> Tell:
    """Makes a listener of functions: what is told is the name of one, and its arguments.

    Args:
        heard: functions by name.
    """

    def hear(said: Any) -> None:  # noqa: ANN401 - from our own process
        name, arguments = said
        heard[name](*arguments)

    return hear


def _listen(stream: BinaryIO, messages: queue.SimpleQueue[tuple[Kind, object] | None]) -> None:
    with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError), stream:
        while True:
            messages.put(pickle.load(stream))  # noqa: S301 - from our own process
    messages.put(None)


def _follow(
    process: subprocess.Popen[bytes],
    messages: queue.SimpleQueue[tuple[Kind, object] | None],
    hear: Tell,
    check: Callable[[], None],
) -> object:
    """Passes on what is told until the work has ended, and gives what it returned."""
    while True:
        check()
        try:
            message = messages.get(timeout=TICK)
        except queue.Empty:
            continue
        if message is None:
            code = process.wait()
            raise process_died(f"signal {-code}" if code < 0 else f"exit code {code}", "fewer seeds")
        kind, what = message
        if kind == "done":
            return what
        if kind == "failed":
            assert isinstance(what, Exception)
            raise what
        hear(what)


def _end(process: subprocess.Popen[bytes], farewell: bytes) -> None:
    """Asks the process to end, and ends it if it does not."""
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.write(farewell)
        process.stdin.close()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main() -> None:
    """Does the work that comes in, and tells of it."""
    keep_freed_memory()
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Whatever prints must not garble what is told.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    if hasattr(os, "nice"):
        os.nice(max(0, NICENESS - os.nice(0)))
    lock, wanted = threading.Lock(), _Wanted()

    def send(kind: Kind, what: object) -> None:
        with lock:
            pickle.dump((kind, what), out)
            out.flush()

    def tell(what: object) -> None:
        wanted.check()
        send("told", what)

    work = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own process
    threading.Thread(target=wanted.wait, daemon=True).start()
    # Without anybody to be told, all that is left is to end.
    with contextlib.suppress(BrokenPipeError):
        try:
            send("done", work(tell))
        except (Cancelled, SystemExit):
            pass
        except AegisError as error:
            send("failed", error)
        except BrokenPipeError:
            raise
        except BaseException:  # whoever asked must be told of everything
            send("failed", RuntimeError(traceback.format_exc()))


class _Wanted:
    """Whether the one that asked still wants the work."""

    def __init__(self) -> None:
        self.farewell: bytes | None = None

    def wait(self) -> None:
        """Waits until it does not, or is gone."""
        self.farewell = sys.stdin.buffer.read(1)

    def check(self) -> None:
        """Ends the work if it does not."""
        if self.farewell is not None:
            # Of what was not cancelled, the store says that it was interrupted.
            raise Cancelled if self.farewell == CANCEL else SystemExit


if __name__ == "__main__":
    main()
