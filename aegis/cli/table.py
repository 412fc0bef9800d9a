"""``aegis table``: tables of the paper, ours beside its."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from aegis.cli.options import Results, Training, one_of
from aegis.cli.table5 import print_table_5
from aegis.cli.table6 import print_clusters, print_table_6
from aegis.cli.table7 import print_table_7
from aegis.lab.bank.record import RESULTS

TABLES: dict[str, Callable[[str, Path], None]] = {
    "5": print_table_5,
    "6": print_table_6,
    "7": print_table_7,
    "11": partial(print_clusters, "11"),
    "12": partial(print_clusters, "12"),
}
Number = Annotated[
    str,
    typer.Argument(
        metavar="NUMBER",
        help=f"In the paper: {', '.join(TABLES)}.",
        show_default=False,
        callback=one_of(TABLES, "a table"),
    ),
]


def table(number: Number, training: Training = "quick", results: Results = RESULTS) -> None:
    """Show a table of the paper with our numbers beside its.

    Examples:

        aegis table 5
        aegis table 6
        aegis table 5 --training paper

    Ours are read from the files in results, which aegis bank writes; what is not made or not scanned yet stays empty.
    5: the models; 6: which of them are found; 7: how that depends on settings (aegis bank sweep); 11 and 12: how many
    clusters their classes form.
    """
    TABLES[number](training, results)
