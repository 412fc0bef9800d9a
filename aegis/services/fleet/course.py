"""One suspect of a fleet under way: what is known of it so far, and its record once that is all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aegis.detect.verdict import ClassResult, conclude_classes
from aegis.records.builders import now
from aegis.records.record import ClassRecord, ScanRecord, config_of
from aegis.services.fleet.request import FleetScan
from aegis.store.audit import arrays_in
from aegis.store.packing import unpack_applicability
from aegis.store.store import Store

# The label under which a measurement is kept.
MEASURED = -1


@dataclass(eq=False)
class Course:
    """What is known of a suspect.

    Args:
        number: its place in the fleet.
        scan: what is done.
        began: in seconds of ``time.perf_counter``.
        store: where its arrays are kept, which it claims until its scan is saved.
        measured: the answer of ``measure``, or empty.
        classes: what ``examine`` said of each class, by label.
        seconds: of each step, added up.
        took: seconds of all its pieces.
        measuring: seconds of its measurement here; 0 where that was found.
    """

    number: int
    scan: FleetScan
    began: float
    store: Store
    measured: dict[str, Any] = field(default_factory=dict)
    classes: dict[int, dict[str, Any]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    took: float = 0.0
    measuring: float = 0.0

    @property
    def key(self) -> str:
        """The key of the scan in the store, once it was measured."""
        return str(self.measured["key"])

    def missing(self) -> list[int]:
        """Lists the classes that were not examined yet."""
        return [label for label in self.measured["labels"] if label not in self.classes]

    def measurement(self) -> bytes:
        """Reads the arrays of the measurement as they are stored."""
        return self.store.content(self.measured["measured"])

    def keep(self, files: dict[str, bytes], arrays: Iterable[str]) -> None:
        """Keeps arrays that came along, and protects those that are there already.

        Args:
            files: contents by key.
            arrays: keys of all that were used.
        """
        for key, content in files.items():
            self.store.put(key, content)
        # Those that are written are protected by that.
        self.store.claim_all(key for key in arrays if key not in files)

    def add_seconds(self, seconds: dict[str, float]) -> None:
        """Adds up the seconds of steps."""
        for name, spent in seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + spent

    def record(self) -> ScanRecord:
        """Judges all classes beside each other, as a scan in one go does.

        Raises:
            StoreError: if the measurement is no longer in the store.
        """
        whole = ScanRecord.model_validate_json(self.measured["record"])
        labels = self.measured["labels"]
        if not labels:
            return whole
        arrays = arrays_in(self.measurement())
        assert arrays is not None
        records = [ClassRecord.model_validate(self.classes[label]["record"]) for label in labels]
        end = conclude_classes(
            unpack_applicability(arrays),
            [ClassResult(None, record) for record in records],
            whole.data.class_names,
            config_of(whole).verdict,
        )
        judged = tuple(one.record for one in end.classes)
        return whole.model_copy(
            update={
                "verdict": end.verdict,
                "sentence": end.sentence,
                "classes": judged,
                "flagged_classes": tuple(one.label for one in judged if one.flagged),
                "seconds": whole.seconds | {name: round(spent, 2) for name, spent in self.seconds.items()},
                "created": now(),
            }
        )
