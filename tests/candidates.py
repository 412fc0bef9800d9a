"""Candidate triggers made up from what they are to do, and benign models that reach next to nothing."""

from collections.abc import Sequence

import numpy as np

from aegis.core.types import FAMILIES, CandidateTrigger, Family, Stamp
from aegis.records.null_distribution import of_scores
from aegis.records.record import ScanRecord

# Scores of benign classes so low that whatever a verdict asks for at least, alone decides.
NULLS = tuple(of_scores(family, (0.01, 0.02) * 5) for family in FAMILIES)


def candidate(
    family: Family,
    label: int,
    rates: Sequence[float] | np.ndarray,
    stamp: Stamp,
    *,
    images: int = 200,
    source: int | None = None,
    smallest: Stamp | None = None,
    smallest_rate: float | None = None,
    start: str = "budget 1, change cluster 1",
) -> CandidateTrigger:
    """A candidate that flips these shares of the images of each class, alike in both folds.

    Args:
        family, label, stamp, source, smallest, smallest_rate, start: as of the candidate.
        rates: one for each class, NaN where none was tried; those that the family is not for do not count. What
            leads every class away leads each to the next one.
        images: of each class; two hundred make folds of a hundred, where every percent comes out even.
    """
    classes = np.arange(len(rates))
    meant = ~np.isnan(rates)
    if source is not None:
        meant &= classes == source
    elif family != "all-to-all":
        meant &= classes != label
    called = np.zeros((2, len(rates), len(rates)), np.int64)
    for k in classes[meant]:
        flipped = round(float(rates[k]) * images)
        for fold, many in zip(called, (flipped - flipped // 2, flipped // 2), strict=True):
            fold[k, k] = images // 2 - many
            fold[k, (k + 1) % len(rates) if family == "all-to-all" else label] = many
    return CandidateTrigger(family, label, stamp, called, start, source, smallest, smallest_rate)


def as_first_version(record: ScanRecord) -> ScanRecord:
    """The record of a scan as the first version kept it, which knew neither scores nor chances."""
    classes = tuple(
        found.model_copy(
            update={
                "p_value": None,
                "strongest": None,
                "triggers": tuple(one.model_copy(update={"score": None}) for one in found.triggers),
            }
        )
        for found in record.classes
    )
    return record.model_copy(update={"classes": classes})
