"""Time, memory and breakdown of the default scan as a user runs it: a cold store, then the same command again.

    python -m benchmarks.scan [--repeats 5] [SCAN OPTIONS]

Options it does not know are passed on to ``aegis scan``, ``--precision fp32`` or ``--workers 1`` for example.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import describe

MODEL = Path("assets/models/fashion_mnist_localised.safetensors")


def run(store: Path, options: list[str]) -> tuple[float, dict[str, object]]:
    """Time one scan by the command line, as a whole process.

    Args:
        store: that it uses.
        options: of the command.

    Returns:
        Seconds on the clock, and the record as JSON gives it.
    """
    environment = os.environ | {"AEGIS_STORE": str(store)}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "result.json"
        command = [sys.executable, "-m", "aegis", "scan", str(MODEL), "--quiet", "--json", str(out), *options]
        start = time.perf_counter()
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        seconds = time.perf_counter() - start
        if done.returncode not in (0, 1, 3):
            sys.exit(f"the scan failed with exit code {done.returncode}")
        return seconds, json.loads(out.read_text())


def main() -> None:
    """Print wall time, peak memory and seconds by step of the first scan, and the median of repeated ones."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    options, passed = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        cold, record = run(Path(folder), passed)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        again = [run(Path(folder), passed)[0] for _ in range(options.repeats)]
    print(f"scan, {MODEL.stem} {' '.join(passed)}: {record['verdict']} {record['flagged_classes']}; {describe()}")
    print(f"  cold store     {cold:7.1f} s, at most {peak:.2f} GiB")
    for name, seconds in record["seconds"].items():
        print(f"    {name:<12} {seconds:7.1f} s{'' if name in ('assess', 'classes') else '  over all workers'}")
    print(f"  repeated       {statistics.median(again):7.2f} s (median of {len(again)})")


if __name__ == "__main__":
    main()
