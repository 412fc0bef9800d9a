"""Tables by their numbers in the paper, each made by a module of its own."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    table: Table = module.table(number, records)
    return table
