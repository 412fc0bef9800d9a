"""What a fleet loses when nodes and drivers are killed at random moments: nothing, and nothing is done twice.

    python -m benchmarks.fleet_kills [--suspects 30] [--nodes 20] [--drivers 5] [--seed 0]

Three Ray nodes on this machine, each with a store of its own, scan a small model with several seeds. Of the two that
are not the head, one after another is killed with all its processes and replaced; so is the driver, which is started
again.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from aegis.store.store import Store
from benchmarks.machine import describe
from tests.finished import finish
from tests.fleet.cluster import Nodes

# Seconds between two kills.
PAUSE = (2.0, 9.0)
# The command line, with a line in a file for each piece of work that the driver accepts.
DRIVER = """
import sys
from aegis.cli import main
from aegis.services.fleet.journal import Journal
keep = Journal.keep_pieces
def noted(self, scan, pieces):
    pieces = list(pieces)
    keep(self, scan, pieces)
    with open({ledger!r}, "a") as file:
        file.writelines(f"{{scan}} {{label}}\\n" for label, _ in pieces)
Journal.keep_pieces = noted
main()
"""


@dataclass
class Fleet:
    """A fleet whose nodes and driver are killed.

    Args:
        folder: for everything.
        nodes: the cluster.
        suspects: the list of them.
        choose: random moments.
    """

    folder: Path
    nodes: Nodes
    suspects: Path
    choose: random.Random
    killed_nodes: int = 0
    killed_drivers: int = 0

    def start(self) -> subprocess.Popen[str]:
        """Start a driver."""
        ledger = str(self.folder / "ledger")
        options = ("--preset", "paper", "--precision", "fp32", "--json", str(self.folder / "out.jsonl"), "--quiet")
        command = [sys.executable, "-P", "-c", DRIVER.format(ledger=ledger), "fleet", "scan", str(self.suspects)]
        return subprocess.Popen(
            [*command, "--address", self.nodes.address, *options],
            env=self.nodes.environment | {"AEGIS_STORE": str(self.folder / "store")},
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, node_kills: int, driver_kills: int) -> tuple[int, str]:
        """Scan until all is done, with kills on the way; give the exit code and what was said."""
        driver = self.start()
        kills = ["node"] * node_kills + ["driver"] * driver_kills
        self.choose.shuffle(kills)
        while driver.poll() is None:
            try:
                driver.wait(self.choose.uniform(*PAUSE))
                break
            except subprocess.TimeoutExpired:
                pass
            if kills:
                driver = self._kill(kills.pop(), driver)
        assert driver.stderr is not None
        return driver.returncode, driver.stderr.read()

    def _kill(self, what: str, driver: subprocess.Popen[str]) -> subprocess.Popen[str]:
        if what == "node":
            self.killed_nodes += 1
            self.nodes.kill(self.choose.choice(self.nodes.running[1:]))
            # Another node in its place, with the disk that it left.
            self.nodes.start(self.folder / f"store-{self.killed_nodes % 2}")
            return driver
        self.killed_drivers += 1
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()
        return self.start()


def main() -> None:
    """Kill and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suspects", type=int, default=30)
    parser.add_argument("--nodes", type=int, default=20)
    parser.add_argument("--drivers", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    asked, _ = parser.parse_known_args()
    print(describe())
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    nodes = Nodes(folder / "n")
    try:
        nodes.folder.mkdir()
        (folder / "m").mkdir()
        small = finish(folder / "m")
        suspects = folder / "list.jsonl"
        row = {"checkpoint": str(small.suspects / "suspect.safetensors"), "data": str(small.images)}
        suspects.write_text("".join(json.dumps(row | {"seed": seed}) + "\n" for seed in range(asked.suspects)))
        for name in ("head", 0, 1):
            nodes.start(folder / f"store-{name}")
        fleet, begun = Fleet(folder, nodes, suspects, random.Random(asked.seed)), time.monotonic()
        code, said = fleet.run(asked.nodes, asked.drivers)
        report(fleet, code, said, time.monotonic() - begun, asked.suspects)
    finally:
        nodes.close()
        shutil.rmtree(folder, ignore_errors=True)


def report(fleet: Fleet, code: int, said: str, seconds: float, suspects: int) -> None:
    """Print what was lost and what was done twice."""
    store = Store(fleet.folder / "store")
    scans = store.scans(None)
    lines = [json.loads(line) for line in (fleet.folder / "out.jsonl").read_text().splitlines()]
    done = Counter((fleet.folder / "ledger").read_text().splitlines())
    whole = sum(store.is_whole(key) for key, _ in scans)
    said_so = sum("verdict" in line for line in lines)
    print(f"  {fleet.killed_nodes} nodes and {fleet.killed_drivers} drivers killed", end=" ")
    print(f"in {seconds:.0f} s; exit code {code}")
    print(
        f"  {suspects} suspects: {len(lines)} lines, {said_so} with a verdict, {len(scans)} scans in the store,",
        end=" ",
    )
    print(f"{whole} of them whole; lost {suspects - len(scans)}")
    print(f"  {sum(done.values())} pieces done, {sum(count > 1 for count in done.values())} of them twice")
    if said.strip():
        print(said)


if __name__ == "__main__":
    main()
