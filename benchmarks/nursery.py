"""Forks victims from a process that has imported the libraries, which takes seconds.

    python -m benchmarks.nursery

Reads an order as JSON from each line, makes a victim of it, waits for its end, and writes its exit code. Whatever is
said goes to a file, and the victim is as much a process of its own as one that was started.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.victim import main as die

# Modules that the killed work imports; torch's optimisers need the last one, which is slow to import.
LIBRARIES = ("aegis.cli", "aegis.detect.scan", "aegis.lab.suspect", "aegis.report.pdf", "openTSNE", "torch._dynamo")
# One thread is quicker for small work and gives the same results.
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
ROOT = Path(__file__).resolve().parents[1]


class Nursery:
    """Runs victims, until the block that it is used in ends."""

    def __enter__(self) -> Nursery:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.nursery"],
            cwd=ROOT,
            env=os.environ | ONE_THREAD,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(self, arguments: list[str], folder: Path, store: Path, out: Path) -> int:
        """Run a victim in a fork.

        Args:
            arguments: of ``benchmarks.victim``.
            folder: where it runs.
            store: that it uses.
            out: file for its output.

        Returns:
            The exit code, negative for a signal.
        """
        order = {"arguments": arguments, "folder": str(folder), "store": str(store), "out": str(out)}
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())


def main() -> None:
    """Fork victims until the input ends."""
    for name in LIBRARIES:
        import_module(name)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(order)
            return die()
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _become(order: dict[str, Any]) -> None:
    out = os.open(order["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for mine, given in ((0, os.open(os.devnull, os.O_RDONLY)), (1, out), (2, out)):
        os.dup2(given, mine)
    os.chdir(order["folder"])
    os.environ["AEGIS_STORE"] = order["store"]
    sys.argv = ["benchmarks.victim", *order["arguments"]]


if __name__ == "__main__":
    main()
