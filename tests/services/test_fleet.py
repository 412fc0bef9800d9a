"""Scans of many suspects, of which one ends its process."""

import os
from dataclasses import dataclass
from pathlib import Path

from aegis.services.fleet import DEAD, FleetScan, Scanned, scan_all
from aegis.services.suspect_list import Listed
from tests.suspects import write_infected


@dataclass(frozen=True, kw_only=True)
class Stub(FleetScan):
    """Scans nothing; the one called *deadly* ends its process."""

    def __call__(self):
        if self.suspect.checkpoint.name == "deadly":
            os._exit(1)
        return Scanned(self.suspect, key=self.suspect.checkpoint.name)


def stub(folder: Path, name: str, size: int) -> Stub:
    path = folder / name
    path.write_bytes(bytes(size))
    return Stub(suspect=Listed(checkpoint=path))


def test_one_that_ends_its_process_twice_is_told_and_the_others_go_on(tmp_path):
    scans = [stub(tmp_path, "small", 1), stub(tmp_path, "deadly", 3), stub(tmp_path, "large", 4)]
    # The largest first.
    ended = [(i, scanned.suspect, scanned.key, scanned.message) for i, scanned in scan_all(scans, 1)]
    assert ended == [
        (2, scans[2].suspect, "large", ""),
        (1, scans[1].suspect, "", DEAD),
        (0, scans[0].suspect, "small", ""),
    ]


def test_whatever_a_suspect_sets_off_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))
    scan = FleetScan(suspect=Listed(checkpoint=tmp_path / "none.pt", data="samples:mnist"))
    assert "none.pt" in scan().message
    (tmp_path / "empty").mkdir()
    empty = FleetScan(suspect=Listed(checkpoint=tmp_path / "empty"), data="samples:mnist")
    assert "a folder with model.safetensors" in empty().message
    monkeypatch.setattr("aegis.services.fleet.find_or_run", int)
    suspect = Listed(checkpoint=write_infected(tmp_path))
    assert "A defect in AEGIS" in FleetScan(suspect=suspect, data="samples:mnist")().message
