"""A process that kills itself at a given moment of its work.

    python -m benchmarks.victim FOLDER LOG EVENT DELAY -- scan model.safetensors ...

Moments are counted in what it does to files below a folder: opens one for writing, renames or removes one, or opens
an sqlite file. ``EVENT`` is the number of the one before which it dies, or 0 for none, ``DELAY`` the seconds that it
lives on after that. What comes after ``--`` is a command of AEGIS, or ``writes STORE`` for writing to a store alone.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

EVENTS = ("open", "os.rename", "os.remove", "sqlite3.connect")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
# Number of rounds of writing to a store.
ROUNDS = 12


def watch(folder: Path, log: Path, event: int, delay: float) -> None:
    """Log each event in a folder with its time, and die when a given one is due.

    Args:
        folder: that is watched.
        log: the file.
        event: number of the event at which to die.
        delay: seconds after it.
    """
    inside = os.fspath(folder.absolute()) + os.sep
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    count, lock, start = 0, threading.Lock(), time.monotonic()

    def hook(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if name not in EVENTS or (name == "open" and not _writes(arguments)):
            return
        path = os.fspath(Path(os.fsdecode(arguments[1 if name == "os.rename" else 0])).absolute())
        if not path.startswith(inside):
            return
        with lock:
            count += 1
            os.write(out, f"{time.monotonic() - start:.6f} {name} {path}\n".encode())
            due = count == event
        if due and delay:
            threading.Timer(delay, _die).start()
        elif due:
            _die()

    sys.addaudithook(hook)


def _writes(arguments: tuple[Any, ...]) -> bool:
    path, _, flags = arguments
    return isinstance(path, str | bytes | os.PathLike) and isinstance(flags, int) and bool(flags & WRITING)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def write(folder: Path) -> None:
    """Write arrays, scans and reviews to a store, and say after each round that it is done."""
    import numpy as np

    from aegis.records.record import DataRecord, ModelRecord, RuntimeRecord, ScanRecord
    from aegis.records.review import Review
    from aegis.store.store import Store

    model = {"accuracy": 1.0, "epsilons": (), "robust_accuracies": (), "half_radius": 1.0}
    record = ScanRecord(
        verdict="clean",
        sentence="Nothing.",
        flagged_classes=(),
        classes=(),
        model=ModelRecord(sha256="0" * 64, digest="0" * 64, file="model", architecture="none", **model),
        data=DataRecord(name="none", digest="0" * 64, class_names=("a", "b"), shape=(1, 1, 1), train=1, test=1),
        config={},
        versions={},
        runtime=RuntimeRecord(device="cpu", precision="fp32"),
        seconds={},
        created="2024-01-01T00:00:00+00:00",
    )
    store = Store(folder)
    for number in range(ROUNDS):
        if store.reviews_of(f"{number}"):
            continue
        with store.working("writing", f"{number}", f"{number}"):
            store.keep(f"{number}", {"numbers": np.random.default_rng(number).random(20_000)})
            store.keep_scan(f"{number}", record)
            store.add_review(f"{number}", Review(f"{number}"))
        print(number, flush=True)


def main() -> None:
    """Watch, and run the command."""
    folder, log, event, delay = sys.argv[1:5]
    command = sys.argv[6:]
    watch(Path(folder), Path(log), int(event), float(delay))
    if command[0] == "writes":
        write(Path(command[1]))
    else:
        from aegis.cli import main as aegis

        sys.argv = ["aegis", *command]
        aegis()


if __name__ == "__main__":
    main()
