"""``aegis bank filters``: filters of training images on suspects whose training set can be made again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from aegis.baselines.poison_filter import POISON_FILTERS
from aegis.cli.bank.runs import Jobs, Only, Summary, outcomes, say_took
from aegis.cli.options import Device, PrecisionOption, Results, Training, names
from aegis.cli.output import Printer, make_table
from aegis.cli.places import Address, Insecure, place_of_tasks
from aegis.core.errors import ConfigError
from aegis.lab.bank.record import RESULTS
from aegis.lab.bank.suspects import choose, read_bank

if TYPE_CHECKING:
    from aegis.experiments.poison_filters import FilterRecord

ALL_FILTERS = ",".join(POISON_FILTERS)
With = Annotated[
    str, typer.Option("--with", metavar="NAMES", help=f"Which filters, with commas between them: {ALL_FILTERS}.")
]


def filters(
    only: Only = None,
    with_: With = ALL_FILTERS,
    summary: Summary = False,
    jobs: Jobs = None,
    device: Device = "auto",
    precision: PrecisionOption = "auto",
    training: Training = "quick",
    results: Results = RESULTS,
    address: Address = None,
    insecure: Insecure = False,
) -> None:
    """Give filters the training images of suspects, and count how much of the poison they find.

    Examples:

        aegis bank filters --only mnist_localised,mnist_localised_standard
        aegis bank filters --with spectral
        aegis bank filters --summary

    The training images, poison among them, are made again by the suspect's recipe, from the full data set; of 10,000
    clean ones at most and as large a share of the poison. Without names, the paper's robust suspects with visible
    triggers and their standard twins are taken. Outcomes are kept in results/poison_filters.
    """
    from aegis.experiments.poison_filters import filter_trials, is_visible

    chosen = names(with_)
    if not chosen or any(name not in POISON_FILTERS for name in chosen):
        raise ConfigError(f"filters among {ALL_FILTERS}", repr(with_), "Write for example --with spectral.")
    entries = choose(read_bank(), [] if only else ["paper", "standard"], names(only))
    wanted = entries if only else [entry for entry in entries if is_visible(entry)]
    how = {"training": training, "device": device, "precision": precision}
    tasks = filter_trials(wanted, chosen, results=results, **how)
    if not tasks:
        raise ConfigError(
            "suspects that are made, with appended poison that follows from their recipe",
            "none of these",
            "Make them with: aegis bank train.",
        )
    out = Printer()
    place = partial(place_of_tasks, address, insecure, device=device, jobs=jobs)
    ended = outcomes("bank filters", tasks, out, _say, summary=summary, jobs=jobs, results=results, place=place)
    _print([record for _, record in ended], out)


def _say(one: FilterRecord, now: bool) -> str:
    took = say_took(one.seconds, now)
    return f", {one.plan['filter']}: {one.found} of {one.poisoned} poisoned images ({took})"


def _print(found: list[FilterRecord], out: Printer) -> None:
    columns = ("poisoned", "flagged", "recall", "precision", "in target", "accused", "AUC", "s")
    table = make_table(("suspect", "filter"), columns)
    for one in sorted(found, key=lambda record: record.suspect):
        counts = (str(one.poisoned), str(one.flagged), f"{one.recall:.1%}")
        precisions = (_percent(one.flag_precision), _percent(one.target_precision))
        rest = (f"{one.auc:.3f}", f"{one.seconds:.0f}")
        table.add_row(one.suspect, one.plan["filter"], *counts, *precisions, str(one.accused), *rest)
    out.line()
    out.show(table)
    out.note(
        "recall: share of the poisoned images that are flagged; precision: share of the flagged ones that are "
        "poisoned, among all images and among those with the target's label; accused: benign classes of which images "
        "are flagged; AUC: how often a poisoned image has a higher score than a clean one of its label. "
        + "; ".join(f"{name}: {one.title}" for name, one in POISON_FILTERS.items())
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"
