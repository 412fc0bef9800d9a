"""``aegis bank sweep``: suspects under many settings of the paper's rule, for Table 7."""

from __future__ import annotations

from typing import Annotated

import typer

from aegis.cli.options import Device, PrecisionOption, Results, Training, names, option
from aegis.cli.output import Printer
from aegis.cli.remembered import remembered
from aegis.core.errors import ConfigError
from aegis.lab.bank.record import RESULTS

Only = Annotated[
    str | None, option("--only", "NAMES", "Only these, with commas between them; otherwise the six of Table 7.")
]
Jobs = Annotated[int, typer.Option("--jobs", metavar="N", help="Processes side by side.", min=1)]


def sweep(
    only: Only = None,
    jobs: Jobs = 1,
    device: Device = "auto",
    precision: PrecisionOption = "auto",
    training: Training = "quick",
    results: Results = RESULTS,
) -> None:
    """Look at suspects with visible triggers under many settings of the paper's rule.

    Examples:

        aegis bank sweep --jobs 2
        aegis bank sweep --only mnist_localised

    Each is translated with 800 seeds once, of which 200 to 800 are looked at, with three bandwidths; and once at
    budgets that bind, from 1 to 15. Outcomes are kept in results/sweeps, and aegis table 7 shows them.
    """
    from aegis.experiments.sweep import sweeps_of
    from aegis.fleet.tasks import run_all

    tasks = sweeps_of(names(only), training=training, device=device, precision=precision, results=results)
    if not tasks:
        raise ConfigError("suspects that are made", "none of these", "Make them with: aegis bank train.")
    out = Printer()
    with remembered("bank sweep", results):
        for i, record, now in run_all(tasks, jobs):
            took = f"{record.seconds:.0f} s" if now else "was there"
            out.say((tasks[i].trial.suspect.name, "bold"), f": {len(record.settings)} settings ({took})")
