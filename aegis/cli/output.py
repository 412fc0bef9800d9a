"""Prints for all commands. Text from files becomes ``Text``, never markup, and loses its control characters."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from aegis.core.text import count_of, numbered, percent, printable
from aegis.records.settings import spent
from aegis.records.wording import robust_up_to

if TYPE_CHECKING:
    from aegis.core.types import Family
    from aegis.records.record import ScanRecord, TriageRecord

# Classes that a triage did not examine and that are shown.
UNEXAMINED = 7
COLOURS = {"clean": "green", "infected": "red", "inconclusive": "yellow"}
Piece = str | Text | tuple[str, str]


class Printer(Console):
    """A terminal, or a file or pipe, which gets neither colours nor wrapped lines."""

    def __init__(self, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)
        if not self.is_terminal:
            # A file or pipe has no width, so tables get one that fits them.
            self.width = 10_000

    def say(self, *pieces: Piece, wrap: bool = True) -> None:
        """Prints pieces of text as one line.

        Args:
            pieces: texts, each with or without a style.
            wrap: break lines that are longer than the terminal.
        """
        self.print(Text.assemble(*pieces), soft_wrap=not (wrap and self.is_terminal))

    def note(self, text: str) -> None:
        """Prints a remark, dimmed."""
        self.say((text, "dim"))

    def show(self, table: Table) -> None:
        """Prints a table."""
        self.print(table, crop=self.is_terminal)

    def on_broken_pipe(self) -> None:
        """Goes on without output, since rich would exit with code 1, which here means *infected*."""
        self.quiet = True
        # A closed pipe of messages must not stop the verdict on the other stream.
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), self.file.fileno())


def make_table(words: Iterable[str], numbers: Iterable[str] = (), title: str | None = None) -> Table:
    """Makes a table without a frame and without rows.

    Args:
        words: headings of the first columns, aligned left.
        numbers: headings of the others, aligned right.
        title: printed above it, or None.
    """
    table = Table(box=None, pad_edge=False, header_style="dim", title=title, title_justify="left")
    for heading in words:
        table.add_column(heading)
    for heading in numbers:
        table.add_column(heading, justify="right")
    return table


def without_wrapping(doc: str) -> str:
    """Puts each paragraph but examples of a docstring on one line, so that the help fills any terminal."""
    paragraphs = inspect.cleandoc(doc).split("\n\n")
    return "\n\n".join(p if p.startswith(" ") else p.replace("\n", " ") for p in paragraphs)


def clean(text: str, limit: int = 200) -> str:
    """Makes text from a file safe for a terminal.

    Args:
        text: from outside.
        limit: characters that are kept.
    """
    return printable(text, limit)


def print_scan(record: ScanRecord, quiet: bool = False, note: str = "") -> None:
    """Prints a scan: the verdict in a sentence, then a line for every class, the most suspicious first.

    Args:
        record: the outcome.
        quiet: the sentence alone, and what the positive control showed if there was one.
        note: a last remark, such as that it was found in the store.
    """
    out, colour = Printer(), COLOURS[record.verdict]
    sentence = clean(record.sentence, 5000)
    if quiet:
        out.say((sentence, colour), wrap=False)
        for line in _control(record):
            out.say(clean(line, 1000), wrap=False)
        return
    model = record.model
    out.say((clean(model.called), "bold"), f", {clean(model.architecture)}, SHA-256 {clean(model.sha256)[:16]}…")
    out.say(
        f"{clean(record.data.name)}: {model.accuracy:.1%} right; attacks of L2 norm {robust_up_to(model)} halve that"
    )
    out.line()
    out.say((sentence, f"bold {colour}"))
    out.line()
    out.show(_class_table(record))
    out.line()
    for line in _legend(record):
        out.note(line)
    out.line()
    for line in _evidence(record):
        out.say(clean(line, 1000))
    where = f"{clean(record.runtime.device)}, {record.runtime.precision}"
    if first := record.runtime.instead_of:
        where += f", since the network does not run with {clean(first)}"
    out.note(f"Computed in {spent(record):.0f} s ({where}), {clean(record.created)}{note}")


def print_values(title: str, values: Mapping[str, object]) -> None:
    """Prints names and values below a title."""
    table = Table(show_header=False, box=None)
    for name, value in values.items():
        table.add_row(Text(clean(name).replace("_", " "), "dim"), Text(_shown(value)))
    out = Printer()
    out.say((clean(title), "bold"))
    out.show(table)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return "; ".join(f"{clean(str(name))} {_shown(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_shown(part) for part in value)
    return clean(str(value), 500)


def _class_table(record: ScanRecord) -> Table:
    # Imported here, since help should not wait for it.
    from aegis.records.ranking import best_score, ranked

    families, ranking = _families(record), record.triage
    numbers = [*(("rank", "size") if ranking else ()), "clusters", *families, *(["benign"] if families else [])]
    table = make_table(["class"], numbers)
    table.columns[0].max_width = 40
    table.add_column("")
    for found in ranked(record):
        name = numbered(found.label, found.name, 60)
        rates = [best_score(found, family) for family in families]
        mark = Text("flagged", "bold red") if found.flagged else Text("-", "dim")
        clusters = ", ".join(map(str, found.clusters_by_budget))
        shown = ["" if rate is None else f"{rate:.0%}" for rate in rates]
        shown += [percent(found.p_value) if found.p_value is not None else ""] if families else []
        table.add_row(Text(name), *_rank(ranking, found.label), clusters, *shown, mark)
    if ranking is not None:
        blank = [""] * (len(numbers) - 2)
        for label in _unexamined(record)[:UNEXAMINED]:
            name = numbered(label, record.data.class_names[label], 60)
            table.add_row(Text(name), *_rank(ranking, label), *blank, Text("not examined", "dim"))
    return table


def _rank(ranking: TriageRecord | None, label: int) -> tuple[str, ...]:
    return () if ranking is None else (str(ranking.rank(label)), f"{ranking.sizes[label]:.0%}")


def _unexamined(record: ScanRecord) -> list[int]:
    """Classes that a triage left out, the likeliest first."""
    examined = {found.label for found in record.classes}
    return [] if record.triage is None else [label for label in record.triage.order if label not in examined]


def _legend(record: ScanRecord) -> list[str]:
    lines = []
    if record.triage is not None:
        lines.append(
            "size: of the smallest universal perturbation or patch that leads into the class, as a share of what the "
            "median class needs; the smallest are examined first"
        )
        if more := len(_unexamined(record)[UNEXAMINED:]):
            lines.append(f"not examined and not shown: {count_of(more, 'class')}")
    if not record.classes:
        return lines
    budgets = ", ".join(f"{budget:g}" for budget in record.classes[0].budgets)
    lines.append(f"clusters: of training and translated images, at a translation budget of {budgets}")
    if families := _families(record):
        lines.append(
            f"{', '.join(families)}: share of held-out images that the best trigger of this kind turns into the class, "
            "reached by most of the classes it is for"
        )
        lines.append("benign: at most so many benign models have a class like this")
    return lines


def _evidence(record: ScanRecord) -> list[str]:
    """Says what the strongest class's trigger does to each class, what was not tested, and what the control showed."""
    from aegis.records.caveats import untested
    from aegis.records.ranking import ranked, strongest_candidate

    lines, names = [], record.data.class_names
    for found in ranked(record)[:1]:
        if (position := strongest_candidate(found)) is not None:
            best = found.triggers[position]
            rates = ", ".join(f"{names[k]} {rate:.0%}" for k, rate in enumerate(best.flip_rates) if rate is not None)
            lines.append(f"Flip rates of the strongest trigger, {found.label} ({found.name}), by source class: {rates}")
    lines += [f"Not tested: {limit}" for limit in untested(record)]
    return lines + _control(record)


def _control(record: ScanRecord) -> list[str]:
    from aegis.records.caveats import say_control

    return [say_control(record.control, record.data.class_names)] if record.control else []


def _families(record: ScanRecord) -> list[Family]:
    return list(dict.fromkeys(t.family for found in record.classes for t in found.triggers))
