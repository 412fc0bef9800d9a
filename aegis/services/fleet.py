"""Scans many suspects side by side in processes; one that fails, or ends its process, stops no other."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from functools import lru_cache

from aegis.core import parsing
from aegis.core.failures import explain
from aegis.core.types import Dataset
from aegis.data import load_dataset
from aegis.fleet.local import run_in_processes
from aegis.models.release import weights_of
from aegis.records.presets import adjusted, preset
from aegis.records.record import ScanRecord
from aegis.services.image_source import source_of
from aegis.services.references import with_references
from aegis.services.scan import ScanRequest, find_or_run
from aegis.services.suspect_list import Listed
from aegis.store.store import Store

DEAD = "Its process ended twice, without a word; most likely the memory was too little. Scan it alone: aegis scan."


@dataclass(frozen=True, eq=False)
class Scanned:
    """What came of one suspect.

    Args:
        suspect: as it was listed.
        record: of its scan; None if it could not be scanned.
        key: of the scan in the store.
        found: whether the scan was there already.
        seconds: that it took.
        message: why it could not be scanned.
    """

    suspect: Listed
    record: ScanRecord | None = None
    key: str = ""
    found: bool = False
    seconds: float = 0.0
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class FleetScan:
    """The scan of one suspect, which can be sent to another process.

    Args:
        suspect: as it was listed.
        data: images of suspects that neither list nor card names; None for none.
        preset: of suspects for which the list names none.
        seed: the same.
        device, precision: as in ``choose_runtime``.
        references: as in ``with_references``.
        command: which resumes the scan if its process is killed.
    """

    suspect: Listed
    data: str | None = None
    preset: str = "default"
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    references: str = "auto"
    command: str = ""

    def __call__(self) -> Scanned:
        """Finds the scan in the store or runs it; a failure is a result as well."""
        started = time.perf_counter()
        try:
            request = self._request()
            outcome = find_or_run(
                request,
                Store(),
                lambda suspect, store: request.run(suspect, request.steps(suspect, store)),
                what=str(self.suspect.checkpoint),
                resume_hint=self.command,
            )
        except (Exception, SystemExit) as error:  # whatever a suspect sets off must not end the scans of others
            return Scanned(self.suspect, seconds=time.perf_counter() - started, message=explain(error)[0])
        took = time.perf_counter() - started
        return Scanned(self.suspect, outcome.record, outcome.key, outcome.found, took)

    def _request(self) -> ScanRequest:
        from aegis.models.load import load_checkpoint

        one, checkpoint = self.suspect, weights_of(self.suspect.checkpoint)
        images = _images(source_of(checkpoint, one.data or self.data), one.size, one.channels)
        seed = self.seed if one.seed is None else one.seed
        config = adjusted(preset(one.preset or self.preset, images.name, images.shape), seed=seed)
        return ScanRequest(
            file=checkpoint.name,
            checkpoint=checkpoint,
            load=lambda: load_checkpoint(
                checkpoint,
                architecture=one.architecture,
                shape=images.shape,
                class_names=images.class_names,
                mean=_numbers(one.mean),
                std=_numbers(one.std),
                entry=one.entry,
                images=images.test,
            ),
            images=images,
            config=with_references(config, images, self.references),
            architecture=one.architecture,
            mean=one.mean,
            std=one.std,
            entry=one.entry,
            device=self.device,
            precision=self.precision,
            workers=1,
        )


def scan_all(scans: Sequence[FleetScan], jobs: int) -> Iterator[tuple[int, Scanned]]:
    """Scans suspects side by side, the largest files first, so that no long one is left for the end.

    A process that dies takes others' work with it: what may have been its scan is repeated alone, the rest goes on.

    Args:
        scans: what to do.
        jobs: processes side by side, at least 1, each with one core.

    Returns:
        Position and result of every scan, as they end.
    """
    order = sorted(range(len(scans)), key=lambda i: _size(scans[i]), reverse=True)
    left = {i: scans[i] for i in order}
    while left:
        try:
            for i, scanned in run_in_processes(left, jobs, {}):
                del left[i]
                yield i, scanned
        except BrokenExecutor:
            # Calls are begun in their order, so that it was one of the first.
            for i in list(left)[:jobs]:
                yield i, _alone(left.pop(i))


def _alone(scan: FleetScan) -> Scanned:
    started = time.perf_counter()
    try:
        ((_, scanned),) = run_in_processes({0: scan}, 1, {})
    except BrokenExecutor:
        return Scanned(scan.suspect, seconds=time.perf_counter() - started, message=DEAD)
    return scanned


def _size(scan: FleetScan) -> int:
    try:
        return scan.suspect.checkpoint.stat().st_size
    except OSError:
        return 0


def _numbers(text: str | None) -> tuple[float, ...] | None:
    return None if text is None else parsing.numbers(text, "comma-separated numbers for mean and std", "0.5,0.25")


@lru_cache(maxsize=2)
def _images(source: str, size: int | None, channels: int | None) -> Dataset:
    return load_dataset(source, size=size, channels=channels)
