"""How well a fleet keeps many workers busy: its real driver, with recorded times of scans replayed as short sleeps.

    python -m benchmarks.fleet [--suspects 10000] [--workers 64] [--scale 400] [--records FOLDER]

Driver, queue, store and notes are the real ones. Only the workers are replaced: each answers what a recorded scan
found, after so many seconds as it took there, divided by the scale. Files of checkpoints are neither read nor hashed.
"""

import argparse
import heapq
import json
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from aegis.core.types import Applicability
from aegis.fleet.executor import Ended, Share, Slot
from aegis.fleet.messages import pack, unpack
from aegis.records.presets import preset
from aegis.records.record import ScanRecord, config_record, read_record
from aegis.services.fleet.drive import Drive
from aegis.services.fleet.journal import Journal
from aegis.services.fleet.request import FleetScan
from aegis.services.fleet.scanned import Scanned
from aegis.services.suspect_list import Listed
from aegis.store.packing import pack_applicability
from aegis.store.store import Store, encoded
from benchmarks.machine import describe

RECORDS = Path("results/scans/quick/default")
CLASSES = 10
# Characters of a key after which its class follows.
KEY = 60


@dataclass(frozen=True)
class Recorded:
    """What workers answer of one recorded scan.

    Args:
        measure: packed without its key and time.
        classes: record of each class.
        seconds: of the measurement and of a class.
    """

    measure: str
    classes: list[dict[str, object]]
    seconds: tuple[float, float]


def read(folder: Path) -> list[Recorded]:
    """Read all recorded scans of ten classes."""
    records = [read_record(path) for path in sorted(folder.glob("*.json.gz"))]
    return [_recorded(record) for record in records if len(record.classes) == CLASSES]


def _recorded(record: ScanRecord) -> Recorded:
    # Settings of earlier versions cannot be read; those of today judge the recorded numbers as well.
    config = config_record(preset("quick", None, record.data.shape))
    bare = record.model_copy(update={"classes": (), "verdict": "inconclusive", "flagged_classes": (), "config": config})
    spent = record.seconds
    each = sum(spent.get(name, 0.0) for name in ("gather", "embed", "judge")) / CLASSES
    classes = [one.model_dump(mode="json") for one in record.classes]
    return Recorded(bare.model_dump_json(), classes, (spent["assess"], each))


class Sleepers:
    """Workers that sleep instead.

    Args:
        recorded: what they answer, by the number in a suspect's name.
        count: of them.
        scale: by which recorded times are divided.
    """

    shares_disk = True

    def __init__(self, recorded: list[Recorded], count: int, scale: float) -> None:
        self._recorded, self._scale = recorded, scale
        self._free = [Slot(i) for i in range(count)]
        self._sleeping: list[tuple[float, int, Slot, bytes]] = []
        self.pieces, self.asleep = 0, 0.0

    def free(self) -> list[Slot]:
        """List the idle ones."""
        return [*self._free]

    def submit(self, slot: Slot, number: int, message: bytes, share: Share) -> None:
        """Let one sleep."""
        self._free.remove(slot)
        took, answer = self._answer(unpack(message)[0])
        self.pieces, self.asleep = self.pieces + 1, self.asleep + took / self._scale
        heapq.heappush(self._sleeping, (time.perf_counter() + took / self._scale, number, slot, answer))

    def wait(self, seconds: float) -> list[Ended]:
        """Wait until one wakes up."""
        if self._sleeping:
            time.sleep(max(0.0, min(seconds, self._sleeping[0][0] - time.perf_counter())))
        ended = []
        while self._sleeping and self._sleeping[0][0] <= time.perf_counter():
            _, number, slot, answer = heapq.heappop(self._sleeping)
            self._free.append(slot)
            ended.append(Ended(number, slot, "answered", answer))
        return ended

    def close(self) -> None:
        """Do nothing."""

    def _answer(self, said: dict[str, object]) -> tuple[float, bytes]:
        scan = str(said["scan"])
        name = Path(json.loads(scan)["suspect"]["checkpoint"]).stem
        one, key = self._recorded[int(name) % len(self._recorded)], sha256(scan.encode()).hexdigest()
        if said["do"] == "measure":
            found = {"key": key, "labels": list(range(CLASSES)), "record": one.measure, "measured": f"{key[:KEY]}aaaa"}
            found |= {"arrays": [found["measured"]], "device": "cpu", "precision": "fp32", "digest": key}
            took = one.seconds[0]
            return took, pack(found | {"took": took}, {str(found["measured"]): MEASURED})
        labels = said["labels"]
        assert isinstance(labels, list)
        arrays = {label: [f"{key[:KEY]}{label:04x}", f"{key[:KEY]}{label + 256:04x}"] for label in labels}
        classes = [{"label": label, "record": one.classes[label], "arrays": arrays[label]} for label in labels]
        took = one.seconds[1] * len(labels)
        return took, pack({"classes": classes, "seconds": {"gather": took}, "took": took})


