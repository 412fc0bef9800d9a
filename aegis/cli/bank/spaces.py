"""``aegis bank spaces``: whether clusters of other spaces than the paper's point at the target."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

from aegis.cli.bank.runs import Jobs, Only, outcomes, say_took
from aegis.cli.options import Device, PrecisionOption, Results, Training, choice, flag, names
from aegis.cli.output import Printer, make_table
from aegis.cli.places import Address, Insecure, place_of_tasks
from aegis.core.errors import ConfigError
from aegis.lab.bank.record import RESULTS
from aegis.lab.bank.suspects import BREADTH_SETS, GROUPS, HALVES, choose, read_bank

if TYPE_CHECKING:
    from aegis.experiments.separation import Separation
    from aegis.experiments.spaces import SpacesRecord

Set = Annotated[str, choice("--set", (*GROUPS, *HALVES, *BREADTH_SETS), "Which suspects, as in aegis bank scan.")]
Planes = Annotated[bool, flag("--planes", "Also cluster in the plane of t-SNE, as published, which takes longest.")]
Summary = Annotated[bool, flag("--summary", "Measure nothing; only show what was measured.")]


def spaces(
    set_name: Set = "paper",
    only: Only = None,
    planes: Planes = False,
    summary: Summary = False,
    jobs: Jobs = None,
    device: Device = "auto",
    precision: PrecisionOption = "auto",
    training: Training = "quick",
    results: Results = RESULTS,
    address: Address = None,
    insecure: Insecure = False,
) -> None:
    """Measure in which space, and by which clusters, the target of a backdoor differs from benign classes.

    Examples:

        aegis bank spaces --set calibration
        aegis bank spaces --set paper --planes
        aegis bank spaces --set paper --planes --summary

    The spaces are the paper's features, the change of translated images, and the change of their features. Outcomes are
    kept in results/spaces.
    """
    from aegis.experiments.kept import trials_of
    from aegis.experiments.separation import separations
    from aegis.experiments.spaces import Spaces

    entries = choose(read_bank(), [] if only else [set_name], names(only))
    trials = trials_of(entries, training=training, device=device, precision=precision, results=results)
    tasks = [Spaces(trial=trial, planes=planes) for trial in trials]
    if not tasks:
        raise ConfigError("suspects that are made", "none of these", "Make them with: aegis bank train.")
    out = Printer()
    place = partial(place_of_tasks, address, insecure, device=device, jobs=jobs)
    found = outcomes("bank spaces", tasks, out, _say, summary=summary, jobs=jobs, results=results, place=place)
    _print(separations(found), len(found), out)


def _say(record: SpacesRecord, now: bool) -> str:
    return f": {say_took(record.seconds, now)}"


def _print(found: list[Separation], models: int, out: Printer) -> None:
    table = make_table(("space", "clusters by", "statistic"), ("budget", "AUC", "within models", "target first", "of"))
    for one in found:
        what = (one.space, one.rule, one.statistic, f"{one.budget:g}")
        table.add_row(*what, str(one.auc), str(one.within), f"{one.first:.0%}", str(one.infected))
    out.line()
    out.show(table)
    out.note(
        f"{models} models. AUC: how often a target has more than a benign class, over all pairs, and over "
        "those within one model; 0.5 is chance, below it a target has less. In brackets the 95% interval by the "
        "bootstrap over models. target first: infected models in which no class has "
        "more than a target; ties count in part, and chance is one in ten where there is one target among ten classes."
    )
