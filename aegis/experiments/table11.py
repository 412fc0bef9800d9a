"""Tables 11 and 12: the number of clusters of every class, in the paper and here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aegis.experiments.table5 import DATA, INVISIBLE, VISIBLE
from aegis.records.record import ScanRecord

TARGET = 7


def _visible(target: int) -> tuple[int, ...]:
    return tuple(target if label == TARGET else 2 for label in range(10))


# By data set and trigger: the number of clusters of each class, in label order.
PUBLISHED: Mapping[tuple[str, str], tuple[int, ...]] = {
    ("mnist", "localised"): _visible(3),
    ("mnist", "distributed"): _visible(3),
    ("mnist", "static"): (1, 2, 2, 2, 2, 2, 2, 2, 2, 2),
    ("mnist", "adversarial"): (2, 2, 2, 3, 2, 2, 2, 2, 2, 2),
    ("mnist", "clean"): _visible(2),
    ("fashion_mnist", "localised"): _visible(4),
    ("fashion_mnist", "distributed"): _visible(3),
    ("fashion_mnist", "static"): (3, 3, 2, 2, 2, 2, 2, 3, 3, 2),
    ("fashion_mnist", "adversarial"): (2, 2, 2, 2, 3, 2, 2, 3, 2, 2),
    ("fashion_mnist", "clean"): _visible(2),
    ("cifar10", "localised"): _visible(3),
    ("cifar10", "distributed"): _visible(4),
    ("cifar10", "static"): (2, 2, 2, 2, 2, 2, 2, 3, 2, 2),
    ("cifar10", "adversarial"): (2, 3, 2, 2, 2, 2, 2, 4, 2, 2),
    ("cifar10", "clean"): _visible(2),
}

# Data set and trigger of the models in each table.
MODELS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "11": tuple((data, trigger) for data in DATA for trigger in (*VISIBLE, "clean")),
    "12": tuple((data, trigger) for data in DATA for trigger in INVISIBLE),
}


def clusters(scans: Sequence[ScanRecord]) -> tuple[tuple[int, int], ...]:
    """Finds the smallest and largest number of clusters of every class over scans of one model.

    Args:
        scans: scans of one model; a scan at several budgets counts with its largest number.

    Returns:
        Pairs of smallest and largest number, in label order.
    """
    counts = zip(*([found.clusters for found in scan.classes] for scan in scans), strict=True)
    return tuple((min(ours), max(ours)) for ours in counts)
