"""``aegis bank triage``: at which rank a triage has the targets of backdoors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from aegis.cli.bank.runs import Only, Set
from aegis.cli.options import Device, PrecisionOption, Results, Training, flag, names
from aegis.cli.output import Printer, make_table
from aegis.core.errors import ConfigError
from aegis.lab.bank.record import RESULTS
from aegis.lab.bank.suspects import choose, read_bank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aegis.experiments.bank_scans import Trial
    from aegis.experiments.triage_recall import Placed

Screen = Annotated[
    bool,
    flag("--screen", "Also rank by what comes first where there are many classes, which takes seconds a suspect."),
]


def triage(
    set_name: Set = None,
    only: Only = None,
    screen: Screen = False,
    device: Device = "auto",
    precision: PrecisionOption = "auto",
    training: Training = "quick",
    results: Results = RESULTS,
) -> None:
    """Measure at which rank a triage has the target of a backdoor.

    Examples:

        aegis bank triage
        aegis bank triage --set paper --screen

    Classes are ranked by what the saved scans measured of all of them. Suspects whose trigger does not work, or makes
    every class another, are left out.
    """
    from aegis.experiments.kept import trials_of
    from aegis.experiments.triage_recall import place

    entries = choose(read_bank(), [set_name] if set_name else [], names(only))
    trials = trials_of(entries, training=training, device=device, precision=precision, results=results)
    out, placed = Printer(), []
    for trial in trials:
        if trial.suspect.infected and (record := trial.find()) is not None:
            found = place(trial.suspect, record, _quick(trial) if screen else None)
            if found is not None:
                placed.append(found)
                ranks = ", ".join(f"{name} {rank}" for name, rank in found.ranks.items())
                out.say((found.suspect, "bold"), f": {ranks} of {found.classes}")
    if not placed:
        raise ConfigError("suspects with a working trigger that were scanned", "none", "Scan them: aegis bank scan.")
    _print(placed, out)


def _quick(trial: Trial) -> dict[str, tuple[float, ...]]:
    from aegis.core.runtime import choose_runtime
    from aegis.experiments.triage_recall import quick_numbers
    from aegis.models.load import load_checkpoint

    runtime = choose_runtime(trial.device, trial.precision)
    return quick_numbers(load_checkpoint(trial.checkpoint).classifier.frozen(runtime, once=True), trial.images)


def _print(placed: Sequence[Placed], out: Printer) -> None:
    from aegis.experiments.triage_recall import TOP, recalls

    table = make_table(("trigger for", "ranked by"), ("models", "mean rank", "worst", *(f"top {n}" for n in TOP)))
    for one in recalls(placed):
        shares = [f"{share:.0%}" for share in one.top]
        table.add_row(one.made_for, one.number, str(one.models), f"{one.mean:.2f}", str(one.worst), *shares)
    out.line()
    out.show(table)
    out.note(
        "norm, area: of the smallest universal perturbation and patch; the smaller one: of both, each as a share of "
        "the median class's, by which aegis scan --triage ranks up to thirty classes; of more it takes the best by the "
        "estimate, and where images have at most 64 pixels by the short search as well"
    )
