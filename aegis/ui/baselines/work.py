"""Other detectors on a scanned suspect: found in the store, or run in the background."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aegis.baselines.catalogue import BASELINES
from aegis.baselines.rival import Rival, detector_record
from aegis.core.errors import CheckpointError, DataError
from aegis.core.runtime import Event, Report
from aegis.core.types import Dataset
from aegis.records.detectors import DetectorRecord
from aegis.records.record import ScanRecord
from aegis.services.comparison import run_rival
from aegis.store.cached_detectors import Detection, DetectorKey, find_detection
from aegis.store.store import Store
from aegis.ui.scans import find_suspect
from aegis.ui.session import look_for_images, server_state
from aegis.ui.suspects import load_again

if TYPE_CHECKING:
    from aegis.models.load import Suspect

AGAIN = "Run the other detectors again on the Baselines page."


@dataclass
class Told:
    """How far the detectors are, written by their thread and read by the page.

    Args:
        scan: key of the scan.
        names: of the detectors that run.
        running: title of the present one.
        done: how many are done.
        share: how far the present one is, in [0, 1].
    """

    scan: str
    names: tuple[str, ...]
    running: str = ""
    done: int = 0
    share: float = field(default=0.0)

    def __call__(self, event: Event) -> None:
        self.share = event.step / max(event.total, 1)

    @property
    def whole(self) -> float:
        """How far all of them are, in [0, 1]."""
        return min(1.0, (self.done + self.share) / max(len(self.names), 1))


def key_of(record: ScanRecord, name: str) -> DetectorKey:
    """Describes a detector on the model and images of a scan, with its seed, device and precision."""
    ran = record.runtime
    return DetectorKey(
        name=name,
        suspect=record.model.digest,
        images_name=record.data.name,
        images=record.data.digest,
        device=ran.device,
        precision=BASELINES[name].precision or ran.precision,
        seed=_seed(record),
    )


def find_all(record: ScanRecord) -> dict[str, Detection]:
    """Reads what is in the store of the detectors' results, by name.

    Raises:
        StoreError: if the store cannot be used.
    """
    store = Store()
    found = {name: find_detection(store, key_of(record, name).digest()) for name in BASELINES}
    return {name: detection for name, detection in found.items() if detection is not None}


def records_of(record: ScanRecord, found: Mapping[str, Detection]) -> list[DetectorRecord]:
    """Converts results to records.

    Args:
        record: the scan, on whose machine they were computed.
        found: results by name.
    """
    return [
        detector_record(
            name,
            one.result,
            one.seconds,
            record.runtime.model_copy(update={"precision": BASELINES[name].precision or record.runtime.precision}),
        )
        for name, one in found.items()
    ]


def run_missing(key: str, record: ScanRecord, told: Told, report: Report) -> None:
    """Runs detectors and keeps their results.

    Args:
        key: of the scan.
        record: the scan.
        told: names the detectors, and is told of their progress.
        report: may raise ``Cancelled``.

    Raises:
        AegisError: if model or images are not at hand, or a detector cannot take them.
    """
    suspect, images = _suspect(key, record), _images(key, record)
    store, ran = Store(), record.runtime
    for name in told.names:
        told.running, told.share = BASELINES[name].title, 0.0
        rival = Rival(
            name=name,
            suspect=suspect,
            images=images,
            seed=_seed(record),
            device=ran.device,
            precision=ran.precision,
        )
        rival.check()
        run_rival(rival, store, report, what=record.model.file, resume_hint=AGAIN)
        told.done, told.share = told.done + 1, 0.0


def _suspect(key: str, record: ScanRecord) -> Suspect:
    uploads = server_state().upload_cache.uploads.get(key)
    if uploads is not None and uploads.suspect is not None:
        return uploads.suspect
    path = find_suspect(record.model.sha256)
    found = None if path is None else load_again(path, record)
    if found is None:
        raise CheckpointError(
            "the suspect of this scan", "no file with its SHA-256", "Put the file into the folder of suspects again."
        )
    return found


def _images(key: str, record: ScanRecord) -> Dataset:
    images, why = look_for_images(key, record)
    if images is None:
        raise DataError("the images of this scan", why or "none", "Scan again with images that stay at hand.")
    return images


def _seed(record: ScanRecord) -> int:
    seed = (record.config.get("gather") or {}).get("seed", 0)
    return int(seed) if isinstance(seed, int | float) and math.isfinite(seed) else 0
