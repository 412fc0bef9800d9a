"""Table 10: settings of the detection, and the bandwidths that were computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from aegis.data.catalogue import DATASETS
from aegis.experiments.paper.models import DATA, ROBUST, Key
from aegis.experiments.paper.records import Records
from aegis.experiments.paper.table import EMPTY, Cell, Column, Table, cell, over, words
from aegis.experiments.paper.table11 import MODES, PUBLISHED_AS, unscanned
from aegis.records.presets import preset
from aegis.records.record import ScanRecord

COLUMNS = (
    Column("data", "data", words=True),
    Column("settings", "settings", words=True),
    Column("epsilon", "epsilon"),
    Column("perplexity", "perplexity"),
    Column("bandwidth", "bandwidth"),
    Column("range", "least to most"),
    Column("scans", "scans"),
)
NOTE = (
    "Published bandwidths are fixed in the authors' code. Ours are computed anew for each class and budget, as the "
    "paper says (scikit-learn's estimate); here the median over all classes and scans. t-SNE has changed its defaults "
    "since, so published bandwidths do not carry over."
)
# Epsilon, perplexity and bandwidth.
PUBLISHED: Mapping[str, tuple[int, int, int]] = {
    "mnist": (100, 30, 35),
    "fashion_mnist": (100, 30, 28),
    "cifar10": (500, 30, 21),
}


def table(number: str, records: Records) -> Table:
    """Makes Table 10.

    Args:
        number: of the table.
        records: what is recorded.

    Returns:
        The table.

    Raises:
        StoreError: if a record is damaged.
    """
    scans = {title: records.scans(mode, ROBUST) for title, mode in MODES.items()}
    rows: list[tuple[Cell, ...]] = []
    for data in DATA:
        rows.append((*words(data, PUBLISHED_AS), *map(cell, PUBLISHED[data]), EMPTY, EMPTY))
        rows += [_row(data, title, mode, scans[title]) for title, mode in reversed(MODES.items())]
    return Table(number, "Settings of the detection", COLUMNS, tuple(rows), unscanned(scans, ROBUST), NOTE)


def bandwidths(scans: Sequence[ScanRecord]) -> list[float]:
    """Lists the bandwidths that were computed, of every class and budget.

    Args:
        scans: scans of any models.

    Returns:
        The bandwidths.
    """
    return [bandwidth for scan in scans for found in scan.classes for bandwidth in found.bandwidths]


def _row(data: str, title: str, mode: str, scans: Mapping[Key, Sequence[ScanRecord]]) -> tuple[Cell, ...]:
    config = preset(mode, data, DATASETS[data].shape)
    ours = [scan for (name, _), found in scans.items() if name == data for scan in found]
    computed = bandwidths(ours)
    return (
        Cell("", data),
        *words(title),
        cell(", ".join(f"{stage.epsilon:g}" for stage in config.gather.stages)),
        cell(config.embed.perplexity, "g"),
        cell(median(computed), ".1f") if computed else EMPTY,
        over(computed, ".1f"),
        cell(len(ours) or None),
    )
