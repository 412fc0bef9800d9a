"""Tables and figures in the forms that the page shows and hands out; no Streamlit here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aegis.experiments.paper.written import as_json, as_markdown, title_of
from aegis.ui.experiments.markup import draw_table

if TYPE_CHECKING:
    from aegis.experiments.paper.figure import Figure
    from aegis.experiments.paper.records import Records
    from aegis.experiments.paper.table import Table


@dataclass(frozen=True)
class MadeTable:
    """A table in every form.

    Args:
        title: with its number.
        markup: HTML.
        remarks, note: what is said below it.
        json, markdown: as files.
        files: records that it was made from.
    """

    title: str
    markup: str
    remarks: tuple[str, ...]
    note: str
    json: str
    markdown: str
    files: list[str]

    @classmethod
    def of(cls, table: Table, records: Records) -> MadeTable:
        """Writes a table.

        Args:
            table: the table.
            records: that it was made from.
        """
        both = [(table, records)]
        return cls(
            title_of(table),
            draw_table(table),
            table.remarks,
            table.note,
            as_json(both),
            as_markdown(both),
            records.files,
        )


@dataclass(frozen=True)
class DrawnFigure:
    """A figure as a picture.

    Args:
        title: with its number.
        png: the picture.
        remarks: what is said below it.
        files: records that it was made from.
    """

    title: str
    png: bytes
    remarks: tuple[str, ...]
    files: list[str]

    @classmethod
    def of(cls, figure: Figure, records: Records) -> DrawnFigure:
        """Draws a figure.

        Args:
            figure: the figure.
            records: that it was made from.
        """
        # Imported here, since loading matplotlib takes a second.
        from aegis.experiments.paper.draw import draw

        title = f"Figure {figure.number}. {figure.title}"
        return cls(title, draw(figure, ".png"), figure.remarks, records.files)
