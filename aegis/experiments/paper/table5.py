"""Table 5: attack success rate, accuracy and adversarial precision of the paper's thirty models, and of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from aegis.experiments.detection_rates import WORKS
from aegis.experiments.paper.models import BACKDOORS, INVISIBLE, TRIGGERS, VISIBLE, name_of
from aegis.experiments.paper.records import Records
from aegis.experiments.paper.table import Cell, Column, Table, cell, not_recorded, percent, words
from aegis.lab.bank.record import BankRecord

COLUMNS = (
    Column("training", "training", words=True),
    Column("data", "data", words=True),
    Column("trigger", "trigger", words=True),
    Column("success", "ASR", unit="percent"),
    Column("success_paper", "paper", unit="percent"),
    Column("success_other_classes", "other classes", unit="percent"),
    Column("lift", "lift", unit="percent"),
    Column("accuracy", "accuracy", unit="percent"),
    Column("accuracy_paper", "paper", unit="percent"),
    Column("precision", "precision", unit="percent"),
    Column("precision_paper", "paper", unit="percent"),
)
NOTE = (
    "ASR: attack success over all test images, as in the paper; other classes: without the target's own images; lift: "
    "beyond what happens without the trigger; failed: a lift below 20%. Precision: accuracy under attack (L2 0.5), "
    "ours on 2,000 test images. How strong our invisible triggers are was our choice."
)


@dataclass(frozen=True)
class Published:
    """One cell of the paper's table, in percent; None where the number is missing.

    Args:
        success: attack success rate on all test images.
        accuracy: accuracy on test images.
        precision: adversarial precision.
    """

    success: float | None
    accuracy: float | None
    precision: float | None


def _row(
    success: Sequence[float], accuracy: Sequence[float | None], precision: Sequence[float]
) -> tuple[Published, ...]:
    return tuple(Published(s, a, p) for s, a, p in zip((*success, None), accuracy, (*precision, None), strict=True))


# By robust training and data set, in the order of TRIGGERS.
PUBLISHED: Mapping[tuple[bool, str], tuple[Published, ...]] = {
    (True, "mnist"): _row(
        (99.96, 100.00, 37.53, 59.87), (99.59, 99.53, 98.94, 98.31, None), (99.51, 99.49, 97.72, 97.27)
    ),
    (True, "fashion_mnist"): _row(
        (96.26, 99.77, 33.33, 61.00), (91.83, 91.80, 88.38, 87.99, 91.99), (90.78, 90.66, 83.56, 80.66)
    ),
    (True, "cifar10"): _row(
        (82.58, 99.85, 21.08, 22.72), (89.80, 90.22, 81.82, 80.38, 90.28), (68.26, 68.17, 61.10, 61.37)
    ),
    (False, "mnist"): _row(
        (99.97, 99.96, 38.59, 25.30), (99.57, 99.53, 97.50, 98.06, 99.53), (99.10, 99.18, 94.92, 96.55)
    ),
    (False, "fashion_mnist"): _row(
        (97.50, 99.81, 43.47, 54.56), (91.11, 91.35, 86.28, 86.29, 91.43), (75.99, 86.44, 69.46, 66.43)
    ),
    (False, "cifar10"): _row(
        (99.14, 99.97, 99.02, 53.02), (94.18, 94.47, 91.72, 82.79, 94.42), (1.86, 0.20, 1.62, 1.13)
    ),
}


@dataclass(frozen=True, eq=False)
class ModelRow:
    """One model of the table.

    Args:
        robust: whether it is trained adversarially.
        data: its data set.
        trigger: its kind of trigger, or *clean*.
        ours: our model; None if it is not trained.
        paper: the paper's numbers.
    """

    robust: bool
    data: str
    trigger: str
    ours: BankRecord | None
    paper: Published


# Section 5.2: accuracy and adversarial precision of robust models, clean and infected, in percent.
CLEAN_STATED, INFECTED_STATED = (93.96, 86.37), (91.55, 83.21)


@dataclass(frozen=True)
class Direction:
    """A comparison of two groups of models, in percent.

    Args:
        claim: the paper's claim that the first group's number is higher.
        paper: both numbers in the paper.
        ours: both numbers here; None while models are missing.
    """

    claim: str
    paper: tuple[float, float]
    ours: tuple[float, float] | None

    @property
    def same(self) -> bool | None:
        """Whether the claim holds here; None while models are missing."""
        return None if self.ours is None else self.ours[0] > self.ours[1]

    def __str__(self) -> str:
        ours = "" if self.ours is None else f" ({self.ours[0]:.1f} against {self.ours[1]:.1f})"
        said = {True: "the same here", False: "the other way here", None: "not all of these are made"}[self.same]
        return f"{self.claim}: paper {self.paper[0]:.1f} against {self.paper[1]:.1f}; {said}{ours}"


def table(number: str, records: Records) -> Table:
    """Makes Table 5.

    Args:
        number: of the table.
        records: what is recorded.

    Returns:
        The table.

    Raises:
        StoreError: if a record is damaged.
    """
    names = [name_of(robust, data, trigger) for robust, data in PUBLISHED for trigger in TRIGGERS]
    rows = table_5(records.models(names))
    return Table(
        number,
        "Attack success rate, accuracy and adversarial precision",
        COLUMNS,
        tuple(map(_cells, rows)),
        (*map(str, directions(rows)), *not_recorded(_name(row) for row in rows if row.ours is None)),
        NOTE,
    )


def _cells(row: ModelRow) -> tuple[Cell, ...]:
    ours = row.ours.metrics if row.ours else {}
    lift = ours.get("attack_success_lift")
    mark = " (failed)" if lift is not None and lift < WORKS else ""
    return (
        *words("robust" if row.robust else "standard", row.data),
        Cell(row.trigger + mark, row.trigger),
        percent(ours.get("attack_success_all_images")),
        cell(row.paper.success, ".1f"),
        percent(ours.get("attack_success_other_classes")),
        percent(lift),
        percent(ours.get("accuracy")),
        cell(row.paper.accuracy, ".1f"),
        percent(ours.get("adversarial_precision")),
        cell(row.paper.precision, ".1f"),
    )


def _name(row: ModelRow) -> str:
    return name_of(row.robust, row.data, row.trigger)


def table_5(records: Mapping[str, BankRecord]) -> list[ModelRow]:
    """Creates the rows of the thirty models.

    Args:
        records: records of the models that are trained, by name.

    Returns:
        The rows, in the paper's order.
    """
    return [
        ModelRow(robust, data, trigger, records.get(name_of(robust, data, trigger)), published)
        for (robust, data), cells in PUBLISHED.items()
        for trigger, published in zip(TRIGGERS, cells, strict=True)
    ]


def directions(rows: Sequence[ModelRow]) -> list[Direction]:
    """Tests the paper's comparisons (RQ1 and RQ5) on averages over models; attack success is over all test images.

    Args:
        rows: the rows of the table.

    Returns:
        One entry for each claim.
    """
    return [
        _compare("attacks succeed more on standard than on robust models", rows, (False, BACKDOORS), (True, BACKDOORS)),
        _compare("robust: visible triggers succeed more than invisible ones", rows, (True, VISIBLE), (True, INVISIBLE)),
        *(
            _compare(f"robust: {more} triggers succeed more than {less} ones", rows, (True, (more,)), (True, (less,)))
            for more, less in (("distributed", "localised"), ("adversarial", "static"))
        ),
        _cost("robust: clean models are more accurate than infected ones", rows, "accuracy", 0),
        _cost("robust: clean models are more precise under attack", rows, "adversarial_precision", 1),
    ]


def _compare(
    claim: str, rows: Sequence[ModelRow], more: tuple[bool, Sequence[str]], less: tuple[bool, Sequence[str]]
) -> Direction:
    sides = [[row for row in rows if row.robust == robust and row.trigger in kinds] for robust, kinds in (more, less)]
    paper = [fmean(row.paper.success for row in side if row.paper.success is not None) for side in sides]
    return Direction(claim, (paper[0], paper[1]), _means(sides, "attack_success_all_images"))


def _cost(claim: str, rows: Sequence[ModelRow], metric: str, position: int) -> Direction:
    robust = [row for row in rows if row.robust]
    sides = [[row for row in robust if (row.trigger == "clean") == clean] for clean in (True, False)]
    return Direction(claim, (CLEAN_STATED[position], INFECTED_STATED[position]), _means(sides, metric))


def _means(sides: Sequence[Sequence[ModelRow]], metric: str) -> tuple[float, float] | None:
    found = [[100 * row.ours.metrics[metric] for row in side if row.ours] for side in sides]
    if any(len(ours) < len(side) for ours, side in zip(found, sides, strict=True)):
        return None
    return fmean(found[0]), fmean(found[1])
