"""Processor time of the default scan by two versions of AEGIS, in turn on one machine: ratio, memory, verdicts.

    python -m benchmarks.paired OLD [--new COMMIT] [--suspects NAMES] [--runs 3] [SCAN OPTIONS]

OLD and COMMIT are names of commits; without ``--new``, the files as they lie here are the new version. Each run begins
with an empty store in a process of its own; which version comes first changes with every run. Options it does not know
are passed on to ``aegis scan``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import describe

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "assets/models"
SUSPECTS = ("mnist_localised", "fashion_mnist_localised", "cifar10_localised")
# Run in a process of its own, so that its children are the scan alone.
MEASURE = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, used.ru_utime + used.ru_stime, time.perf_counter() - start, used.ru_maxrss / 2**20]))
"""


@dataclass(frozen=True)
class Run:
    """One scan.

    Args:
        processor, clock: seconds.
        gib: memory at most.
        verdict: with the flagged classes.
    """

    processor: float
    clock: float
    gib: float
    verdict: str


def scan(root: Path, suspect: str, options: Sequence[str]) -> Run:
    """Scan a bundled suspect by the version in a folder.

    Args:
        root: folder of the version.
        suspect: name of a bundled suspect.
        options: of ``aegis scan``.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "result.json"
        command = [sys.executable, "-P", "-m", "aegis", "scan", str(MODELS / f"{suspect}.safetensors"), "--quiet"]
        command += ["--json", str(out), *options]
        environment = os.environ | {"AEGIS_STORE": f"{folder}/store", "PYTHONPATH": str(root)}
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, *command],
            env=environment,
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
        code, processor, clock, gib = json.loads(done.stdout)
        if code not in (0, 1, 3):
            sys.exit(f"the scan of {suspect} failed with exit code {code}: {done.stderr[-400:]}")
        record = json.loads(out.read_text())
        flagged = ", ".join(map(str, record["flagged_classes"])) or "none"
        return Run(processor, clock, gib, f"{record['verdict']} ({flagged})")


@contextmanager
def version(commit: str | None) -> Iterator[Path]:
    """Check out a commit in a folder of its own; None stands for the files as they lie here."""
    if commit is None:
        yield ROOT
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "version"
        subprocess.run(["git", "worktree", "add", "--detach", "--quiet", str(place), commit], cwd=ROOT, check=True)
        try:
            yield place
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(place)], cwd=ROOT, check=True)


def compare(old: Path, new: Path, suspect: str, runs: int, options: Sequence[str]) -> None:
    """Scan one suspect by both versions in turn, and print what came of it."""
    pairs: list[tuple[Run, Run]] = []
    for number in range(runs):
        order = (old, new) if number % 2 == 0 else (new, old)
        first, second = (scan(root, suspect, options) for root in order)
        pairs.append((first, second) if number % 2 == 0 else (second, first))
    ratios = [before.processor / after.processor for before, after in pairs]
    clocks = [before.clock / after.clock for before, after in pairs]
    print(
        f"  {suspect:<24} old/new: processor {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
        f"clock {statistics.median(clocks):.2f}; n = {runs}",
        sep=", ",
        flush=True,
    )
    for name, ran in (("old", [pair[0] for pair in pairs]), ("new", [pair[1] for pair in pairs])):
        median = statistics.median(one.processor for one in ran)
        clock, gib = statistics.median(one.clock for one in ran), max(one.gib for one in ran)
        verdicts = " / ".join(dict.fromkeys(one.verdict for one in ran))
        print(f"    {name}  {median:6.1f} s of the processor, {clock:6.1f} s, {gib:.2f} GiB, {verdicts}", flush=True)


def main() -> None:
    """Print the ratio of processor times for each suspect, with medians, memory and verdicts of both versions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old")
    parser.add_argument("--new")
    parser.add_argument("--suspects", default=",".join(SUSPECTS))
    parser.add_argument("--runs", type=int, default=3)
    options, passed = parser.parse_known_args()
    print(f"{options.old} against {options.new or 'these files'}, {' '.join(passed) or 'default scan'}; {describe()}")
    with version(options.old) as old, version(options.new) as new:
        for suspect in options.suspects.split(","):
            compare(old, new, suspect, options.runs, passed)


if __name__ == "__main__":
    main()
