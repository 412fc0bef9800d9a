"""Run other detectors beside a scan, or find their results, for command line, dashboard and experiments alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

from aegis.baselines.catalogue import BASELINES
from aegis.baselines.rival import Rival
from aegis.core.errors import CheckpointError
from aegis.core.runtime import Report
from aegis.records.builders import data_record, now, source_record, versions
from aegis.records.detectors import AEGIS, ComparisonRecord, DetectorRecord, aegis_record, say_agreement
from aegis.records.record import ScanRecord
from aegis.services.scan import ScanRequest
from aegis.store.cached_detectors import Detection, DetectorKey, find_or_detect
from aegis.store.store import Store

if TYPE_CHECKING:
    from aegis.models.load import Suspect

# The names that can be asked for.
DETECTORS = (*BASELINES, AEGIS)


def compare_detectors(
    request: ScanRequest,
    names: Sequence[str],
    store: Store,
    scan: Callable[[ScanRequest], ScanRecord],
    progress: Callable[[str], AbstractContextManager[Report]],
    *,
    seed: int,
    resume_hint: str,
    fresh: bool = False,
) -> ComparisonRecord:
    """Runs detectors on one suspect; the results of those that ran on it before are found in the store.

    Args:
        request: the suspect, its images, and the scan.
        names: some of ``DETECTORS``.
        store: where results are looked up and kept.
        scan: runs the scan, or finds it.
        progress: shows the progress of the detector of this title while a block runs.
        seed: of every random draw.
        resume_hint: how to resume it if its process is killed, as a command or a sentence.
        fresh: compute the other detectors' results anew.

    Raises:
        AegisError: if model, images and settings do not fit together, or a detector cannot take them.
    """
    suspect, records = request.load(), dict[str, DetectorRecord]()
    rivals = [_rival(name, request, suspect, seed) for name in names if name in BASELINES]
    for rival in rivals:
        # Before minutes of work.
        rival.check()
    for rival in rivals:
        with progress(rival.baseline.title) as report:
            found = run_rival(
                rival, store, report, what=os.fspath(request.checkpoint), resume_hint=resume_hint, fresh=fresh
            )
        records[rival.name] = rival.record(found.result, found.seconds)
    if AEGIS in names:
        scanned = scan(request)
        if scanned.model.sha256 != suspect.sha256:
            raise CheckpointError(
                "the file that the other detectors saw", "another one, which took its place", "Give the command again."
            )
        records[AEGIS] = aegis_record(scanned)
    return _compared(request, suspect, tuple(records[name] for name in names), seed)


def _rival(name: str, request: ScanRequest, suspect: Suspect, seed: int) -> Rival:
    return Rival(
        name=name,
        suspect=suspect,
        images=request.images,
        seed=seed,
        device=request.device,
        precision=request.precision,
    )


def _compared(
    request: ScanRequest, suspect: Suspect, detectors: tuple[DetectorRecord, ...], seed: int
) -> ComparisonRecord:
    return ComparisonRecord(
        file=request.file,
        sha256=suspect.sha256,
        data=data_record(request.images),
        seed=seed,
        detectors=detectors,
        sentence=say_agreement(detectors, request.images.class_names),
        versions=versions(),
        created=now(),
        source=source_record(),
    )


def run_rival(
    rival: Rival, store: Store, report: Report, *, what: str, resume_hint: str, fresh: bool = False
) -> Detection:
    """Finds the result of a detector, or runs it.

    Args:
        rival: the detector with a model and images.
        store: where the result is looked up and kept.
        report: receives events; may raise ``Cancelled``.
        what: the file as named to people while it runs.
        resume_hint: how to resume it if its process is killed, as a command or a sentence.
        fresh: compute it anew.

    Raises:
        AegisError: if the detector cannot take the model or the images, or the store cannot be used.
    """
    key = DetectorKey.of(rival).digest()
    with store.working("comparison", what, key, resume_hint):
        return find_or_detect(store, key, partial(rival.detect, report), fresh=fresh)
