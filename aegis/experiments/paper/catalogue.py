"""Tables and figures by their numbers in the paper, each made by a module of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from aegis.experiments.paper.table import remarks_of_smoke

if TYPE_CHECKING:
    from aegis.experiments.paper.figure import Figure
    from aegis.experiments.paper.records import Records
    from aegis.experiments.paper.table import Table

# Names of modules, since these import what scans need, which help should not wait for.
TABLES: Mapping[str, str] = {
    "3": "table3",
    "4": "table4",
    "5": "table5",
    "6": "table6",
    "7": "table7",
    "8": "table8",
    "9": "table9",
    "10": "table10",
    "11": "table11",
    "12": "table11",
    "findings": "findings",
    "detectors": "detectors",
}
# Figures of one scan are drawn from the store, all others from records.
OF_A_SCAN = "figure4"
FIGURES: Mapping[str, str] = {
    **dict.fromkeys(("3", "4", "5", "6", "7"), OF_A_SCAN),
    **dict.fromkeys(("9", "10", "11"), "figure9"),
    "12": "figure12",
    **dict.fromkeys(("13", "14", "15", "16"), OF_A_SCAN),
    "17": "figure12",
}


def make_table(number: str, records: Records) -> Table:
    """Makes a table.

    Args:
        number: one of ``TABLES``.
        records: what is recorded.

    Returns:
        The table.

    Raises:
        StoreError: if a record is damaged.
    """
    module = import_module(f"aegis.experiments.paper.{TABLES[number]}")
    return marked(module.table(number, records), records)


def marked(table: Table, records: Records) -> Table:
    """Says below a table of scale *smoke* what its numbers are worth.

    Args:
        table: the table.
        records: that it was made from.

    Returns:
        The same, or with other remarks.
    """
    return replace(table, remarks=remarks_of_smoke(table.remarks)) if records.is_smoke else table


def make_figure(number: str, records: Records, scan: str | None, labels: tuple[int, ...] | None) -> Figure:
    """Makes a figure.

    Args:
        number: one of ``FIGURES``.
        records: what is recorded.
        scan: the first characters of a scan's key, for figures of a scan; None for none.
        labels: classes of that scan; None for those of the paper.

    Returns:
        The figure.

    Raises:
        AegisError: if a record is damaged, or there is none to draw the figure from.
    """
    module = import_module(f"aegis.experiments.paper.{FIGURES[number]}")
    made: Figure = (
        module.figure(number, scan, labels) if FIGURES[number] == OF_A_SCAN else module.figure(number, records)
    )
    return replace(made, remarks=remarks_of_smoke(made.remarks)) if records.is_smoke else made
