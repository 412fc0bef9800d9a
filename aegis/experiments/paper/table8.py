"""Table 8: how long the paper's procedure takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from aegis.experiments.paper.models import BACKDOORS, DATA, name_of, robust_models
from aegis.experiments.paper.records import Records
from aegis.experiments.paper.table import EMPTY, Cell, Column, Table, cell, over, words
from aegis.experiments.paper.table11 import unscanned
from aegis.records.record import ScanRecord
from aegis.records.settings import spent

COLUMNS = (
    Column("data", "data", words=True),
    Column("trigger", "trigger", words=True),
    Column("paper", "in the paper", "seconds", "seconds"),
    Column("median", "here", "seconds", "seconds"),
    Column("range", "least to most", "seconds", "seconds"),
    Column("scale", "ResNet-18, GPU", "seconds", "seconds"),
    Column("scans", "scans"),
)
NOTE = (
    "With preset paper, the whole scan on the clock: measuring the model, then the ten classes. Here: the median over "
    "seeds, small networks on two processor cores beside much other work, so times say little beyond their order "
    "(docs/results.md). ResNet-18, GPU: the median over seeds on an NVIDIA H200 (docs/gpu.md). Times of preset default "
    "are left out, since many of its recorded scans reuse parts of earlier ones."
)
# Seconds in the order of BACKDOORS.
PUBLISHED: Mapping[str, tuple[float, ...]] = {
    "mnist": (304.5, 310.5, 321.5, 314.3),
    "fashion_mnist": (321.5, 319.4, 317.3, 306.8),
    "cifar10": (563.5, 560.6, 557.9, 561.7),
}


def table(number: str, records: Records) -> Table:
    """Makes Table 8.

    Args:
        number: of the table.
        records: what is recorded.

    Returns:
        The table.

    Raises:
        StoreError: if a record is damaged.
    """
    models = robust_models(*BACKDOORS)
    scans, scale = records.scans("paper", models), records.scanned_at_scale("paper")
    rows = []
    for data in DATA:
        for trigger, seconds in zip(BACKDOORS, PUBLISHED[data], strict=True):
            ours = [spent(scan) for scan in scans.get((data, trigger), ())]
            rows.append(
                (
                    *words(data, trigger),
                    cell(seconds, ".0f"),
                    _median(ours),
                    over(ours, ".0f"),
                    _median([spent(scan) for scan in scale.get(name_of(True, data, trigger), ())]),
                    cell(len(ours) or None),
                )
            )
    remarks = (*slower(scans), *unscanned({"preset paper": scans}, models))
    return Table(number, "Time of a scan", COLUMNS, tuple(rows), remarks, NOTE)


def slower(scans: Mapping[tuple[str, str], Sequence[ScanRecord]]) -> tuple[str, ...]:
    """Says how much longer CIFAR-10 takes than MNIST.

    Args:
        scans: by data set and trigger.

    Returns:
        The sentence; nothing where scans of either are missing.
    """
    times = {
        data: [spent(scan) for (name, _), found in scans.items() if name == data for scan in found] for data in DATA
    }
    if not times["mnist"] or not times["cifar10"]:
        return ()
    paper = median(PUBLISHED["cifar10"]) / median(PUBLISHED["mnist"])
    ours = median(times["cifar10"]) / median(times["mnist"])
    return (f"CIFAR-10 takes {paper:.1f} times as long as MNIST in the paper, and {ours:.1f} times here (medians).",)


def _median(seconds: Sequence[float]) -> Cell:
    return cell(median(seconds), ".0f") if seconds else EMPTY
