"""Table 6: which of the paper's fifteen robust models are detected, with which target, and which benign classes
flagged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aegis.experiments.paper.models import BENIGN, CLASSES, INVISIBLE, ROBUST, TARGET, VISIBLE
from aegis.experiments.paper.records import Records
from aegis.experiments.paper.table import EMPTY, Cell, Column, Mark, Table, words
from aegis.experiments.paper.table11 import MODES, PUBLISHED, PUBLISHED_AS, unscanned
from aegis.records.record import ScanRecord

COLUMNS = (
    Column("data", "data", words=True),
    Column("trigger", "trigger", words=True),
    *(
        Column(f"{heading}_{key}", heading, title, unit)
        for title, key in {**MODES, PUBLISHED_AS: "published"}.items()
        for heading, unit in (("found", "of scans"), ("named", "of scans"), ("flagged", "classes"))
    ),
)
NOTE = (
    "found: scans that say infected; named: those that flag the target; flagged: benign classes, over all scans. "
    "Published: as the paper's Tables 11 and 12 have it."
)


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


def table(number: str, records: Records) -> Table:
    """Makes Table 6: the verdicts on the fifteen robust models; all seeds count.

    Args:
        number: of the table.
        records: what is recorded.

    Returns:
        The table.

    Raises:
        StoreError: if a record is damaged.
    """
    scans = {title: records.scans(mode, ROBUST) for title, mode in MODES.items()}
    columns = {title: {key: detection(of, key[1]) for key, of in found.items()} for title, found in scans.items()}
    columns[PUBLISHED_AS] = {key: published(*key) for key in PUBLISHED}
    rows = (
        (*words(*key), *(cell for column in columns.values() for cell in _cells(column.get(key), key[1])))
        for key in PUBLISHED
    )
    remarks = [
        f"{which} triggers, {title}: {sums.found:.0%} found, {sums.named:.0%} named, {sums.flagged:.1%} of benign "
        "classes flagged"
        for which, triggers in (("visible", VISIBLE), ("invisible", INVISIBLE))
        for title, column in columns.items()
        if (sums := totals(column, triggers)) is not None
    ]
    return Table(number, "Which models are detected", COLUMNS, tuple(rows), (*remarks, *unscanned(scans, ROBUST)), NOTE)


def _cells(found: Detection | None, trigger: str) -> tuple[Cell, ...]:
    if found is None:
        return (EMPTY,) * 3
    mark: Mark = "right" if found.right(trigger) else "wrong"
    doubt = f" ({found.inconclusive} inconclusive)" if found.inconclusive else ""
    named = (found.named, found.scans)
    return (
        Cell(f"{found.infected}/{found.scans}{doubt}", (found.infected, found.scans), mark),
        EMPTY if trigger == "clean" else Cell("/".join(map(str, named)), named, mark),
        Cell(str(found.flagged), found.flagged, mark),
    )
