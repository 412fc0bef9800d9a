"""``aegis bank sweep``: suspects under many settings of the paper's rule, for Table 7."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

from aegis.cli.bank.runs import Jobs, outcomes, say_took
from aegis.cli.options import Device, PrecisionOption, Results, Training, names, option
from aegis.cli.output import Printer
from aegis.cli.places import Address, Insecure, place_of_tasks
from aegis.core.errors import ConfigError
from aegis.lab.bank.record import RESULTS

if TYPE_CHECKING:
    from aegis.experiments.sweep import SweepRecord

Only = Annotated[
    str | None, option("--only", "NAMES", "Only these, with commas between them; otherwise the six of Table 7.")
]


def sweep(
    only: Only = None,
    jobs: Jobs = None,
    device: Device = "auto",
    precision: PrecisionOption = "auto",
    training: Training = "quick",
    results: Results = RESULTS,
    address: Address = None,
    insecure: Insecure = False,
) -> None:
    """Look at suspects with visible triggers under many settings of the paper's rule.

    Examples:

        aegis bank sweep --jobs 2
        aegis bank sweep --only mnist_localised

    Each is translated with 800 seeds once, of which 200 to 800 are looked at, with three bandwidths; and once at
    budgets that bind, from 1 to 15. Outcomes are kept in results/sweeps, and aegis table 7 shows them.
    """
    from aegis.experiments.sweep import sweeps_of

    tasks = sweeps_of(names(only), training=training, device=device, precision=precision, results=results)
    if not tasks:
        raise ConfigError("suspects that are made", "none of these", "Make them with: aegis bank train.")
    place = partial(place_of_tasks, address, insecure, device=device, jobs=jobs)
    outcomes("bank sweep", tasks, Printer(), _say, summary=False, jobs=jobs, results=results, place=place)


def _say(record: SweepRecord, now: bool) -> str:
    return f": {len(record.settings)} settings ({say_took(record.seconds, now)})"
