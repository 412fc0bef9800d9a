"""What came of one suspect of a fleet."""

from __future__ import annotations

from dataclasses import dataclass

from aegis.records.record import ScanRecord
from aegis.services.suspect_list import Listed

NOT_SCANNED = "not scanned"


@dataclass(frozen=True, eq=False)
class Scanned:
    """What came of one suspect.

    Args:
        suspect: as it was listed.
        record: of its scan; None if it could not be scanned.
        key: of the scan in the store.
        found: whether the scan was there already.
        seconds: that its work took, added up over all workers.
        message: why it could not be scanned.
        cancelled: whether somebody ended it.
        outcome: the verdict, or *not scanned*.
    """

    suspect: Listed
    record: ScanRecord | None = None
    key: str = ""
    found: bool = False
    seconds: float = 0.0
    message: str = ""
    cancelled: bool = False
    outcome: str = NOT_SCANNED

    @classmethod
    def of(cls, suspect: Listed, record: ScanRecord, key: str, found: bool, seconds: float) -> Scanned:
        """Tells of a scan that was finished; arguments as above."""
        return cls(suspect, record, key, found, seconds, outcome=record.verdict)
