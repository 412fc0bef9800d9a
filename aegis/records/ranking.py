"""Which class, and which of its candidates, is looked at first: from the record alone."""

from __future__ import annotations

from aegis.core.types import CandidateTrigger, Family, Finding
from aegis.records.config import VerdictConfig
from aegis.records.null_distribution import NullDistribution
from aegis.records.record import ClassRecord, ScanRecord, TriggerRecord


def ranked(record: ScanRecord) -> list[ClassRecord]:
    """The classes, those flagged first, then those that come closest to it."""

    def key(found: ClassRecord) -> tuple[float, ...]:
        likely = 1.0 if found.p_value is None else found.p_value
        most = max(found.translated_clusters_by_budget, default=0)
        return (found.flagged, -likely, best_score(found) or 0.0, found.clusters, most, -found.label)

    return sorted(record.classes, key=key, reverse=True)


def featured(record: ScanRecord) -> tuple[int, ...]:
    """Labels of the classes that a report has pages of: the flagged ones, else the strongest."""
    ordered = ranked(record)
    flagged = tuple(found.label for found in ordered if found.flagged)
    return flagged or tuple(found.label for found in ordered[:1])


def strongest_candidate(found: ClassRecord) -> int | None:
    """Position of the candidate trigger that speaks loudest against a class; None where none was tried."""
    if found.strongest is not None or not found.triggers:
        return found.strongest
    # Scans of the first version did not record it.
    return max(range(len(found.triggers)), key=lambda i: found.triggers[i].flip_rate)


def candidate_of(found: ClassRecord, finding: Finding | None) -> CandidateTrigger | None:
    """The strongest candidate with its stamp; None without one, or if the finding is gone."""
    position = strongest_candidate(found)
    if position is None or finding is None or position >= len(finding.evidence.triggers):
        return None
    return finding.evidence.triggers[position]


def best_score(found: ClassRecord, *families: Family) -> float | None:
    """The highest score of a class's candidates, of these families or of all, in [0, 1]; None without any."""
    return max((t.score_or_rate for t in found.triggers if not families or t.family in families), default=None)


def score_line(candidate: TriggerRecord, verdict: VerdictConfig) -> tuple[NullDistribution, float] | None:
    """What benign classes reach in a candidate's family, and the score that flags; None where there is no null."""
    null = next((null for null in verdict.nulls if null.family == candidate.family), None)
    if null is None:
        return None
    return null, max(verdict.min_score, null.threshold(verdict.alpha / len(verdict.nulls)))
