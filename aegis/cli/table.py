"""``aegis table``: tables of the paper, ours beside its."""

from __future__ import annotations

from typing import Annotated

import typer

from aegis.cli.experiment import ScaleOption, records_for
from aegis.cli.options import Json, Results, Training, flag, in_paper
from aegis.core.files import write_text
from aegis.experiments.paper.catalogue import TABLES
from aegis.lab.bank.record import RESULTS

ALL = "all"
CHOICES = (*TABLES, ALL)
Number = Annotated[str, in_paper(CHOICES, "a table")]
Markdown = Annotated[bool, flag("--markdown", "Print it as Markdown, for a document.")]


def table(
    number: Number,
    json: Json = None,
    markdown: Markdown = False,
    scale: ScaleOption = None,
    training: Training = "quick",
    results: Results = RESULTS,
) -> None:
    """Show a table of the paper with our numbers beside its.

    Examples:

        aegis table 5
        aegis table 6 --json table6.json
        aegis table 6 --scale smoke
        aegis table all --markdown

    Ours are read from the files in results, which aegis bank writes; what is not made or not scanned yet stays empty.
    5: the models; 6: which of them are found; 7: how that depends on settings (aegis bank sweep); 11 and 12: how many
    clusters their classes form; detectors: AEGIS beside others. JSON has the same numbers, and the files that they
    come from. With --scale the experiment is run first; outcomes of smoke are kept apart, beside the store, unless
    --results says where.
    """
    from aegis.cli.output import Printer
    from aegis.cli.tables import print_table
    from aegis.experiments.paper import needs
    from aegis.experiments.paper.catalogue import make_table
    from aegis.experiments.paper.written import as_json, as_markdown

    out, made = Printer(stderr=True), []
    for name in TABLES if number == ALL else [number]:
        title = f"Table {name}" if name.isdigit() else name.capitalize()
        # Records remember what was read, for one table each.
        records = records_for(title, needs.TABLES.get(name, ()), scale, training, results, out)
        made.append((make_table(name, records), records))
    if json is not None:
        write_text(json, as_json(made))
    if markdown:
        typer.echo(as_markdown(made), nl=False)
        return
    for one, _ in made:
        print_table(one, titled=number == ALL)
