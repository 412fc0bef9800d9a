"""Which class, and which of its candidates, the report shows: from the record alone."""

from __future__ import annotations

import numpy as np

from aegis.detect.config import ScanConfig, VerdictConfig
from aegis.detect.record import ClassRecord, ScanRecord, TransplantRecord, config_of
from aegis.errors import StoreError
from aegis.types import Finding, Transplant


def settings(record: ScanRecord) -> ScanConfig | None:
    """The settings of a scan; None if they are of another version."""
    try:
        return config_of(record)
    except StoreError:
        return None


def featured(record: ScanRecord) -> tuple[int, ...]:
    """Labels of the classes that have pages of their own: the accused ones, else the strongest."""
    ordered = ranked(record)
    accused = tuple(found.label for found in ordered if found.suspicious)
    return accused or tuple(found.label for found in ordered[:1])


def ranked(record: ScanRecord) -> list[ClassRecord]:
    """The classes, those accused first, then those that come closest to it."""
    verdict = _verdict_settings(record)

    def key(found: ClassRecord) -> tuple[bool, float, float, int]:
        most = max(found.translated_clusters_by_budget, default=0)
        if verdict.rule == "paper":
            return found.suspicious, found.clusters, most, -found.label
        return found.suspicious, *_best(found, verdict)[:2], -found.label

    return sorted(record.classes, key=key, reverse=True)


def strongest_candidate(found: ClassRecord, record: ScanRecord) -> int | None:
    """Position of the candidate trigger that comes closest to accusing the class, or goes farthest beyond it."""
    return _best(found, _verdict_settings(record))[2] if found.transplants else None


def candidate_of(found: ClassRecord, record: ScanRecord, finding: Finding | None) -> Transplant | None:
    """The same candidate with its stamp; None without one, or if the finding is gone."""
    position = strongest_candidate(found, record)
    if position is None or finding is None or position >= len(finding.evidence.transplants):
        return None
    return finding.evidence.transplants[position]


def reached(candidate: TransplantRecord, share: float) -> float:
    """The flip rate that this share of the source classes reaches, in [0, 1]; 0 without any."""
    rates = [rate for rate in candidate.flip_rates if rate is not None]
    return float(np.quantile(rates, 1 - share)) if rates else 0.0


def describe(candidate: TransplantRecord) -> str:
    """A candidate trigger in words."""
    if candidate.family == "patch":
        return f"a patch of {candidate.pixels} {'pixel' if candidate.pixels == 1 else 'pixels'}"
    return f"a perturbation of L2 norm {candidate.l2_norm:.2f}"


def _verdict_settings(record: ScanRecord) -> VerdictConfig:
    config = settings(record)
    return VerdictConfig() if config is None else config.verdict


def _best(found: ClassRecord, verdict: VerdictConfig) -> tuple[float, float, int]:
    thresholds = {"patch": verdict.patch, "perturbation": verdict.perturbation}
    scored = [
        (reached(t, verdict.share) / max(thresholds[t.family], 1e-9), t.flip_rate, -i)
        for i, t in enumerate(found.transplants)
    ]
    ratio, rate, position = max(scored, default=(0.0, 0.0, 0))
    return ratio, rate, -position
