"""Builds records from what a scan computed."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from aegis.core.runtime import Runtime
from aegis.core.source import STEPS_CODE, code_digest, revision
from aegis.core.types import Applicability, CandidateTrigger, Dataset, Finding
from aegis.core.version import processor, versions_with
from aegis.records.record import ClassRecord, DataRecord, ModelRecord, RuntimeRecord, SourceRecord, TriggerRecord

if TYPE_CHECKING:
    from aegis.models.load import Suspect


PACKAGES = ("torch", "torchvision", "numpy", "scikit-learn", "openTSNE", "umap-learn", "safetensors")


def class_record(finding: Finding, name: str, share: float) -> ClassRecord:
    """Record what was found in a class, before it is judged.

    Args:
        finding: of the class.
        name: of the class.
        share: of the source classes that must reach a trigger's score, above 0 and at most 1.

    Returns:
        The record, not flagged and without a reason.
    """
    counts = tuple(clusters.count for clusters in finding.clusters)
    return ClassRecord(
        label=finding.label,
        name=name,
        flagged=False,
        reason="",
        clusters=max(counts),
        budgets=finding.evidence.budgets,
        clusters_by_budget=counts,
        translated_clusters_by_budget=tuple(clusters.count for clusters in finding.translated_clusters),
        bandwidths=tuple(_short(clusters.bandwidth) for clusters in finding.clusters),
        translation_success=tuple(_short(float(s)) for s in finding.evidence.success),
        triggers=tuple(trigger_record(t, t.score(share)) for t in finding.evidence.triggers),
    )


def trigger_record(candidate: CandidateTrigger, score: float | None = None) -> TriggerRecord:
    """Record a candidate trigger.

    Args:
        candidate: the candidate.
        score: what the verdict's rule gave it, in [0, 1]; None if it gave none.

    Returns:
        The record, with shares rounded to four decimals.
    """
    touched, replaces = candidate.shown.touched, candidate.family != "perturbation"
    rows, columns = np.flatnonzero(touched.any(axis=1)), np.flatnonzero(touched.any(axis=0))
    box = (0, 0, 0, 0)
    if len(rows):
        box = (int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    return TriggerRecord(
        family=candidate.family,
        start=candidate.start,
        source=candidate.source,
        destinations=tuple(candidate.destinations.tolist()) if candidate.family == "all-to-all" else None,
        pixels=int(touched.sum()),
        box=box,
        l2_norm=_short(float(np.linalg.norm(candidate.shown.add))),
        flip_rate=_short(candidate.flip_rate),
        flip_rates=tuple(None if math.isnan(rate) else _short(float(rate)) for rate in candidate.flip_rates),
        images=int(candidate.counts.sum()),
        score=None if score is None else _short(score),
        smallest_rate=None if candidate.smallest_rate is None else _short(candidate.smallest_rate),
        where=tuple(np.flatnonzero(touched).tolist()) if replaces and candidate.smallest is not None else None,
    )


def model_record(file: str, suspect: Suspect, measured: Applicability) -> ModelRecord:
    """Record the suspect and what was measured of it.

    Args:
        file: name of the checkpoint, without its folder.
        suspect: the model.
        measured: its accuracy and robustness.

    Returns:
        The record.
    """
    return ModelRecord(
        sha256=suspect.sha256,
        digest=suspect.digest,
        file=file,
        architecture=suspect.identity.architecture,
        accuracy=_short(measured.accuracy),
        epsilons=measured.epsilons,
        robust_accuracies=tuple(_short(a) for a in measured.robust_accuracies),
        half_radius=_short(measured.half_radius),
        half_radii_excluding_target=tuple(map(_short, measured.half_radii_excluding_target)),
        universal_radii=tuple(map(_short, measured.universal_radii)),
        universal_areas=tuple(map(_short, measured.universal_areas)),
        mean=suspect.identity.mean,
        std=suspect.identity.std,
        entry=suspect.entry,
        others=suspect.others,
        left_out=suspect.left_out,
        code=suspect.code,
        reading=suspect.reading,
    )


def data_record(data: Dataset) -> DataRecord:
    """Record which images were used.

    Args:
        data: the images.

    Returns:
        The record.
    """
    return DataRecord(
        name=data.name,
        digest=data.digest,
        class_names=data.class_names,
        shape=data.shape,
        train=len(data.train),
        test=len(data.test),
    )


def runtime_record(runtime: Runtime, chosen: Runtime | None = None) -> RuntimeRecord:
    """Record device, precision and processor.

    Args:
        runtime: device and precision.
        chosen: those that were chosen first; None for the same.

    Returns:
        The record.
    """
    import torch

    name = torch.cuda.get_device_name() if runtime.device == "cuda" else processor()
    first = runtime if chosen is None else chosen
    instead_of = "" if first == runtime else f"{first.device}, {first.precision}"
    return RuntimeRecord(device=runtime.device, precision=runtime.precision, hardware=name, instead_of=instead_of)


def source_record() -> SourceRecord:
    """Record the commit and the digest of the source that runs.

    Returns:
        The record.
    """
    now = revision()
    return SourceRecord(revision=now.commit, changed=now.changed, code=code_digest(STEPS_CODE))


def versions() -> dict[str, str]:
    """List the versions of AEGIS, Python and the packages that numbers depend on.

    Returns:
        Versions by name.
    """
    return versions_with(PACKAGES)


def now() -> str:
    """Read the clock.

    Returns:
        The time in UTC, to the second, in ISO 8601.
    """
    return datetime.now(UTC).isoformat(timespec="seconds")


def _short(value: float) -> float:
    """Four decimals: more would be noise in a file that people read."""
    return round(value, 4)
