"""What commands print; all text from files is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from aegis.detect.record import ClassRecord, ScanRecord, TransplantRecord

COLOURS = {"clean": "green", "infected": "red", "inconclusive": "yellow"}


def console() -> Console:
    """Standard output."""
    return Console(highlight=False)


def safe(text: str, limit: int = 200) -> str:
    """Text from a file: one line, no control characters, no markup."""
    from aegis.models.card import printable

    return escape(printable(text, limit))


def print_scan(record: ScanRecord, quiet: bool, seconds: float | None = None) -> None:
    """A scan: the verdict in one sentence, then a line for every class, the most suspicious first."""
    out = console()
    colour = COLOURS[record.verdict]
    if quiet:
        out.print(safe(record.sentence, 2000), style=colour, soft_wrap=True)
        return
    model = record.model
    out.print(f"[bold]{safe(model.file)}[/]  SHA-256 {model.sha256[:16]}…  {safe(model.architecture)}")
    out.print(
        f"{safe(record.data.name)}: accuracy {model.accuracy:.1%}; halves at an L2 budget of {model.half_radius:.2f}"
    )
    out.print()
    out.print(safe(record.sentence, 2000), style=f"bold {colour}")
    out.print()
    out.print(_class_table(record))
    spent = sum(value for name, value in record.seconds.items() if name in ("assess", "classes"))
    where = f"{record.runtime['device']}, {record.runtime['precision']}"
    took = "" if seconds is None else f"; this command took {seconds:.1f} s"
    out.print(f"[dim]Computed in {spent:.0f} s on {where}{took}[/]")


def print_values(title: str, values: Mapping[str, object]) -> None:
    """Names and values below a title."""
    table = Table(title=title, title_justify="left", title_style="bold", show_header=False, box=None)
    for name, value in values.items():
        shown = f"{value:.4f}" if isinstance(value, float) else str(value)
        table.add_row(f"[dim]{safe(name)}[/]", safe(shown, 500))
    console().print(table)


def _class_table(record: ScanRecord) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("class", no_wrap=True)
    table.add_column("clusters", justify="right")
    families = [t.family for t in record.classes[0].transplants] if record.classes else []
    families = list(dict.fromkeys(families))
    for family in families:
        table.add_column(f"{family} flips", justify="right")
    table.add_column("")
    for found in sorted(record.classes, key=_strength, reverse=True):
        cells = [f"{found.label} {safe(found.name, 30)}", " / ".join(map(str, found.clusters_by_budget))]
        cells += [f"{_best(found, family).flip_rate:.0%}" for family in families]
        table.add_row(*cells, "[bold red]suspicious[/]" if found.suspicious else "[dim]-[/]")
    return table


def _best(found: ClassRecord, family: str) -> TransplantRecord:
    return max((t for t in found.transplants if t.family == family), key=lambda t: t.flip_rate)


def _strength(found: ClassRecord) -> tuple[bool, float, int]:
    return found.suspicious, max((t.flip_rate for t in found.transplants), default=0.0), found.clusters