MEASURED = encoded(pack_applicability(Applicability(0.9, (0.5, 1.0), (0.8, 0.6), None, (1.0,) * 10, (0.1,) * 10)))


@contextmanager
def suspects(recorded: list[Recorded], count: int) -> Iterator[list[FleetScan]]:
    """Give as many suspects, whose empty files are as large as their scans took long."""
    with tempfile.TemporaryDirectory() as folder:
        scans = []
        for i in range(count):
            path = Path(folder) / f"{i}.pt"
            with path.open("wb") as file:
                file.truncate(int(1000 * recorded[i % len(recorded)].seconds[1]))
            # A named architecture leaves the key to the workers.
            scans.append(FleetScan(suspect=Listed(checkpoint=path, architecture="recorded")))
        yield scans


def main() -> None:
    """Drive a fleet of sleepers and print how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suspects", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--scale", type=float, default=400.0)
    parser.add_argument("--records", type=Path, default=RECORDS)
    asked, _ = parser.parse_known_args()
    print(describe())
    recorded = read(asked.records)
    sleepers, ends = Sleepers(recorded, asked.workers, asked.scale), []
    before = resource.getrusage(resource.RUSAGE_SELF)
    with tempfile.TemporaryDirectory() as folder, suspects(recorded, asked.suspects) as scans:
        journal = Journal(Store(Path(folder)).folder)

        def told(number: int, scanned: Scanned) -> None:
            assert scanned.record is not None, scanned.message
            ends.append(time.perf_counter())

        begun = time.perf_counter()
        with _store(folder):
            Drive(scans, sleepers, journal, told).run("recorded", f"{asked.workers} sleepers")
    spent, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
    worked = np.subtract([after.ru_utime, after.ru_stime], [before.ru_utime, before.ru_stime]).sum()
    print(
        f"  {len(ends)} suspects, {sleepers.pieces} pieces, {asked.workers} workers, times divided by {asked.scale:g}"
    )
    print(f"  {spent:.1f} s; utilisation {sleepers.asleep / (asked.workers * spent):.1%}")
    print(f"  {sleepers.pieces / spent:.0f} pieces a second; first result after {ends[0] - begun:.2f} s")
    print(f"  driver: {worked:.1f} s on a processor, {1000 * worked / sleepers.pieces:.2f} ms a piece; ", end="")
    print(f"{after.ru_maxrss / 1024:.0f} MiB at most, {before.ru_maxrss / 1024:.0f} MiB before")


@contextmanager
def _store(folder: str) -> Iterator[None]:
    known = os.environ.get("AEGIS_STORE")
    os.environ["AEGIS_STORE"] = folder
    try:
        yield
    finally:
        if known is None:
            del os.environ["AEGIS_STORE"]
        else:
            os.environ["AEGIS_STORE"] = known


if __name__ == "__main__":
    main()
