"""Prints any table of the paper."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.table import Table as RichTable
from rich.text import Text

from aegis.cli.output import Printer, make_table
from aegis.experiments.paper.written import title_of

if TYPE_CHECKING:
    from aegis.experiments.paper.table import Cell, Column, Table

STYLES = {"right": "green", "wrong": "red", "strong": "bold"}


def print_table(table: Table, titled: bool = False) -> None:
    """Prints a table, then what is said about it.

    Args:
        table: the table.
        titled: whether to print its number and title before it, and an empty line after it.
    """
    out, shown = Printer(), make_table(())
    if titled:
        out.say((title_of(table), "bold"))
    for column, heading in zip(table.columns, _headings(table.columns), strict=True):
        shown.add_column(heading, justify="left" if column.words else "right", no_wrap=bool(column.group))
    _add_rows(shown, table.rows)
    out.show(shown)
    out.line()
    for remark in table.remarks:
        out.say(remark)
    if table.remarks and table.note:
        out.line()
    if table.note:
        out.note(table.note)
    if titled:
        out.line()


def _headings(columns: tuple[Column, ...]) -> list[str]:
    if not any(column.group for column in columns):
        return [column.heading for column in columns]
    before = ["", *(column.group for column in columns)]
    return [f"{c.group if c.group != last else ''}\n{c.heading}" for last, c in zip(before, columns)]


def _add_rows(shown: RichTable, rows: Iterable[tuple[Cell, ...]]) -> None:
    for row in rows:
        shown.add_row(*(Text(cell.text, STYLES.get(cell.mark, "")) for cell in row))
