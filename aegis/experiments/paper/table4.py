"""Table 4: how long it took to train the thirty models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from aegis.experiments.paper.models import DATA, TRIGGERS, name_of
from aegis.experiments.paper.records import Records
from aegis.experiments.paper.table import EMPTY, Cell, Column, Table, cell, not_recorded, words
from aegis.lab.bank.record import BankRecord

COLUMNS = (
    Column("training", "training", words=True),
    Column("data", "data", words=True),
    Column("trigger", "trigger", words=True),
    Column("minutes_paper", "in the paper", "minutes", "minutes"),
    Column("minutes", "here", "minutes", "minutes"),
    Column("minutes_scale", "ResNet-18, GPU", "minutes", "minutes"),
)
NOTE = (
    "In the paper: 100 epochs, on CIFAR-10 110, on one GPU. Here: three to ten epochs of small networks on one "
    "processor thread, beside other work (docs/results.md). ResNet-18, GPU: ten epochs at full width on an NVIDIA "
    "H200, four models side by side (docs/gpu.md). > marks a training that was resumed and whose last part alone "
    "counts."
)
# Minutes by robust training and data set, in the order of TRIGGERS.
PUBLISHED: Mapping[tuple[bool, str], tuple[int, ...]] = {
    (True, "mnist"): (2971, 1321, 242, 220, 1800),
    (True, "fashion_mnist"): (2971, 162, 109, 132, 3031),
    (True, "cifar10"): (1871, 3276, 1183, 948, 1882),
    (False, "mnist"): (20, 45, 3, 2, 22),
    (False, "fashion_mnist"): (50, 62, 2, 1, 41),
    (False, "cifar10"): (141, 172, 108, 66, 135),
}


def table(number: str, records: Records) -> Table:
    """Makes Table 4.

    Args:
        number: of the table.
        records: what is recorded.

    Returns:
        The table.

    Raises:
        StoreError: if a record is damaged.
    """
    names = [name_of(robust, data, trigger) for robust, data in PUBLISHED for trigger in TRIGGERS]
    models, scale = records.models(names), records.trained_at_scale()
    rows = []
    for (robust, data), minutes in PUBLISHED.items():
        for trigger, published in zip(TRIGGERS, minutes, strict=True):
            name = name_of(robust, data, trigger)
            large = scale.get(name) if robust else None
            rows.append(
                (
                    *words("robust" if robust else "standard", data, trigger),
                    cell(published),
                    _minutes(models.get(name)),
                    cell(large.seconds / 60 if large else None, ".1f"),
                )
            )
    missing = not_recorded(name for name in names if name not in models or models[name].making is None)
    return Table(number, "Training time", COLUMNS, tuple(rows), (*cost(models), *missing), NOTE)


def cost(models: Mapping[str, BankRecord]) -> tuple[str, ...]:
    """Says how much longer robust training takes, over pairs of models of which both are timed whole.

    Args:
        models: by name.

    Returns:
        The sentence; nothing without such a pair.
    """
    known = {name: one.making.seconds for name, one in models.items() if one.making and not one.making.resumed}
    keys = [(data, trigger) for data in DATA for trigger in TRIGGERS]
    pairs = [(name_of(True, *key), name_of(False, *key)) for key in keys]
    timed = [(known[robust], known[standard]) for robust, standard in pairs if {robust, standard} <= known.keys()]
    if not timed:
        return ()
    robust, standard = (_mean(PUBLISHED, kind) for kind in (True, False))
    ours = sum(r for r, _ in timed) / sum(s for _, s in timed)
    return (
        f"Robust training takes {robust / standard:.0f} times as long as standard training in the paper "
        f"({robust:.0f} against {standard:.0f} minutes), and {ours:.1f} times as long here ({len(timed)} pairs).",
    )


def _mean(minutes: Mapping[tuple[bool, str], Sequence[int]], kind: bool) -> float:
    return fmean(one for (robust, _), row in minutes.items() if robust == kind for one in row)


def _minutes(model: BankRecord | None) -> Cell:
    if model is None or model.making is None:
        return EMPTY
    minutes = model.making.seconds / 60
    return Cell(f"{'>' if model.making.resumed else ''}{minutes:.1f}", minutes)
