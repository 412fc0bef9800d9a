"""Writes any table: for a terminal, as JSON, and as Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.table import Table as RichTable
from rich.text import Text

from aegis.cli.output import Printer, make_table
from aegis.core.text import count_of
from aegis.core.version import __version__

if TYPE_CHECKING:
    from aegis.experiments.paper.records import Records
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
        out.say((_title(table), "bold"))
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


def as_json(tables: Iterable[tuple[Table, Records]]) -> str:
    """Writes tables for programs.

    Args:
        tables: each with the records that it was made from.

    Returns:
        JSON: for each table its columns, a value of each in every row, and the files that were read.
    """
    told = {"schema_version": 1, "aegis": __version__, "tables": [_plain(table, records) for table, records in tables]}
    return json.dumps(told, indent=1) + "\n"


def as_markdown(tables: Iterable[tuple[Table, Records]]) -> str:
    """Writes tables for a document.

    Args:
        tables: each with the records that it was made from.

    Returns:
        A section for each table.
    """
    return "\n".join(_section(table, records) for table, records in tables)


def _title(table: Table) -> str:
    return f"Table {table.number}. {table.title}" if table.number.isdigit() else table.title


def _headings(columns: tuple[Column, ...]) -> list[str]:
    if not any(column.group for column in columns):
        return [column.heading for column in columns]
    before = ["", *(column.group for column in columns)]
    return [f"{c.group if c.group != last else ''}\n{c.heading}" for last, c in zip(before, columns)]


def _add_rows(shown: RichTable, rows: Iterable[tuple[Cell, ...]]) -> None:
    for row in rows:
        shown.add_row(*(Text(cell.text, STYLES.get(cell.mark, "")) for cell in row))


def _plain(table: Table, records: Records) -> dict[str, Any]:
    columns = [
        {"key": c.key, "heading": " ".join(filter(None, (c.group, c.heading))), "unit": c.unit} for c in table.columns
    ]
    return {
        "table": table.number,
        "title": table.title,
        "columns": columns,
        "rows": table.records,
        "remarks": table.remarks,
        "note": table.note,
        "training": records.training,
        "records": {"count": len(records.files), "files": records.files},
    }


def _section(table: Table, records: Records) -> str:
    headings = (" ".join(filter(None, (column.group, column.heading))) for column in table.columns)
    rules = ("---" if column.words else "--:" for column in table.columns)
    rows = ((_emphasised(cell) for cell in row) for row in table.rows)
    lines = [f"### {_title(table)}", ""]
    lines += [f"| {' | '.join(row)} |" for row in (headings, rules, *rows)]
    lines += ["", *(f"- {remark}" for remark in table.remarks)]
    lines += [""] if table.remarks else []
    lines += [f"{table.note} From {count_of(len(records.files), 'record')}.".strip(), ""]
    return "\n".join(lines)


def _emphasised(cell: Cell) -> str:
    text = cell.text.replace("|", "\\|")
    return f"**{text}**" if cell.mark == "strong" and text else text
