"""Table 9: settings of the training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aegis.experiments.paper.models import DATA, TRIGGERS, name_of
from aegis.experiments.paper.records import Records
from aegis.experiments.paper.table import Cell, Column, Table, cell, not_recorded, over, words
from aegis.experiments.paper.table11 import PUBLISHED_AS
from aegis.lab.recipes import recipe_for

# Settings of a recipe and their headings.
NUMBERS = {
    "epochs": "epochs",
    "lr": "LR",
    "batch": "batch size",
    "epsilon": "epsilon",
    "step": "step",
    "iterations": "steps",
}
COLUMNS = (
    Column("data", "data", words=True),
    Column("settings", "settings", words=True),
    *(Column(key, heading, unit="least, most") for key, heading in NUMBERS.items()),
    Column("schedule", "LR schedule", words=True),
)
NOTE = (
    "Epsilon, step and steps are those of the L2 attack in training (Section 5.1). Momentum 0.9 and weight decay 5e-4 "
    "are the same everywhere. Preset paper is what aegis train --preset paper does; recorded: the robust models here."
)
DROPS = "drop by 10 at epochs 50, 100"
PUBLISHED: Mapping[str, dict[str, Any]] = {
    data: {"epochs": epochs, "lr": 0.1, "batch": 128, "epsilon": 0.5, "step": 1.5, "iterations": 20, "schedule": DROPS}
    for data, epochs in (("mnist", 100), ("fashion_mnist", 100), ("cifar10", 110))
}


def table(number: str, records: Records) -> Table:
    """Makes Table 9.

    Args:
        number: of the table.
        records: what is recorded.

    Returns:
        The table.

    Raises:
        StoreError: if a record is damaged.
    """
    rows, missing = [], []
    for data in DATA:
        models = records.models(name_of(True, data, trigger) for trigger in TRIGGERS).values()
        paper = recipe_for("paper", data).settings
        rows.append(_row(data, PUBLISHED_AS, [PUBLISHED[data]], PUBLISHED[data]["schedule"]))
        rows.append(_row("", "preset paper", [paper], _schedule([paper]), data))
        if recipes := [model.recipe for model in models]:
            rows.append(_row("", "recorded", recipes, _schedule(recipes), data))
        else:
            missing.append(data)
    return Table(number, "Settings of the training", COLUMNS, tuple(rows), not_recorded(missing), NOTE)


def _row(
    shown: str, settings: str, recipes: Iterable[Mapping[str, Any]], schedule: str, data: str = ""
) -> tuple[Cell, ...]:
    known = list(recipes)
    numbers = (over(recipe[key] for recipe in known) for key in NUMBERS)
    return Cell(shown, shown or data), *words(settings), *numbers, cell(schedule)


def _schedule(recipes: Iterable[Mapping[str, Any]]) -> str:
    said = (
        f"drop by 10 every {recipe['drop_every']} epochs" if recipe["schedule"] == "step" else "one cycle"
        for recipe in recipes
    )
    return ", ".join(dict.fromkeys(said))
