"""Figures 9 to 11: the triggers of the models here, on an image and enhanced."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aegis.core.errors import StoreError
from aegis.core.types import Stamp, as_8_bit
from aegis.data import default_source, load_dataset
from aegis.experiments.paper.figure import Figure, Pictures
from aegis.experiments.paper.models import DATA, name_of
from aegis.experiments.paper.records import Records
from aegis.experiments.paper.table import not_recorded
from aegis.lab.bank.suspects import read_bank
from aegis.models.card import read_truth
from aegis.records.pictures import as_rgb

FIGURES = {"9": "Visible triggers", "10": "Static invisible triggers", "11": "Adversarial invisible triggers"}
KINDS = {"9": ("localised", "distributed"), "10": ("static",), "11": ("adversarial",)}


def figure(number: str, records: Records) -> Figure:
    """Makes Figure 9, 10 or 11 from the triggers that stand on the cards of the models.

    Args:
        number: of the figure.
        records: what is recorded.

    Returns:
        The figure, with an image that carries the trigger and what the trigger changes, enhanced.

    Raises:
        StoreError: if a record is damaged, or none is there.
        CheckpointError: if a checkpoint is damaged.
    """
    names = [name_of(True, data, kind) for data in DATA for kind in KINDS[number]]
    known, bank = records.models(names), read_bank()
    panels: list[Pictures] = []
    for name in names:
        path = bank[name].path(records.training)
        truth = read_truth(path) if name in known and path.exists() else None
        stamp = truth.triggers[0].stamp if truth and truth.triggers else None
        if stamp is not None:
            panels += _shown(name, known[name].data, stamp)
    if not panels:
        command = f"aegis bank train --only {','.join(names)} --training {records.training}"
        raise StoreError(f"models with the triggers of Figure {number}", "none", f"Make them with: {command}")
    missing = [name for name in names if name not in known]
    return Figure(number, FIGURES[number], tuple(panels), 4, not_recorded(missing))


def _shown(name: str, data: str, stamp: Stamp) -> Iterator[Pictures]:
    image = load_dataset(default_source(data)).test.pixels[:1]
    stamped = stamp(image)
    yield Pictures(name, as_rgb(as_8_bit(stamped))[0])
    change = stamped[0] - image[0]
    enhanced = (0.5 + change / (2 * max(float(np.abs(change).max()), 1e-12))).astype(np.float32)
    yield Pictures("its trigger, enhanced", as_rgb(as_8_bit(enhanced)))
