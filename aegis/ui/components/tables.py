"""Tables as plain markup, which is there at once; no Streamlit here."""

from __future__ import annotations

import html
from collections.abc import Sequence

TABLES = """<style>
.aegis-wide { overflow-x: auto; }
.aegis-table { width: 100%; border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
.aegis-table th, .aegis-table td { text-align: left; padding: .375rem .75rem .375rem 0; vertical-align: top;
  border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); overflow-wrap: anywhere; }
.aegis-table thead th { font-weight: 600; opacity: .8; white-space: nowrap; }
.aegis-table tbody th { font-weight: 400; min-width: 7rem; }
.aegis-table .changed, .aegis-table .same, .aegis-table .plain { white-space: nowrap; }
.aegis-table .changed { font-weight: 650; }
.aegis-table .same { opacity: .65; }
.aegis-table .flagged { color: light-dark(#c2470a, #f58a4b); font-weight: 650; white-space: nowrap; }
.aegis-table.paper thead th { white-space: normal; vertical-align: bottom; }
.aegis-table.paper :is(th, td) { overflow-wrap: break-word; }
.aegis-table .number { text-align: right; padding-right: 1rem; }
.aegis-table .group { text-align: center; } .aegis-table.paper thead td { border-bottom: 0; }
.aegis-table .strong { font-weight: 650; }
.aegis-table .right { color: light-dark(#0b62a8, #5ab4f0); }
.aegis-table .wrong { color: light-dark(#c2470a, #f58a4b); }
</style>"""


def table(heads: Sequence[str], rows: Sequence[str]) -> str:
    """Draws a table.

    Args:
        heads: of the columns, an empty one without a name; none to leave the heads out.
        rows: from ``row``.
    """
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' if name else "<td></td>" for name in heads)
    top = f"<thead><tr>{head}</tr></thead>" if heads else ""
    whole = f"{top}<tbody>{''.join(rows)}</tbody>"
    return f'<div class="aegis-wide"><table class="aegis-table">{whole}</table></div>'


def row(name: str, cells: Sequence[str]) -> str:
    """Draws a row.

    Args:
        name: what it is about, its first cell.
        cells: the others, from ``cell``.
    """
    return f'<tr><th scope="row">{html.escape(name)}</th>{"".join(cells)}</tr>'


def cell(text: str, kind: str = "") -> str:
    """Draws a cell.

    Args:
        text: in it.
        kind: one that ``TABLES`` has a style for, or empty.
    """
    opened = f'<td class="{kind}">' if kind else "<td>"
    return f"{opened}{html.escape(text)}</td>"
