"""A table as data: what is printed, written as JSON and put into a document is the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Value = str | int | float | tuple[float, float] | None
Mark = Literal["", "right", "wrong", "strong"]


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        key: its name in JSON, unlike that of any other column.
        heading: its heading.
        group: a heading over it and its neighbours of the same group; empty for none.
        unit: of its numbers, for JSON; empty for none.
        words: whether it holds words, which are aligned left.
    """

    key: str
    heading: str
    group: str = ""
    unit: str = ""
    words: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Args:
        text: as people read it; empty for what is not known or stands in the row above.
        value: the same for programs.
        mark: *right* or *wrong* for an outcome, *strong* for what is to be seen.
    """

    text: str = ""
    value: Value = None
    mark: Mark = ""


EMPTY = Cell()


@dataclass(frozen=True)
class Table:
    """A table of the paper, ours beside its.

    Args:
        number: its number in the paper, or its name.
        title: what it is about.
        columns: its columns.
        rows: a cell for each column.
        remarks: sentences below it.
        note: how to read it.
    """

    number: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    remarks: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.columns) for row in self.rows)
        assert len({column.key for column in self.columns}) == len(self.columns)

    @property
    def records(self) -> list[dict[str, Value]]:
        """The values of each row, by the key of the column."""
        return [{column.key: cell.value for column, cell in zip(self.columns, row, strict=True)} for row in self.rows]


def cell(value: str | float | None, form: str = "", mark: Mark = "") -> Cell:
    """Makes a cell of a value.

    Args:
        value: a word or number; None leaves the cell empty.
        form: how it is written, as for ``format``.
        mark: as in ``Cell``.

    Returns:
        The cell.
    """
    return EMPTY if value is None else Cell(format(value, form), value, mark)


def words(*texts: str) -> tuple[Cell, ...]:
    """Makes cells of words."""
    return tuple(Cell(text, text) for text in texts)


def percent(share: float | None) -> Cell:
    """Makes a cell of a share in [0, 1], in percent with one digit; None leaves it empty."""
    return cell(None if share is None else 100 * share, ".1f")


def over(values: Iterable[float], form: str = "g") -> Cell:
    """Makes a cell of numbers of which the least and the most are said.

    Args:
        values: the numbers; none leave the cell empty.
        form: how they are written, as for ``format``.

    Returns:
        The cell.
    """
    known = sorted(values)
    if not known:
        return EMPTY
    least, most = (format(known[end], form) for end in (0, -1))
    return Cell(least if least == most else f"{least} to {most}", (known[0], known[-1]))


NOT_RECORDED = "Nothing is recorded of: "
SMOKE = (
    "Scale smoke: a few suspects with the smallest settings, to show that it runs; these numbers say nothing of the "
    "method."
)


def not_recorded(names: Iterable[str]) -> tuple[str, ...]:
    """Says in a sentence what no record is there of.

    Args:
        names: of what is missing.

    Returns:
        The sentence; nothing where nothing is missing.
    """
    missing = list(names)
    return (f"{NOT_RECORDED}{', '.join(missing)}.",) if missing else ()


def remarks_of_smoke(remarks: Iterable[str]) -> tuple[str, ...]:
    """Says what numbers at scale *smoke* are worth, instead of naming all suspects that it leaves out.

    Args:
        remarks: below a table or figure.

    Returns:
        The remarks to show there.
    """
    return (SMOKE, *(one for one in remarks if not one.startswith(NOT_RECORDED)))
