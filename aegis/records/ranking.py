"""Which class, and which of its candidates, is looked at first: from the record alone."""

from __future__ import annotations

from aegis.core.types import Family, Finding, Transplant
from aegis.records.config import VerdictConfig
from aegis.records.null_distribution import Null
from aegis.records.record import ClassRecord, ScanRecord, TransplantRecord


def ranked(record: ScanRecord) -> list[ClassRecord]:
    """The classes, those accused first, then those that come closest to it."""

    def key(found: ClassRecord) -> tuple[float, ...]:
        likely = 1.0 if found.chance is None else found.chance
        most = max(found.translated_clusters_by_budget, default=0)
        return (found.suspicious, -likely, best_score(found) or 0.0, found.clusters, most, -found.label)

    return sorted(record.classes, key=key, reverse=True)


def featured(record: ScanRecord) -> tuple[int, ...]:
    """Labels of the classes that a report has pages of: the accused ones, else the strongest."""
    ordered = ranked(record)
    accused = tuple(found.label for found in ordered if found.suspicious)
    return accused or tuple(found.label for found in ordered[:1])


def strongest_candidate(found: ClassRecord) -> int | None:
    """Position of the candidate trigger that speaks loudest against a class; None where none was tried."""
    if found.strongest is not None or not found.transplants:
        return found.strongest
    # Scans of the first version did not record it.
    return max(range(len(found.transplants)), key=lambda i: found.transplants[i].flip_rate)


def candidate_of(found: ClassRecord, finding: Finding | None) -> Transplant | None:
    """The strongest candidate with its stamp; None without one, or if the finding is gone."""
    position = strongest_candidate(found)
    if position is None or finding is None or position >= len(finding.evidence.transplants):
        return None
    return finding.evidence.transplants[position]


def best_score(found: ClassRecord, *families: Family) -> float | None:
    """The highest score of a class's candidates, of these families or of all, in [0, 1]; None without any."""
    return max((t.score_or_rate for t in found.transplants if not families or t.family in families), default=None)


def score_line(candidate: TransplantRecord, verdict: VerdictConfig) -> tuple[Null, float] | None:
    """What honest classes reach in a candidate's family, and the score that accuses; None where there is no null."""
    null = next((null for null in verdict.nulls if null.family == candidate.family), None)
    if null is None:
        return None
    return null, max(verdict.least, null.score_of(verdict.false_positives / len(verdict.nulls)))
