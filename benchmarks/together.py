"""Two scans and a garbage collection at once on one store, for minutes.

    python -m benchmarks.together [--minutes 3]

Each of the three goes on and on in processes of its own: scans with ever new seeds, so that they compute, keep and
are kept, and the collection within a limit so small that there is always something to remove.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from aegis.store.store import Store
from benchmarks.killable import SCAN, Bench
from benchmarks.machine import describe
from benchmarks.nursery import ONE_THREAD, ROOT, Nursery

LIMIT = "100 kB"


@dataclass
class Loop:
    """A command that is run again and again.

    Args:
        bench: with model and images.
        name: of the command.
        command: what to run, with ``{}`` for the number of the round.
    """

    bench: Bench
    name: str
    command: tuple[str, ...]
    rounds: int = 0
    errors: list[str] = field(default_factory=list)

    def run(self, until: float) -> None:
        """Run it until the time is up."""
        environment = os.environ | ONE_THREAD | {"PYTHONPATH": os.fspath(ROOT), "AEGIS_STORE_LIMIT": LIMIT}
        environment |= {"AEGIS_STORE": os.fspath(self.bench.folder / "store")}
        while time.monotonic() < until:
            command = [sys.executable, "-m", "aegis", *(part.format(self.rounds) for part in self.command)]
            done = subprocess.run(
                command, cwd=self.bench.folder, env=environment, capture_output=True, text=True, check=False
            )
            self.rounds += 1
            if done.returncode not in (0, 1, 3) or done.stderr:
                self.errors.append(f"{done.returncode}: {done.stderr}")


def run(bench: Bench, seconds: float) -> list[Loop]:
    """Let several processes work on one store.

    Args:
        bench: runs the work.
        seconds: for how long.

    Returns:
        What came of each.
    """
    scan = ("scan", "model.safetensors", "--data", "images.npz", *SCAN)
    loops = [
        Loop(bench, "scan", (*scan, "--seed", "1{}")),
        Loop(bench, "another scan", (*scan, "--seed", "2{}")),
        Loop(bench, "collection", ("gc",)),
    ]
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=loop.run, args=(until,)) for loop in loops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return loops


def main() -> None:
    """Print rounds and errors of each, and what is damaged or lost at the end."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=3)
    options, _ = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder, Nursery() as nursery:
        bench = Bench(Path(folder), nursery)
        bench.make()
        loops = run(bench, 60 * options.minutes)
        store = Store(bench.folder / "store")
        audit, kept = store.check(), store.scans(None)
        whole = sum(store.is_whole(key) for key, _ in kept)
    print(f"together on one store for {options.minutes:g} minutes; {describe()}")
    for loop in loops:
        print(f"  {loop.name:<14} {loop.rounds:4} rounds, {len(loop.errors)} errors")
        for error in loop.errors:
            print(f"    {error}")
    print(f"  store: {len(audit.damage)} damaged of {audit.files} files, {whole} of {len(kept)} saved scans whole")


if __name__ == "__main__":
    main()
