"""Work that is done in another process, which finds it by its name."""

import os
import signal
import sys
import time
from pathlib import Path

from aegis.core.errors import DataError
from aegis.core.runtime import Cancelled


def count(to, tell):
    os.write(1, b"nobody reads this")
    for i in range(to):
        tell({"step": i})
    return os.getpid(), to


def refuse(tell):
    raise DataError("more", "less", "Give more.")


def fail(tell):
    raise ZeroDivisionError("by nothing")


def leave(code, tell):
    tell("leaving")
    os._exit(code)


def be_killed(tell):
    os.kill(os.getpid(), signal.SIGKILL)


def go_on(path, tell):
    """Tells until it is told to end, and writes down how."""
    tell("began")
    try:
        while True:
            time.sleep(0.01)
            tell("still here")
    except (Cancelled, SystemExit) as end:
        Path(path).write_text(type(end).__name__)
        raise


def ignore(tell):
    """Does not listen."""
    tell("began")
    sys.stdin.close()
    while True:
        time.sleep(1)
