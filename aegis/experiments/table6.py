"""Table 6: which of the paper's fifteen robust models are found, which target is named, which benign class flagged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aegis.experiments.table11 import PUBLISHED, TARGET
from aegis.records.record import ScanRecord

CLASSES = 10
# Section 4, step 4: a benign class shows at most so many clusters.
BENIGN = 2


@dataclass(frozen=True)
class Detection:
    """What some scans of one model said.

    Args:
        scans: how many.
        infected: of these, those that say *infected*.
        named: those that flag the target.
        inconclusive: those that say *inconclusive*.
        flagged: benign classes flagged, added up over the scans.
    """

    scans: int
    infected: int
    named: int
    inconclusive: int
    flagged: int

    def right(self, trigger: str) -> bool:
        """Whether every scan said what is true: infected with the target alone, or clean."""
        wanted = (0, 0) if trigger == "clean" else (self.scans, self.scans)
        return (self.infected, self.named) == wanted and not self.inconclusive and not self.flagged


def published(data: str, trigger: str) -> Detection:
    """The paper's outcome, by its rule and its cluster counts (Tables 11 and 12)."""
    flagged = [label for label, count in enumerate(PUBLISHED[data, trigger]) if count > BENIGN]
    return _detection([(flagged, "infected" if flagged else "clean")], trigger)


def detection(scans: Sequence[ScanRecord], trigger: str) -> Detection:
    """Ours, over scans of one model."""
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
    """What the paper sums up, as shares: infected models found and named, and their benign classes flagged."""

    found: float
    named: float
    flagged: float


def totals(outcomes: Mapping[tuple[str, str], Detection], triggers: Sequence[str]) -> Totals | None:
    """Over the models infected with these kinds of triggers; every scan counts. None if there are no scans.

    Args:
        outcomes: by data set and trigger.
        triggers: the kinds.
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
