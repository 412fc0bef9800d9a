"""Table 3: data sets, architectures and numbers of images."""

from __future__ import annotations

from dataclasses import dataclass

from aegis.data.catalogue import DATASETS
from aegis.experiments.paper.models import BACKDOORS, DATA, TRIGGERS, name_of
from aegis.experiments.paper.records import Records
from aegis.experiments.paper.table import EMPTY, Cell, Column, Table, cell, words
from aegis.lab.bank.record import BankRecord
from aegis.lab.bank.suspects import read_bank

COLUMNS = (
    Column("data", "data", words=True),
    Column("architecture_paper", "in the paper", "architecture", words=True),
    Column("architecture", "here", "architecture", words=True),
    Column("input_paper", "in the paper", "input", words=True),
    Column("input", "here", "input", words=True),
    Column("training_paper", "in the paper", "training images"),
    Column("training", "here", "training images"),
    Column("test_paper", "in the paper", "test images"),
    Column("test", "here", "test images"),
    Column("scan_training", "training", "of a scan here"),
    Column("scan_test", "test", "of a scan here"),
)
NOTE = (
    "Here: the fifteen robust models and their standard twins. Of a scan: images that come with AEGIS, which scans of "
    "the bank were given."
)


@dataclass(frozen=True)
class Published:
    """A row of the paper's table.

    Args:
        architecture: of the models.
        size: height, width and channels.
        training, test: number of images.
    """

    architecture: str
    size: str
    training: int
    test: int


PUBLISHED = {
    "mnist": Published("ResNet18", "28 x 28 x 1", 60_000, 10_000),
    "fashion_mnist": Published("ResNet18", "28 x 28 x 1", 60_000, 10_000),
    "cifar10": Published("ResNet50", "32 x 32 x 3", 50_000, 10_000),
}


def table(number: str, records: Records) -> Table:
    """Makes Table 3.

    Args:
        number: of the table.
        records: what is recorded.

    Returns:
        The table.

    Raises:
        StoreError: if a record is damaged.
    """
    names = {data: [name_of(robust, data, t) for robust in (True, False) for t in TRIGGERS] for data in DATA}
    models = {data: list(records.models(names[data]).values()) for data in DATA}
    scanned = records.scans("paper", [(data, BACKDOORS[0]) for data in DATA])
    images = {data: scans[0].data for (data, _), scans in scanned.items()}
    rows = []
    for data in DATA:
        paper, given = PUBLISHED[data], images.get(data)
        channels, height, width = DATASETS[data].shape
        architectures = ", ".join(dict.fromkeys(model.architecture for model in models[data]))
        rows.append(
            (
                *words(data, paper.architecture),
                cell(architectures or None),
                *words(paper.size, f"{height} x {width} x {channels}"),
                cell(paper.training, ","),
                _training(models[data]),
                cell(paper.test, ","),
                cell("all"),
                cell(given.train if given else None, ","),
                cell(given.test if given else None, ","),
            )
        )
    return Table(number, "Data sets and architectures", COLUMNS, tuple(rows), (), NOTE)


def _training(models: list[BankRecord]) -> Cell:
    """How many images the models were trained on, where all of them were trained on as many."""
    bank = read_bank()
    counts = {bank[model.name].images for model in models}
    return cell("all" if counts == {None} else ", ".join(map(str, counts))) if counts else EMPTY
