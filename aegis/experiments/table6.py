"""Table 6: which of the paper's fifteen robust models are detected, with which target, and which benign classes
flagged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aegis.experiments.table11 import PUBLISHED, TARGET
from aegis.records.record import ScanRecord

CLASSES = 10
# The largest number of clusters of a benign class (Section 4, step 4).
BENIGN = 2


@dataclass(frozen=True)
class Detection:
    """Counts outcomes over scans of one model.

    Args:
        scans: number of scans.
        infected: scans with the verdict *infected*.
        named: scans that flag the target.
        inconclusive: scans with the verdict *inconclusive*.
        flagged: number of benign classes flagged, added up over scans.
    """

    scans: int
    infected: int
    named: int
    inconclusive: int
    flagged: int

    def right(self, trigger: str) -> bool:
        """Tells whether every scan is right: it flags the target alone, or nothing if the model is clean.

        Args:
            trigger: the model's kind of trigger, or *clean*.
        """
        wanted = (0, 0) if trigger == "clean" else (self.scans, self.scans)
        return (self.infected, self.named) == wanted and not self.inconclusive and not self.flagged


def published(data: str, trigger: str) -> Detection:
    """Derives the paper's outcome from its rule and its numbers of clusters (Tables 11 and 12).

    Args:
        data: the data set.
        trigger: the kind of trigger, or *clean*.

    Returns:
        The outcome, as of one scan.
    """
    flagged = [label for label, count in enumerate(PUBLISHED[data, trigger]) if count > BENIGN]
    return _detection([(flagged, "infected" if flagged else "clean")], trigger)


def detection(scans: Sequence[ScanRecord], trigger: str) -> Detection:
    """Counts our outcomes.

    Args:
        scans: scans of one model.
        trigger: its kind of trigger, or *clean*.

    Returns:
        The counts.
    """
    return _detection([(scan.flagged_classes, scan.verdict) for scan in scans], trigger)


def _detection(said: Sequence[tuple[Sequence[int], str]], trigger: str) -> Detection:
    flagging = [set(labels) for labels, verdict in said if verdict == "infected"]
    targets = set() if trigger == "clean" else {TARGET}
    return Detection(
        scans=len(said),
        infected=len(flagging),
        named=sum(bool(targets & labels) for labels in flagging),
        inconclusive=sum(verdict == "inconclusive" for _, verdict in said),
        flagged=sum(len(labels - targets) for labels in flagging),
    )


@dataclass(frozen=True)
class Totals:
    """Rates over infected models, each in [0, 1].

    Args:
        found: share of scans with the verdict *infected*.
        named: share of scans that flag the target.
        flagged: share of benign classes flagged.
    """

    found: float
    named: float
    flagged: float


def totals(outcomes: Mapping[tuple[str, str], Detection], triggers: Sequence[str]) -> Totals | None:
    """Computes the rates over models with certain kinds of triggers; every scan counts.

    Args:
        outcomes: outcomes by data set and trigger.
        triggers: the kinds of triggers.

    Returns:
        The rates, or None without scans.
    """
    chosen = [found for (_, trigger), found in outcomes.items() if trigger in triggers]
    scans = sum(found.scans for found in chosen)
    if not scans:
        return None
    return Totals(
        found=sum(found.infected for found in chosen) / scans,
        named=sum(found.named for found in chosen) / scans,
        flagged=sum(found.flagged for found in chosen) / (scans * (CLASSES - 1)),
    )
