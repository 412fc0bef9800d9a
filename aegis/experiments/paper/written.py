"""Writes any table as JSON, and as Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aegis.core.text import count_of
from aegis.core.version import __version__

if TYPE_CHECKING:
    from aegis.experiments.paper.records import Records
    from aegis.experiments.paper.table import Cell, Table


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


def title_of(table: Table) -> str:
    """Names a table by its number in the paper, if it has one, and its title."""
    return f"Table {table.number}. {table.title}" if table.number.isdigit() else table.title


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
    lines = [f"### {title_of(table)}", ""]
    lines += [f"| {' | '.join(row)} |" for row in (headings, rules, *rows)]
    lines += ["", *(f"- {remark}" for remark in table.remarks)]
    lines += [""] if table.remarks else []
    lines += [f"{table.note} From {count_of(len(records.files), 'record')}.".strip(), ""]
    return "\n".join(lines)


def _emphasised(cell: Cell) -> str:
    text = cell.text.replace("|", "\\|")
    return f"**{text}**" if cell.mark == "strong" and text else text
