"""Tables 11 and 12: the number of clusters of every class, in the paper and here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from aegis.experiments.paper.models import BENIGN, CLASSES, DATA, INVISIBLE, TARGET, VISIBLE, Key
from aegis.experiments.paper.records import Records
from aegis.experiments.paper.table import Cell, Column, Mark, Table, not_recorded
from aegis.records.record import ScanRecord

# Presets by what tables call them.
MODES = {"preset default": "default", "preset paper": "paper"}
PUBLISHED_AS = "published"


def _visible(target: int) -> tuple[int, ...]:
    return tuple(target if label == TARGET else 2 for label in range(10))


# By data set and trigger: the number of clusters of each class, in label order.
PUBLISHED: Mapping[Key, tuple[int, ...]] = {
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

TITLES = {
    "11": "Number of clusters of each class: visible triggers and clean models",
    "12": "Number of clusters of each class: invisible triggers",
}
COLUMNS = (
    Column("data", "data", words=True),
    Column("trigger", "trigger", words=True),
    Column("clusters", "clusters", words=True),
    *(
        Column(f"class_{label}", f"{label}{'*' if label == TARGET else ''}", unit="least, most")
        for label in range(CLASSES)
    ),
)
NOTE = (
    f"* the target of infected models. More than {BENIGN} are flagged by the paper's rule. Of several budgets the "
    "largest count, of several seeds the least and the most."
)
# Data set and trigger of the models in each table.
MODELS: Mapping[str, tuple[Key, ...]] = {
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


def table(number: str, records: Records) -> Table:
    """Makes Table 11 or 12.

    Args:
        number: of the table.
        records: what is recorded.

    Returns:
        The table.

    Raises:
        StoreError: if a record is damaged.
    """
    models = MODELS[number]
    scans = {title: records.scans(mode, models) for title, mode in MODES.items()}
    rows = tuple(row for key in models for row in _rows(key, scans))
    return Table(number, TITLES[number], COLUMNS, rows, unscanned(scans, models), NOTE)


def unscanned(scans: Mapping[str, Mapping[Key, object]], models: Iterable[Key]) -> tuple[str, ...]:
    """Says which models no scan is recorded of.

    Args:
        scans: by preset and model.
        models: those that the table is about.

    Returns:
        The sentence; nothing where every model is scanned with every preset.
    """
    wanted = list(models)
    return not_recorded(
        f"{' '.join(key)} with {title}" for title, found in scans.items() for key in wanted if key not in found
    )


def _rows(key: Key, scans: Mapping[str, Mapping[Key, Sequence[ScanRecord]]]) -> Iterator[tuple[Cell, ...]]:
    lines = {PUBLISHED_AS: tuple((count, count) for count in PUBLISHED[key])}
    lines |= {title: clusters(found[key]) for title, found in scans.items() if key in found}
    for title, counts in lines.items():
        # The rows of a model follow each other, and only the first of them says which it is.
        names = (Cell(name if title == PUBLISHED_AS else "", name) for name in key)
        yield *names, Cell(title, title), *(_count(least, most) for least, most in counts)


def _count(least: int, most: int) -> Cell:
    mark: Mark = "strong" if most > BENIGN else ""
    return Cell(f"{least}-{most}" if least < most else str(most), (least, most), mark)
