"""A table of the paper as plain markup; no Streamlit here."""

from __future__ import annotations

import html
from itertools import groupby

from aegis.experiments.paper.table import Cell, Column, Table


def draw_table(table: Table) -> str:
    """Draws a table, with the headings over groups of columns in a row of their own.

    Args:
        table: the table.
    """
    grouped = any(column.group for column in table.columns)
    head = (_groups(table.columns) if grouped else "") + _row("".join(map(_heading, table.columns)))
    body = "".join(
        _row("".join(_cell(column, cell) for column, cell in zip(table.columns, row, strict=True)))
        for row in table.rows
    )
    whole = f"<thead>{head}</thead><tbody>{body}</tbody>"
    return f'<div class="aegis-wide"><table class="aegis-table paper">{whole}</table></div>'


def _groups(columns: tuple[Column, ...]) -> str:
    cells = [(name, len(list(of))) for name, of in groupby(columns, key=lambda column: column.group)]
    return _row(
        "".join(
            f'<th scope="colgroup" colspan="{count}" class="group">{html.escape(name)}</th>'
            if name
            else f'<td colspan="{count}"></td>'
            for name, count in cells
        )
    )


def _heading(column: Column) -> str:
    kind = "" if column.words else ' class="number"'
    return f'<th scope="col"{kind}>{html.escape(column.heading)}</th>'


def _cell(column: Column, cell: Cell) -> str:
    kinds = " ".join(filter(None, ("" if column.words else "number", cell.mark)))
    return f'<td class="{kinds}">{html.escape(cell.text)}</td>' if kinds else f"<td>{html.escape(cell.text)}</td>"


def _row(cells: str) -> str:
    return f"<tr>{cells}</tr>"
