"""Seconds of the same scans one after another, as a fleet of this machine and on Ray nodes of it; and if they agree.

    python -m benchmarks.fleet_places [--suspects FOLDER] [--preset quick] [--nodes 3] [--cores 1] [--jobs 2]

Every node has a store of its own, so that all arrays travel. Without suspects, a small model is scanned with ten seeds,
and not one after another.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from aegis.records.record import ScanRecord
from aegis.store.store import Store
from benchmarks.machine import describe
from tests.finished import finish
from tests.fleet.cluster import Nodes

SEEDS = 10


def small(folder: Path) -> Path:
    """Write a list of a small model with several seeds."""
    made = finish(folder)
    row = {"checkpoint": str(made.suspects / "suspect.safetensors"), "data": str(made.images), "preset": "paper"}
    path = folder / "list.jsonl"
    path.write_text("".join(json.dumps(row | {"seed": seed}) + "\n" for seed in range(SEEDS)))
    return path


def timed(options: list[str], environment: Mapping[str, str]) -> float:
    """Give the seconds of a fleet, from the command to its end."""
    begun = time.perf_counter()
    aegis(["fleet", "scan", *options], environment)
    return time.perf_counter() - begun


def one_by_one(folder: Path, options: list[str], environment: Mapping[str, str]) -> float:
    """Give the seconds of ``aegis scan`` on each checkpoint of a folder in turn, each with all cores."""
    begun = time.perf_counter()
    for path in sorted(folder.glob("*.safetensors")):
        aegis(["scan", str(path), *options], environment)
    return time.perf_counter() - begun


def aegis(options: list[str], environment: Mapping[str, str]) -> None:
    """Run a command."""
    command = [sys.executable, "-P", "-m", "aegis", *options, "--quiet"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1, 3), done.stderr


def found(store: Path) -> list[str]:
    """Read all records of a store apart from their times."""
    scans = Store(store).scans(None)
    return sorted(record.model_copy(update={"created": "", "seconds": {}}).model_dump_json() for _, record in scans)


def verdicts(records: list[str]) -> list[str]:
    """Give file and verdict of each record."""
    read = map(ScanRecord.model_validate_json, records)
    return [f"{one.model.file}: {one.verdict} {list(one.flagged_classes)}" for one in read]


def main() -> None:
    """Scan in each way and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suspects", type=Path)
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    asked, _ = parser.parse_known_args()
    print(describe(), flush=True)
    folder = Path(tempfile.mkdtemp(prefix="places-"))
    nodes = Nodes(folder / "n")
    try:
        nodes.folder.mkdir()
        (folder / "m").mkdir()
        what = [str(asked.suspects or small(folder / "m")), "--preset", asked.preset]
        plain = {**os.environ, "OMP_NUM_THREADS": "1"}
        alone: list[str] = []
        if asked.suspects is not None:
            store = folder / "alone"
            took = one_by_one(asked.suspects, ["--preset", asked.preset], plain | {"AEGIS_STORE": str(store)})
            alone = found(store)
            print(f"  one after another: {took:.1f} s", flush=True)
        here = timed([*what, "--jobs", str(asked.jobs)], plain | {"AEGIS_STORE": str(folder / "here")})
        print(f"  {asked.jobs} processes: {here:.1f} s", flush=True)
        for i in range(asked.nodes):
            nodes.start(folder / f"store-{i}", asked.cores)
        away = timed([*what, "--address", nodes.address], nodes.environment | {"AEGIS_STORE": str(folder / "driver")})
        print(f"  {asked.nodes} Ray nodes of {asked.cores} core: {away:.1f} s")
        one, other = found(folder / "here"), found(folder / "driver")
        print(
            f"  {len(one)} and {len(other)} records, {sum(a == b for a, b in zip(one, other))} equal apart from times"
        )
        if alone:
            print(f"  {len(alone)} one after another, {sum(a == b for a, b in zip(one, alone))} equal to the fleet's")
        for line in verdicts(other):
            print(f"  {line}")
        if not verdicts(one) == verdicts(other) == (verdicts(alone) or verdicts(one)):
            print("  verdicts DIFFER", verdicts(one), verdicts(alone))
    finally:
        nodes.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
