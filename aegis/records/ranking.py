"""Ranks the classes of a scan, and the candidates of a class, from the record alone."""

from __future__ import annotations

from aegis.core.types import FAMILIES, CandidateTrigger, Family, Finding
from aegis.records.config import VerdictConfig
from aegis.records.null_distribution import from_logit
from aegis.records.record import ClassRecord, ScanRecord, TriggerRecord

# Candidates of each family that are listed.
LISTED = 2


def ranked(record: ScanRecord) -> list[ClassRecord]:
    """Sort classes by suspicion.

    Args:
        record: the scan.

    Returns:
        Flagged classes first, then those that came closest to it.
    """

    def key(found: ClassRecord) -> tuple[float, ...]:
        p_value = 1.0 if found.p_value is None else found.p_value
        most = max(found.translated_clusters_by_budget, default=0)
        return (found.flagged, -p_value, best_score(found) or 0.0, found.clusters, most, -found.label)

    return sorted(record.classes, key=key, reverse=True)


def featured(record: ScanRecord) -> tuple[int, ...]:
    """Choose the classes that a report has pages of.

    Args:
        record: the scan.

    Returns:
        Labels of the flagged classes, or of the strongest one if none is flagged.
    """
    ordered = ranked(record)
    flagged = tuple(found.label for found in ordered if found.flagged)
    return flagged or tuple(found.label for found in ordered[:1])


def strongest_candidate(found: ClassRecord) -> int | None:
    """Find the candidate trigger that the verdict about a class rests on.

    Args:
        found: the class.

    Returns:
        Its position in ``triggers``; None where none was tried.
    """
    if found.strongest is not None or not found.triggers:
        return found.strongest
    # Scans of the first version did not record it.
    return max(range(len(found.triggers)), key=lambda i: found.triggers[i].flip_rate)


def candidate_of(found: ClassRecord, finding: Finding | None) -> CandidateTrigger | None:
    """Find the strongest candidate of a class together with its stamp.

    Args:
        found: the class.
        finding: of the same class, with stamps; None if it is gone.

    Returns:
        The candidate; None if there is none or the finding is gone.
    """
    position = strongest_candidate(found)
    if position is None or finding is None or position >= len(finding.evidence.triggers):
        return None
    return finding.evidence.triggers[position]


def best_score(found: ClassRecord, *families: Family) -> float | None:
    """Find the highest score of a class's candidates.

    Args:
        found: the class.
        families: only candidates of these count; all if none is given.

    Returns:
        The score, in [0, 1]; None without candidates.
    """
    return max((t.score_or_rate for t in found.triggers if not families or t.family in families), default=None)


def score_line(label: int, candidate: TriggerRecord, verdict: VerdictConfig) -> tuple[tuple[float, ...], float] | None:
    """Finds what a candidate's score is compared with.

    Args:
        label: the class that it leads to.
        candidate: the candidate.
        verdict: thresholds, with references or null distributions.

    Returns:
        Scores in its place of benign models, and the score from which it flags, in [0, 1]; None if nothing is known of
        its family.
    """
    needed = verdict.threshold(candidate.family, label, candidate.source)
    if needed is None:
        return None
    known, family = verdict.compared_with, candidate.family
    if known.models:
        return tuple(known.scores(family, label, candidate.source)), needed
    expected, null = known.expected(family, label, candidate.source), known.null(family)
    return tuple(from_logit(expected + excess) for excess in null.maxima) if null else (), needed


def listed(found: ClassRecord) -> list[TriggerRecord]:
    """Chooses the candidates of a class that are listed: of each family the two with the highest scores.

    Args:
        found: the class.

    Returns:
        The candidates in their order, with the strongest among them.
    """
    strongest = strongest_candidate(found)
    chosen = {strongest}
    for family in FAMILIES:
        own = [i for i, one in enumerate(found.triggers) if one.family == family]
        chosen.update(sorted(own, key=lambda i: -found.triggers[i].score_or_rate)[:LISTED])
    return [one for i, one in enumerate(found.triggers) if i in chosen]
